"""Django's middleware that the desk alone needs: sessions, accounts, messages.

A public page has no cookie and no session. It passes all of this by.
"""

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django_otp.middleware import OTPMiddleware


def is_for_coordinators(request) -> bool:
    return request.path.startswith("/admin/")


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
        return super().process_response(request, response)


class Accounts(DeskOnly, AuthenticationMiddleware):
    pass


class SecondFactor(DeskOnly, OTPMiddleware):
    pass


class Messages(DeskOnly, MessageMiddleware):
    pass
