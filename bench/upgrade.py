"""Migrates a database of many signatures while the release before signs: how long anybody waits.

The release before is its SQL: what it writes for a new signature and for a known one.
"""

import secrets
import threading
import time
import uuid

from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [("petition", "0021_privacy_says_what_is_public")]
SIGNERS, PAUSE_SECONDS = 4, 0.2  # Twenty a second in all.
FILL = """
INSERT INTO petition_signature (reference, state, name, email, mailbox, domain, country, updates,
  delivery, consent_id, language, signed_at, confirmed_at, moved_at, reason)
SELECT gen_random_uuid(), 'counted', %s, %s, md5(n::text), md5((n %% 50)::text), 'MA', false, false,
  (SELECT min(id) FROM petition_consenttext), 'ar', t, t, t, ''
FROM (SELECT n, now() - n * interval '1 second' AS t FROM generate_series(1, %s) AS n) AS rows
"""
SIGN = """
INSERT INTO petition_signature (reference, state, name, email, mailbox, domain, country, updates,
  delivery, consent_id, language, signed_at, moved_at, reason)
VALUES (%s, 'pending', %s, %s, %s, %s, 'MA', false, false,
  (SELECT min(id) FROM petition_consenttext), 'ar', now(), now(), '')
ON CONFLICT DO NOTHING
"""
FIND = "SELECT id, state FROM petition_signature WHERE mailbox = %s FOR NO KEY UPDATE"


def run(how_many: int) -> None:
    _migrate(BEFORE)
    sealed = secrets.token_bytes(65)
    with connection.cursor() as cursor:
        cursor.execute(FILL, [sealed, sealed, how_many])
        cursor.execute("VACUUM ANALYZE petition_signature")
    stop, waits, wrong = threading.Event(), [], []
    signers = [
        threading.Thread(target=_sign, args=(stop, waits, wrong, sealed)) for _ in range(SIGNERS)
    ]
    for signer in signers:
        signer.start()
    start = time.perf_counter()
    try:
        _migrate(None)
    finally:
        taken = time.perf_counter() - start
        stop.set()
        for signer in signers:
            signer.join()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE mailbox_index IS NULL),"
            " count(DISTINCT mailbox_index) FROM petition_signature"
        )
        rows, missing, mailboxes = cursor.fetchone()
    waits.sort()
    print(f"Migrating {how_many:,} signatures in {taken:.1f} s, while {len(waits):,} were signed")
    print(
        f"  longest wait {waits[-1] * 1000:.0f} ms, median {waits[len(waits) // 2] * 1000:.1f} ms"
    )
    print(f"  {len(wrong)} errors; {rows:,} rows, {missing} without index, {mailboxes:,} mailboxes")


def _migrate(targets) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(targets or executor.loader.graph.leaf_nodes())


def _sign(stop, waits, wrong, sealed) -> None:
    known = secrets.token_hex(16)
    while not stop.wait(PAUSE_SECONDS):
        for mailbox in (secrets.token_hex(16), known):
            begun = time.perf_counter()
            try:
                with connection.cursor() as cursor:
                    domain = secrets.token_hex(16)
                    cursor.execute(SIGN, [uuid.uuid4(), sealed, sealed, mailbox, domain])
                    cursor.execute(FIND, [mailbox])
                    assert len(cursor.fetchall()) == 1
            except (OperationalError, AssertionError) as error:
                wrong.append(error)
            waits.append(time.perf_counter() - begun)
    connection.close()
