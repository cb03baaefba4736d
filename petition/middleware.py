"""Chooses the language, and refuses before anything is read what no honest form sends."""

from urllib.parse import urlsplit

from django.conf import settings
from django.middleware.locale import LocaleMiddleware

from petition import errors

SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


class Language(LocaleMiddleware):
    """Django's choice of language, but only pages are said to vary by it.

    Figures and files are the same in every language: a cache must not keep one for each browser.
    """

    def process_response(self, request, response):
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)


class RefuseLargeBodies:
    """413 for a public request whose body is larger than any form of ours, without reading it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        length = request.META.get("CONTENT_LENGTH") or "0"
        too_large = not length.isdecimal() or int(length) > settings.PUBLIC_BODY_BYTES
        if too_large and not request.path.startswith("/admin/"):
            return errors.page(request, 413)
        return self.get_response(request)


class RefuseCrossSitePosts:
    """403 for a post that a header says comes from another site.

    Public pages carry no token, so that any cache may keep them. Browsers say where a post comes
    from; a request that says nothing is an old browser and passes.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method not in SAFE_METHODS and self._comes_from_elsewhere(request):
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
        return urlsplit(origin).netloc not in ours
