"""What newsrooms need: a sentence to quote, the counter to embed, files, and how it is made."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from petition.campaign import texts
from petition.figures import api, embeds, history, manual, milestones, openapi
from petition.ground import languages
from petition.ground.memory import AN_HOUR, remember
from petition.models import Text
from petition.views import headers
from petition.views.embeds import code

# The examples of the API's description are at most so old.
REMEMBERED_SECONDS = 5


@require_safe
@headers.public(5, "size", "theme")
@headers.with_own_frames
def press(request: HttpRequest) -> HttpResponse:
    """The page for the press; `size` and `theme` choose the embed that it shows."""
    size = embeds.size(request.GET.get("size"))
    theme = embeds.theme(request.GET.get("theme"))
    context = {
        "text": texts.text(Text.Slug.PRESS, get_language()),
        "counter": history.now().counter,
        "at": timezone.now(),
        "quotes": [
            (languages.LANGUAGES[code], texts.text(Text.Slug.SITE, code).title, named)
            for code, named in languages.CHOICES
        ],
        "size": size,
        "theme": theme,
        "code": code(get_language(), size, theme),
        "choices": _choices(size, theme),
        "counter_address": settings.SITE_URL + reverse("counter"),
        "licence": openapi.LICENCE_URL,
        "milestones": milestones.public(),
    }
    return render(request, "press/page.html", context)


@require_safe
@headers.public(60)
def programs(request: HttpRequest) -> HttpResponse:
    """The API described for readers, with what it says now as its examples."""
    document = remember("manual", lambda: api.document().said, REMEMBERED_SECONDS, AN_HOUR)
    context = {
        "addresses": manual.addresses(document),
        "base": document["servers"][0]["url"],
        "licence": openapi.LICENCE_URL,
    }
    return render(request, "press/programs.html", context)


def _choices(size: embeds.Size, theme: str) -> list[dict]:
    """The ways in which an embed can differ, each choice a link that keeps the other."""
    said = {
        "size": {"small": _("Small"), "medium": _("Medium"), "large": _("Large")},
        "theme": {"auto": _("As each reader’s device"), "light": _("Light"), "dark": _("Dark")},
    }
    offered = [
        ("size", _("Size"), embeds.SIZES, size.name),
        ("theme", _("Colours"), embeds.THEMES, theme),
    ]
    now = {"size": size.name, "theme": theme}
    return [
        {
            "name": name,
            "label": label,
            "choices": [
                {
                    "label": said[name][value],
                    "query": urlencode(now | {name: value}),
                    "chosen": value == chosen,
                }
                for value in values
            ],
        }
        for name, label, values, chosen in offered
    ]
