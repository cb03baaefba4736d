"""Sweeps on the desk: a rule, a preview, a start; stop, go on, undo; the record."""

from datetime import datetime

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature, Signer
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from petition.admin.moments import MomentField
from petition.admin.reading import ReadOnlyAdmin
from petition.admin.signature_forms import ANY, every_country
from petition.admin.signatures import masked
from petition.ground import addresses, masks
from petition.models import Signature, Sweep
from petition.signing import sweeps
from petition.templatetags.petition import country_name

SAMPLE = 20
# What a sign of fakes fills in (`signing.signs`); to be looked at and previewed as ever.
BEGINS_WITH = ("domain", "country", "since", "reason")
_previewed = Signer(salt="petition.admin.sweeps")
ACTS = {"stop": sweeps.stop, "go-on": sweeps.go_on, "undo": sweeps.undo}


class SweepForm(forms.ModelForm):
    country = forms.ChoiceField(
        label=gettext_lazy("Country"), required=False, choices=every_country
    )
    since = MomentField(label=gettext_lazy("Signed from (UTC)"), required=False)
    until = MomentField(label=gettext_lazy("Signed before (UTC)"), required=False)
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        choices=[ANY, *Signature.Reason.choices],
    )

    class Meta:
        model = Sweep
        fields = ["domain", "country", "language", "since", "until", "to", "reason", "note"]
        widgets = {"domain": forms.TextInput({"dir": "ltr", "autocomplete": "off"})}

    def validate_constraints(self):
        """The database's own rules are those of `clean`, which says them to people."""

    def clean_domain(self):
        name = self.cleaned_data["domain"].strip()
        try:
            # As signatures are indexed: in ASCII, and by the first of a provider's domains.
            return addresses.named_domain(name) if name else ""
        except addresses.Invalid as error:
            raise forms.ValidationError(_("Enter a mail domain, such as example.org.")) from error

    def clean(self):
        data = super().clean()
        conditions = ("domain", "country", "language", "since", "until")
        if not self.errors and not any(data.get(name) for name in conditions):
            raise forms.ValidationError(
                _("Give at least one condition. Without one, every signature would be set aside.")
            )
        if data.get("since") and data.get("until") and data["since"] >= data["until"]:
            self.add_error("until", _("This moment lies before the one from which to begin."))
        return data


@admin.register(Sweep)
class SweepAdmin(ReadOnlyAdmin):
    change_form_template = "admin/sweep.html"
    change_list_template = "admin/sweeps.html"
    list_display = [
        "number", "made_at", "rule", "to", "reason", "by", "expected", "moved", "task", "state",
    ]  # fmt: skip
    fields = [
        "number", "rule", "to", "reason", "note", "by", "made_at", "expected", "moved", "restored",
        "task", "state", "ended_at",
    ]  # fmt: skip

    @admin.display(description=gettext_lazy("number"))
    def number(self, sweep):
        return sweep.pk

    @admin.display(description=gettext_lazy("rule"))
    def rule(self, sweep):
        parts = [
            sweep.domain,
            country_name(sweep.country) if sweep.country else "",
            sweep.get_language_display() if sweep.language else "",
            f"≥ {sweep.since:%Y-%m-%d %H:%M}" if sweep.since else "",
            f"< {sweep.until:%Y-%m-%d %H:%M}" if sweep.until else "",
        ]
        return " · ".join(part for part in parts if part)

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("new/", view(self.new), name="petition_sweep_new"),
            path("<int:pk>/progress.json", view(self.progress), name="petition_sweep_progress"),
            *(
                path(f"<int:pk>/{name}/", view(self.asked(name)), name=f"petition_sweep_{name}")
                for name in ACTS
            ),
            *super().get_urls(),
        ]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        sweep = self.get_object(request, object_id)
        done = sweep and sweep.state == Sweep.State.DONE
        stopped = sweep and sweep.state == Sweep.State.STOPPED
        applies = sweep and sweep.task == Sweep.Task.APPLY
        context = {
            "sweep": sweep,
            "may_run": request.user.has_perm("petition.run_sweep"),
            "may_stop": sweep and not done and not stopped,
            "may_go_on": stopped,
            "may_undo": applies and (done or stopped),
            "left": sweep.moved - sweep.restored if done and not applies else 0,
            "title": _("Bulk removal"),
        }
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def new(self, request):
        """A rule; then what it would move, with a sample; then the start of just that."""
        self._must_run(request)
        initial = {name: request.GET[name] for name in BEGINS_WITH if name in request.GET}
        form = SweepForm(request.POST or None, initial=initial)
        context = {"form": form}
        if form.is_valid():
            sweep = form.save(commit=False)
            if "start" in request.POST:
                return self._start(request, sweep)
            count, sample = sweeps.preview(sweep, request.user, SAMPLE)
            context |= {
                "rule": self.rule(sweep),
                "what": f"{sweep.get_to_display()} · {sweep.get_reason_display()}",
                "count": count,
                "moment": _previewed.sign(sweep.made_at.isoformat()),
                "sample": [
                    (s, masked(s, "name", masks.name), masked(s, "email", masks.address))
                    for s in sample
                ],
            }
        return self.page(request, "admin/sweep_new.html", _("New bulk removal"), **context)

    def _start(self, request, sweep: Sweep):
        """Start what was previewed: nobody who signed after that is swept."""
        try:
            sweep.made_at = datetime.fromisoformat(_previewed.unsign(request.POST["start"]))
            sweeps.start(sweep, request.user)
        except BadSignature:
            return redirect("admin:petition_sweep_new")
        except sweeps.StartedAlready as former:
            return redirect("admin:petition_sweep_change", former.pk)
        return redirect("admin:petition_sweep_change", sweep.pk)

    def progress(self, request, pk: int):
        """How far a sweep is, for the page that watches it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        sweep = get_object_or_404(Sweep, pk=pk)
        undoing = sweep.task == Sweep.Task.UNDO
        return JsonResponse(
            {
                "done": sweep.restored if undoing else sweep.moved,
                "of": sweep.moved if undoing else sweep.expected,
                "over": sweep.state in (Sweep.State.DONE, Sweep.State.STOPPED),
            }
        )

    def asked(self, name: str):
        def ask(request, pk: int):
            self._must_run(request)
            sweep = get_object_or_404(Sweep, pk=pk)
            try:
                ACTS[name](sweep, request.user)
                messages.success(request, _("Noted. It takes effect within seconds."))
            except sweeps.NotNow:
                text = _(
                    "This is not possible now. Look at the state of the bulk removal and try again."
                )
                messages.warning(request, text)
            return redirect("admin:petition_sweep_change", pk)

        return require_POST(ask)

    @staticmethod
    def _must_run(request) -> None:
        if not request.user.has_perm("petition.run_sweep"):
            raise PermissionDenied
