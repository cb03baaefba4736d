"""Deletes what is no longer needed, and moves what is kept to the current data key."""

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from petition.models import Letter, Signature

# The privacy page says it; a test holds the two together.
LETTERS_KEPT_FOR = timedelta(days=30)
BATCH = 500


def purge() -> dict[str, int]:
    """Delete unconfirmed signatures and ended letters whose time is over.

    In batches, each committed, so that it can be stopped and run again at any time.
    """
    now = timezone.now()
    return {
        "signatures": _delete(
            Signature.objects.pending().filter(signed_at__lte=now - Signature.PENDING_FOR)
        ),
        "letters": _delete(Letter.objects.filter(ended_at__lte=now - LETTERS_KEPT_FOR)),
    }


def rotate_keys() -> int:
    """Write every signature again under the first data key; returns how many needed it.

    Afterwards the other keys may leave DATA_KEYS. Can be stopped and run again at any time.
    """
    done = 0
    for signature in Signature.objects.exclude(mailbox=None).iterator(chunk_size=BATCH):
        if signature.mailbox != Signature.mailbox_indexes(signature.email)[0]:
            done += signature.reseal()
    return done


def _delete(rows: QuerySet) -> int:
    """Delete in batches; rows that somebody is just confirming are left to them."""
    deleted = 0
    while True:
        with transaction.atomic():
            batch = list(
                rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH]
            )
            rows.filter(pk__in=batch).delete()
        deleted += len(batch)
        if len(batch) < BATCH:
            return deleted
