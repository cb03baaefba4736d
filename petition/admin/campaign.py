"""The campaign's texts, to be read and edited; consent texts, to be read."""

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.db import models
from django.utils.html import format_html
from django.utils.translation import get_language, gettext_lazy

from petition import audit, campaign
from petition.admin.reading import ReadOnlyAdmin
from petition.models import ConsentText, Entry, Text, Track

# A text is typed in the direction of its own language, whatever the desk's language is.
OWN_DIRECTION = {
    models.CharField: {"widget": AdminTextInputWidget(attrs={"dir": "auto"})},
    models.TextField: {"widget": AdminTextareaWidget(attrs={"dir": "auto"})},
}


class AuditedAdmin(admin.ModelAdmin):
    """What is changed here is the campaign's voice: who changed it is in the audit too."""

    def log_change(self, request, obj, message):
        if message:
            subject = f"{self.opts.model_name} {obj.pk}"
            audit.append(request.user, Entry.Act.TEXT, subject, name=str(obj))
        return super().log_change(request, obj, message)


@admin.register(Track)
class TrackAdmin(AuditedAdmin):
    list_display = ["title", "slug", "position"]
    readonly_fields = ["slug"]

    @admin.display(description=gettext_lazy("title"))
    def title(self, track):
        return campaign.text(track.slug, get_language()).title

    def has_add_permission(self, request):
        return False  # The three tracks are the campaign's; signers have chosen among them.

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Text)
class TextAdmin(AuditedAdmin):
    formfield_overrides = OWN_DIRECTION
    list_display = ["title", "slug", "language"]
    list_filter = ["slug", "language"]
    readonly_fields = ["slug", "language"]

    def has_add_permission(self, request):
        return False  # A page asks for exactly these.

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(ConsentText)
class ConsentTextAdmin(ReadOnlyAdmin):
    list_display = ["version", "language", "words"]
    fields = ["version", "language", "words"]

    @admin.display(description=ConsentText._meta.get_field("body").verbose_name)
    def words(self, text):
        return format_html('<bdi lang="{}">{}</bdi>', text.language, text.body)
