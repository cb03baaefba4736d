"""Takes what a request evidently means: a mailed link with a mark behind it, an address in capitals
or in a language that the site has not, text with characters that show nothing."""

import html
import re
from collections.abc import Iterator
from urllib.parse import quote

from babel import Locale
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.cache import add_never_cache_headers

from petition.ground import languages, typed
from petition.web.middleware import ONE_CLICK

# Nothing to mend: what nearly every request asks for, found without a look at the views.
ORDERLY = re.compile(r"/(?:(?:ar|fr|en)/(?:[a-z]+/(?:[\w.-]*[\w-]/)*)?)?", re.ASCII)
NOT_OURS = ("/admin/", "/static/", "/api/", "/dev/")
# What mail programs and people leave behind a link. A token ends with a letter, a digit, - or _.
BEHIND = re.compile(r"(?:&[a-z#0-9]+;|[\s/.,;:!?)\]}>=»”’\"'*|،؛؟…])+\Z")
SOFT_BREAK = re.compile(r"=\s+")  # Of quoted-printable (RFC 2045), left by a program that cuts.
LANGUAGE = re.compile(r"/([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*(/.*)?")
TOKEN = re.compile(r"(/[a-z]{2}/)(confirm|withdraw|unsubscribe)(/.*)", re.IGNORECASE | re.DOTALL)


class MendAddresses:
    """Leads a broken address to the one that is meant; a post is taken there at once, so that
    nothing that was typed is lost."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        meant = address(request)
        if meant is None:
            return self.get_response(request)
        if request.method == "POST":
            request.path = request.path_info = meant
            return self.get_response(request)
        query = request.META.get("QUERY_STRING", "")
        response = HttpResponseRedirect(quote(meant) + (f"?{query}" if query else ""))
        add_never_cache_headers(response)  # Its target follows from the visitor's language.
        return response


class MendFields:
    """Hands every view its fields without characters that show nothing."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if request.META.get("QUERY_STRING"):
            request.GET = typed.mended(request.GET)
        # A mail program's post is read by nobody; it may be in any form.
        if request.method == "POST" and not ONE_CLICK.fullmatch(request.path):
            request.POST = typed.mended(request.POST)


def address(request: HttpRequest) -> str | None:
    """The path that a request means, where that is another than it asks for."""
    path = request.path_info
    if ORDERLY.fullmatch(path) or path.startswith(NOT_OURS):
        return None
    for meant in _meant(path, request):
        if _exists(meant):
            # Django itself leads to the slash.
            is_right = meant == path or (meant == f"{path}/" and request.method != "POST")
            return None if is_right else meant
    return None


def _meant(path: str, request: HttpRequest) -> Iterator[str]:
    """What a path may mean, the likeliest first."""
    if _exists(path) and not TOKEN.fullmatch(path):
        yield path
    clean = "".join(SOFT_BREAK.sub("", typed.plain(path)).split())
    clean = re.sub("/+", "/", BEHIND.sub("", html.unescape(clean) if "&" in clean else clean))
    clean = _in_a_language(clean or "/", request)
    yield clean
    yield f"{clean.rstrip('/')}/"
    token = TOKEN.fullmatch(clean)
    small = f"{token[1]}{token[2]}".lower() + token[3] if token else clean.lower()
    yield small
    yield f"{small.rstrip('/')}/"


def _in_a_language(path: str, request: HttpRequest) -> str:
    """The path in one of the site's languages: in small letters, without a region, and where the
    site has not that language, in the one that the visitor's browser prefers."""
    found = LANGUAGE.fullmatch(path)
    if not found or _exists(path):
        return path
    code, rest = found[1].lower(), found[2] or "/"
    if code in languages.LANGUAGES:
        return f"/{code}{rest}"
    if code not in Locale("en").languages:
        return path
    if rest == "/":
        return "/"  # Which chooses a language.
    return f"/{translation.get_language_from_request(request)}{rest}"


def _exists(path: str) -> bool:
    try:
        with translation.override(translation.get_language_from_path(path)):
            resolve(path)
    except Resolver404:
        return False
    return True
