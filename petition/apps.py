"""The app, and Django's admin with our own site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PetitionConfig(AppConfig):
    name = "petition"
    verbose_name = _("Petition")

    def ready(self):
        from petition.desk import watch  # noqa: F401  registers its receivers
        from petition.ground import checks  # noqa: F401  registers them

        post_migrate.connect(_make_functions, sender=self)


def _make_functions(using: str, **kwargs) -> None:
    """After `migrate`: the functions of this release."""
    from petition.letters import statements as of_letters
    from petition.signing import statements as of_signing

    if using == DEFAULT_DB_ALIAS and connection.vendor == "postgresql":
        functions = (of_signing.SIGN, of_signing.CONFIRM, of_signing.WITHDRAW, of_letters.END)
        for function in functions:
            function.make()


class DeskConfig(AdminConfig):
    default_site = "petition.admin.site.Desk"

    def ready(self):
        # Before Django asks for the site: it lies in the package that registers the screens, and
        # importing both at once would make two sites, of which Django keeps the empty one.
        from petition import admin  # noqa: F401

        super().ready()
