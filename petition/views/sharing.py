"""What passes the appeal on: the page for those who collect, the poster and the picture."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from petition.campaign import texts
from petition.cases import rules
from petition.figures import sharing
from petition.ground import languages
from petition.ground.lazy import LazyText
from petition.models import Text
from petition.signing import tallies
from petition.views import headers


def home_address() -> str:
    """The home page in the page's language, as people pass it on."""
    return settings.SITE_URL + reverse("home")


@require_safe
@headers.public(300)
def collect(request: HttpRequest) -> HttpResponse:
    """For those who ask others to sign: texts for messengers, poster, code, and where sheets are
    had."""
    address = home_address()
    context = {
        "messages": [_message(code, named) for code, named in languages.CHOICES],
        "address": address,
        "qr": sharing.qr_code(address),
    }
    return render(request, "campaign/collect.html", context)


def _message(code: str, named: LazyText) -> dict:
    """What to send to somebody who reads this language, with the page in it."""
    appeal = texts.text(Text.Slug.APPEAL, code)
    with translation.override(code):
        address = home_address()
    return {
        "language": languages.LANGUAGES[code],
        "named": named,
        "text": f"{appeal.title} – {appeal.summary}",
        "address": address,
    }


@require_safe
@headers.public(3600)
def poster(request: HttpRequest) -> HttpResponse:
    """An A4 page to print and hang up."""
    said = words() | {
        "summary": texts.text(Text.Slug.APPEAL, get_language()).summary,
        "sign": _("Sign the petition"),
        "qr": sharing.qr_code(home_address()),
        "by": texts.text(Text.Slug.ABOUT, get_language()).summary,
    }
    return HttpResponse(sharing.poster(said), content_type="application/pdf")


@require_safe
@headers.public(600)
def picture(request: HttpRequest) -> HttpResponse:
    """What messengers show beside a link: the title and the count, rounded down."""
    count = sharing.rounded_down(tallies.counter().total)
    said = words() | {
        "count": languages.number(count, get_language()) + "+" if count else "",
        "caption": _("confirmed signatures"),
        "summary": texts.text(Text.Slug.APPEAL, get_language()).summary,
    }
    return HttpResponse(sharing.picture(said), content_type="image/png")


def words() -> dict[str, str]:
    """What every picture and poster says."""
    language = languages.LANGUAGES[get_language()]
    title = texts.text(Text.Slug.APPEAL, language.code).title
    if rules.samples_are_shown():
        title = f"{_('Sample data')} – {title}"
    return {
        "language": language.code,
        "direction": language.direction,
        "title": title,
        # Isolated, so that its slashes stand where they belong in a line that runs right to left.
        "address": f"\u2066{home_address().partition('://')[2]}\u2069",
    }
