"""Django's middleware that the desk alone needs: sessions, accounts, messages.

A public page has no cookie and no session. It passes all of this by.
"""

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpResponseNotFound, HttpResponseRedirect
from django_otp.middleware import OTPMiddleware

from petition.desk import sessions

DESK = "/admin/"
ON_BOTH = ("/static/", "/readyz", "/favicon.ico")


def is_for_coordinators(request) -> bool:
    return request.path.startswith(DESK)


class OwnHost:
    """Where ADMIN_HOST is set, the desk is there alone, and nothing else is."""

    def __init__(self, get_response):
        if not settings.ADMIN_HOST:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request):
        is_desk = is_for_coordinators(request) or request.path.rstrip("/") == DESK.rstrip("/")
        is_its_host = request.get_host().partition(":")[0] == settings.ADMIN_HOST
        if is_desk == is_its_host or request.path.startswith(ON_BOTH):
            return self.get_response(request)
        if is_desk:
            return HttpResponseNotFound("Not found\n", content_type="text/plain")
        if request.path == "/":
            return HttpResponseRedirect(DESK)
        return HttpResponseRedirect(settings.SITE_URL + request.get_full_path())


class DeskOnly:
    """Mixed in before a middleware: public requests go on without it."""

    def __call__(self, request):
        if is_for_coordinators(request):
            return super().__call__(request)
        return self.get_response(request)


class Sessions(DeskOnly, SessionMiddleware):
    """Django's sessions, but a page that asks by itself how far something is keeps nobody in."""

    def process_response(self, request, response):
        if request.path.endswith("/progress.json"):
            return response
        if request.method == "POST" and not request.session.is_empty():
            sessions.note_write(request.session)
        return super().process_response(request, response)


class Accounts(DeskOnly, AuthenticationMiddleware):
    pass


class SecondFactor(DeskOnly, OTPMiddleware):
    pass


class Messages(DeskOnly, MessageMiddleware):
    pass
