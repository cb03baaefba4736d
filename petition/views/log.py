"""The log that anyone can check: its files, and the page that says what can be checked."""

from hashlib import sha256

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from petition.ground.memory import AN_HOUR, remember
from petition.log import copies, notes, sequencer, tiles
from petition.models import LogHead
from petition.views import headers

PLAIN = "text/plain; charset=utf-8"
FINAL, PARTIAL, LIVE = 365 * 24 * 3600, 24 * 3600, 5
VERIFIER = "verify_count.py"


def for_anyone(view):
    """GET and HEAD; OPTIONS says what pages of other sites may send."""

    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "OPTIONS"])
    def answer(request, *args, **kwargs):
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": "GET, HEAD, OPTIONS"})
        return view(request, *args, **kwargs)

    return headers.same_for_all()(answer)


@for_anyone
def checkpoint(request: HttpRequest) -> HttpResponse:
    """The signed head of the log (C2SP tlog-checkpoint)."""
    if not (note := _note()):
        raise Http404
    return _kept(HttpResponse(note, content_type=PLAIN), **headers.lifetime(LIVE))


@for_anyone
def vkey(request: HttpRequest) -> HttpResponse:
    """With which key the head is signed (C2SP signed-note)."""
    if not (key := sequencer.verifier()):
        raise Http404
    return _kept(HttpResponse(f"{key}\n", content_type=PLAIN), **headers.lifetime(AN_HOUR))


@for_anyone
def tile(request: HttpRequest, place: str) -> HttpResponse:
    """256 hashes or entries (C2SP tlog-tiles); none of them ever changes."""
    try:
        content, is_full = tiles.serve(place)
    except tiles.Missing as error:
        raise Http404 from error
    response = HttpResponse(content, content_type="application/octet-stream")
    return _kept(response, public=True, max_age=FINAL if is_full else PARTIAL, immutable=True)


@require_safe
@headers.public(10)
def check(request: HttpRequest) -> HttpResponse:
    note, head = _note(), _head()
    signers = []
    if note and head:
        keys = [notes.verifier(key) for _url, key in settings.LOG_WITNESSES]
        signers = [key.name for key in notes.signers(note, keys)]
    context = {
        "head": head,
        "checkpoint": note,
        "vkey": sequencer.verifier(),
        "witnesses": signers,
        "asked": len(settings.LOG_WITNESSES),
        "script": VERIFIER,
        "script_sha256": script_sha256(),
        "site": settings.SITE_URL,
        "log": settings.SITE_URL + reverse("checkpoint").removesuffix("/checkpoint"),
    }
    return render(request, "counter/check.html", context)


def script_sha256() -> str:
    return remember("verifier-sha256", _script_sha256, AN_HOUR)


def _script_sha256() -> str:
    return sha256((settings.BASE_DIR / "static" / VERIFIER).read_bytes()).hexdigest()


def _head() -> LogHead | None:
    return LogHead.objects.exclude(checkpoint="").first()


def _note() -> str:
    """As the database has it; while it is gone, as it was copied to this host."""
    try:
        return remember("checkpoint", lambda: getattr(_head(), "checkpoint", ""), 1, AN_HOUR)
    except DatabaseError:
        if note := copies.note():
            return note
        raise


def _kept(response: HttpResponse, **limits) -> HttpResponse:
    patch_cache_control(response, **limits)
    return response
