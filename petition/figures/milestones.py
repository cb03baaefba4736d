"""Notes that a share of the goal is reached, once and for good, and drafts the news of it."""

from dataclasses import dataclass
from datetime import datetime

from django.core.cache import caches
from django.db import IntegrityError, transaction

from petition.campaign import newsroom, texts
from petition.ground import languages
from petition.ground.memory import AN_HOUR, remember
from petition.models import Case, Milestone, News
from petition.signing import tallies
from petition.signing.tallies import Counter

PERCENTS = (1, 5, 10, 25, 50, 75, 100)
REMEMBERED_SECONDS = 10
# A draft whose address somebody has taken gets a number; so many are tried.
ADDRESSES = 20


@dataclass(frozen=True)
class Reached:
    """A milestone as readers see it: the count that was first seen to have reached it, and when."""

    percent: int
    figure: int
    goal: int
    reached_at: datetime


def note() -> list[Milestone]:
    """Note what the count has reached, where that is not done; several processes may ask at once.

    Those that were passed together share one draft, which tells of the highest. What sample data
    reaches was never reached.
    """
    counter = tallies.read_counter()
    noted = set(Milestone.objects.values_list("percent", flat=True))
    reached = [percent for percent in PERCENTS if counter.total * 100 >= percent * counter.goal]
    passed = [percent for percent in reached if percent not in noted]
    if not passed or Case.objects.filter(sample=True).exists():
        return []
    if not tallies.agree():
        return []  # For good, so never on the word of a counter that is wrong.
    with transaction.atomic():
        # In one order for all, so that two processes cannot wait for each other in a circle.
        made = [found for percent in passed if (found := _claim(percent, counter))]
        if made and (story := _draft(made[-1])):
            Milestone.objects.filter(pk__in=[found.pk for found in made]).update(story=story)
    caches["process"].delete("milestones")
    return made


def public() -> list[Reached]:
    """What was reached, the newest first; at most REMEMBERED_SECONDS old."""
    return remember("milestones", _read, REMEMBERED_SECONDS, AN_HOUR)


def drafted() -> list[Milestone]:
    """Those whose story waits for an editor, the newest first; of several that share it the
    highest."""
    waiting = Milestone.objects.filter(story__isnull=False, story__publish_at=None)
    highest = {found.story_id: found for found in waiting.order_by("percent")}
    return sorted(highest.values(), key=lambda found: found.percent, reverse=True)


def _read() -> list[Reached]:
    rows = Milestone.objects.order_by("-reached_at", "-percent")
    return [Reached(*row) for row in rows.values_list("percent", "figure", "goal", "reached_at")]


def _claim(percent: int, counter: Counter) -> Milestone | None:
    """None where another process was first: whoever comes second waits here for its commit."""
    try:
        with transaction.atomic():
            return Milestone.objects.create(
                percent=percent, figure=counter.total, goal=counter.goal
            )
    except IntegrityError:
        return None


def _draft(milestone: Milestone) -> News | None:
    """A story that editors complete, publish or leave; None where none can be written."""
    drafts = {code: _told(milestone, code) for code in languages.LANGUAGES}
    slug = f"milestone-{milestone.percent}"
    for address in (slug, *(f"{slug}-{number}" for number in range(2, ADDRESSES + 1))):
        try:
            story = News()
            newsroom.write(story, address, drafts, by=None)
            return story
        except newsroom.AddressTaken:
            continue
        except newsroom.NamesSomebody:
            # By chance somebody is called as our words go. It was reached all the same.
            return None
    return None


def _told(milestone: Milestone, code: str) -> newsroom.Draft:
    """The shipped words of a language with the figures put in as that language writes them."""
    figures = {
        "percent": languages.percent(milestone.percent, 100, code),
        "points": languages.number(milestone.percent, code),
        "figure": languages.number(milestone.figure, code),
        "goal": languages.number(milestone.goal, code),
        "day": languages.day(milestone.reached_at.date(), code),
    }
    return newsroom.Draft(*(words.format(**figures) for words in texts.shipped("milestone", code)))
