"""Deletes what is no longer needed, and moves what is kept to the current data key."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from petition import lifecycle, tallies, vault
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
            Signature.objects.pending().filter(signed_at__lte=now - Signature.PENDING_FOR),
            {tallies.PENDING: -1, tallies.EXPIRED: 1},
        ),
        "letters": _delete(Letter.objects.filter(ended_at__lte=now - LETTERS_KEPT_FOR)),
    }


def rotate_keys() -> dict[str, int]:
    """Write every signature again under the first data key.

    Returns how many were "moved", how many "doubles" of one mailbox were taken off, and how many
    are "unreadable" by any key. Without the last, the other keys may leave DATA_KEYS. Can be
    stopped and run again at any time.
    """
    done = {"moved": 0, "doubles": 0, "unreadable": 0}
    every = Signature.objects.exclude(mailbox=None).values_list("pk", flat=True)
    for pk in every.iterator(chunk_size=BATCH):
        try:
            signature = Signature.objects.filter(pk=pk).exclude(mailbox=None).first()
            if signature is None or signature.mailbox == _current_index(signature):
                continue
            done["moved"] += signature.reseal()
        except vault.Unreadable:
            done["unreadable"] += 1
        except IntegrityError:
            # Processes with different keys took the same mailbox for two. One signature stays.
            other = Signature.objects.filter(mailbox=_current_index(signature)).first()
            counted = signature.state == Signature.State.COUNTED
            goes, stays = (other, signature) if counted else (signature, other)
            done["doubles"] += lifecycle.move(goes, Signature.State.WITHDRAWN, **Signature.ERASED)
            done["moved"] += stays.reseal() if stays is signature else 0
    return done


def _current_index(signature: Signature) -> str:
    return Signature.mailbox_indexes(signature.email)[0]


def _delete(rows: QuerySet, counters: dict[tallies.Key, int] | None = None) -> int:
    """Delete in batches; rows that somebody is just confirming are left to them.

    Each row that goes changes the `counters` by what they say.
    """
    deleted = 0
    while True:
        with transaction.atomic():
            batch = list(
                rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH]
            )
            rows.filter(pk__in=batch).delete()
            if batch and counters:
                tallies.add({key: each * len(batch) for key, each in counters.items()})
        deleted += len(batch)
        if len(batch) < BATCH:
            return deleted
