"""Days and moments as coordinators type them."""

from datetime import UTC

from django import forms
from django.utils import timezone

from petition.ground import typed

EARLIEST_YEAR, LATEST_YEAR = 2020, 2100


def day_input() -> forms.DateInput:
    """The browser's own field for a day."""
    return forms.DateInput({"type": "date"}, format="%Y-%m-%d")


class AnyDayField(forms.DateField):
    """A day, however it is written."""

    widget = day_input()

    def to_python(self, value):
        return super().to_python(typed.day(value) or value if isinstance(value, str) else value)


class DayField(AnyDayField):
    """A day of the years in which a campaign can be."""

    def to_python(self, value):
        day = super().to_python(value)
        if day and not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return day


class MomentField(forms.DateTimeField):
    """A moment of the campaign's years in UTC, as the browser's own field writes it."""

    widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value):
        moment = super().to_python(value)
        if moment and not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return moment.replace(tzinfo=UTC) if moment and timezone.is_naive(moment) else moment
