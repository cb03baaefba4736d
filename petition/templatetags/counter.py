"""How pages write moments, and figures that go up or down."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from petition import languages

register = template.Library()

UTC_NAME = "UTC"
# Where the campaign is at home: Morocco's clock, which changes by decree.
RABAT = "Africa/Casablanca"


@register.filter
def utc_clock(moment: datetime) -> SafeString:
    """Hours and minutes, which the script of the live count keeps current."""
    return _clock(moment, UTC_NAME)


@register.filter
def rabat_clock(moment: datetime) -> SafeString:
    return _clock(moment, RABAT)


def _clock(moment: datetime, zone: str) -> SafeString:
    at = moment.astimezone(UTC if zone == UTC_NAME else ZoneInfo(zone))
    return format_html(
        '<time datetime="{}" data-clock="{}">{}</time>',
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ"), zone, at.strftime("%H:%M"),
    )  # fmt: skip


@register.filter
def change(value: int) -> SafeString:
    """A number with its sign: by how much something went up or down."""
    text = languages.number(value, get_language())
    return format_html('<bdi dir="ltr">{}</bdi>', f"+{text}" if value > 0 else text)


@register.filter
def hours_of(moment: datetime) -> str:
    """Hours and minutes in UTC, as tables write them."""
    return f"{moment.astimezone(UTC):%H:%M}"


@register.filter
def number_only(value: int) -> str:
    """A whole number in the page's language, where there can be no element around it."""
    return languages.number(value, get_language())
