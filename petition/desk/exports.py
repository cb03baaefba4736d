"""Takes figures and signatures out: each export is recorded, streamed, and safe to open."""

import csv
import io
import json
import secrets
from collections.abc import Iterator
from datetime import timedelta
from stat import S_IFREG

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import get_language
from tablib import Dataset

from petition import audit
from petition.cases import profiles
from petition.ground import countries, encryption, links, replica
from petition.models import Entry, Export, Signature, Tally
from petition.models.signatures import SignatureQuerySet

State = Export.State
DIMENSIONS = ("day", "country", "language", "track", "channel")
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
BATCH = 2000
# Of an export without a sign of life for so long the process was killed.
LEASE = timedelta(minutes=5)
# What spreadsheets run as a formula where a cell begins with it (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Twenty of 32 characters, 100 bits: a ZIP's key derivation is too fast for what people think up.
PASSPHRASE_GROUPS, GROUP = 5, 4


class Stopped(Exception):
    """Somebody stopped the export, or another process took it for dead."""


def tallies(dimension: str, file_format: str, by: AbstractBaseUser) -> bytes:
    """The counters of a dimension as a file; `dimension` of DIMENSIONS, the format of FORMATS.

    CSV begins with a byte order mark, by which Excel knows that Arabic is UTF-8.
    """
    table = _by_channel() if dimension == "channel" else _by(dimension)
    with transaction.atomic():
        export = Export.objects.create(
            kind=Export.Kind.TALLIES, by=by.get_username(), state=State.FINISHED,
            expected=len(table), rows=len(table), ended_at=timezone.now(),
        )  # fmt: skip
        audit.append(
            by, Entry.Act.EXPORT, f"export {export.pk}", kind=export.kind, dimension=dimension,
            format=file_format, rows=len(table),
        )  # fmt: skip
    content = table.export(file_format)
    if file_format == "csv":
        content = "\ufeff" + content
    return content if isinstance(content, bytes) else content.encode()


def told(language: str) -> list[dict]:
    """Every public prisoner case as its page shows it, for programs; the newest first."""
    found, after, more = [], "", True
    while more:
        page = profiles.listed(language, how_many=BATCH, after=after)
        found += [_plain(profile) for profile in page.profiles]
        after = page.next
        more = bool(after)
    return found


def cases(language: str, by: AbstractBaseUser) -> bytes:
    """The public prisoner cases as JSON. What may not be shown is not exported either."""
    content = told(language)
    with transaction.atomic():
        export = Export.objects.create(
            kind=Export.Kind.CASES, by=by.get_username(), state=State.FINISHED,
            expected=len(content), rows=len(content), ended_at=timezone.now(),
        )  # fmt: skip
        audit.append(
            by, Entry.Act.EXPORT, f"export {export.pk}", kind=export.kind, rows=export.rows,
            language=language,
        )  # fmt: skip
    return json.dumps(content, ensure_ascii=False, indent=1, cls=DjangoJSONEncoder).encode()


def _plain(profile: profiles.Profile) -> dict:
    fields = {name: value for name, value in vars(profile).items() if name != "sources"}
    for name in ("situation", "since", "place", "portrait"):
        fields[name] = vars(fields[name]) if fields[name] else None
    fields["updates"] = [vars(update) for update in profile.updates]
    sources = ("title", "publisher", "url", "day", "supports", "language")
    fields["sources"] = [
        {name: getattr(source, name) for name in sources} for source in profile.sources
    ]
    return fields


def to_deliver() -> SignatureQuerySet:
    """The counted signatures whose signers agreed that their name is handed over."""
    return Signature.objects.counted().filter(delivery=True)


def passphrase() -> str:
    """A new passphrase: five groups of four characters that cannot be misread."""
    groups = (
        "".join(secrets.choice(links.ALPHABET) for _ in range(GROUP))
        for _ in range(PASSPHRASE_GROUPS)
    )
    return "-".join(groups)


def begin_delivery(by: AbstractBaseUser, reason: str) -> Export:
    """Record that signatures are taken out, before the first of them is."""
    with transaction.atomic():
        export = Export.objects.create(
            kind=Export.Kind.SIGNATURES,
            by=by.get_username(),
            reason=reason,
            expected=to_deliver().count(),
        )
        audit.append(
            by, Entry.Act.EXPORT, f"export {export.pk}", kind=export.kind, note=reason,
            expected=export.expected,
        )  # fmt: skip
    return export


def deliver(by: AbstractBaseUser, reason: str, secret: str) -> Iterator[bytes]:
    """A delivery from its record to its end. What nobody begins to read is not recorded either."""
    yield from stream(begin_delivery(by, reason), secret)


def stream(export: Export, secret: str) -> Iterator[bytes]:
    """The encrypted ZIP (AES-256) of a delivery, made while it is sent and kept nowhere.

    Whoever stops to read it stops it. Holds number, name, country and day of each signature; an
    address is handed to nobody.
    """
    # Here: its ciphers take memory of each process, and few of them deliver.
    from stream_zip import ZIP_64, stream_zip

    outcome = State.STOPPED
    member = (
        f"signatures-{export.started_at:%Y-%m-%d}.csv",
        export.started_at,
        S_IFREG | 0o600,
        ZIP_64,
        _lines(export),
    )
    try:
        yield from stream_zip([member], password=secret)
        outcome = State.FINISHED
    finally:
        _end(export, outcome)


def stop(export: Export, by: AbstractBaseUser) -> None:
    """Stop a delivery that is under way: within a few thousand rows its download breaks off."""
    with transaction.atomic():
        running = Export.objects.filter(pk=export.pk, state=State.RUNNING)
        if running.update(state=State.STOPPED):
            audit.append(by, Entry.Act.EXPORT_END, f"export {export.pk}", asked="stop")


def close_abandoned() -> None:
    """End the record of exports whose process was killed."""
    silent = Export.objects.filter(ended_at=None, beat_at__lt=timezone.now() - LEASE)
    for export in silent:
        _end(export, State.STOPPED)


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _by(dimension: str) -> Dataset:
    named = countries.names(get_language()) if dimension == "country" else {}
    table = Dataset(headers=["channel", dimension, "name", "signatures"], title=dimension)
    for channel, value, signatures in _sums(dimension, "channel", "value"):
        table.append([channel, safe(value), safe(str(named.get(value, ""))), signatures])
    return table


def _by_channel() -> Dataset:
    table = Dataset(headers=["channel", "signatures"], title="channel")
    table.extend(_sums(Tally.Dimension.TOTAL, "channel"))
    return table


def _sums(dimension: str, *columns: str) -> list[tuple]:
    rows = Tally.objects.filter(dimension=dimension).values_list(*columns).order_by(*columns)
    return list(rows.annotate(signatures=Sum("count")).exclude(signatures=0))


def _lines(export: Export) -> Iterator[bytes]:
    """CSV in UTF-8 with a byte order mark, a batch of lines at a time."""
    buffer = io.StringIO("\ufeff")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    writer.writerow(["number", "name", "country", "confirmed"])
    last = 0
    while True:
        # By key, not by cursor: each batch is a query of its own, so that nothing is held open and
        # whoever withdraws meanwhile is no longer in what is yet to come.
        alias = replica.source().alias
        rows = to_deliver().using(alias).filter(pk__gt=last).order_by("pk")
        batch = rows.only("pk", "reference", "name", "country", "confirmed_at")[:BATCH]
        # Who has withdrawn since the standby last heard of it is not handed over either.
        wanted = to_deliver().filter(pk__in=[row.pk for row in batch]).values_list("pk", flat=True)
        still = None if alias == DEFAULT_DB_ALIAS else set(wanted)
        size = 0
        for signature in batch:
            size, last = size + 1, signature.pk
            if still is not None and signature.pk not in still:
                continue
            try:
                name = safe(signature.name or "")
            except encryption.Unreadable:
                export.unreadable += 1
                continue
            export.rows += 1
            day = signature.confirmed_at.date().isoformat()
            writer.writerow([export.rows, name, signature.country, day])
        _beat(export)  # Before they leave: what is recorded is never too little.
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        if size < BATCH:
            return


def _beat(export: Export) -> None:
    running = Export.objects.filter(pk=export.pk, state=State.RUNNING)
    progress = {"rows": export.rows, "unreadable": export.unreadable}
    if not running.update(beat_at=timezone.now(), **progress):
        raise Stopped


def _end(export: Export, outcome: str) -> None:
    """Write down how an export ended, once."""
    with transaction.atomic():
        open_still = Export.objects.filter(pk=export.pk, ended_at=None)
        progress = {"rows": export.rows, "unreadable": export.unreadable}
        if open_still.update(state=outcome, ended_at=timezone.now(), **progress):
            audit.append(
                None, Entry.Act.EXPORT_END, f"export {export.pk}", outcome=outcome, **progress
            )
