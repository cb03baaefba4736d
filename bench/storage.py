"""What a signature takes on the disk with its indexes, and which index each list reads."""

import json

from django.db import connection
from django.http import QueryDict
from django.utils import timezone

from bench import crowd
from petition.admin.signature_forms import SignatureFilters
from petition.models import Signature

LISTS = (
    "", "state=held", "state=pending", "state=counted", "country=MA", "country=IS", "language=fr",
    "track=fate", "track=none", "reason=automated", "day={day}", "confirmed={day}",
    "state=held&country=LB&language=fr&track=fate",
)  # fmt: skip
PAGE = 51


def run(how_many: int) -> None:
    crowd.empty()
    crowd.fill(how_many, letters=False)
    print(f"Bytes a signature among {how_many:,}, names and addresses of usual length")
    total = 0
    for name, size in sizes().items():
        total += size
        print(f"  {name:28} {size / how_many:7.1f}")
    print(f"  {'in all':28} {total / how_many:7.1f}")
    print("What each list reads for its first page (keys, then the rows of the keys)")
    for query in LISTS:
        query = query.format(day=timezone.now().date().isoformat())
        index, rows, milliseconds = plan(query)
        print(f"  {query or 'all':48} {index:24} {rows:9,} index rows {milliseconds:8.2f} ms")


def sizes() -> dict[str, int]:
    """Bytes of the table, with what it keeps apart, and of each index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'table', pg_table_size('petition_signature') UNION ALL"
            " SELECT indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes"
            " WHERE relname = 'petition_signature' ORDER BY 2 DESC"
        )
        return dict(cursor.fetchall())


def plan(query: str) -> tuple[str, int, float]:
    """The index that the keys of a list's first page come from, how many of its rows are looked
    at, and how long it takes in PostgreSQL."""
    filters = SignatureFilters(QueryDict(query))
    assert filters.is_valid(), filters.errors
    rows = Signature.objects.order_by(*filters.order(("-signed_at", "-pk")))
    keys = filters.narrow(rows).values_list("pk", flat=True)[:PAGE]
    if filters.cleaned_data.get("channel") == "paper":
        return "none", 0, 0.0
    node = json.loads(keys.explain(format="json", analyze=True))[0]
    taken, node = node["Execution Time"], node["Plan"]
    while "Plans" in node:
        node = node["Plans"][0]
    looked_at = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return node.get("Index Name", node["Node Type"]), int(looked_at), taken
