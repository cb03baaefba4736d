"""A coordinator asks for an e-mail a day, confirms the address, or stops it."""

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from petition.desk import daily
from petition.ground.languages import DEFAULT
from petition.signing.forms import AddressField


class AddressForm(forms.Form):
    email = AddressField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("Stored encrypted, and deleted when you stop the e-mail."),
        widget=forms.EmailInput({"dir": "ltr", "autocomplete": "email"}),
    )


@sensitive_post_parameters("email")
def wish(request: HttpRequest) -> HttpResponse:
    """The present state, with a form to ask, to change or to stop."""
    form = AddressForm(request.POST or None)
    if request.method == "POST":
        if "stop" in request.POST:
            daily.stop(request.user)
            messages.success(
                request, _("You get no daily e-mail any more. The address is deleted.")
            )
            return HttpResponseRedirect(reverse("admin:daily"))
        if form.is_valid():
            language = get_language() or DEFAULT
            daily.ask(request.user, form.cleaned_data["email"], language[:2])
            messages.success(
                request,
                _("An e-mail with a link is on its way. Open the link in this browser."),
            )
            return HttpResponseRedirect(reverse("admin:daily"))
    context = {
        **admin.site.each_context(request),
        "title": _("Daily e-mail"),
        "help_of": "daily",
        "form": form,
        "wish": daily.of(request.user),
    }
    status = 422 if form.errors else 200
    return TemplateResponse(request, "admin/daily.html", context, status=status)


def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Opened from the e-mail, by whoever asked for it: the link alone does nothing."""
    if daily.confirm(request.user, token):
        messages.success(request, _("From now on you get an e-mail on days when something waits."))
    else:
        messages.error(request, _("This link is not valid any more. Ask for a new one here."))
    return HttpResponseRedirect(reverse("admin:daily"))
