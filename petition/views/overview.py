"""The front page of the desk: each figure with the way to the rows behind it."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from petition.desk import funnel, overview, tasks
from petition.figures import milestones
from petition.ground.lazy import LazyText
from petition.signing import signs


@dataclass(frozen=True)
class Tile:
    """A figure of the front page. `model` and `query` name the rows behind it."""

    task: str  # Of `desk.tasks`.
    label: LazyText
    figure: int
    model: str
    query: str
    since: datetime | None = None
    or_more: bool = False
    urgent: bool = False

    def link(self, user) -> str:
        """Everybody sees every figure; who may see the rows is led to them."""
        if not user.has_perm(f"petition.view_{self.model}"):
            return ""
        return reverse(f"admin:petition_{self.model}_changelist") + self.query


def front_page(user, lists: dict[str, list[dict]]) -> dict:
    """What `admin/desk.html` shows to this coordinator; `lists` are those of each task that they
    may open, as Django's admin describes them."""
    figures = overview.figures()
    writes_news = user.has_perm("petition.write_news")
    return {
        "signs": signs.seen() if user.has_perm("petition.view_signature") else [],
        "falls": funnel.falls() if user.has_perm("petition.view_signature") else [],
        "may_sweep": user.has_perm("petition.run_sweep"),
        "milestones": milestones.drafted() if writes_news else [],
        "count_now": figures["counter"].total,
        "tasks": by_task(user, figures, lists),
        "own": tasks.waiting_for(user),
        "bars": bars(figures["days"]),
        "days": figures["days"],
        "today_date": figures["days"][-1].day,
    }


def by_task(user, figures: dict, lists: dict[str, list[dict]]) -> list[dict]:
    """Each task with its figures, where it begins, and its lists."""
    shown = tiles(figures)
    found = [
        {
            "slug": task.slug,
            "title": task.title,
            "tiles": [(tile, tile.link(user)) for tile in shown if tile.task == task.slug],
            "doors": task.open_doors(user),
            "lists": lists.get(task.slug, []),
        }
        for task in tasks.TASKS
    ]
    return [task for task in found if task["tiles"] or task["doors"] or task["lists"]]


def tiles(figures: dict) -> list[Tile]:
    states, due, bounced = figures["states"], figures["letters_due"], figures["letters_bounced"]
    once, differ = figures["sheets_once"], figures["sheets_in_conflict"]
    hidden, lapsing = figures["cases_waiting"], figures["cases_lapsing"]
    down = figures["cases_taken_down"]
    paced = figures["letters_paced"]
    today, counter = figures["today"], figures["counter"]
    of_today = f"?confirmed={today.day.isoformat()}&state=counted"
    return [
        Tile("figures", _("Counted online today"), today.online, "signature", of_today),
        Tile("figures", _("Counted online, in all"), counter.online, "signature", "?state=counted"),
        Tile("figures", _("Counted on paper today"), today.paper, "sheet", "?state=counted"),
        Tile("figures", _("Counted on paper, in all"), counter.paper, "sheet", "?state=counted"),
        Tile("moderate", _("Pending"), states.get("pending", 0), "signature", "?state=pending"),
        Tile(
            "moderate", _("Suspended"), states.get("held", 0), "signature", "?state=held",
            since=figures["held_since"], urgent=bool(states.get("held")),
        ),
        Tile("moderate", _("Rejected"), states.get("rejected", 0), "signature", "?state=rejected"),
        Tile(
            "moderate", _("E-mails waiting"), due.shown, "letter", "?state=due", since=due.since,
            or_more=due.or_more,
        ),
        Tile(
            "moderate", _("Bounced e-mails"), bounced.shown, "letter", "?state=refused",
            or_more=bounced.or_more,
        ),
        Tile(
            "moderate", _("E-mails delayed: many to one domain"), paced.shown, "letter",
            "?state=due", or_more=paced.or_more, urgent=bool(paced.count),
        ),
        Tile(
            "paper", _("Sheets to count again"), once.shown, "sheet", "?state=once",
            since=once.since, or_more=once.or_more,
        ),
        Tile(
            "paper", _("Sheets in conflict"), differ.shown, "sheet", "?state=conflict",
            or_more=differ.or_more, urgent=bool(differ.count),
        ),
        Tile(
            "cases", _("Cases not public yet"), hidden.shown, "case", "?state=waiting",
            or_more=hidden.or_more,
        ),
        Tile(
            "cases", _("Cases whose publication ends within 14 days"), lapsing.shown, "case",
            "?state=lapsing", or_more=lapsing.or_more, urgent=bool(lapsing.count),
        ),
        Tile(
            "cases", _("Cases taken down"), down.shown, "case", "?state=down", or_more=down.or_more,
            urgent=bool(down.count),
        ),
    ]  # fmt: skip


def bars(days: list[overview.Day]) -> list[dict[str, int]]:
    """The days as bars in a picture of 300 by 100."""
    most = max(day.count for day in days) or 1
    heights = [round(day.count * 100 / most) for day in days]
    return [{"x": n * 10 + 1, "y": 100 - high, "height": high} for n, high in enumerate(heights)]
