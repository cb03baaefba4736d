"""How pages write moments, and figures that go up or down."""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from petition.ground import languages

register = template.Library()

# Where the campaign is at home.
RABAT = "Africa/Casablanca"


@register.filter
def utc_clock(moment: datetime) -> SafeString:
    """Hours and minutes, which the script of the live count keeps current."""
    return _clock(moment.astimezone(UTC))


@register.filter
def rabat_clock(moment: datetime) -> SafeString:
    return _clock(moment.astimezone(_rabat()))


@cache
def _rabat() -> ZoneInfo:
    """From the release of tzdata that we pin: Morocco's clock changes by decree, and an operating
    system, which `zoneinfo` would ask first, may be years behind."""
    with files("tzdata.zoneinfo.Africa").joinpath("Casablanca").open("rb") as file:
        return ZoneInfo.from_file(file, key=RABAT)


def _clock(at: datetime) -> SafeString:
    """With its distance from UTC in minutes, so that the script needs no time zones of its own."""
    offset = at.utcoffset() or timedelta(0)
    return format_html(
        '<time datetime="{}" data-offset="{}">{}</time>',
        f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}", round(offset.total_seconds() / 60),
        f"{at:%H:%M}",
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
