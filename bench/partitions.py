"""Signatures in one table and in sixteen, by hash of the mailbox: what each act costs among ten
million. docs/scale.md says what follows from it."""

import re
import secrets
import time
import uuid
from statistics import median

from django.db import connection

from bench import crowd

ONE, MANY, PARTS = "one_table", "many_tables", 16
ACTS, LISTS, CHANGED = 3000, 200, 200_000
SIGN = """
INSERT INTO {table} AS s (id, reference, state, mailbox_index, name, email, domain_index, country,
  track_id, updates, delivery, consent_id, language, signed_at, moved_at, reason, passed_challenge,
  in_log)
VALUES (%s, %s, 'pending', %s, %s, %s, %s, 'MA', NULL, false, false, 1, 'ar', now(), now(), '',
  true, false)
ON CONFLICT (mailbox_index) DO UPDATE SET language = s.language RETURNING id
"""
FIND = "SELECT state FROM {table} WHERE reference = %s"
LIST = "SELECT id, state FROM {table} ORDER BY signed_at DESC, id DESC LIMIT 100"
COUNTRY = (
    "SELECT id, state FROM {table} WHERE country = 'MA' ORDER BY signed_at DESC, id DESC LIMIT 100"
)


def run(how_many: int) -> None:
    crowd.empty()
    crowd.fill_thinly(how_many)
    with connection.cursor() as cursor:
        definitions = _indexes(cursor)
        cursor.execute(f"CREATE TABLE {ONE} (LIKE petition_signature)")
        cursor.execute(f"CREATE TABLE {MANY} (LIKE petition_signature) "
                       "PARTITION BY HASH (mailbox_index)")  # fmt: skip
        for part in range(PARTS):
            cursor.execute(f"CREATE TABLE {MANY}_{part} PARTITION OF {MANY} "
                           f"FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part})")  # fmt: skip
        for table in (ONE, MANY):
            cursor.execute(f"INSERT INTO {table} SELECT * FROM petition_signature")  # noqa: S608
            for definition in definitions:
                cursor.execute(_for(table, definition))
            cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute(f"SELECT reference FROM {ONE} TABLESAMPLE SYSTEM (1) LIMIT %s",  # noqa: S608
                       [ACTS])  # fmt: skip
        known = [row[0] for row in cursor.fetchall()]
        found = {table: _measure(cursor, table, known) for table in (ONE, MANY)}
        cursor.execute(f"DROP TABLE {ONE}, {MANY}")
    print(f"{how_many:,} signatures, in one table and in {PARTS} by hash of the mailbox")
    for name, one in found[ONE].items():
        many = found[MANY][name]
        print(f"  {name:44} {one:9.2f} {many:9.2f}   {many / one:5.2f}")


def _indexes(cursor) -> list[str]:
    cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'petition_signature'")
    return [row[0] for row in cursor.fetchall()]


def _for(table: str, definition: str) -> str:
    """The same index of another table. What is unique but for the mailbox cannot be among parts."""
    definition = re.sub(r"INDEX \S+ ON \S+", f"INDEX ON {table}", definition)
    return definition if "(mailbox_index)" in definition else definition.replace(" UNIQUE", "")


def _measure(cursor, table: str, known: list) -> dict[str, float]:
    sealed, domain = secrets.token_bytes(65), secrets.token_bytes(16)
    first = 10**12
    found = {
        "sign, ms": _median(
            lambda n: cursor.execute(
                SIGN.format(table=table),
                [first + n, uuid.uuid4(), secrets.token_bytes(16), sealed, sealed, domain],
            ),
            ACTS,
        ),
        "find by a mailed link, ms": _median(
            lambda n: cursor.execute(FIND.format(table=table), [known[n % len(known)]]), ACTS
        ),
        "first page of the list, ms": _median(
            lambda n: cursor.execute(LIST.format(table=table)), LISTS
        ),
        "first page of a country, ms": _median(
            lambda n: cursor.execute(COUNTRY.format(table=table)), LISTS
        ),
    }
    cursor.execute(f"UPDATE {table} SET in_log = true WHERE id %% %s = 0",  # noqa: S608
                   [max(1, 10_000_000 // CHANGED)])  # fmt: skip
    tables = [table] if table == ONE else [f"{table}_{part}" for part in range(PARTS)]
    taken = [_seconds(lambda each=each: cursor.execute(f"VACUUM {each}")) for each in tables]
    found["vacuum of all after a change of 2 %, s"] = sum(taken)
    found["the longest vacuum of a table, s"] = max(taken)
    return found


def _median(act, times: int) -> float:
    return median(_seconds(lambda n=n: act(n)) for n in range(times)) * 1000


def _seconds(act) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
