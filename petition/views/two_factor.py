"""The second factor of who has typed the right password: set it up, prove it, renew its codes."""

import logging
from functools import wraps
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django_otp import login

from petition.desk import sessions, two_factor
from petition.figures import sharing
from petition.ground import encryption

logger = logging.getLogger(__name__)


class DeskRequest(HttpRequest):
    """A request whose account has given its password; django-otp adds `is_verified`."""

    user: Any


# Sealed in the session: each session that sets a factor up has a secret of its own, so that who
# knew the password before cannot keep the one that is scanned later.
WRONG = gettext_lazy("This code is wrong, or was used before. Type the one shown now.")
SECRET = "second_factor_secret"  # noqa: S105  the key in the session


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autofocus": True,
                "dir": "ltr",
                "inputmode": "numeric",
            }
        ),
    )


class ProofForm(forms.Form):
    """Asks once more for who is at the screen, before how somebody signs in is changed."""

    own_code = forms.CharField(
        label=gettext_lazy("Your own code"),
        help_text=gettext_lazy("From your app: nobody can do this who finds your screen open."),
        max_length=40,
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "dir": "ltr", "inputmode": "numeric"}
        ),
    )


def is_proved(request: DeskRequest, form: ProofForm) -> bool:
    """Whether a code of who asks was typed; else the form says why. On a development machine,
    where a password is enough, nothing is asked."""
    if not settings.TWO_FACTOR:
        return True
    if not form.is_valid():
        return False
    try:
        if two_factor.prove(request.user, form.cleaned_data["own_code"]):
            return True
        form.add_error("own_code", WRONG)
    except two_factor.TooEarly as error:
        wait = {"wait": error.seconds}
        form.add_error("own_code", _("Too early: wait %(wait)s seconds.") % wait)
    return False


def for_who_knows_the_password(view):
    @wraps(view)
    def inner(request, *args, **kwargs):
        if not (request.user.is_active and request.user.is_staff):
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        return view(request, *args, **kwargs)

    return never_cache(sensitive_post_parameters()(inner))


@for_who_knows_the_password
def second_factor(request: DeskRequest) -> HttpResponse:
    device = two_factor.of(request.user)
    if device and request.user.is_verified():
        return _state(request, ProofForm())
    return _ask(request) if device else _set_up(request)


@for_who_knows_the_password
@require_POST
def renew_codes(request: DeskRequest) -> HttpResponse:
    if not request.user.is_verified():
        return HttpResponseRedirect(reverse("admin:two_factor"))
    form = ProofForm(request.POST)
    if not is_proved(request, form):
        return _state(request, form, status=422)
    return _codes(request, two_factor.renew_codes(request.user))


def _state(request: DeskRequest, form: ProofForm, status: int = 200) -> HttpResponse:
    device = two_factor.of(request.user)
    left = len(device.recovery_codes) if device else 0
    return _page(request, "admin/two_factor.html", status=status, left=left, form=form)


def _ask(request: DeskRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, "admin/two_factor_code.html", form=CodeForm())
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            device = two_factor.prove(request.user, form.cleaned_data["code"])
        except two_factor.TooEarly as error:
            return _too_early(request, error.seconds)
        if device:
            _let_in(request, device)
            return HttpResponseRedirect(_next(request))
        form.add_error("code", WRONG)
    logger.warning("Account %s: a wrong code.", request.user.pk)
    return _page(request, "admin/two_factor_code.html", form=form, status=422)


def _set_up(request: DeskRequest) -> HttpResponse:
    if SECRET not in request.session:
        request.session[SECRET] = encryption.encrypt(two_factor.new_secret(), SECRET).hex()
    secret = encryption.decrypt(bytes.fromhex(request.session[SECRET]), SECRET)
    form = CodeForm(request.POST if request.method == "POST" else None)
    # A phone would scroll past the picture, to the field.
    del form.fields["code"].widget.attrs["autofocus"]
    if form.is_valid():
        try:
            codes = two_factor.set_up(request.user, secret, form.cleaned_data["code"])
        except two_factor.AlreadySetUp:
            return HttpResponseRedirect(request.get_full_path())
        if codes:
            del request.session[SECRET]
            _let_in(request, two_factor.of(request.user))
            return _codes(request, codes)
        form.add_error(
            "code", _("This code is wrong. Check the clock of your phone and try again.")
        )
    context = {
        "form": form,
        "qr": sharing.qr_code(two_factor.address(request.user, secret)),
        "secret": two_factor.typed_secret(secret),
    }
    status = 422 if form.errors else 200
    return _page(request, "admin/two_factor_set_up.html", status=status, **context)


def _codes(request: DeskRequest, codes: list[str]) -> HttpResponse:
    """Shown on the answer to a post, and never again."""
    return _page(request, "admin/two_factor_codes.html", codes=codes)


def _too_early(request: DeskRequest, seconds: int) -> HttpResponse:
    form = CodeForm()
    response = _page(request, "admin/two_factor_code.html", form=form, wait=seconds, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _let_in(request: DeskRequest, device) -> None:
    """Under a new key: who saw the session before the proof does not share in it."""
    logger.info("Account %s: the second factor was right.", request.user.pk)
    request.session.cycle_key()
    login(request, device)
    sessions.end_oldest(request.user, request.session.session_key)


def _page(request: DeskRequest, template: str, status: int = 200, **context) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": _("Two-step sign-in"),
        "asks_for_proof": settings.TWO_FACTOR,
        "next": _next(request),
        **context,
    }
    return render(request, template, context, status=status)


def _next(request: DeskRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else reverse("admin:index")
