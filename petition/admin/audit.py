"""What coordinators did, to be read."""

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from petition.admin.reading import Filters, ReadOnlyAdmin
from petition.models import Entry, Export, Letter, Sheet, Signature

# The words of details that people read; what is missing here is a number or a name.
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
    "domain": _("mail domain"),
    "country": _("country"),
    "language": _("language"),
    "since": _("signed from"),
    "until": _("signed before"),
    "what": _("what"),
    "letter": _("letter"),
    "outcome": _("outcome"),
    "format": _("format"),
    "kind": _("kind"),
    "name": _("title"),
    "state": _("state"),
    "sheets": _("sheets"),
    "roles": _("roles"),
    "active": _("active"),
    "valid": _("valid lines"),
    "struck": _("struck lines"),
    "at": _("public from"),
    "languages": _("languages"),
    "sent": _("sent"),
    "failed": _("not delivered"),
    "skipped": _("no longer wanted"),
    "version": _("version"),
    "restores": _("restored version"),
}
STATES = dict(Sheet.State.choices) | dict(Signature.State.choices)
VALUES = {
    "was": STATES,
    "to": STATES,
    "state": STATES,
    "why": dict(Signature.Reason.choices),
    "outcome": dict(Export.State.choices),
    "kind": dict(Export.Kind.choices),
    "letter": dict(Letter.Kind.choices),
    "restores": {"shipped": _("shipped with the site")},
}


def words(key: str, value) -> str:
    return str(VALUES.get(key, {}).get(value, value))


class EntryFilters(Filters):
    act = forms.ChoiceField(
        label=_("what"), required=False, choices=[("", "—"), *Entry.Act.choices]
    )
    actor = forms.CharField(label=_("who"), required=False)
    subject = forms.CharField(label=_("on what"), required=False)


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    filters = EntryFilters
    list_display = ["number", "at", "actor", "act", "subject", "details"]
    fields = ["number", "at", "actor", "act", "subject", "details", "previous", "hash"]

    @admin.display(description=Entry._meta.get_field("detail").verbose_name)
    def details(self, entry):
        return " · ".join(f"{KEYS.get(k, k)}: {words(k, v)}" for k, v in entry.detail.items())
