"""How pages write what is told of prisoner cases."""

from datetime import date, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from petition.campaign import texts
from petition.cases.profiles import Picture, Profile
from petition.ground import languages
from petition.models import Case

register = template.Library()


def written_day(value: date) -> str:
    """A day in the page's language."""
    return languages.day(value, get_language())


@register.filter
def day(value: date | datetime) -> SafeString:
    """The same for a page; of a moment the day in UTC."""
    value = value.date() if isinstance(value, datetime) else value
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), written_day(value))


@register.filter
def called(profile: Profile) -> str:
    """How a person is called, in words alone."""
    return profile.title or _("Name withheld")


@register.filter
def summed_up(profile: Profile) -> str:
    known = profile.situation
    said = (
        _("%(situation)s, as of %(day)s – confirmed")
        if known.is_confirmed
        else _("%(situation)s, as of %(day)s – reported")
    )
    words = Case.Situation(str(known.value)).label
    return said % {"situation": words, "day": written_day(known.as_of) if known.as_of else ""}


@register.filter
def told_in(profile: Profile) -> str:
    """The languages in which a profile exists, in those of the page."""
    return languages.named(profile.told_in, get_language())


@register.filter
def prose(words: str, language: str) -> SafeString:
    """Markdown of a case as HTML; its headings stand below the page's own."""
    return SafeString(texts.in_html(words, language, deeper=1))


@register.filter
def track_title(slug: str) -> str:
    """A track's title in the page's language."""
    return next(t.title for t in texts.tracks(get_language()) if t.slug == slug)


@register.filter
def srcset(picture: Picture, extension: str) -> str:
    """The files of a portrait in a format, for browsers to choose from."""
    return ", ".join(
        f"{address(picture, width, extension)} {width}w" for width, _height in picture.sizes
    )


@register.simple_tag
def address(picture: Picture, width: int, extension: str) -> str:
    return f"/portraits/{picture.token}-{width}.{extension}"
