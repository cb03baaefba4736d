"""`/dev/components/`: every component in both directions. Exists with DEBUG=1 only."""

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache

from petition.campaign import texts
from petition.figures import sharing
from petition.figures.milestones import Reached
from petition.ground import languages
from petition.signing.forms import SignForm
from petition.signing.tallies import GOAL, Counter


@never_cache
def components(request: HttpRequest) -> HttpResponse:
    shown = []
    for language in languages.LANGUAGES.values():
        with translation.override(language.code):
            wrong = SignForm(QueryDict("name=<b>&email=x"), auto_id=f"{language.code}_%s")
            wrong.full_clean()
            shown.append(
                {
                    "language": language,
                    "counter": Counter(online=123_456, changed_at=None),
                    "milestones": [Reached(1, 10_004, GOAL, timezone.now())],
                    "tracks": texts.tracks(language.code),
                    "form": wrong,
                    "qr": sharing.qr_code("https://example.org/"),
                }
            )
    return render(request, "dev/components.html", {"shown": shown})
