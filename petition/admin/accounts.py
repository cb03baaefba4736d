"""Coordinators' accounts: who there is, and in which roles."""

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import SetPasswordForm, UserCreationForm
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from petition.admin.reading import Filters, PageByKey, ReadOnlyAdmin, answer
from petition.desk import accounts, roles, two_factor
from petition.models import Authenticator
from petition.views.two_factor import ProofForm, is_proved

# With "account " before it, it stands whole in the audit.
LONGEST_NAME = 50


class Roles(forms.ModelMultipleChoiceField):
    """The roles that a migration laid, and no other group that there may be."""

    def __init__(self):
        super().__init__(
            Group.objects.filter(name__in=roles.NAMES),
            label=gettext_lazy("Roles"),
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )

    def label_from_instance(self, group):
        return roles.NAMES[group.name]


class AddForm(UserCreationForm):
    username = forms.CharField(
        label=User._meta.get_field("username").verbose_name,
        max_length=LONGEST_NAME,
        help_text=gettext_lazy("This is kept in the audit: do not write anybody’s name."),
        validators=User._meta.get_field("username").validators,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )
    groups = Roles()

    class Meta:
        model = User
        fields = ["username", "groups"]

    def save(self, commit=True):
        self.instance.is_staff = True
        return super().save(commit)


class ChangeForm(forms.ModelForm):
    groups = Roles()

    class Meta:
        model = User
        fields = ["is_active", "groups"]

    def clean(self):
        cleaned = super().clean()
        chosen = [group.name for group in cleaned.get("groups", [])]
        before = User.objects.get(pk=self.instance.pk)
        if why := accounts.objection(self.by, before, cleaned.get("is_active", False), chosen):
            raise forms.ValidationError(why)
        return cleaned


# Django's own screens edit groups and single permissions, and filter by any field by address.
admin.site.unregister(Group)
admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(UserAdmin):
    actions = None
    add_form, form = AddForm, ChangeForm
    add_form_template = None
    change_form_template = "admin/account.html"
    change_list_template = ReadOnlyAdmin.change_list_template
    add_fieldsets = [(None, {"fields": ["username", "password1", "password2", "groups"]})]
    fieldsets = [
        (None, {"fields": ["username", "groups", "is_active", "second_factor", "last_login"]})
    ]
    readonly_fields = ["username", "second_factor", "last_login"]
    list_display = ["username", "role_names", "active", "second_factor", "last_login"]
    list_filter = search_fields = sortable_by = filter_horizontal = ()
    list_per_page, show_full_result_count = ReadOnlyAdmin.list_per_page, False
    filters, order = Filters, ("-pk",)

    @admin.display(description=gettext_lazy("Roles"))
    def role_names(self, user):
        return " · ".join(str(roles.NAMES[name]) for name in accounts.roles_of(user))

    @admin.display(description=User._meta.get_field("is_active").verbose_name)
    def active(self, user):
        return answer(user.is_active)

    @admin.display(description=Authenticator._meta.verbose_name)
    def second_factor(self, user):
        return answer(user.has_second_factor)

    def get_changelist(self, request, **kwargs):
        return PageByKey

    def get_queryset(self, request):
        has = Exists(Authenticator.objects.filter(user=OuterRef("pk")))
        return User.objects.prefetch_related("groups").annotate(has_second_factor=has)

    def get_readonly_fields(self, request, obj=None):
        return self.readonly_fields if obj else []

    def get_form(self, request, obj=None, **kwargs):
        form = super().get_form(request, obj, **kwargs)
        form.by = request.user
        return form

    def has_change_permission(self, request, obj=None):
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or accounts.may_change(request.user, obj))

    def has_delete_permission(self, request, obj=None):
        return False  # What somebody did stays theirs: an account is deactivated.

    def save_model(self, request, obj, form, change):
        form.before = accounts.state(obj.pk) if change else None
        super().save_model(request, obj, form, change)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if change:
            accounts.record_change(request.user, form.instance, form.before)
        else:
            accounts.record_new(request.user, form.instance)

    def get_urls(self):
        reset = self.admin_site.admin_view(self.reset_two_factor)
        return [
            path("<id>/two-factor/", reset, name="auth_user_reset_two_factor"),
            *super().get_urls(),
        ]

    @method_decorator(sensitive_post_parameters())
    def user_change_password(self, request, id, form_url=""):  # noqa: A002  Django's name
        user = self._account(request, id)
        if user.pk == request.user.pk:
            # One's own is changed by who knows it, not by who finds the screen open.
            return HttpResponseRedirect(reverse("admin:password_change"))
        form = SetPasswordForm(user, request.POST if request.method == "POST" else None)
        proof = ProofForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and is_proved(request, proof):
            accounts.set_password(request.user, user, form.cleaned_data["new_password1"])
            return self._done(request, user, _("The password is set, and every session has ended."))
        template = "admin/account_password.html"
        return self._ask(request, user, template, _("New password"), form=form, proof=proof)

    def reset_two_factor(self, request, id):  # noqa: A002  Django's name
        user = self._account(request, id)
        proof = ProofForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and is_proved(request, proof):
            # Whoever knows the password could else set up the new factor before its owner does.
            two_factor.reset(request.user, user, with_password=True)
            messages.success(request, _("Reset. Now give the account a new password."))
            return redirect("admin:auth_user_password_change", user.pk)
        title = _("Reset two-step sign-in")
        return self._ask(request, user, "admin/account_reset.html", title, proof=proof)

    def _account(self, request, id):  # noqa: A002
        user = self.get_object(request, unquote(id))
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if user is None:
            raise Http404
        return user

    def _ask(self, request, user, template, title, **context):
        context |= {"title": title, "original": user, "opts": self.opts,
                    "asks_for_proof": settings.TWO_FACTOR}  # fmt: skip
        return render(request, template, self.admin_site.each_context(request) | context)

    def _done(self, request, user, said):
        messages.success(request, said)
        return HttpResponseRedirect(reverse("admin:auth_user_change", args=[user.pk]))
