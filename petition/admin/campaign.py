"""The order of the tracks, to be edited; consent texts, to be read."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import get_language, gettext_lazy

from petition import audit
from petition.admin.reading import ReadOnlyAdmin
from petition.campaign import texts
from petition.models import ConsentText, Entry, Track


@admin.register(Track)
class TrackAdmin(admin.ModelAdmin):
    list_display = ["title", "position"]
    fields = ["title", "position"]
    readonly_fields = ["title"]

    @admin.display(description=gettext_lazy("title"))
    def title(self, track):
        return texts.text(track.slug, get_language()).title

    def log_change(self, request, obj, message):
        """The order of the tracks is the campaign's voice too: who changed it is in the audit."""
        if message:
            audit.append(request.user, Entry.Act.TEXT, f"track {obj.pk}")
        return super().log_change(request, obj, message)

    def has_add_permission(self, request):
        return False  # The three tracks are the campaign's; signers have chosen among them.

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(ConsentText)
class ConsentTextAdmin(ReadOnlyAdmin):
    list_display = ["version", "language", "words"]
    fields = ["version", "language", "words"]

    @admin.display(description=ConsentText._meta.get_field("body").verbose_name)
    def words(self, text):
        return format_html('<bdi lang="{}">{}</bdi>', text.language, text.body)
