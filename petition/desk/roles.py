"""The coordinators' roles and what each may do; the table in docs/desk.md repeats it."""

from django.contrib.auth.management import create_permissions
from django.utils.translation import gettext_lazy as _

NAMES = {
    "moderator": _("Moderation"),
    "editor": _("Texts"),
    "cases": _("Prisoner cases"),
    "paper": _("Paper sheets"),
    "press": _("Press"),
    "delivery": _("Delivery to the addressees"),
    "administrator": _("Administration"),
}

# Every role may read the front page of the desk and export the tallies: figures, and nobody's name.
ROLES = {
    "moderator": [
        "petition.export_tally",
        "petition.view_signature",
        "petition.moderate_signature",
        "petition.view_letter",
        "petition.view_sweep",
        "petition.run_sweep",
        "petition.view_maildomain",
        "petition.add_maildomain",
        "petition.change_maildomain",
    ],
    "editor": [
        "petition.export_tally",
        "petition.view_text",
        "petition.change_text",
        "petition.view_track",
        "petition.change_track",
        "petition.view_consenttext",
        "petition.view_news",
        "petition.write_news",
        "petition.send_news",
    ],
    "cases": [
        "petition.export_tally",
        "petition.view_case",
        "petition.change_case",
        "petition.review_case",
        "petition.restore_case",
    ],
    "paper": [
        "petition.export_tally",
        "petition.view_sheet",
        "petition.print_sheet",
        "petition.enter_sheet",
        "petition.settle_sheet",
    ],
    "press": [
        "petition.export_tally",
    ],
    "delivery": [
        "petition.export_tally",
        "petition.deliver_signature",
        "petition.view_export",
    ],
    "administrator": [
        "petition.export_tally",
        "petition.view_signature",
        "petition.erase_signature",
        "petition.reveal_signature",
        "petition.view_letter",
        "petition.view_sweep",
        "petition.view_sheet",
        "petition.void_sheet",
        "petition.view_export",
        "petition.view_case",
        "petition.restore_case",
        "petition.erase_case",
        "petition.view_entry",
        "auth.view_user",
        "auth.add_user",
        "auth.change_user",
    ],
}


def lay(apps) -> None:
    """Make the roles as groups with exactly these permissions; called by a migration.

    `apps` is a migration's registry or Django's own. What a later migration will bring is left out.
    """
    for label in ("auth", "petition"):
        config = apps.get_app_config(label)
        # A migration's registry says that its apps have no models, and then gets no permissions.
        known, config.models_module = getattr(config, "models_module", None), True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = known
    permissions = {
        f"{p.content_type.app_label}.{p.codename}": p
        for p in apps.get_model("auth", "Permission").objects.select_related("content_type")
    }
    for role, allowed in ROLES.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        group.permissions.set(permissions[name] for name in allowed if name in permissions)
