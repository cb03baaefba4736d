"""Says an audit entry in words: what an act was done to, and its details."""

import re
from collections.abc import Iterable, Mapping

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from petition import audit
from petition.desk import roles
from petition.ground import countries, languages
from petition.ground.lazy import LazyText
from petition.models import (
    Case,
    Consent,
    Entry,
    Export,
    Letter,
    MailDomain,
    Sheet,
    Signature,
    Sweep,
    Text,
)

# An entry names what it is about by a word and a reference, such as "sweep 7" (`audit.name_of`).
SUBJECTS = {
    "signature": _("signature"),
    "sweep": _("bulk removal"),
    "maildomain": _("mail domain"),
    "sheet": _("sheet"),
    "batch": _("batch"),
    "export": _("export"),
    "text": _("text"),
    "track": _("track"),
    "case": _("case"),
    "news": _("news"),
    "account": _("account"),
}
NOTHING_FOUND = "nothing found"

# The parts of a text's reference: where it stands, and its language.
TEXTS = dict(Text.Slug.choices) | dict(languages.CHOICES)

KEYS = {
    "was": _("was"),
    "to": _("to"),
    "why": _("reason"),
    "note": _("note"),
    "rows": _("rows"),
    "expected": _("expected"),
    "found": _("found"),
    "moved": _("moved"),
    "restored": _("restored"),
    "task": _("task"),
    "domain": _("mail domain"),
    "country": _("country"),
    "language": _("language"),
    "since": _("signed from"),
    "until": _("signed before"),
    "what": _("what"),
    "left": _("recovery codes left"),
    "letter": _("e-mail"),
    "outcome": _("outcome"),
    "asked": _("asked for"),
    "format": _("format"),
    "kind": _("kind"),
    "dimension": _("by"),
    "name": _("title"),
    "state": _("state"),
    "sheets": _("sheets"),
    "first": _("first"),
    "last": _("last"),
    "again": _("printed again"),
    "counted": _("counted"),
    "conflicts": _("conflicts"),
    "known": _("known before"),
    "roles": _("roles"),
    "active": _("active"),
    "valid": _("valid lines"),
    "struck": _("crossed-out lines"),
    "at": _("public from"),
    "languages": _("languages"),
    "sent": _("sent"),
    "failed": _("not delivered"),
    "skipped": _("no longer wanted"),
    "version": _("version"),
    "restores": _("restored version"),
    "part": _("part"),
    "situation": _("situation"),
    "scope": _("may be shown"),
    "judged": _("has"),
}
# Of a consent the same word means another day.
KEYS_OF: dict[str, dict[str, LazyText]] = {
    Entry.Act.CONSENT: {"until": _("valid until (UTC)")},
    Entry.Act.DOMAIN: {"until": _("last day (UTC)")},
}

STATES = dict(Sheet.State.choices) | dict(Signature.State.choices)
VALUES: dict[str, Mapping[str, LazyText]] = {
    "was": STATES,
    "to": STATES,
    "state": STATES,
    "why": dict(Signature.Reason.choices),
    "outcome": dict(Export.State.choices) | {
        "may": _("may be public"),
        "may not": _("may not be public"),
    },
    "asked": {"stop": _("to stop")},
    "kind": dict(Export.Kind.choices),
    "dimension": {
        "channel": _("channel"),
        "country": _("country"),
        "language": _("language"),
        "track": _("track"),
        "day": _("day"),
    },
    "letter": dict(Letter.Kind.choices),
    "restores": {"shipped": _("the original text")},
    "roles": roles.NAMES | {"none": _("none")},
    "active": {"true": _("yes"), "false": _("no")},
    "language": dict(languages.CHOICES),
    "languages": dict(languages.CHOICES),
    "part": {
        "facts": _("facts"),
        "text": _("text"),
        "portrait": _("portrait"),
        "no portrait": _("portrait taken off"),
    },
    "situation": dict(Case.Situation.choices),
    "scope": {
        scope: getattr(Consent, f"scope_{scope}").field.verbose_name for scope in Consent.SCOPES
    },
    "judged": dict(MailDomain.Judged.choices),
    "task": dict(Sweep.Task.choices),
    "what": {
        "added": _("added"),
        "changed": _("changed"),
        "password set": _("password set"),
        "set up": _("set up"),
        "used a recovery code": _("used a recovery code"),
        "new recovery codes": _("new recovery codes"),
        "reset": _("reset"),
    },
}  # fmt: skip
# Several words in one value, and a change from one to another.
BETWEEN = re.compile(r"(, | → )")


def actor(entry: Entry) -> str:
    return str(_("the system itself")) if entry.actor == audit.SYSTEM else entry.actor


def subject(entry: Entry) -> str:
    """What the act was done to, such as "sheet 10037"."""
    if entry.subject == NOTHING_FOUND:
        return str(_("nothing found"))
    kind, *reference = entry.subject.split(" ")
    if kind in ("text", "track"):
        reference = [str(TEXTS.get(part, part)) for part in reference]
    return " ".join([str(SUBJECTS.get(kind, kind)), *reference])


def details(entry: Entry) -> str:
    """The details in one line, whatever JSON they hold."""
    names: dict[str, LazyText] = {**KEYS, **KEYS_OF.get(entry.act, {})}
    return " · ".join(f"{names.get(key, key)}: {_told(key, v)}" for key, v in entry.detail.items())


def _told(key: str, value: object) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, Mapping):
        return _listed(f"{KEYS.get(k, k)} {_told(k, v)}" for k, v in value.items())
    if isinstance(value, list):
        return _listed(_told(key, item) for item in value)
    if value is None or value == "":
        return "—"
    if key == "country":
        return countries.names(get_language() or languages.DEFAULT).get(str(value), str(value))
    known = VALUES.get(key, {})
    if isinstance(value, str) and value in known:
        return str(known[value])
    if isinstance(value, str) and known:
        return "".join(str(known.get(part, part)) for part in BETWEEN.split(value))
    return str(value)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "—"
