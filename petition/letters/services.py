"""What mail services tell of their own accord, by webhooks: bounces and complaints.

django-anymail checks who calls and reads each service's form. A letter is named by our own token,
in the head line that the service gives back with an event; what names none of ours does nothing.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache

from anymail.exceptions import AnymailError
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from petition.letters import bounces, envelopes
from petition.letters.bounces import Kind, Report

VIEWS = {
    "brevo": "brevo.BrevoTrackingWebhookView",
    "mailgun": "mailgun.MailgunTrackingWebhookView",
    "mailjet": "mailjet.MailjetTrackingWebhookView",
    "postmark": "postmark.PostmarkTrackingWebhookView",
    "sparkpost": "sparkpost.SparkPostTrackingWebhookView",
}
COMPLAINED = (EventType.COMPLAINED, EventType.UNSUBSCRIBED)
REFUSED = (EventType.BOUNCED, EventType.REJECTED, EventType.FAILED)
# The service sends them nothing more, since they complained before.
ENOUGH = (RejectReason.SPAM, RejectReason.UNSUBSCRIBED)
# The mailbox does not exist, if the service is right.
GONE = (RejectReason.INVALID, RejectReason.BOUNCED)
# Several services call a full mailbox a bounce as well, and say so in words of their own.
SOFT_WORDS = ("softbounce", "soft_bounce", "transient", "temporary")
STATUS = re.compile(r"\b[45]\.\d{1,3}\.\d{1,3}\b")


class NotTaken(Exception):
    """Not from the mail service, or torn."""


def take(request: HttpRequest) -> HttpResponse:
    """Take what the mail service posts. Raises NotTaken."""
    try:
        return webhook()(request)
    except (AnymailError, SuspiciousOperation, ValueError, KeyError, TypeError, AttributeError):
        raise NotTaken from None  # What went wrong may repeat what was posted.


@cache
def webhook() -> Callable[[HttpRequest], HttpResponse]:
    """The view that takes what the service of MAIL_SERVICE posts."""
    return import_string(f"anymail.webhooks.{VIEWS[settings.MAIL_SERVICE]}").as_view()


@receiver(tracking, dispatch_uid="petition.letters.services")
def _told(event: AnymailTrackingEvent, **kwargs) -> None:
    bounces.act_on(read(event))


def read(event: AnymailTrackingEvent) -> Report:
    """What an event reports; nothing where it is a delivery, or names no letter of ours."""
    kind, status = _kind(event)
    if kind is Kind.NONE:
        return Report(kind)
    return Report(kind, *envelopes.found_in(_texts(event.esp_event)), status)


def _kind(event: AnymailTrackingEvent) -> tuple[Kind, str]:
    was_suppressed = event.event_type == EventType.REJECTED and event.reject_reason in ENOUGH
    if event.event_type in COMPLAINED or was_suppressed:
        return Kind.COMPLAINT, ""
    if event.event_type not in REFUSED:
        return Kind.NONE, ""
    if status := STATUS.search(f"{event.mta_response or ''} {event.description or ''}"):
        return bounces.kind_of(status[0]), status[0]
    is_hard = (
        event.event_type != EventType.FAILED and event.reject_reason in GONE and not _is_soft(event)
    )
    return (Kind.HARD if is_hard else Kind.SOFT), ""


def _is_soft(event: AnymailTrackingEvent) -> bool:
    told = event.esp_event
    if isinstance(told, dict) and told.get("hard_bounce") is False:
        return True
    words = f"{event.description} {' '.join(_texts(told))}".lower()
    return any(word in words for word in SOFT_WORDS)


def _texts(event: object) -> Iterator[str]:
    """Each text in an event, however deep it lies."""
    if isinstance(event, dict):
        for name, value in event.items():
            yield str(name)
            yield from _texts(value)
    elif isinstance(event, list | tuple):
        for each in event:
            yield from _texts(each)
    else:
        yield str(event)
