"""Answers for programs when something is wrong (RFC 9457)."""

from django.http import JsonResponse
from django.utils.cache import add_never_cache_headers


def problem(status: int, title: str, detail: str) -> JsonResponse:
    """`title` says what is wrong, the same words each time; `detail` what was wrong this time and
    what would be right. In English, as all names of the API are. Never kept by a cache."""
    said = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    response = JsonResponse(said, status=status, content_type="application/problem+json")
    add_never_cache_headers(response)
    return response
