"""What the desk answers to who has typed too many passwords."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    """429 on the sign-in page; says nothing of whether there is such an account."""
    context = {
        **admin.site.each_context(request),
        "title": _("Too many attempts"),
        "minutes": -(-seconds // 60),
    }
    response = render(request, "admin/locked_out.html", context, status=429)
    response.headers["Retry-After"] = str(seconds)
    add_never_cache_headers(response)
    return response


def expired(request: HttpRequest) -> HttpResponse:
    """Of a password that somebody else gave, too long ago."""
    context = {**admin.site.each_context(request), "title": _("This password has ended")}
    response = render(request, "admin/locked_out.html", context, status=403)
    add_never_cache_headers(response)
    return response


def locked_out(request: HttpRequest, response: HttpResponse, credentials=None) -> HttpResponse:
    """django-axes calls it after wrong passwords for one name from one network."""
    return too_many(request, int(settings.AXES_COOLOFF_TIME.total_seconds()))
