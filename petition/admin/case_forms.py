"""What coordinators type about prisoner cases."""

import re
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from petition.admin.moments import MomentField, day_input
from petition.admin.reading import Filters
from petition.campaign import texts
from petition.cases import rules
from petition.ground import languages
from petition.models import Case, CaseText, CaseUpdate, Consent, Source

ANY = ("", "—")
FUTURE = _("This day lies in the future.")


def every_track():
    return [ANY, *((track.slug, track.title) for track in texts.tracks(get_language()))]


class CaseFilters(Filters):
    """`state` is asked of the rule, not of a column."""

    STATES = {
        "public": (pgettext_lazy("a prisoner case", "public"), rules.public_cases),
        "waiting": (_("waiting"), rules.waiting),
        "lapsing": (_("soon no longer public"), rules.lapsing),
        "down": (_("taken down"), lambda: Case.objects.filter(take_down__isnull=False)),
    }
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[ANY, *((name, label) for name, (label, _rows) in STATES.items())],
    )
    track = forms.ChoiceField(label=_("Track"), required=False, choices=every_track)
    nationality = forms.ChoiceField(
        label=_("Nationality"), required=False, choices=[ANY, *Case.Nationality.choices]
    )
    situation = forms.ChoiceField(
        label=_("Situation"), required=False, choices=[ANY, *Case.Situation.choices]
    )

    def narrow(self, rows):
        chosen = {name: value for name, value in self.cleaned_data.items() if value}
        state = chosen.pop("state", "")
        if state:
            rows = rows.filter(pk__in=self.STATES[state][1]().values("pk"))
        return rows.filter(**chosen)


class SeenForm(forms.ModelForm):
    """A form that knows which revision it showed."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def show_newest(self, revision: int) -> None:
        """After a refusal: what was typed stays, and saving once more is done knowingly."""
        typed: Any = self.data  # A QueryDict: what was posted.
        self.data = typed.copy()
        self.data["seen"] = revision  # type: ignore[index]

    def details(self) -> dict:
        """What was typed, without what the form says of itself."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}


class FactsForm(SeenForm):
    track = forms.ChoiceField(label=_("Track"), choices=every_track)

    class Meta:
        model = Case
        fields = [
            "naming", "age_band", "nationality", "is_woman", "is_sick", "situation",
            "situation_as_of", "situation_certainty", "since", "since_as_of", "since_certainty",
            "place_as_of", "place_certainty",
        ]  # fmt: skip
        widgets = {
            name: day_input() for name in ("situation_as_of", "since", "since_as_of", "place_as_of")
        }

    field_order = ["naming", "track"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("track", self.instance.track_id)

    def clean(self):
        data = super().clean()
        today = timezone.now().date()
        for name in self.Meta.widgets:
            if data.get(name) and data[name] > today:
                self.add_error(name, FUTURE)
        if data.get("since") and not data.get("since_as_of"):
            self.add_error("since_as_of", _("Give the date of this information."))
        return data

    def details(self) -> dict:
        details = super().details()
        return {"track_id": details.pop("track")} | details


class SourceForm(forms.ModelForm):
    url = forms.URLField(
        label=_("Address on the web"),
        required=False,
        max_length=500,
        assume_scheme="https",
        widget=forms.URLInput({"dir": "ltr"}),
    )

    class Meta:
        model = Source
        fields = ["title", "publisher", "url", "day", "supports", "language"]
        widgets = {
            "title": forms.TextInput({"dir": "auto"}),
            "publisher": forms.TextInput({"dir": "auto"}),
            "supports": forms.TextInput({"dir": "auto"}),
            "day": day_input(),
        }

    def clean_day(self):
        if self.cleaned_data["day"] > timezone.now().date():
            raise forms.ValidationError(FUTURE)
        return self.cleaned_data["day"]


class UpdateForm(forms.ModelForm):
    class Meta:
        model = CaseUpdate
        fields = ["day", "body"]
        widgets = {"day": day_input(), "body": forms.Textarea({"dir": "auto", "rows": 3})}


SourceForms = forms.formset_factory(SourceForm, extra=2, can_delete=True, max_num=30)
UpdateForms = forms.formset_factory(UpdateForm, extra=1, can_delete=True, max_num=100)


def kept(formset) -> list[dict]:
    """The rows of a valid formset: those that were filled in and not struck out."""
    rows = (form.cleaned_data for form in formset if form.cleaned_data)
    return [
        {name: value for name, value in row.items() if name != "DELETE"}
        for row in rows
        if not row.get("DELETE")
    ]


class CaseTextForm(SeenForm):
    """The words in one language, typed in its direction."""

    class Meta:
        model = CaseText
        fields = ["name", "pseudonym", "place", "charges", "health", "story", "portrait_alt"]

    def __init__(self, *args, language: str, **kwargs):
        super().__init__(*args, **kwargs)
        known = languages.LANGUAGES[language]
        for field in self.visible_fields():
            field.field.widget.attrs |= {"dir": known.direction, "lang": known.code}


class ConsentForm(forms.ModelForm):
    given_at = MomentField(label=_("Given at (UTC)"))
    valid_until = MomentField(
        label=_("Valid until (UTC)"),
        help_text=_("From that moment nothing of the case is shown."),
    )

    class Meta:
        model = Consent
        fields = [
            "giver", "why_not_person", "method", "language", "given_at", "valid_until",
            "explained_copies", "explained_worst_case", "explained_withdrawal", "scope_name",
            "scope_portrait", "scope_place", "scope_health", "scope_charges", "scope_story",
            "scope_search", "evidence",
        ]  # fmt: skip
        widgets = {"why_not_person": forms.TextInput({"dir": "auto"})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("explained_copies", "explained_worst_case", "explained_withdrawal"):
            self.fields[name].required = True
        for scope in Consent.SCOPES:
            field = self.fields[f"scope_{scope}"]
            field.label = _("Covers: %(what)s") % {"what": field.label}

    def validate_constraints(self):
        """The database's own rules are those of `clean`, which says them to people."""

    def clean(self):
        data = super().clean()
        given, until = data.get("given_at"), data.get("valid_until")
        if given and given > timezone.now():
            self.add_error("given_at", _("This moment lies in the future."))
        if given and until and until <= given:
            self.add_error("valid_until", _("It ends before it was given."))
        if data.get("giver") != Consent.Giver.PERSON and not data.get("why_not_person"):
            self.add_error("why_not_person", _("Say why the person does not give it."))
        return data


class PortraitForm(forms.Form):
    file = forms.FileField(
        label=_("Picture"),
        help_text=_("JPEG, PNG or WebP, at most 8 MB. It is re-encoded; nothing else is kept."),
        widget=forms.FileInput({"accept": "image/jpeg,image/png,image/webp"}),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)


class DecideForm(forms.Form):
    """What was looked at: the revisions of case and text."""

    case_seen = forms.IntegerField(widget=forms.HiddenInput)
    text_seen = forms.IntegerField(widget=forms.HiddenInput)


class RiskForm(forms.Form):
    may_be_public = forms.ChoiceField(
        label=_("Judgement"),
        choices=[
            ANY,
            ("yes", _("It may be public.")),
            ("no", _("It endangers somebody: it may not be public.")),
        ],
    )
    note = forms.CharField(
        label=_("What was considered"), min_length=5, max_length=500,
        widget=forms.Textarea({"rows": 4, "dir": "auto"}), help_text=_("No names."),
    )  # fmt: skip


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Seen by coordinators only. No names."),
        max_length=200,
        widget=forms.TextInput({"dir": "auto"}),
    )


class AddressForm(ReasonForm):
    address = forms.CharField(
        label=_("Address of the profile"),
        help_text=_("The whole address of its page, or its last part."),
        max_length=300,
        widget=forms.TextInput({"dir": "ltr", "autocomplete": "off"}),
    )
    field_order = ["address", "reason"]

    def clean_address(self):
        typed = self.cleaned_data["address"]
        found = re.search(r"/cases/([-\w]+)", typed) or re.search(r"([-\w]+)\W*$", typed)
        slug = found[1] if found else ""
        self.case = Case.objects.filter(slug=slug).first()
        if self.case is None:
            raise forms.ValidationError(_("No profile has this address."))
        return slug


class NoForm(forms.Form):
    """A question whose answer is its button."""
