"""What coordinators see."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from petition.admin import campaign, mailbox, signatures  # noqa: F401  they register themselves

admin.site.site_header = _("Coordinators")
admin.site.site_title = _("Coordinators")
admin.site.index_title = _("The campaign")
