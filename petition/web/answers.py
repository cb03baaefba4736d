"""Answers that are the same for everybody: put together once for all who ask in the same second,
after which a request costs no SQL and hardly more than sending the bytes."""

import gzip
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date

from petition.web.problems import problem

REMEMBERED_SECONDS = 1
SETTLED = timedelta(seconds=2)
# As our addresses are written: whatever else is asked for is not looked for in the memory, which
# warns of odd keys.
WRITTEN = re.compile(r"[a-z0-9/._-]{1,60}")
GZIP = re.compile(r"(?:^|[\s,])gzip(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")
CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_MATCH",
              "HTTP_IF_UNMODIFIED_SINCE")  # fmt: skip


@dataclass(frozen=True)
class Packed:
    """An answer as it goes over the wire, by its encoding. Each has a strong ETag of its own, which
    a compression further out would have to weaken."""

    bodies: dict[str, bytes]
    headers: dict[str, dict[str, str]]
    changed: int | None  # seconds since 1970


def pack(content: str, headers: dict[str, str], changed_at: datetime | None) -> Packed:
    # What changed a moment ago may change again within the same second, which no date could tell.
    changed = int(min(changed_at, timezone.now() - SETTLED).timestamp()) if changed_at else None
    headers = headers | {"Vary": "Accept-Encoding"}
    if changed is not None:
        headers["Last-Modified"] = http_date(changed)
    plain = content.encode()
    # Without a time in it, so that all processes pack the same bytes.
    bodies = {"": plain, "gzip": gzip.compress(plain, mtime=0)}
    own = {
        encoding: {
            "ETag": f'"{hashlib.blake2s(body, digest_size=12).hexdigest()}"',
            "Content-Length": str(len(body)),
        }
        for encoding, body in bodies.items()
    }
    own["gzip"]["Content-Encoding"] = "gzip"
    return Packed(bodies, {encoding: headers | more for encoding, more in own.items()}, changed)


def answer(request: HttpRequest, query: str, make: Callable[[], Packed]) -> HttpResponse:
    """The answer that is remembered for this address and `query`; `make` makes it where none is."""
    memory, key = caches["process"], f"answer:{query}:{request.path}"
    packed = memory.get(key)
    if packed is None:
        packed = make()
        memory.set(key, packed, REMEMBERED_SECONDS)
    return _send(request, packed)


def recall(request: HttpRequest) -> HttpResponse | None:
    """What is remembered for exactly this address, to a plain request for it; else None."""
    about = request.META
    if request.method != "GET" or about.get("QUERY_STRING"):
        return None
    # Whatever has a body is looked at, and refused, where all others are.
    if about.get("CONTENT_TYPE") or about.get("CONTENT_LENGTH", "0") not in ("", "0"):
        return None
    if not WRITTEN.fullmatch(request.path):
        return None
    packed = caches["process"].get(f"answer::{request.path}")
    if packed is None:
        return None
    request.get_host()  # Refuses another site's name.
    return _send(request, packed)


def _send(request: HttpRequest, packed: Packed) -> HttpResponse:
    encoding = "gzip" if GZIP.search(request.META.get("HTTP_ACCEPT_ENCODING", "")) else ""
    headers = packed.headers[encoding]
    response = HttpResponse(packed.bodies[encoding], headers=headers)
    # As django-csp's decorator: figures load nothing and run nothing.
    response._csp_exempt = True  # type: ignore[attr-defined]
    if any(name in request.META for name in CONDITIONS):
        answer = get_conditional_response(request, headers["ETag"], packed.changed, response)
        if answer and answer.status_code == 412:
            return problem(412, "Precondition Failed", "The figures are not those you expect.")
        return answer or response
    return response
