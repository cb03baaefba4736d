"""The letters that we owe, to be read."""

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from petition.admin.reading import Filters, ReadOnlyAdmin
from petition.ground import languages
from petition.models import Letter

ANY = ("", "—")


class LetterFilters(Filters):
    state = forms.ChoiceField(
        label=_("state"), required=False, choices=[ANY, *Letter.State.choices]
    )
    language = forms.ChoiceField(
        label=_("language"), required=False, choices=[ANY, *languages.CHOICES]
    )


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin):
    # Neither whose a letter is nor what it says: whoever typed an address into the public form a
    # moment ago would learn here, without a trace in the audit, whether it had signed before.
    list_display = ["id", "language", "state", "created_at", "due_at", "tries", "reply"]
    fields = ["language", "state", "created_at", "due_at", "tries", "reply", "ended_at"]
    filters = LetterFilters
