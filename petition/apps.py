"""The app, and Django's admin with our own site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PetitionConfig(AppConfig):
    name = "petition"
    verbose_name = _("Petition")

    def ready(self):
        from petition.desk import watch  # noqa: F401  registers its receivers
        from petition.ground import checks  # noqa: F401  registers them
        from petition.signing import statements

        post_migrate.connect(statements.make, sender=self)


class DeskConfig(AdminConfig):
    default_site = "petition.admin.site.Desk"

    def ready(self):
        # Before Django asks for the site: it lies in the package that registers the screens, and
        # importing both at once would make two sites, of which Django keeps the empty one.
        from petition import admin  # noqa: F401

        super().ready()
