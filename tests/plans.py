"""How PostgreSQL would come to the rows of a statement that it keeps the plan of.

The planner goes by what it last saw, which may be an hour or a million signatures ago: what is
read whole while a table has a few rows would be read whole then.
"""

import re

from django.db import connection

KEYED = re.compile(r"(Index|Recheck) Cond: \((reference|signature_id|id) = ")


def assert_reads_by_key(*statements: str, **values) -> None:
    """Every scan of a table of people or letters is by a key that is given."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SET LOCAL enable_seqscan = off")  # As the functions have it.
        plan = []
        for statement in statements:
            cursor.execute(f"EXPLAIN {statement}", values)
            plan += [line.strip(" ->") for (line,) in cursor.fetchall()]
    scans = [
        place
        for place, line in enumerate(plan)
        if re.search(r"Scan .*\bon petition_(signature|attempt|letter)\b", line)
    ]
    assert scans, plan
    for place in scans:
        assert KEYED.match(plan[place + 1]), plan[place : place + 2]
