"""The picture that tells of a milestone."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from petition.figures import milestones, sharing
from petition.figures.milestones import Reached
from petition.ground import languages
from petition.ground.memory import remember
from petition.views import headers
from petition.views.sharing import words

A_DAY = 86_400
# A crowd that follows a link has it typeset once; a title that editors change is on it soon.
REMEMBERED_SECONDS = 600


@require_safe
@headers.public(A_DAY)
def picture(request: HttpRequest, percent: int) -> HttpResponse:
    reached = next((m for m in milestones.public() if m.percent == percent), None)
    if reached is None:
        raise Http404
    drawn = remember(
        f"milestone-{get_language()}-{percent}",
        lambda: sharing.milestone(words() | _told(reached)),
        REMEMBERED_SECONDS,
    )
    return HttpResponse(drawn, content_type="image/png")


def _told(reached: Reached) -> dict:
    """The share is isolated, so that its sign stands in Arabic where pages have it."""
    language = get_language()
    return {
        "percent": reached.percent,
        "reached": _("%(part)s of the goal reached")
        % {"part": f"\u2066{languages.percent(reached.percent, 100, language)}\u2069"},
        "caption": _("Confirmed signatures"),
        "count": languages.number(reached.figure, language),
        "goal": _("Goal: %(goal)s") % {"goal": languages.number(reached.goal, language)},
        "day": f"{languages.day(reached.reached_at.date(), language)} (UTC)",
    }
