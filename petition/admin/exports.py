"""Exports on the desk: figures for everybody, signatures for those who deliver them."""

import re
from datetime import UTC, datetime

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from petition.admin.reading import ReadOnlyAdmin
from petition.desk import exports
from petition.models import Export

DIMENSIONS = [
    ("day", gettext_lazy("Day")),
    ("country", gettext_lazy("Country")),
    ("language", gettext_lazy("Language")),
    ("track", gettext_lazy("Track")),
    ("channel", gettext_lazy("Channel")),
]
PASSPHRASE_SECONDS = 60 * 60


class TalliesForm(forms.Form):
    dimension = forms.ChoiceField(label=gettext_lazy("Figures by"), choices=DIMENSIONS)
    file_format = forms.ChoiceField(
        label=gettext_lazy("Format"), choices=[(f, f.upper()) for f in exports.FORMATS]
    )


def seal(passphrase: str, user) -> str:
    """The passphrase, which is ours and strong, with a proof that it comes back unchanged."""
    return TimestampSigner(salt=f"petition.admin.exports {user.pk}").sign(passphrase)


def unseal(sealed: str, user) -> str:
    """The passphrase that was shown to this coordinator within the hour. Raises BadSignature."""
    signer = TimestampSigner(salt=f"petition.admin.exports {user.pk}")
    return signer.unsign(sealed, max_age=PASSPHRASE_SECONDS)


class DeliveryForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("To whom are they delivered, and why?"), min_length=5, max_length=200
    )
    noted = forms.BooleanField(label=gettext_lazy("I have written the passphrase down"))
    sealed = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_sealed(self):
        try:
            return unseal(self.cleaned_data["sealed"], self.user)
        except BadSignature as error:
            raise forms.ValidationError(_("Open this page again.")) from error


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    change_form_template = "admin/export.html"
    change_list_template = "admin/exports.html"
    list_display = ["number", "started_at", "kind", "by", "reason", "rows", "state"]
    fields = [
        "number", "kind", "by", "reason", "state", "expected", "rows", "unreadable", "started_at",
        "ended_at",
    ]  # fmt: skip

    @admin.display(description=gettext_lazy("number"))
    def number(self, export):
        return export.pk

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("tallies/", view(self.tallies), name="petition_export_tallies"),
            path("delivery/", view(self.delivery), name="petition_export_delivery"),
            path("<int:pk>/stop/", view(require_POST(self.stop)), name="petition_export_stop"),
            path("<int:pk>/progress.json", view(self.progress), name="petition_export_progress"),
            path("progress.json", view(self.my_progress), name="petition_export_my_progress"),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        if self.has_view_permission(request):
            exports.close_abandoned()
        return super().changelist_view(request, extra_context)

    def tallies(self, request):
        _must(request, "petition.export_tally")
        form = TalliesForm(request.POST or None)
        if not form.is_valid():
            return self.page(request, "admin/export_tallies.html", _("Export figures"), form=form)
        chosen = form.cleaned_data
        content = exports.tallies(chosen["dimension"], chosen["file_format"], request.user)
        name = f"{chosen['dimension']}-{timezone.now():%Y-%m-%d}.{chosen['file_format']}"
        return HttpResponse(
            content,
            content_type=exports.FORMATS[chosen["file_format"]],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def delivery(self, request):
        _must(request, "petition.deliver_signature")
        return _delivery(request, self)

    def stop(self, request, pk: int):
        _must(request, "petition.deliver_signature")
        exports.stop(get_object_or_404(Export, pk=pk), request.user)
        return redirect("admin:petition_export_change", pk)

    def progress(self, request, pk: int):
        """How far an export is, for the page that watches it."""
        _must(request, "petition.view_export")
        return _progress(get_object_or_404(Export, pk=pk))

    def my_progress(self, request):
        """The same for the export that somebody has started since they opened the page."""
        _must(request, "petition.deliver_signature")
        mine = Export.objects.filter(kind=Export.Kind.SIGNATURES, by=request.user.get_username())
        since = request.GET.get("since", "")
        if re.fullmatch("[0-9]{10}", since):
            mine = mine.filter(started_at__gte=datetime.fromtimestamp(int(since), UTC))
        return _progress(mine.order_by("-pk").first())


@sensitive_post_parameters()
def _delivery(request, model_admin: ExportAdmin):
    form = DeliveryForm(request.POST or None, user=request.user)
    if form.is_valid():
        return _download(request, form)
    try:
        shown = unseal(form["sealed"].value() or "", request.user)
    except BadSignature:
        shown = exports.passphrase()
    return model_admin.page(
        request,
        "admin/export_delivery.html",
        _("Export signatures for delivery"),
        form=form,
        passphrase=shown,
        sealed=seal(shown, request.user),
        opened_at=int(timezone.now().timestamp()),
        count=exports.to_deliver().count(),
    )


def _download(request, form: DeliveryForm) -> StreamingHttpResponse:
    answers = form.cleaned_data
    # What is encrypted cannot be compressed: no middleware need try.
    request.META.pop("HTTP_ACCEPT_ENCODING", None)
    name = f"signatures-{timezone.now():%Y-%m-%d-%H%M}.zip"
    return StreamingHttpResponse(
        exports.deliver(request.user, answers["reason"], answers["sealed"]),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _progress(export: Export | None) -> JsonResponse:
    if export is None:
        return JsonResponse({"done": 0, "of": 0, "over": False})
    over = export.state != Export.State.RUNNING
    return JsonResponse({"done": export.rows, "of": export.expected, "over": over})


def _must(request, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied
