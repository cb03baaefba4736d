"""The letters that we owe, to be read."""

from django.contrib import admin

from petition.admin.reading import ReadOnlyAdmin
from petition.models import Letter


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin):
    list_display = ["id", "kind", "language", "state", "created_at", "due_at", "tries", "reply"]
    list_filter = ["state", "kind", "language"]
    ordering = ["-pk"]
