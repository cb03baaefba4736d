"""The figures for programs."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from petition import cases, tallies
from petition.views import headers


@require_safe
@headers.public(5)
def counter(request: HttpRequest) -> JsonResponse:
    """`/api/v1/counter.json`."""
    now = tallies.counter()
    changed = now.changed_at.isoformat(timespec="seconds") if now.changed_at else None
    figures = {
        "total": now.total,
        "online": now.online,
        "paper": now.paper,
        "goal": now.goal,
        "updated_at": changed,
    }
    if cases.samples_are_shown():
        figures["sample"] = True
    return JsonResponse(figures)
