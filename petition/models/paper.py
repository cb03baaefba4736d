"""Paper sheets: numbered, each with room for twenty signatures, of which only counts are kept."""

from datetime import date, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from petition.ground import countries, languages

LAUNCHED = date(2026, 2, 10)
NO_NAMES = _("No names of people who signed.")


def one_of_the_countries(code: str) -> None:
    if code not in countries.names("en"):
        raise ValidationError(_("Enter a country as its two letters of ISO 3166-1, such as MA."))


def a_day_of_the_campaign(day: date) -> None:
    if day > timezone.now().date() + timedelta(days=1):  # It is tomorrow already in Gaza.
        raise ValidationError(_("This day lies in the future."))
    if day < LAUNCHED:
        raise ValidationError(_("This day lies before the campaign began (2026-02-10)."))


# What keyboards put into honest words: marks of direction, joiners, a space that does not break.
UNSEEN = dict.fromkeys(map(ord, "\u200e\u200f\u200c\u200d\u061c\u2066\u2067\u2068\u2069"), None)
UNSEEN[0xA0] = " "


def plain_words(text: str) -> None:
    """No formula for a later spreadsheet, nothing that cannot be seen, no address of a person."""
    seen = text.translate(UNSEEN)
    if seen[:1] in ("=", "+", "-", "@") or "@" in seen or not seen.isprintable():
        raise ValidationError(
            _("Use letters and digits, without @, and do not begin with =, + or -.")
        )


class SheetQuerySet(models.QuerySet):
    def blank(self):
        return self.filter(state=Sheet.State.BLANK)

    def entered_once(self):
        return self.filter(state=Sheet.State.ONCE)

    def in_conflict(self):
        return self.filter(state=Sheet.State.CONFLICT)

    def counted(self):
        return self.filter(state=Sheet.State.COUNTED)

    def of_batch(self, batch: int):
        return self.filter(batch=batch)


class Sheet(models.Model):
    """One sheet of paper. `petition.paper.sheets` alone changes it."""

    LINES = 20
    # Numbers of one length, whose last digit tells a mistyped one from another sheet's.
    NUMBERS = range(100_000, 1_000_000_000)

    class State(models.TextChoices):
        BLANK = "blank", _("not entered yet")
        ONCE = "once", _("entered once")
        CONFLICT = "conflict", _("two counts differ")
        COUNTED = "counted", pgettext_lazy("state of a sheet", "counted")
        VOID = "void", _("cancelled")

    number = models.PositiveIntegerField(_("number"), primary_key=True)
    language = models.CharField(_("language"), max_length=2, choices=languages.CHOICES)
    batch = models.PositiveIntegerField(_("batch"))
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    made_by = models.CharField(_("made by"), max_length=150)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.BLANK)
    moved_at = models.DateTimeField(_("state since"), default=timezone.now)
    # What is counted; empty in every other state.
    country = models.CharField(_("country"), max_length=2, blank=True)
    place = models.CharField(_("place"), max_length=60, blank=True)
    date = models.DateField(_("date"), null=True, blank=True)
    collector = models.CharField(_("collector"), max_length=40, blank=True)
    valid = models.PositiveSmallIntegerField(_("valid lines"), null=True, blank=True)
    struck = models.PositiveSmallIntegerField(_("crossed-out lines"), null=True, blank=True)
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)

    # Whether the log has counted it.
    in_log = models.BooleanField(default=False, db_default=False, editable=False)

    objects = SheetQuerySet.as_manager()

    class Meta:
        verbose_name = _("paper sheet")
        verbose_name_plural = _("paper sheets")
        default_permissions = ["view"]
        permissions = [
            ("print_sheet", _("Can print paper sheets")),
            ("enter_sheet", _("Can enter and import counts of paper sheets")),
            ("settle_sheet", _("Can settle paper sheets whose counts differ")),
            ("void_sheet", _("Can take paper sheets out")),
        ]
        constraints = [
            models.CheckConstraint(
                name="sheet_state_is_known",
                condition=models.Q(state__in=["blank", "once", "conflict", "counted", "void"]),
            ),
            models.CheckConstraint(
                name="a_sheet_has_its_numbers_where_counted",
                condition=models.Q(
                    state="counted",
                    date__isnull=False,
                    valid__isnull=False,
                    struck__isnull=False,
                    counted_at__isnull=False,
                )
                & ~models.Q(country="")
                | ~models.Q(state="counted")
                & models.Q(
                    country="",
                    place="",
                    date=None,
                    collector="",
                    valid=None,
                    struck=None,
                    counted_at=None,
                ),
            ),
            models.CheckConstraint(
                name="a_sheet_has_twenty_lines",
                condition=models.Q(valid__lte=20 - models.F("struck")),
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "number"], name="sheets_by_batch"),
            # What waits for somebody, by age: the desk's front page counts it.
            models.Index(
                fields=["moved_at"], condition=models.Q(state="once"), name="sheets_entered_once"
            ),
            models.Index(
                fields=["moved_at"],
                condition=models.Q(state="conflict"),
                name="sheets_in_conflict",
            ),
        ]

    def __str__(self):
        return str(self.number)

    @staticmethod
    def number_of(serial: int) -> int:
        """The number of the sheet that was made as `serial`-th: with its check digit (Luhn)."""
        return serial * 10 + -_luhn_sum(serial * 10) % 10

    @staticmethod
    def is_number(number: int) -> bool:
        """Whether a sheet could have this number; one wrong digit makes it false."""
        return number in Sheet.NUMBERS and _luhn_sum(number) % 10 == 0

    def was_counted_by(self, person) -> bool:
        return any(count.by_id == person.pk for count in self.counts.all())


class SheetCount(models.Model):
    """What one coordinator counted on a sheet. No one else sees it before the sheet is counted,
    but for those who settle a conflict."""

    sheet = models.ForeignKey(
        Sheet, models.PROTECT, related_name="counts", db_index=False, verbose_name=_("paper sheet")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by")
    )
    entered_at = models.DateTimeField(_("entered"), default=timezone.now)
    country = models.CharField(_("country"), max_length=2, validators=[one_of_the_countries])
    place = models.CharField(
        _("place"), max_length=60, blank=True, validators=[plain_words], help_text=NO_NAMES
    )
    date = models.DateField(
        _("date"),
        validators=[a_day_of_the_campaign],
        help_text=_("As on the sheet; the day on which you received it where there is none."),
    )
    collector = models.CharField(
        _("collector"),
        max_length=40,
        blank=True,
        validators=[plain_words],
        help_text=_("A first name or a code. No names of people who signed."),
    )
    valid = models.PositiveSmallIntegerField(
        _("valid lines"), validators=[MaxValueValidator(Sheet.LINES)]
    )
    struck = models.PositiveSmallIntegerField(
        _("crossed-out lines"),
        validators=[MaxValueValidator(Sheet.LINES)],
        help_text=_("Lines that were filled in and do not count."),
    )
    imported = models.BooleanField(_("from a file"), default=False)

    class Meta:
        verbose_name = _("count of a sheet")
        verbose_name_plural = _("counts of sheets")
        default_permissions = []
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "by"], name="one_count_a_sheet_and_person"),
            models.CheckConstraint(
                name="a_count_has_twenty_lines",
                condition=models.Q(valid__lte=20 - models.F("struck")),
            ),
        ]

    def __str__(self):
        return str(self.sheet_id)

    def clean(self):
        lines = [n for n in (self.valid, self.struck) if n is not None and n <= Sheet.LINES]
        if len(lines) == 2 and sum(lines) > Sheet.LINES:
            raise ValidationError(
                {"struck": _("A sheet has 20 lines: valid and crossed-out ones together are more.")}
            )

    def agrees_with(self, other: "SheetCount") -> bool:
        return (self.valid, self.struck, self.country) == (
            other.valid,
            other.struck,
            other.country,
        )


def _luhn_sum(number: int) -> int:
    """The sum of the digits, each second one from the right doubled and its digits added; a number
    is right where it ends with 0 (ISO/IEC 7812-1)."""
    return sum(
        sum(divmod(int(digit) * (1 + place % 2), 10))
        for place, digit in enumerate(reversed(str(number)))
    )
