"""Signatures on the desk: narrowed, looked up, acted on; whose they are stays masked."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME as CHOSEN
from django.core.exceptions import BadRequest, PermissionDenied
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from petition import audit
from petition.admin.reading import ReadOnlyAdmin, answer
from petition.admin.signature_forms import (
    LOOK_UP,
    ActForm,
    ChosenOnly,
    EraseForm,
    ReasonedActForm,
    RevealForm,
    SignatureFilters,
)
from petition.campaign import texts
from petition.desk import funnel
from petition.ground import addresses, encryption, masks
from petition.ground.lazy import LazyText
from petition.models import Entry, Signature
from petition.signing import lifecycle, moderation
from petition.templatetags.petition import country_name


@dataclass(frozen=True)
class Act:
    """An act on signatures: its title, who may, and what is asked before it is done."""

    title: LazyText
    permission: str
    form: type[forms.Form] = ActForm


MODERATE = "petition.moderate_signature"
ACTS = {
    "count": Act(gettext_lazy("Count"), MODERATE),
    "hold": Act(gettext_lazy("Suspend"), MODERATE, ReasonedActForm),
    "reject": Act(gettext_lazy("Reject"), MODERATE, ReasonedActForm),
    "resend": Act(gettext_lazy("Send the e-mail again"), MODERATE),
    "erase": Act(gettext_lazy("Erase personal data"), "petition.erase_signature", EraseForm),
}
LOOKS = (Entry.Act.LOOK_UP, Entry.Act.REVEAL)


@dataclass(frozen=True)
class Event:
    """A line of a signature's history."""

    at: datetime
    what: LazyText
    who: str = ""
    detail: str = ""


def _action(name: str):
    def run(model_admin, request, queryset):
        return model_admin.act(request, queryset, name)

    run.__name__ = name
    return admin.action(run, description=ACTS[name].title)


@admin.register(Signature)
class SignatureAdmin(ReadOnlyAdmin):
    actions = [_action(name) for name in ACTS]
    action_form = ChosenOnly
    change_form_template = "admin/signature.html"
    change_list_template = "admin/signatures.html"
    fields = [
        "reference", "state", "reason", "moved_at", "signed_at", "confirmed_at", "masked_name",
        "masked_email", "country_name", "track_title", "language", "wants_news",
        "may_be_handed_over", "consent_text",
    ]  # fmt: skip
    filters = SignatureFilters
    list_display = [
        "short_reference", "state", "masked_name", "masked_email", "country_name", "signed_at",
        "language", "track_title", "reason",
    ]  # fmt: skip
    order = ("-signed_at", "-pk")

    @admin.display(description=Signature._meta.get_field("reference").verbose_name)
    def short_reference(self, signature):
        return str(signature.reference)[:8]

    @admin.display(description=Signature._meta.get_field("name").verbose_name)
    def masked_name(self, signature):
        return masked(signature, "name", masks.name)

    @admin.display(description=Signature._meta.get_field("email").verbose_name)
    def masked_email(self, signature):
        return masked(signature, "email", masks.address)

    @admin.display(description=Signature._meta.get_field("country").verbose_name)
    def country_name(self, signature):
        return country_name(signature.country)

    @admin.display(description=Signature._meta.get_field("track").verbose_name)
    def track_title(self, signature):
        titles = {track.slug: track.title for track in texts.tracks(get_language())}
        return titles.get(signature.track_id, "—")

    @admin.display(description=Signature._meta.get_field("updates").verbose_name)
    def wants_news(self, signature):
        return answer(signature.updates)

    @admin.display(description=Signature._meta.get_field("delivery").verbose_name)
    def may_be_handed_over(self, signature):
        return answer(signature.delivery)

    @admin.display(description=Signature._meta.get_field("consent").verbose_name)
    def consent_text(self, signature):
        return str(signature.consent)

    def get_queryset(self, request):
        return super().get_queryset(request)

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("look-up/", view(self.look_up), name="petition_signature_look_up"),
            path("funnel/", view(self.funnel), name="petition_signature_funnel"),
            path("<int:pk>/reveal/", view(self.reveal), name="petition_signature_reveal"),
            *super().get_urls(),
        ]

    def funnel(self, request):
        """How many of those who signed got an e-mail, and confirmed."""
        if not request.user.has_perm("petition.view_signature"):
            raise PermissionDenied
        figures = funnel.figures()
        days = {"title": _("By day"), "column": _("Day (UTC)"), "rows": figures["days"]}
        providers = {"title": _("By mail provider"), "column": _("Provider")}
        context = self.admin_site.each_context(request) | {
            "title": _("From signing to confirming"),
            "opts": self.opts,
            "help_of": "funnel",
            "as_of": figures["as_of"],
            "tables": [days | {"is_days": True}, providers | {"rows": figures["providers"]}],
        }
        return TemplateResponse(request, "admin/funnel.html", context)

    def get_actions(self, request):
        allowed = super().get_actions(request)
        return {n: a for n, a in allowed.items() if request.user.has_perm(ACTS[n].permission)}

    def changelist_view(self, request, extra_context=None):
        if not all(re.fullmatch("[0-9]{1,18}", c) for c in request.POST.getlist(CHOSEN)):
            raise BadRequest
        act = ACTS.get(request.POST.get("action"))
        if act and not request.user.has_perm(act.permission):
            raise PermissionDenied
        return super().changelist_view(request, {"look_up": LOOK_UP} | (extra_context or {}))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        signature = self.get_object(request, object_id)
        context = {
            "acts": _possible(signature, request.user) if signature else {},
            "history": history(signature, request.user) if signature else [],
            "letters": moderation.letters_that_may_be_seen(signature) if signature else [],
            "title": _("Signature"),
        }
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def act(self, request, queryset, name: str):
        """Ask for what an act needs, then do it to each of the chosen; Django calls it as an action
        of the list, once to ask and once with the answers."""
        chosen = list(queryset.select_related(None))
        form = ACTS[name].form(request.POST if "apply" in request.POST else None)
        if form.is_valid():
            as_shown = [s for s in chosen if _stamp(s) in request.POST.getlist("shown")]
            self._apply(request, as_shown, name, form.cleaned_data, len(chosen) - len(as_shown))
            if len(chosen) == 1:
                return redirect("admin:petition_signature_change", chosen[0].pk)
            return None
        # With each its state as it is shown here: nobody overrides what they have not seen.
        context = {"name": name, "chosen": [(s, _stamp(s)) for s in chosen], "form": form}
        return self.page(request, "admin/signature_act.html", ACTS[name].title, **context)

    def _apply(self, request, chosen: list[Signature], name: str, answers: dict, left: int) -> None:
        done = 0
        for signature in chosen:
            try:
                getattr(moderation, name)(signature, request.user, **answers)
                done += 1
            except (
                lifecycle.NotAllowed, moderation.NobodyToWriteTo, moderation.SomebodyWasFirst,
            ):  # fmt: skip
                left += 1
        if done:
            text = ngettext("Done: %(n)s signature.", "Done: %(n)s signatures.", done)
            self.message_user(request, text % {"n": done})
        if left:
            text = ngettext(
                "Left as it is: %(n)s signature. Its state does not allow this, or changed "
                "meanwhile.",
                "Left as they are: %(n)s signatures. Their state does not allow this, or changed "
                "meanwhile.",
                left,
            )
            self.message_user(request, text % {"n": left}, messages.WARNING)

    @property
    def _list(self) -> str:
        return reverse("admin:petition_signature_changelist")

    def look_up(self, request):
        """By exactly one address, posted: an address stands in no link, history or log."""
        if not request.user.has_perm("petition.view_signature"):
            raise PermissionDenied
        return _look_up(request, self._list)

    def reveal(self, request, pk: int):
        """Name and address, on the answer to a post that says why."""
        if not request.user.has_perm("petition.reveal_signature"):
            raise PermissionDenied
        signature = self.get_object(request, str(pk))
        if signature is None:
            return redirect(self._list)
        form = RevealForm(request.POST or None)
        shown = None
        if form.is_valid():
            try:
                shown = moderation.reveal(signature, request.user, form.cleaned_data["why"])
            except encryption.Unreadable as error:
                form.add_error(None, str(error))
        context = {"form": form, "shown": shown, "signature": signature}
        return self.page(request, "admin/signature_reveal.html", _("Name and address"), **context)


@require_POST
@sensitive_post_parameters()
def _look_up(request, back_to: str):
    typed = request.POST.get("email", "")
    try:
        signature = moderation.find(typed, request.user)
    except addresses.Invalid:
        messages.error(request, _("Enter a whole e-mail address, such as name@example.org."))
        return redirect(back_to)
    if signature is None:
        messages.warning(request, _("Nobody has signed with this address."))
        return redirect(back_to)
    return redirect("admin:petition_signature_change", signature.pk)


def masked(signature: Signature, name: str, mask: Callable[[str], str]) -> SafeString:
    """What may be seen of a field, with a direction of its own whatever the desk's language is."""
    try:
        return format_html("<bdi>{}</bdi>", mask(getattr(signature, name) or ""))
    except encryption.Unreadable:
        return format_html("<em>{}</em>", _("cannot be decrypted"))


def _possible(signature: Signature, user) -> dict[str, Act]:
    """The acts that this coordinator may do to a signature as it is now."""
    return {
        name: act
        for name, act in ACTS.items()
        if signature.state in moderation.POSSIBLE[name] and user.has_perm(act.permission)
    }


def _stamp(signature: Signature) -> str:
    return f"{signature.pk}~{signature.state}~{signature.moved_at.isoformat()}"


def history(signature: Signature, user) -> list[Event]:
    """What happened to a signature, the first first; looks at the person for auditors alone."""
    events = [Event(signature.signed_at, _("was signed"))]
    if signature.confirmed_at:
        events.append(Event(signature.confirmed_at, _("was confirmed")))
    entries = audit.about(audit.name_of(signature))
    if not user.has_perm("petition.view_entry"):
        entries = [entry for entry in entries if entry.act not in LOOKS]
    for entry in entries:
        why = Signature.Reason(entry.detail["why"]).label if entry.detail.get("why") else ""
        to = Signature.State(entry.detail["to"]).label if entry.detail.get("to") else ""
        detail = " · ".join(str(part) for part in (to, why, entry.detail.get("note")) if part)
        events.append(Event(entry.at, entry.get_act_display(), entry.actor, detail))
    for move in signature.sweep_moves.select_related("sweep"):
        number = _("Bulk removal %(number)s") % {"number": move.sweep_id}
        what = Signature.State(move.sweep.to).label
        events.append(Event(move.at, what, number, move.sweep.get_reason_display()))
        if move.restored_at:
            events.append(Event(move.restored_at, _("former state restored"), number))
    return sorted(events, key=lambda event: event.at)
