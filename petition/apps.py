"""The app, and Django's admin with our own site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class PetitionConfig(AppConfig):
    name = "petition"
    verbose_name = _("Petition")

    def ready(self):
        from petition import checks  # noqa: F401  registers them


class DeskConfig(AdminConfig):
    default_site = "petition.desk.Desk"
