"""How pages write what is told of prisoner cases."""

from datetime import date, datetime

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from petition import campaign
from petition.profiles import Picture

register = template.Library()


def written_day(value: date) -> str:
    """A day in the page's language. French counts the first of a month."""
    text = date_format(value, "DATE_FORMAT")
    first = value.day == 1 and get_language() == "fr"
    return text.replace("1", "1er", 1) if first else text


@register.filter
def day(value: date | datetime) -> SafeString:
    """The same for a page; of a moment the day in UTC."""
    value = value.date() if isinstance(value, datetime) else value
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), written_day(value))


@register.filter
def prose(words: str, language: str) -> SafeString:
    """Markdown of a case as HTML; its headings stand below the page's own."""
    return SafeString(campaign.prose(words, language, deeper=1))


@register.filter
def track_title(slug: str) -> str:
    """A track's title in the page's language."""
    return next(t.title for t in campaign.tracks(get_language()) if t.slug == slug)


@register.filter
def srcset(picture: Picture, extension: str) -> str:
    """The files of a portrait in a format, for browsers to choose from."""
    return ", ".join(
        f"{address(picture, width, extension)} {width}w" for width, _height in picture.sizes
    )


@register.simple_tag
def address(picture: Picture, width: int, extension: str) -> str:
    return f"/portraits/{picture.token}-{width}.{extension}"
