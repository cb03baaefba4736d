"""Where a coordinator is signed in, and the end of it."""

from django.contrib import admin, messages
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from petition.desk import sessions
from petition.views.two_factor import DeskRequest


def own(request: DeskRequest) -> HttpResponse:
    """The list; a post ends one of the others, or all of them."""
    key = request.session.session_key
    if request.method == "POST":
        sessions.end_others(request.user, key, request.POST.get("session", ""))
        messages.success(request, _("Ended: whoever used it is signed out."))
        return HttpResponseRedirect(reverse("admin:sessions"))
    context = {
        **admin.site.each_context(request),
        "title": _("Where you are signed in"),
        "help_of": "sessions",
        "sessions": sessions.own(request.user, key),
    }
    return TemplateResponse(request, "admin/sessions.html", context)
