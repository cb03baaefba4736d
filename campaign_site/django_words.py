"""Strings of Django that our catalogues say in their own way: Django's Arabic speaks to one man,
and counts "2 two hours". `makemessages` reads this file, and nothing imports it.

The site speaks to everybody, with nouns on its buttons (docs/words.md).
"""

from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext

SPANS = [
    ngettext("%(num)d year", "%(num)d years", 1),
    ngettext("%(num)d month", "%(num)d months", 1),
    ngettext("%(num)d week", "%(num)d weeks", 1),
    ngettext("%(num)d day", "%(num)d days", 1),
    ngettext("%(num)d hour", "%(num)d hours", 1),
    ngettext("%(num)d minute", "%(num)d minutes", 1),
]
SCREENS = [
    _("Log in"),
    _("Log out"),
    _("Log in again"),
    _("Change password"),
    _("Change password: %s"),
    _("Password change"),
    _("Change my password"),
    _("Set password"),
    _("Enter new password"),
    _("Enter a new password for the user <strong>%(username)s</strong>."),
    _(
        "Please enter your old password, for security’s sake, and then enter your new password "
        "twice so we can verify you typed it in correctly."
    ),
    _(
        "Please enter the correct %(username)s and password for a staff account. Note that both "
        "fields may be case-sensitive."
    ),
    _("Enter the same password as before, for verification."),
    _("Add %(name)s"),
    _("Save"),
    _("Save and add another"),
    _("Save and continue editing"),
    _("Search"),
    _("Go"),
    _("Run the selected action"),
    _("Click here to select the objects across all pages"),
    _("Select %s"),
    _("Select %s to change"),
    _("Select %s to view"),
    # «تصفية» also means killing.
    _("Start typing to filter…"),
    _("Filter navigation items"),
]
