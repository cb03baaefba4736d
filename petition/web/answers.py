"""Answers that are the same for everybody, as they go over the wire: in each encoding, under a
strong name of its own, compressed once for all who ask."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import brotli
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import cc_delim_re, get_conditional_response
from django.utils.http import http_date, parse_http_date

from petition.web.problems import problem

SETTLED = timedelta(seconds=2)
COMPRESSED = ("image/png", "image/jpeg", "image/webp", "image/avif", "application/pdf", "font/")
# The best first, as browsers take them.
ENCODINGS = {
    "br": lambda body: brotli.compress(body, quality=5),
    # Without a time in it, so that all processes pack the same bytes.
    "gzip": lambda body: gzip.compress(body, mtime=0),
}
ACCEPTS = {
    name: re.compile(rf"(?:^|[\s,]){name}(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))") for name in ENCODINGS
}
CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_MATCH",
              "HTTP_IF_UNMODIFIED_SINCE")  # fmt: skip
# Who may read an answer is asked again where a cache is told to keep its copy.
OF_READERS = ("Access-Control-", "Cross-Origin-")


@dataclass(frozen=True)
class Packed:
    """An answer by its encodings, "" being none. Each has a strong ETag, which a compression
    further out would have to weaken."""

    bodies: dict[str, bytes]
    headers: dict[str, dict[str, str]]
    changed: int | None  # seconds since 1970

    @property
    def size(self) -> int:
        """Bytes, about."""
        return 1500 + sum(len(body) for body in self.bodies.values())


def dated(response: HttpResponse, changed_at: datetime | None) -> HttpResponse:
    """Says since when the answer is as it is, where that is known."""
    if changed_at:
        # What changed a moment ago may change again in the same second, which no date could tell.
        changed = min(changed_at, timezone.now() - SETTLED)
        response.headers["Last-Modified"] = http_date(changed.timestamp())
    return response


def pack(body: bytes, headers: dict[str, str]) -> Packed:
    """A finished answer with its headers, in every encoding that makes it smaller."""
    changed = headers.get("Last-Modified")
    own = {k: v for k, v in headers.items() if k not in ("ETag", "Content-Length")}
    varies = [v for v in cc_delim_re.split(own.get("Vary", "")) if v]
    own["Vary"] = ", ".join(dict.fromkeys([*varies, "Accept-Encoding"]))
    bodies = {"": body}
    if not own.get("Content-Type", "").startswith(COMPRESSED):
        bodies |= {name: compress(body) for name, compress in ENCODINGS.items()}
    by_encoding = {}
    for name, encoded in bodies.items():
        by_encoding[name] = own | {
            "ETag": f'"{hashlib.blake2s(encoded, digest_size=12).hexdigest()}"',
            "Content-Length": str(len(encoded)),
        }
        if name:
            by_encoding[name]["Content-Encoding"] = name
    return Packed(bodies, by_encoding, parse_http_date(changed) if changed else None)


def send(request: HttpRequest, packed: Packed, age: int = 0) -> HttpResponse:
    """The answer in the encoding that this request prefers, or that it has not changed. `age`, in
    seconds, is said of what could not be made anew."""
    about = request.META
    encoding = ""
    if len(packed.bodies) > 1 and (accepted := about.get("HTTP_ACCEPT_ENCODING")):
        encoding = next((n for n in ENCODINGS if ACCEPTS[n].search(accepted)), "")
    headers = packed.headers[encoding]
    response = HttpResponse(
        b"" if request.method == "HEAD" else packed.bodies[encoding], headers=headers
    )
    if age:
        response.headers["Age"] = str(age)
    if any(name in about for name in CONDITIONS):
        return _conditional(request, response, packed.changed)
    return response


def _conditional(request: HttpRequest, full: HttpResponse, changed: int | None) -> HttpResponse:
    answer = get_conditional_response(request, full.headers["ETag"], changed, full) or full
    if answer is not full:
        if answer.status_code == 412 and request.path.startswith("/api/"):
            answer = problem(412, "Precondition Failed", "The figures are not those you expect.")
        for name, value in full.headers.items():
            if name.startswith(OF_READERS):
                answer.headers[name] = value
    return answer
