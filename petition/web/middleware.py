"""Chooses the language, refuses before anything is read what no honest form sends, and ends the
sessions of coordinators in time."""

import logging
import re
import threading
import time
from urllib.parse import urlsplit

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth import logout
from django.db import connection
from django.http import HttpResponse
from django.middleware.locale import LocaleMiddleware

from petition.desk import sessions
from petition.ground import memory, metrics, request_ids, waiting
from petition.web import errors
from petition.web.desk import is_for_coordinators

logger = logging.getLogger(__name__)

SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
PORTRAIT = re.compile(r"/admin/petition/case/[0-9]+/portrait/")
# What other sites fetch: figures, how to embed them, badges.
OPEN = re.compile(r"/api/.*|/log/.*|/oembed|/[a-z]{2}/counter\.(?:svg|png)")
# Mail programs press it from wherever they are (RFC 8058): its token is all that it goes by.
ONE_CLICK = re.compile(r"/[a-z]{2}/unsubscribe/[^/]+/")

PLACE_SECONDS = 0.3  # How long a request waits for a place among those who wait.

CONDITIONS = "If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since"


class Language(LocaleMiddleware):
    """Django's choice of language, but only pages are said to vary by it.

    Figures and files are the same in every language, and a page that names its language itself
    follows its address: a cache must not keep one of them for each browser.
    """

    def process_response(self, request, response):
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if not is_page or "Content-Language" in response.headers:
            return response
        return super().process_response(request, response)


class Health:
    """Answers `/healthz` before anything else can refuse it: probes come by IP and without TLS."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain")
        return self.get_response(request)


class RequestIds:
    """Numbers each request as the proxy has numbered it, for the log and for SQL."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        given = request.headers.get("X-Request-ID", "") if settings.TRUSTED_PROXIES else ""
        with request_ids.serving(given):
            return self.get_response(request)


class Patience:
    """Lets a request wait for the database for so long and no longer, and so many at once: the
    others' threads stay free for what needs no database. 503 says when to come back."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.places = threading.BoundedSemaphore(settings.DATABASE_THREADS)

    def __call__(self, request):
        desk = is_for_coordinators(request)
        seconds = settings.DESK_DATABASE_SECONDS if desk else settings.PUBLIC_DATABASE_SECONDS
        if not self.places.acquire(timeout=PLACE_SECONDS):
            return errors.unavailable(request)
        try:
            with waiting.at_most(seconds), request_ids.tagging(connection):
                return self.get_response(request)
        finally:
            self.places.release()

    def process_exception(self, request, exception):
        if not isinstance(exception, memory.UNAVAILABLE):
            return None
        # Its text may repeat what was typed: the kind of error is all that is logged.
        logger.error("The database did not serve a request: %s", type(exception).__name__)
        metrics.DATABASE_ERRORS.inc()
        return errors.unavailable(request)


class NoCookies:
    """Takes every cookie off a request for a public page, before anything looks at one.

    What sees no cookie sets none and varies by none: such a page may be kept by any cache.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not is_for_coordinators(request):
            request.META.pop("HTTP_COOKIE", None)
        return self.get_response(request)


class OpenFigures:
    """Lets any site read and show the figures.

    A page of another site that asks whether they have asks for leave to first, with OPTIONS.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if not OPEN.fullmatch(request.path):
            # Other sites may link to a page; none may read one into its own.
            response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
            return response
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = "ETag, Link"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if request.method == "OPTIONS" and response.status_code == 204:
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = CONDITIONS
            response.headers["Access-Control-Max-Age"] = "86400"
        return response


class ContentPolicy(CSPMiddleware):
    """django-csp's policy, built once for all answers that change nothing in it."""

    CHANGES = ("_csp_config", "_csp_update", "_csp_replace", "_csp_exempt")

    def process_response(self, request, response):
        if getattr(request, "_csp_nonce", None) or any(hasattr(response, c) for c in self.CHANGES):
            return super().process_response(request, response)
        policy = settings.CONTENT_SECURITY_POLICY
        if getattr(self, "_made_of", None) is not policy:
            plain = super().process_response(request, HttpResponse())
            self._usual, self._made_of = plain.headers[HEADER], policy
        response.headers.setdefault(HEADER, self._usual)
        return response


class RefuseOddBodies:
    """Refuses a request unread: 413 where it is larger than any form of ours, on public pages 400
    where it is not in UTF-8, which every browser sends."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        desk = is_for_coordinators(request)
        most = settings.DESK_BODY_BYTES if desk else settings.PUBLIC_BODY_BYTES
        if PORTRAIT.fullmatch(request.path):
            most = settings.PORTRAIT_BODY_BYTES
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not re.fullmatch(r"[0-9]{1,9}", length) or int(length) > most:
            return errors.page(request, 413)
        charset = request.content_params.get("charset", "utf-8").lower()
        one_click = ONE_CLICK.fullmatch(request.path)  # Whatever a mail program says of two words.
        if not desk and not one_click and charset not in ("utf-8", "utf8"):
            return errors.page(request, 400)
        return self.get_response(request)


class RefuseCrossSitePosts:
    """403 for a post that a header says comes from another site.

    Public pages carry no token, so that any cache may keep them. Browsers say where a post comes
    from; a request that says nothing is an old browser and passes.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if (
            request.method not in SAFE_METHODS
            and not ONE_CLICK.fullmatch(request.path)
            and self._comes_from_elsewhere(request)
        ):
            return errors.page(request, 403)
        return self.get_response(request)

    @staticmethod
    def _comes_from_elsewhere(request) -> bool:
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return True
        origin = request.headers.get("Origin")
        if origin is None:
            return False
        # By host alone: behind a proxy the scheme that we see may not be the visitor's.
        ours = {request.get_host(), urlsplit(settings.SITE_URL).netloc}
        try:
            return urlsplit(origin).netloc not in ours
        except ValueError:
            return True


class EndOldSessions:
    """Signs a coordinator out some hours after the sign-in, however busy; SESSION_COOKIE_AGE does
    it where nothing is done."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if is_for_coordinators(request) and request.user.is_authenticated:
            began = request.session.setdefault(sessions.BEGAN, time.time())
            if time.time() - began >= settings.SIGNED_IN_SECONDS:
                logout(request)
        response = self.get_response(request)
        if response.status_code == 403 and is_for_coordinators(request):
            screen = request.resolver_match.view_name if request.resolver_match else "a screen"
            logger.warning("Account %s was refused %s.", request.user.pk or "of nobody", screen)
        return response
