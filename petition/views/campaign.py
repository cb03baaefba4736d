"""The campaign's pages."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from petition.campaign import news, texts
from petition.cases import profiles
from petition.models import Text
from petition.signing import tallies
from petition.signing.forms import SignForm
from petition.views import cases, headers

CASES_AT_HOME = 3
CASES_OF_A_TRACK = 12


@require_safe
def root(request: HttpRequest) -> HttpResponse:
    """To the home page in the language that the browser asks for, Arabic where none fits."""
    return redirect("home")


@require_safe
@headers.public(5, if_error=cases.SECONDS - 10)  # It shows cases.
@headers.with_sign_form
def home(request: HttpRequest) -> HttpResponse:
    language = get_language()
    context = {
        "appeal": texts.text(Text.Slug.APPEAL, language),
        "about": texts.text(Text.Slug.ABOUT, language),
        "counting": texts.text(Text.Slug.COUNTING, language),
        "intro": texts.text(Text.Slug.TRACKS, language),
        "tracks": texts.tracks(language),
        "stories": news.latest(language),
        "cases": profiles.latest(language, CASES_AT_HOME),
        "counter": tallies.counter(),
        "form": SignForm(),
    }
    return render(request, "campaign/home.html", context)


@require_safe
@headers.public(300)
def tracks(request: HttpRequest) -> HttpResponse:
    language = get_language()
    context = {
        "intro": texts.text(Text.Slug.TRACKS, language),
        "tracks": texts.tracks(language),
    }
    return render(request, "campaign/tracks.html", context)


@require_safe
@cases.kept_shortly
def track(request: HttpRequest, slug: str) -> HttpResponse:
    language = get_language()
    every = texts.tracks(language)
    shown = next((t for t in every if t.slug == slug), None)
    if shown is None:
        raise Http404
    page = profiles.listed(language, how_many=CASES_OF_A_TRACK, track=slug, indexed_only=True)
    context = {
        "track": shown,
        "tracks": every,
        "asks": texts.text(Text.Slug.ASKS, language),
        "cases": page.profiles,
    }
    return render(request, "campaign/track.html", context)


@require_safe
@headers.public(300)
def text(request: HttpRequest, slug: str) -> HttpResponse:
    """A page that is one text: about, privacy."""
    context = {"text": texts.text(slug, get_language())}
    if slug == "privacy":
        context["identities_end"] = settings.IDENTITIES_END
    return render(request, "campaign/text.html", context)
