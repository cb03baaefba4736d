"""Makes a database of many fictional signatures, fast: the sealed texts are few and repeated."""

from django.db import connection
from django.utils import timezone

from petition.figures import history
from petition.ground import encryption
from petition.models import ConsentText, Signature
from petition.signing import tallies

COUNTRIES = ("MA", "LB", "PS", "EG", "TN", "ES", "BE", "FR", "JO", "DZ")


def fill(how_many: int, *, letters: bool = True) -> None:
    """So many signatures over 60 days: one in ten held, one in twenty pending, the rest counted;
    every second may be handed over. Counters agree with them."""
    consent = ConsentText.objects.get(version=2, language="ar").pk
    names = [encryption.encrypt(f"Sample Signer {n}", "signature name") for n in range(5000)]
    emails = [encryption.encrypt(f"sample{n}@example.org", "signature email") for n in range(200)]
    domains = [encryption.index(f"domain{n}.example", "domain") for n in range(50)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM petition_signature")
        (last,) = cursor.fetchone()
        cursor.execute(
            """
            INSERT INTO petition_signature (reference, state, name, email, mailbox_index,
              domain_index, country, track_id, updates, delivery, consent_id, language,
              signed_at, confirmed_at, moved_at, reason)
            SELECT gen_random_uuid(),
              CASE WHEN n %% 10 = 0 THEN 'held' WHEN n %% 20 = 1 THEN 'pending' ELSE 'counted' END,
              (%(names)s::bytea[])[1 + n %% 5000], (%(emails)s::bytea[])[1 + n %% 200],
              decode(md5('mailbox ' || (n + %(last)s)), 'hex'), (%(domains)s::bytea[])[1 + n %% 50],
              (%(countries)s::text[])[1 + (n / 7) %% 10],
              (ARRAY['fate', 'legislation', 'protection', NULL])[1 + n %% 4],
              false, n %% 2 = 0 OR n %% 20 > 1, %(consent)s, (ARRAY['ar', 'fr', 'en'])[1 + n %% 3],
              t, CASE WHEN n %% 20 = 1 THEN NULL ELSE t + interval '5 minutes' END, t,
              CASE WHEN n %% 10 = 0
                THEN (ARRAY['automated', 'disposable', 'other'])[1 + n %% 3] ELSE '' END
            FROM (SELECT n, %(now)s - (n::float / %(count)s) * interval '60 days' AS t
                  FROM generate_series(1, %(count)s) AS n) AS rows
            ORDER BY t
            """,
            {
                "names": names, "emails": emails, "domains": domains, "count": how_many,
                "countries": list(COUNTRIES), "consent": consent, "now": timezone.now(),
                "last": last,
            },
        )  # fmt: skip
        # Foreign keys are checked by plans that were made while the table was empty.
        cursor.execute("ANALYZE petition_signature")
        cursor.execute("DISCARD PLANS")
        if letters:
            _fill_letters(cursor, last)
        cursor.execute("VACUUM ANALYZE")
    tallies.mend()


def _fill_letters(cursor, last: int) -> None:
    """For each signature after `last` the letter that asked its owner to confirm."""
    cursor.execute(
        """
        INSERT INTO petition_letter (signature_id, kind, language, state, created_at, due_at,
          mailer, tries, reply, ended_at)
        SELECT id, 'confirm', language, CASE WHEN id %% 50 = 0 THEN 'refused' ELSE 'sent' END,
          signed_at, signed_at, '', 1, '', signed_at
        FROM petition_signature WHERE id > %s
        """,
        [last],
    )


def fill_thinly(how_many: int) -> None:
    """So many counted signatures as the counters see them, in rows as small as they can be and
    without letters: ten million take minutes."""
    consent = ConsentText.objects.get(version=2, language="ar").pk
    sealed = encryption.encrypt("x", "signature name")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO petition_signature (reference, state, name, email, mailbox_index,
              domain_index, country, track_id, updates, delivery, consent_id, language,
              signed_at, confirmed_at, moved_at, reason)
            SELECT gen_random_uuid(), 'counted', %(sealed)s, %(sealed)s,
              decode(md5(n::text), 'hex'), NULL,
              (%(countries)s::text[])[1 + n %% 10],
              (ARRAY['fate', 'legislation', 'protection', NULL])[1 + n %% 4],
              false, false, %(consent)s, (ARRAY['ar', 'fr', 'en'])[1 + n %% 3], t, t, t, ''
            FROM (SELECT n, %(now)s - (n::float / %(count)s) * interval '60 days' AS t
                  FROM generate_series(1, %(count)s) AS n) AS rows
            """,
            {
                "sealed": sealed, "countries": list(COUNTRIES), "consent": consent,
                "now": timezone.now(), "count": how_many,
            },
        )  # fmt: skip
        cursor.execute("VACUUM ANALYZE")  # Or the database does so while we measure.
    tallies.mend()


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE petition_signature, petition_tally, petition_letter CASCADE")
    history.forget()


def one() -> Signature:
    """A counted one from the middle, under an address that can be looked up."""
    middle = Signature.objects.counted().order_by("pk")
    signature = middle[middle.count() // 2]
    address = "looked.up@example.org"
    Signature.objects.filter(pk=signature.pk).update(
        email=address, mailbox=Signature.mailbox_indexes(address)[0]
    )
    return Signature.objects.get(pk=signature.pk)
