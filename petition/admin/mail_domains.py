"""Mail domains on the desk: additions to the throw-away ones, and exceptions, each with an end."""

from datetime import timedelta

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from petition import audit
from petition.admin.reading import answer
from petition.ground import addresses
from petition.ground.misspellings import PROVIDERS
from petition.models import Entry, MailDomain
from petition.models.mail_domains import AT_MOST_DAYS


class MailDomainForm(forms.ModelForm):
    class Meta:
        model = MailDomain
        fields = ["domain", "judged", "until", "note"]
        widgets = {"domain": forms.TextInput({"dir": "ltr", "autocomplete": "off"})}

    def clean_domain(self):
        try:
            domain = addresses.named_domain(self.cleaned_data["domain"])
        except addresses.Invalid as error:
            raise forms.ValidationError(_("Enter a mail domain, such as example.org.")) from error
        if domain in PROVIDERS:
            raise forms.ValidationError(
                _("This is a large provider: its mailboxes belong to very many people.")
            )
        return domain

    def clean_until(self):
        until, today = self.cleaned_data["until"], timezone.now().date()
        if until > today + timedelta(days=AT_MOST_DAYS):
            raise forms.ValidationError(_("Choose a day within a year: look at it again then."))
        return until


@admin.register(MailDomain)
class MailDomainAdmin(admin.ModelAdmin):
    """To end one early, its last day is set to a day that has passed: the record stays."""

    form = MailDomainForm
    list_display = ["domain", "judged", "until", "holds", "note"]
    actions = None
    sortable_by = ()

    @admin.display(description=gettext_lazy("in force"))
    def holds(self, row):
        return answer(row.until >= timezone.now().date())

    def changelist_view(self, request, extra_context=None):
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))

    def has_delete_permission(self, request, obj=None):
        return False

    def log_addition(self, request, obj, message):
        self._append(request, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request, obj, message):
        if message:
            self._append(request, obj)
        return super().log_change(request, obj, message)

    def _append(self, request, row):
        audit.append(
            request.user, Entry.Act.DOMAIN, f"maildomain {row.pk}", domain=row.domain,
            judged=row.judged, until=row.until.isoformat(), note=row.note,
        )  # fmt: skip
