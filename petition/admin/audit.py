"""What coordinators did, to be read."""

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from petition.admin.reading import Filters, ReadOnlyAdmin
from petition.desk import entries
from petition.models import Entry


class EntryFilters(Filters):
    act = forms.ChoiceField(
        label=_("what"), required=False, choices=[("", "—"), *Entry.Act.choices]
    )
    actor = forms.CharField(label=_("who"), required=False)
    subject = forms.CharField(label=_("on what"), required=False)


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    filters = EntryFilters
    list_display = ["number", "at", "who", "act", "told_subject", "details"]
    fields = ["number", "at", "who", "act", "told_subject", "details", "previous", "hash"]

    @admin.display(description=Entry._meta.get_field("actor").verbose_name)
    def who(self, entry):
        return entries.actor(entry)

    @admin.display(description=Entry._meta.get_field("subject").verbose_name)
    def told_subject(self, entry):
        return entries.subject(entry)

    @admin.display(description=Entry._meta.get_field("detail").verbose_name)
    def details(self, entry):
        return entries.details(entry)
