"""How pages and pictures write a moment."""

from datetime import UTC, datetime

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi

from petition.templatetags.cases import written_day

register = template.Library()


def written_moment(value: datetime) -> str:
    """Day and time in UTC, in the page's language, in words alone."""
    value = value.astimezone(UTC)
    clock = f"{date_format(value, 'H:i')} UTC"
    if get_language_bidi():  # Isolated: the clock would else stand on the far side of its "UTC".
        return f"{written_day(value)}، \u2066{clock}\u2069"
    return f"{written_day(value)}, {clock}"


@register.filter
def moment(value: datetime) -> SafeString:
    """The same for a page."""
    stamp = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html('<time datetime="{}">{}</time>', stamp, written_moment(value))
