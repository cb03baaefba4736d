"""What a coordinator proves besides the password: an authenticator app, or a recovery code."""

import time
from binascii import unhexlify

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from django_otp.oath import TOTP

from petition.ground.fields import EncryptedField

# A phone's clock may be this many steps of 30 seconds before or behind ours.
TOLERATED_STEPS = 1


class Authenticator(TimestampMixin, ThrottlingMixin, Device):
    """The second factor of one account, its secrets sealed: a stolen dump opens nothing.

    App and recovery codes are throttled together: 1, 2, 4, 8 … 256 seconds after each wrong code.
    """

    CODE_DIGITS = 6
    RECOVERY_DIGITS = 12
    MOST_FAILURES = 9  # 2 ** 8 seconds.

    secret = EncryptedField(purpose="authenticator", row="user_id")  # RFC 6238, in hex.
    recovery = EncryptedField(null=True, purpose="recovery codes", row="user_id")
    # The same code is not taken twice: neither by a second person who has read it.
    last_step: models.BigIntegerField = models.BigIntegerField(default=-1)

    class Meta:
        verbose_name = _("two-step sign-in")
        verbose_name_plural = _("two-step sign-ins")
        default_permissions: list[str] = []
        constraints = [models.UniqueConstraint(fields=["user"], name="one_second_factor_each")]

    @property
    def recovery_codes(self) -> list[str]:
        return (self.recovery or "").split()

    def verify_token(self, token: str) -> bool:
        """Takes digits of the app or a recovery code, each once. The caller has locked the row."""
        if not self.verify_is_allowed()[0]:
            return False
        if not (self.take_code(token) or self._take_recovery_code(token)):
            self.throttle_increment()
            return False
        self.throttle_reset(commit=False)
        self.set_last_used_timestamp(commit=False)
        self.save()
        return True

    def take_code(self, digits: str) -> bool:
        if len(digits) != self.CODE_DIGITS or not digits.isdecimal():
            return False
        totp = TOTP(unhexlify(self.secret))
        totp.time = time.time()
        if not totp.verify(int(digits), TOLERATED_STEPS, self.last_step + 1):
            return False
        self.last_step = totp.t()
        return True

    def get_throttle_factor(self) -> int:
        return 1

    def throttle_increment(self, commit=True):
        """Up to some four minutes, so that who knows a password cannot lock its owner out: at that
        pace a million codes take years."""
        super().throttle_increment(commit=False)
        self.throttling_failure_count = min(self.throttling_failure_count, self.MOST_FAILURES)
        if commit:
            self.save()

    def _take_recovery_code(self, digits: str) -> bool:
        codes = self.recovery_codes
        if digits not in codes:
            return False
        self.recovery = " ".join(code for code in codes if code != digits)
        return True
