"""The signing journey: form, letter, confirmation, thanks, withdrawal."""

import logging
from contextlib import suppress
from functools import cache

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from petition.campaign import texts
from petition.figures import sharing
from petition.ground import addresses, metrics
from petition.log import receipts
from petition.models import Signature, Text
from petition.signing import abuse, challenge, copies, signatures, tallies
from petition.signing.forms import CodeForm, SignForm
from petition.views import headers
from petition.views.sharing import home_address
from petition.web import errors

logger = logging.getLogger(__name__)

PLAIN = "text/plain; charset=utf-8"
AS_COPY = {"Content-Disposition": 'attachment; filename="copy.json"'}
AS_FILE = {"Content-Disposition": 'attachment; filename="receipt.tlog-proof"'}

# Public forms carry no token, so that caches may keep them; see RefuseCrossSitePosts.
get_or_post = require_http_methods(["GET", "HEAD", "POST"])


class HttpResponseSeeOther(HttpResponseRedirect):
    """303: what was posted is done, look there."""

    status_code = 303


@csrf_exempt
@get_or_post
@sensitive_post_parameters()
@headers.public(60)
@headers.with_sign_form
def sign(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _form(request, SignForm())
    if wait := abuse.seconds_to_wait_to_sign(request):
        metrics.SIGNED.labels("too_many").inc()
        return _too_many(request, SignForm, "signatures/sign.html", wait)
    form = SignForm(request.POST)
    if not form.is_valid():
        metrics.SIGNED.labels("invalid").inc()
        return _form(request, form, status=422)
    solution = request.POST.get("altcha", "")
    mailbox = addresses.canonical(form.cleaned_data["email"])
    passed = not challenge.is_asked() or challenge.spend(solution, "sign", mailbox)
    try:
        signatures.sign(**form.details(), passed_challenge=passed)
    except (DatabaseError, signatures.TryAgain) as error:
        if passed:
            challenge.give_back(solution, "sign")
        # Its text may repeat what was typed: the kind of error is all that is logged.
        logger.error("A signature could not be stored: %s", type(error).__name__)
        metrics.SIGNED.labels("not_stored").inc()
        notice = _("Your signature could not be stored just now. Please send it again.")
        return _later(_form(request, form, status=503, notice=notice))
    metrics.SIGNED.labels("accepted").inc()
    return HttpResponseSeeOther(_page("sent", get_language()))


@csrf_exempt
@get_or_post
@sensitive_post_parameters()
@headers.public(300)
def sent(request: HttpRequest) -> HttpResponse:
    """Where to look for the letter; its code leads those who rather type to the same page as its
    link, which shows what will be confirmed."""
    if request.method != "POST":
        return render(request, "signatures/sent.html", {"form": CodeForm()})
    form = CodeForm(request.POST)
    if not form.is_valid():
        return render(request, "signatures/sent.html", {"form": form}, status=422)
    email = form.cleaned_data["email"]
    if wait := abuse.seconds_to_wait_to_confirm(request, addresses.canonical(email)):
        return _too_many(request, CodeForm, "signatures/sent.html", wait)
    try:
        token = signatures.token_of_code(email, form.cleaned_data["code"])
    except signatures.WrongCode:
        abuse.note_wrong_code(request)
        form.add_error("code", _("This code does not match this address. Check both."))
        return render(request, "signatures/sent.html", {"form": form}, status=422)
    except DatabaseError as error:
        logger.error("A code could not be checked: %s", type(error).__name__)
        notice = _("Your signature could not be confirmed just now. Please send the code again.")
        context = {"form": form, "notice": notice}
        return _later(render(request, "signatures/sent.html", context, status=503))
    return HttpResponseSeeOther(reverse("confirm", args=[token]))


@csrf_exempt
@get_or_post
@headers.private
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows, POST confirms: programs that follow every link in a mail change nothing."""
    try:
        if request.method == "POST":
            solution = request.POST.get("altcha", "")  # Only who did not solve it before has one.
            passed = bool(solution) and challenge.spend(solution, "confirm", token)
            agreed = _still_agreed(request)
            is_counted = signatures.confirm(token, **agreed, passed_challenge=passed)
            metrics.CONFIRMED.labels("counted" if is_counted else "held").inc()
            return HttpResponseSeeOther(_page("signed" if is_counted else "review", get_language()))
        signature = signatures.to_confirm(token)
    except signatures.LinkExpired:
        metrics.CONFIRMED.labels("expired").inc()
        return errors.page(request, 404, link="confirm")
    asks = not signature.passed_challenge and signature.confirmed_at is None
    context = {"signature": signature, "asks": asks and challenge.is_asked()}
    return render(request, "signatures/confirm.html", context)


@require_safe
@headers.public(300)
def review(request: HttpRequest) -> HttpResponse:
    """Confirmed, and not counted yet: a volunteer looks at it."""
    return render(request, "signatures/review.html", {"contact": settings.CONTACT_EMAIL})


@require_safe
@never_cache
def to_solve(request: HttpRequest, form: str) -> JsonResponse:
    """A challenge for the browser to solve; no database is asked."""
    return JsonResponse(challenge.made(form, abuse.pressure(request)))


@require_safe
@headers.public(5)
def signed(request: HttpRequest) -> HttpResponse:
    address = home_address()
    context = {
        "counter": tallies.counter(),
        "address": address,
        "qr": sharing.qr_code(address),
        "appeal": texts.text(Text.Slug.APPEAL, get_language()),
        "thanks": texts.text(Text.Slug.THANKS, get_language()),
    }
    return render(request, "signatures/signed.html", context)


@csrf_exempt
@get_or_post
@headers.private
def withdraw(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST erases. With `receipt`, GET says whether the public log counts the signature,
    or gives the proof as a file; with `copy`, it gives all that is kept about its owner."""
    try:
        if request.method == "POST":
            signatures.withdraw(token)
            return HttpResponseSeeOther(reverse("withdrawn"))
        signature = signatures.to_withdraw(token)
    except signatures.LinkExpired:
        return errors.page(request, 404, link="withdraw")
    if signature.state == Signature.State.WITHDRAWN:
        return HttpResponseSeeOther(reverse("withdrawn"))
    if "copy" in request.GET:
        options = {"ensure_ascii": False, "indent": 2}
        return JsonResponse(copies.copy_of(signature), json_dumps_params=options, headers=AS_COPY)
    asked = request.GET.get("receipt", "")
    context: dict = {
        "is_counted": signature.state == Signature.State.COUNTED,
        "is_nameless": not signature.email,
        "asked": asked,
    }
    if asked and context["is_counted"]:
        with suppress(receipts.NotInLog):
            context["index"], proof = receipts.proof(signature)
            if asked == "file":
                return HttpResponse(
                    proof, content_type="text/plain; charset=utf-8", headers=AS_FILE
                )
    return render(request, "signatures/withdraw.html", {"index": None} | context)


@require_safe
@headers.public(300)
def withdrawn(request: HttpRequest) -> HttpResponse:
    return render(request, "signatures/withdrawn.html")


@csrf_exempt
@get_or_post
@headers.private
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST does it, and is answered at once: mail programs post by themselves, without a
    cookie, and follow no redirect (RFC 8058)."""
    try:
        if request.method == "POST":
            signatures.unsubscribe(token)
        else:
            signatures.to_unsubscribe(token)
    except signatures.LinkExpired:
        return errors.page(request, 404, link="unsubscribe")
    return render(request, "signatures/unsubscribe.html", {"done": request.method == "POST"})


@cache
def _page(name: str, language: str) -> str:
    """The address of a page in the language that is active, looked up once."""
    return reverse(name)


def _still_agreed(request: HttpRequest) -> dict[str, bool]:
    """What the boxes on the page before the button say; a post without them takes nothing back."""
    if "choices" not in request.POST:
        return {}
    return {name: name in request.POST for name in ("updates", "delivery")}


def _form(request: HttpRequest, form: SignForm, status: int = 200, notice="") -> HttpResponse:
    return render(request, "signatures/sign.html", {"form": form, "notice": notice}, status=status)


def _later(response: HttpResponse) -> HttpResponse:
    """Says when to send it again."""
    response.headers["Retry-After"] = errors.RETRY_AFTER
    return response


def _too_many(request: HttpRequest, form_class, template: str, seconds: int) -> HttpResponse:
    """429 with the form as it was filled in, unchecked, and when to send it again."""
    minutes = -(-seconds // 60)
    notice = ngettext(
        "Too many attempts came from your network. Nothing is lost: try again in %(n)s minute.",
        "Too many attempts came from your network. Nothing is lost: try again in %(n)s minutes.",
        minutes,
    )
    context = {"form": form_class(initial=request.POST.dict()), "notice": notice % {"n": minutes}}
    response = render(request, template, context, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response
