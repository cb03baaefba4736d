"""What a mail service posts about letters: bounces and complaints (MAIL_SERVICE)."""

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def told(request: HttpRequest) -> HttpResponse:
    """200 where the service's events were taken, 400 where they are not from it or torn."""
    if not settings.MAIL_SERVICE:
        raise Http404
    from petition.letters import services  # django-anymail brings requests: not for everybody.

    try:
        return services.take(request)
    except services.NotTaken:
        raise BadRequest("not the mail service, or no events") from None
