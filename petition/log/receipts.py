"""Proofs that one's own signature is counted, for its owner alone."""

from petition.ground import addresses, encryption
from petition.log import events, merkle, notes
from petition.log.tiles import ENTRIES, Tiles, entries
from petition.models import LogHead, LogTile, Signature
from petition.models.signatures import RECEIPT


class NotInLog(Exception):
    """The signature is not counted, or not in the log yet."""


def proof(signature: Signature) -> tuple[int, str]:
    """The place of a signature in the log, and its proof (C2SP tlog-proof), which holds the secret
    bytes of its commitment. Raises NotInLog."""
    is_counted = signature.state == Signature.State.COUNTED and signature.in_log
    head = LogHead.objects.first()
    if not is_counted or signature.receipt is None or head is None or not signature.email:
        raise NotInLog
    secret = encryption.opened(bytes(signature.receipt), RECEIPT, signature.reference.bytes)
    mailbox = addresses.canonical(signature.email)
    index = _find(f"v1 counted {events.of_signer(secret, mailbox)}".encode(), signature)
    path = merkle.inclusion(Tiles().read, index, head.size)
    return index, notes.proof(index, path, head.checkpoint, secret)


def _find(line: bytes, signature: Signature) -> int:
    """Looked for from its confirmation on: which entry is whose is stored nowhere."""
    bundles = LogTile.objects.filter(level=ENTRIES, at__gte=signature.confirmed_at)
    numbers = bundles.order_by("number").values_list("number", flat=True)
    for number in numbers:
        data = Tiles().read(ENTRIES, number)
        if line in data:
            return number * merkle.WIDTH + entries(data).index(line)
    raise NotInLog
