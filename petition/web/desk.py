"""Django's middleware that the desk alone needs: sessions, accounts, tokens against forged posts.

A public page has no cookie and no session, and its forms carry no token (`RefuseCrossSitePosts`).
It passes all of this by.
"""

from axes.middleware import AxesMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.middleware.csrf import CsrfViewMiddleware
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


class Csrf(DeskOnly, CsrfViewMiddleware):
    def process_view(self, request, callback, callback_args, callback_kwargs):
        if is_for_coordinators(request):
            return super().process_view(request, callback, callback_args, callback_kwargs)
        return None


class Accounts(DeskOnly, AuthenticationMiddleware):
    pass


class SecondFactor(DeskOnly, OTPMiddleware):
    pass


class Messages(DeskOnly, MessageMiddleware):
    pass


class Attempts(DeskOnly, AxesMiddleware):
    pass
