"""Passwords that somebody who knows the campaign would try first are refused."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Beside the words of the site's own address.
WORDS = {
    "petition", "petitions", "signature", "signatures", "million", "prisoner", "prisoners",
    "palestine", "palestinian", "lebanon", "lebanese", "gaza", "quds", "israel", "freedom", "free",
    "campaign", "coordinator", "moderator", "editor", "admin", "administrator", "password",
}  # fmt: skip
# What has to be left without these words.
LEAST = 8


class AnotherThanBefore:
    """A password validator: a first password must not become the one that stays."""

    def validate(self, password: str, user=None) -> None:
        if user is not None and user.password and user.check_password(password):
            raise ValidationError(self.get_help_text(), code="same_password")

    def get_help_text(self) -> str:
        return _("Choose another password than the present one.")


class CampaignWords:
    """A password validator for AUTH_PASSWORD_VALIDATORS: what is left of a password without words
    of the campaign has to be long enough by itself."""

    def validate(self, password: str, user=None) -> None:
        rest = password.lower()
        for word in sorted(self._words(), key=len, reverse=True):
            rest = rest.replace(word, "")
        if rest != password.lower() and len(rest) < LEAST:
            raise ValidationError(self.get_help_text(), code="campaign_words")

    def get_help_text(self) -> str:
        return _("Words of the campaign and of this site are guessed first: add others to them.")

    def _words(self) -> set[str]:
        host = urlsplit(settings.SITE_URL).hostname or ""
        return WORDS | {part for part in re.split(r"[.-]", host) if len(part) > 3}
