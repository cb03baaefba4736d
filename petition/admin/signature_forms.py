"""What a coordinator chooses and types about signatures."""

from datetime import UTC, date, datetime, time, timedelta

from django import forms
from django.contrib.admin.helpers import ActionForm
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from petition.admin.moments import DayField
from petition.admin.reading import Filters
from petition.campaign import texts
from petition.ground import countries, languages
from petition.models import Signature, Tally

ANY = ("", "—")
NO_TRACK = "none"
NOTE = _("Note")
NO_NAMES = _("No names and no addresses: it is kept for good.")
LOOK_UP = _("Whole e-mail address")


def every_country():
    return [ANY, *countries.names(get_language()).items()]


def every_track():
    titles = [(track.slug, track.title) for track in texts.tracks(get_language())]
    return [ANY, *titles, (NO_TRACK, _("no track"))]


def day_in_utc(day: date) -> tuple[datetime, datetime]:
    begins = datetime.combine(day, time(), UTC)
    return begins, begins + timedelta(days=1)


class SignatureFilters(Filters):
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[ANY, *Signature.State.choices]
    )
    reason = forms.ChoiceField(
        label=_("Why suspended or rejected"),
        required=False,
        choices=[ANY, *Signature.Reason.choices],
    )
    country = forms.ChoiceField(label=_("Country"), required=False, choices=every_country)
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[ANY, *languages.CHOICES]
    )
    track = forms.ChoiceField(label=_("Track"), required=False, choices=every_track)
    day = DayField(label=_("Signed on (UTC)"), required=False)
    confirmed = DayField(label=_("Confirmed on (UTC)"), required=False)
    channel = forms.ChoiceField(
        label=_("Channel"), required=False, choices=[ANY, *Tally.Channel.choices]
    )

    def order(self, usual):
        return ("-confirmed_at", "-pk") if self.cleaned_data.get("confirmed") else usual

    def narrow(self, rows):
        for name, value in self.cleaned_data.items():
            if value:
                rows = getattr(self, f"by_{name}", self.by)(rows, name, value)
        return rows

    @staticmethod
    def by(rows, name, value):
        return rows.filter(**{name: value})

    @staticmethod
    def by_track(rows, name, value):
        return rows.filter(track=None if value == NO_TRACK else value)

    @staticmethod
    def by_day(rows, name, value):
        begins, ends = day_in_utc(value)
        return rows.filter(signed_at__gte=begins, signed_at__lt=ends)

    @staticmethod
    def by_confirmed(rows, name, value):
        begins, ends = day_in_utc(value)
        return rows.filter(confirmed_at__gte=begins, confirmed_at__lt=ends)

    @staticmethod
    def by_channel(rows, name, value):
        # Of paper sheets only numbers are entered: they are a list of their own.
        return rows.none() if value == Tally.Channel.PAPER else rows


class ChosenOnly(ActionForm):
    """An act is on the rows that were ticked, never on all that a list goes on to."""

    def clean_select_across(self):
        return False


class ActForm(forms.Form):
    note = forms.CharField(label=NOTE, help_text=NO_NAMES, max_length=200, required=False)


class ReasonedActForm(ActForm):
    reason = forms.ChoiceField(label=_("Reason"), choices=[ANY, *Signature.Reason.choices])
    field_order = ["reason", "note"]


class EraseForm(forms.Form):
    """What cannot be undone says why."""

    note = forms.CharField(label=_("Why?"), help_text=NO_NAMES, min_length=5, max_length=200)


class RevealForm(forms.Form):
    why = forms.CharField(
        label=_("Why do you have to see them?"), help_text=NO_NAMES, min_length=5, max_length=200
    )
