"""The site's addresses and, to measure against, one that does nothing."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from campaign_site.urls import handler400, handler403, handler404, handler500
from campaign_site.urls import urlpatterns as site

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

# As long as what `counter.json` says, so that both send as much.
SAID = (
    b'{"total": 123456, "online": 120000, "paper": 3456, "goal": 1000000, "updated_at": '
    b'"2026-03-01T12:00:00Z", "today": {"came": 120, "left": 3}, "last_24_hours": {"came": 240, '
    b'"left": 5}, "licence": "CC BY 4.0"}'
)


@csrf_exempt
def constant(request: HttpRequest) -> HttpResponse:
    return HttpResponse(SAID, content_type="application/json")


urlpatterns = [path("constant", constant), *site]
