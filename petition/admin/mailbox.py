"""The letters that we owe, to be read."""

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from petition import languages
from petition.admin.reading import Filters, ReadOnlyAdmin
from petition.models import Letter

ANY = ("", "—")


class LetterFilters(Filters):
    state = forms.ChoiceField(
        label=_("state"), required=False, choices=[ANY, *Letter.State.choices]
    )
    kind = forms.ChoiceField(label=_("kind"), required=False, choices=[ANY, *Letter.Kind.choices])
    language = forms.ChoiceField(
        label=_("language"), required=False, choices=[ANY, *languages.CHOICES]
    )


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin):
    list_display = ["id", "kind", "language", "state", "created_at", "due_at", "tries", "reply"]
    filters = LetterFilters
