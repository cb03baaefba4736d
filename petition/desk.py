"""The coordinators' desk: Django's admin site, with who may come in."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _


class Desk(admin.AdminSite):
    site_header = _("Coordinators")
    site_title = _("Coordinators")
    index_title = _("The campaign")
    enable_nav_sidebar = True
