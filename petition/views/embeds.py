"""The counter in other people's pages: a page to frame, what oEmbed says of it, and badges."""

from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from petition.campaign import texts
from petition.cases import rules
from petition.figures import embeds, sharing
from petition.ground import languages
from petition.ground.memory import remember
from petition.models import Text
from petition.signing import tallies
from petition.templatetags.moments import written_moment
from petition.views import headers
from petition.web.problems import problem

# A framed page is asked for again so often, by the browser itself.
REFRESH_SECONDS = 60
# A badge is typeset at most so often for each language and theme in a web process, and others keep
# it as long: it says itself of when it is.
BADGE_SECONDS = 60
OEMBED_SECONDS = 3600
COLOURS = {
    "light": {"paper": "#fbf8f2", "ink": "#1d1b18", "soft": "#4a453d", "figure": "#1f4634"},
    "dark": {"paper": "#171512", "ink": "#f4efe6", "soft": "#cfc7b9", "figure": "#a8dcc0"},
}
SHARE_PICTURE = (1200, 630)  # sharing.picture, in pixels.


class Refused(Exception):
    """oEmbed has no answer; the arguments are those of a problem."""


@require_safe
@headers.public(30, "size", "theme")
@headers.framed_by_anyone
def counter(request: HttpRequest, language: str) -> HttpResponse:
    """A page for a frame in any site: no script, no cookie, kept current by the browser."""
    if language not in languages.LANGUAGES:
        raise Http404
    context = {
        "counter": tallies.counter(),
        "at": this_minute(),
        "size": embeds.size(request.GET.get("size")),
        "theme": embeds.theme(request.GET.get("theme")),
        "source": f"\u2066{source()}\u2069",  # Isolated from a line that runs right to left.
    }
    with translation.override(language):
        response = render(request, "embeds/counter.html", context)
    response.headers["Content-Language"] = language
    response.headers["Refresh"] = str(REFRESH_SECONDS)
    return response


def code(language: str, size: embeds.Size, theme: str = embeds.AUTO) -> str:
    """The HTML that shows the counter in another site: one element, without style and script."""
    with translation.override(language):
        said = {"size": size, "theme": theme, "site": settings.SITE_URL, "title": title()}
        return render_to_string("embeds/frame.html", said | {"language": language}).strip()


@require_safe
@headers.public(OEMBED_SECONDS, headers.ANY)
def oembed(request: HttpRequest) -> HttpResponse:
    """oEmbed 1.0 for the counter page of each language."""
    try:
        return JsonResponse(rich(request.GET))
    except Refused as refused:
        answer = problem(*refused.args)
        # As Django's own log does: 501 is an answer, no mistake.
        answer._has_been_logged = True  # type: ignore[attr-defined]
        return answer


def rich(asked: QueryDict) -> dict:
    """oEmbed's answer of the type "rich": the largest frame that fits what was asked. Raises
    Refused, also where none fits: an answer must never be larger than the room for it."""
    if asked.get("format", "json") != "json":
        raise Refused(501, "No such format", "Answers are in JSON alone: format=json.")
    language = language_of(asked.get("url", ""))
    width, height = _limit(asked, "maxwidth"), _limit(asked, "maxheight")
    size = embeds.largest(width, height)
    if size is None:
        least = embeds.SMALLEST
        raise Refused(404, "No room", f"The least is {least.width} by {least.height} pixels.")
    with translation.override(language):
        answer = {
            "version": "1.0",
            "type": "rich",
            "title": title(),
            "provider_name": texts.text(Text.Slug.SITE, language).title,
            "provider_url": settings.SITE_URL + reverse("home"),
            "cache_age": OEMBED_SECONDS,
            "width": size.width,
            "height": size.height,
            "html": code(language, size),
        }
        if embeds.fits(*SHARE_PICTURE, width, height):
            answer["thumbnail_url"] = settings.SITE_URL + reverse("picture")
            answer["thumbnail_width"], answer["thumbnail_height"] = SHARE_PICTURE
    return answer | ({"sample": True} if rules.samples_are_shown() else {})


def language_of(address: str) -> str:
    """The language of a counter page of this site, whatever its query. Raises Refused."""
    if not address:
        raise Refused(400, "No address", "The parameter url names the page to embed.")
    pages = {
        path.rstrip("/"): code
        for code, path in languages.in_other_languages(reverse("counter")).items()
    }
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    is_here = parts.scheme in ("http", "https") and parts.netloc.lower() == source()
    if not is_here or parts.path.rstrip("/") not in pages:
        known = ", ".join(f"{settings.SITE_URL}{path}/" for path in pages)
        raise Refused(404, "No such page to embed", f"There are {known}.")
    return pages[parts.path.rstrip("/")]


def _limit(asked: QueryDict, name: str) -> int | None:
    """A limit in pixels; None where none was given. Raises Refused."""
    text = asked.get(name, "")
    if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Refused(400, "Not a size", f"{name} is a whole number of pixels.")
    return int(text) if text else None


@require_safe
@headers.public(BADGE_SECONDS, "theme")
def badge_svg(request: HttpRequest) -> HttpResponse:
    """The figure as a picture with real text; `theme=dark` for dark pages."""
    said = badge(request.GET.get("theme"))
    said["start"] = "344" if said["direction"] == "rtl" else "16"
    return render(request, "embeds/badge.svg", said, content_type="image/svg+xml")


@require_safe
@headers.public(BADGE_SECONDS, "theme")
def badge_png(request: HttpRequest) -> HttpResponse:
    """The same for where no SVG is shown, in twice as many pixels."""
    said = badge(request.GET.get("theme"))
    name = f"badge-{said['language']}-{said['colours']['paper']}"
    png = remember(name, lambda: sharing.badge(said), BADGE_SECONDS)
    return HttpResponse(png, content_type="image/png")


def badge(theme: str | None) -> dict:
    """What a badge says, in the page's language: all of it of one moment."""
    language = languages.LANGUAGES[get_language()]
    now = tallies.counter()
    return {
        "language": language.code,
        "direction": language.direction,
        "colours": COLOURS.get(theme or "", COLOURS["light"]),
        "title": texts.text(Text.Slug.SITE, language.code).title,
        "sample": _("Sample data") if rules.samples_are_shown() else "",
        "caption": _("Confirmed signatures"),
        "count": languages.number(now.total, language.code),
        "as_of": _("As of %(moment)s") % {"moment": written_moment(this_minute())},
        # Isolated, so that it stands as it is in a line that runs right to left.
        "source": _("Source: %(site)s") % {"site": f"\u2066{source()}\u2069"},
    }


def this_minute() -> datetime:
    """As of when a figure is given: to the minute, within which an unchanged frame is a 304."""
    return timezone.now().replace(second=0, microsecond=0)


def title() -> str:
    """What a frame is called, in the page's language."""
    name = f"{_('Confirmed signatures')} – {texts.text(Text.Slug.SITE, get_language()).title}"
    return f"{_('Sample data')} – {name}" if rules.samples_are_shown() else name


def source() -> str:
    """The site's host, as people write it."""
    return urlsplit(settings.SITE_URL).netloc.lower()
