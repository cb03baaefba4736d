"""The live count, its map, and the page on which all figures add up."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from petition.campaign import texts
from petition.cases import rules
from petition.figures import charts, history, ledger, milestones, world
from petition.figures.history import Day, Figures, Moment
from petition.figures.ledger import Correction
from petition.ground import countries, languages
from petition.ground.memory import AN_HOUR, remember
from petition.models import Signature
from petition.views import headers

DAYS = 30
HOURS = 24
# The past is read from the database no more often than this; the present comes with `history.now`.
REMEMBERED_SECONDS = 10
CORRECTIONS_A_PAGE = 50
# The map's own style: a picture cannot use the site's stylesheet. The policy lets in this alone.
MAP_STYLE = (
    ".sea{fill:#fff}.land{fill:#f1ece2;stroke:#a89f8f}.one{stroke:#fff}.dot{stroke:#1d1b18}"
    ".s1{fill:#b3d7c1}.s2{fill:#7cb394}.s3{fill:#478b69}.s4{fill:#226148}.s5{fill:#0a2e20}"
    "text{fill:#1d1b18;font:40px sans-serif}"
    "@media(max-width:34rem){text{font-size:66px}}"
    "@media(prefers-color-scheme:dark){.sea{fill:#211e1a}.land{fill:#38332b;stroke:#6f675a}"
    ".one{stroke:#211e1a}.dot{stroke:#f4efe6}"
    ".s1{fill:#35654e}.s2{fill:#4a8a69}.s3{fill:#6bb08b}.s4{fill:#9ad3b4}.s5{fill:#dcf7e8}"
    "text{fill:#f4efe6}}"
)
MAP_POLICY = base64.b64encode(hashlib.sha256(MAP_STYLE.encode()).digest()).decode()

LEGEND_ROW = 76
LEGEND_HEIGHT = 3 * LEGEND_ROW + 40

Row = tuple[str, charts.Bar]  # With the name of what it is about.


@dataclass(frozen=True)
class Entry:
    """A line of the map's legend: the shade (0 where there is none), and places in its units."""

    step: int
    words: str
    box: int
    x: int
    y: int


@require_safe
@headers.public(5)
def page(request: HttpRequest) -> HttpResponse:
    figures = history.now()
    drawn, counter = figures.drawn, figures.counter
    days, hours = last_days(figures), last_hours()
    context = {
        "figures": figures,
        "as_of": timezone.now(),
        "address": settings.SITE_URL.partition("://")[2] + reverse("counter"),
        "days": days,
        "days_chart": chart(days),
        "hours": hours,
        "hours_chart": chart(hours),
        "hours_until": hours[-1].at if hours else None,
        "channels": rows({"online": counter.online, "paper": counter.paper}, channel_name),
        "countries": rows(drawn.country.shown, country_name),
        "languages": rows(drawn.language.shown, language_name),
        "tracks": rows(drawn.track.shown, track_name),
        "map_size": map_size(),
        "milestones": milestones.public(),
    }
    return render(request, "counter/page.html", context)


@require_safe
@headers.public(300)
def world_map(request: HttpRequest) -> HttpResponse:
    """A picture of the table of countries; it changes on the hour, as the table does."""
    drawn = history.now().drawn
    shown = world.shaded(drawn.country.shown)
    context = {
        "world": shown,
        "height": map_size()[1],
        "at": drawn.at,
        "legend": legend(shown),
        "language": languages.LANGUAGES[get_language()],
        "is_sample": rules.samples_are_shown(),
        "style": MAP_STYLE,
    }
    response = render(request, "counter/map.svg", context, content_type="image/svg+xml")
    # As django-csp's decorator.
    response._csp_update = {"style-src": [f"'sha256-{MAP_POLICY}'"]}  # type: ignore[attr-defined]
    return response


@require_safe
@headers.public(60, "before")
def figures(request: HttpRequest) -> HttpResponse:
    """Received = pending + counted + …, counted = online + paper; and why the count changed."""
    now = history.now()
    states = now.drawn.states
    hour = states.at.replace(minute=0, second=0, microsecond=0)
    corrections, older = page_of_corrections(request.GET.get("before", ""))
    context = {
        "states": states,
        # Of that hour; not there yet where the database is behind what this process remembers.
        "then": next(iter(history.hours(hour, states.at)), None),
        "days": last_days(now),
        "corrections": [(line, why(line)) for line in corrections],
        "older": older,
        "is_first": "before" not in request.GET,
    }
    return render(request, "counter/figures.html", context)


def last_days(now: Figures) -> list[Day]:
    """The last DAYS, the earliest first; the last is today, of the same moment as `now`."""
    moment = timezone.now()
    today = moment.date()

    def read() -> list[Day]:
        return history.days(today - timedelta(days=DAYS - 1), today - timedelta(days=1))

    past = remember(f"days-{today}", read, REMEMBERED_SECONDS, AN_HOUR)
    counter = now.counter
    return [*past, Day(moment, counter.online, counter.paper, now.today, today, is_over=False)]


def last_hours() -> list[Moment]:
    """The hours that were drawn up in the last HOURS, the earliest first."""
    now = timezone.now()
    since = now - timedelta(hours=HOURS + 1)

    def read() -> list[Moment]:
        # What began before is more than an hour: it is in its day.
        drawn = history.hours(since, now)
        return [moment for moment in drawn if (moment.flow.since or since) > since]

    return remember("hours", read, REMEMBERED_SECONDS, AN_HOUR)


def page_of_corrections(before: str) -> tuple[list[Correction], str]:
    """Some of the corrections, those older than the one called `before` ("set_aside-12"), and what
    to ask for next, empty where there is nothing more."""
    every = ledger.corrections()
    if before:
        names = [name_of(correction) for correction in every]
        if before not in names:
            raise Http404
        every = every[names.index(before) + 1 :]
    shown = every[:CORRECTIONS_A_PAGE]
    return shown, name_of(shown[-1]) if len(every) > len(shown) else ""


def why(line: Correction) -> str:
    """The public class of reasons."""
    if line.kind == "recount":
        return _("the counter did not say what the signatures said")
    return str(Signature.Reason(line.reason).label) if line.reason else ""


def name_of(correction: Correction) -> str:
    return f"{correction.kind}-{correction.number}"


def chart(moments: Sequence[Moment]) -> charts.Columns:
    # A restored sweep can make less than nothing leave; the table says so, a column cannot.
    pairs = [(max(moment.flow.came, 0), max(moment.flow.left, 0)) for moment in moments]
    return charts.columns(pairs, mirrored=is_mirrored())


def rows(values: dict[str, int], named: Callable[[str], str]) -> list[Row]:
    return [(named(bar.key), bar) for bar in charts.bars(values, mirrored=is_mirrored())]


def is_mirrored() -> bool:
    return languages.LANGUAGES[get_language()].direction == "rtl"


def map_size() -> tuple[int, int]:
    """With the legend below the world."""
    width, height = world.size()
    return width, height + LEGEND_HEIGHT


def legend(world_map: world.World) -> list[Entry]:
    """The shades below the map, in two columns from the edge at which lines of writing begin."""
    code = get_language()
    words = [_("without a figure of its own")]
    for least in world.STEPS:
        words.append(_("%(count)s or more") % {"count": languages.number(least, code)})
    entries = []
    for number, text in enumerate(words):
        column, row = divmod(number, 3)
        start = 20 + column * world_map.width // 2
        box, x = start, start + 92
        if is_mirrored():
            box, x = world_map.width - box - 72, world_map.width - x
        entries.append(Entry(number, text, box, x, world_map.height + 30 + row * LEGEND_ROW))
    return entries


def channel_name(channel: str) -> str:
    return {"online": _("Online"), "paper": _("On paper")}[channel]


def country_name(code: str) -> str:
    return countries.names(get_language()).get(code, code)


def language_name(code: str) -> str:
    name = languages.named([code], get_language())
    return name[0].upper() + name[1:]


def track_name(slug: str) -> str:
    titles = {track.slug: track.title for track in texts.tracks(get_language())}
    return titles.get(slug, slug) if slug else _("No track chosen")
