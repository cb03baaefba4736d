"""`/dev/mail/`: letters that a development machine would have sent. Exists with DEBUG=1 only."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

SEPARATOR = b"\n" + b"-" * 79 + b"\n"  # Between letters in a file of Django's file backend.


@dataclass(frozen=True)
class Mail:
    """A letter in the box; `number` is its place, 1 being the oldest."""

    number: int
    message: EmailMessage

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return part.get_content() if part else ""


def _box() -> list[Mail]:
    files = sorted(Path(settings.EMAIL_FILE_PATH).glob("*.log"))
    parts = [part for file in files for part in file.read_bytes().split(SEPARATOR) if part.strip()]
    messages = [message_from_bytes(part, policy=policy.default) for part in parts]
    return [Mail(number, message) for number, message in enumerate(messages, start=1)]


def _mail(number: int) -> Mail:
    box = _box()
    if not 0 < number <= len(box):
        raise Http404
    return box[number - 1]


@never_cache
def box(request: HttpRequest) -> HttpResponse:
    return render(request, "dev/mail_box.html", {"box": _box()[::-1]})


@never_cache
def mail(request: HttpRequest, number: int) -> HttpResponse:
    return render(request, "dev/mail.html", {"mail": _mail(number)})


@never_cache
@csp_replace({"style-src": ["'unsafe-inline'"], "default-src": ["'none'"]})  # type: ignore[arg-type]  # It passes arguments on.
def mail_html(request: HttpRequest, number: int) -> HttpResponse:
    """The letter's HTML as a mail program shows it: styles inside, nothing from outside."""
    return HttpResponse(_mail(number).html)
