"""Prisoner cases as everybody sees them. `petition.cases.profiles` says what of them is shown; no
cache keeps any of it longer than SECONDS."""

import re
from functools import wraps
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from petition.campaign import texts
from petition.cases import profiles
from petition.cases.profiles import Profile, TakenDown, Unknown
from petition.cases.rules import Group
from petition.figures import sharing
from petition.models import Case, Text
from petition.templatetags.cases import called, summed_up
from petition.views import headers
from petition.views.sharing import words
from petition.web import errors
from petition.web.context_processors import here

# What was taken down or has lapsed is gone from every cache after so long.
SECONDS = 60
A_PAGE = 24
SLUG = re.compile(r"[-\w]{1,20}", re.ASCII)
FORMATS = {"avif": "avif", "webp": "webp", "jpg": "jpeg"}

kept_shortly = headers.public(SECONDS, stale=False)


def or_gone(view):
    """410 where it was taken down, 404 where there is none; no cache keeps either."""

    @wraps(view)
    def answer(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except TakenDown:
            return errors.page(request, 410)
        except Unknown:
            return errors.page(request, 404)

    return answer


@require_safe
@headers.public(SECONDS, "track", "group", "nationality", "after", stale=False)
def every(request: HttpRequest) -> HttpResponse:
    """The profiles, the newest first, narrowed by `track`, `group` and `nationality`; a page
    begins after the profile that `after` names."""
    chosen: dict = _chosen(request)
    page = profiles.listed(get_language(), how_many=A_PAGE, **chosen)
    narrowed = {name: value for name, value in chosen.items() if name != "after"}
    filters = _filters(narrowed)
    context = {
        "here": here(request, urlencode(chosen)),
        "page": page,
        "filters": filters,
        "narrowed_to": [c["label"] for f in filters for c in f["choices"][1:] if c["chosen"]],
        "newest": _address(narrowed) if "after" in chosen else "",
        "older": _address(narrowed | {"after": page.next}) if page.next else "",
        "may_be_indexed": all(profile.may_be_indexed for profile in page.profiles),
        "intro": texts.text(Text.Slug.CASES, get_language()),
    }
    response = render(request, "cases/list.html", context)
    return _for_robots(response, bool(context["may_be_indexed"]))


@require_safe
@kept_shortly
@or_gone
def profile(request: HttpRequest, slug: str) -> HttpResponse:
    shown = profiles.profile(slug, get_language())
    response = render(request, "cases/profile.html", {"profile": shown})
    return _until_it_lapses(_for_robots(response, shown.may_be_indexed), shown)


@require_safe
@kept_shortly
@or_gone
def picture(request: HttpRequest, slug: str) -> HttpResponse:
    """What messengers show beside a profile's link: no portrait, which they would keep."""
    shown = profiles.profile(slug, get_language())
    said = words() | {"count": "", "caption": "", "summary": summed_up(shown)}
    # Isolated, as the address is: a name may run in the other direction.
    said |= {
        "address": f"{said['title']} – {said['address']}",
        "title": f"\u2068{called(shown)}\u2069",
    }
    response = HttpResponse(sharing.picture(said), content_type="image/png")
    return _until_it_lapses(_for_robots(response, may_be_indexed=False), shown)


@require_safe
@headers.public(SECONDS, stale=False, in_memory=False)
@or_gone
def portrait(request: HttpRequest, token: str, width: str, extension: str) -> HttpResponse:
    """A portrait's file, for our own pages alone: other sites' pages get none."""
    # As for posts: a request that does not say where it comes from is an old browser or a tool.
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        return HttpResponse(status=403)
    file = profiles.portrait(token, int(width), FORMATS[extension])
    response = HttpResponse(bytes(file.data), content_type=f"image/{file.format}")
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return _for_robots(response, may_be_indexed=False)


def _chosen(request: HttpRequest) -> dict[str, str]:
    """What an address asks for, empty values left out. Raises Http404 for what there is not."""
    known = {
        "track": texts.TRACKS,
        "group": Group.values,
        "nationality": Case.Nationality.values,
    }
    chosen = {name: request.GET[name] for name in (*known, "after") if request.GET.get(name)}
    if any(value not in known[name] for name, value in chosen.items() if name in known):
        raise Http404
    if not SLUG.fullmatch(chosen.get("after", "none")):
        raise Http404
    return chosen


def _filters(narrowed: dict[str, str]) -> list[dict]:
    """Each way to narrow the list, with its choices as links that keep the other ways."""
    offered: dict[str, tuple[str, list]] = {
        "track": (_("Track"), [(t.slug, t.title) for t in texts.tracks(get_language())]),
        "group": (_("Group"), Group.choices),
        "nationality": (_("Nationality"), Case.Nationality.choices),
    }
    return [
        {
            "name": name,
            "label": label,
            "choices": [
                {
                    "label": words,
                    "address": _address(narrowed | {name: value}),
                    "chosen": narrowed.get(name, "") == value,
                }
                for value, words in [("", _("All")), *choices]
            ],
        }
        for name, (label, choices) in offered.items()
    ]


def _address(query: dict[str, str]) -> str:
    """The list, narrowed; the same whatever order somebody clicked in."""
    given = [(name, query[name]) for name in ("track", "group", "nationality", "after")
             if query.get(name)]  # fmt: skip
    return reverse("cases") + ("?" + urlencode(given) if given else "")


def _for_robots(response: HttpResponse, may_be_indexed: bool) -> HttpResponse:
    """Search engines keep no copy: it would outlast a take-down."""
    response.headers["X-Robots-Tag"] = "noarchive, noimageindex" if may_be_indexed else "noindex"
    return response


def _until_it_lapses(response: HttpResponse, shown: Profile) -> HttpResponse:
    """Kept by no cache beyond the moment from which it may not be shown."""
    left = (shown.lapses_at - timezone.now()).total_seconds() if shown.lapses_at else 0
    patch_cache_control(response, max_age=max(0, min(SECONDS, int(left))))
    return response
