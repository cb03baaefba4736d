"""Signatures, to be read: whose they are is not shown here."""

from django.contrib import admin

from petition.admin.reading import ReadOnlyAdmin
from petition.models import Signature
from petition.templatetags.petition import country_name


@admin.register(Signature)
class SignatureAdmin(ReadOnlyAdmin):
    fields = [
        "reference", "state", "moved_at", "signed_at", "confirmed_at", "country_name", "track",
        "language", "updates", "consent",
    ]  # fmt: skip
    readonly_fields = ["country_name"]
    list_display = ["reference", "state", "country_name", "language", "signed_at", "confirmed_at"]
    list_filter = ["state", "language", "track"]
    list_select_related = False
    ordering = ["-pk"]

    @admin.display(description=Signature._meta.get_field("country").verbose_name)
    def country_name(self, signature):
        return country_name(signature.country)

    def get_queryset(self, request):
        return super().get_queryset(request).defer("name", "email")
