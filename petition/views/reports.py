"""What a mail service posts about letters: bounces and complaints (MAIL_SERVICE)."""

from anymail.exceptions import AnymailError
from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from petition.letters import services

TORN = (ValueError, KeyError, TypeError, AttributeError)


@csrf_exempt
def told(request: HttpRequest) -> HttpResponse:
    """200 where the service's events were taken, 400 where they are not from it or torn."""
    if not settings.MAIL_SERVICE:
        raise Http404
    try:
        return services.webhook()(request)
    except (AnymailError, SuspiciousOperation, *TORN):
        # What went wrong may repeat what was posted.
        raise BadRequest("not the mail service, or no events") from None
