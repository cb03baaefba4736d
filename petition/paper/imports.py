"""Takes counts of many sheets from a file: wrong rows are named, or all are taken."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import User as Person
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource
from import_export.widgets import Widget

from petition.ground import countries, typed
from petition.models import SheetCount
from petition.paper import files, sheets

SHOWN_ROWS = 20


@dataclass(frozen=True)
class Problem:
    """What is wrong in a row, as often as something is."""

    line: int
    number: str
    column: str
    reason: str


@dataclass(frozen=True)
class Answer:
    """What became of a file: `taken` where nothing was wrong in it."""

    rows: int
    problems: list[Problem]
    taken: sheets.Taken | None
    understood: list[SheetCount]  # The first rows, as they were read.

    @property
    def wrong_rows(self) -> int:
        return len({problem.line for problem in self.problems})


def check(content: bytes, by: Person) -> Answer:
    """What would become of a file; nothing is written. Raises files.Unreadable."""
    return _run(content, by, dry_run=True)


def load(content: bytes, by: Person) -> Answer:
    """Take all counts of a file, or none where a row is wrong. Raises files.Unreadable."""
    return _run(content, by, dry_run=False)


class CellWidget(Widget):
    """A cell that is no formula: what it shows depends on other cells, or on who opens it."""

    def clean(self, value, row=None, **kwargs):
        if isinstance(value, str):
            value = " ".join(typed.visible(value).split())
        if str(value).startswith("="):
            raise ValueError(_("A formula cannot be read. Put its value in its place."))
        return self.read(value)

    def read(self, value):
        return str(_without_fraction(value))


class CountryWidget(CellWidget):
    def read(self, value):
        return countries.code(super().read(value)) or str(value).upper()


class NumberWidget(CellWidget):
    def read(self, value):
        number = _number(value)
        if number is None:
            raise ValueError(_("Enter a whole number."))
        return number


class DayWidget(CellWidget):
    def read(self, value):
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        if found := typed.day(str(value)):
            return found
        raise ValueError(_("Enter the day as year-month-day, such as 2026-03-31."))


class CountResource(Resource):
    """Rows of a file as counts of sheets, for django-import-export to go through."""

    number = Field("sheet_id", "number", NumberWidget())
    country = Field("country", "country", CountryWidget())
    place = Field("place", "place", CellWidget())
    date = Field("date", "date", DayWidget())
    collector = Field("collector", "collector", CellWidget())
    valid = Field("valid", "valid", NumberWidget())
    struck = Field("struck", "struck", NumberWidget())

    class Meta:
        force_init_instance = True
        import_id_fields: list[str] = []
        instance_loader_class = BaseInstanceLoader
        skip_diff = True
        use_bulk = True  # All at once, by `sheets.enter_all`; no savepoint for each row.

    def __init__(self, by: Person):
        super().__init__()
        self.by = by
        self.counts: list[SheetCount] = []
        self.lines: dict[int, int] = {}
        self.taken: sheets.Taken | None = None

    def init_instance(self, row=None):
        return SheetCount()

    def before_import(self, dataset, **kwargs):
        numbers = [_number(cell) for cell in dataset["number"]]
        self.refusals = sheets.refusals([n for n in numbers if n is not None], self.by)

    def import_row(self, row, instance_loader, **kwargs):
        self.line = row[files.LINE]
        return super().import_row(row, instance_loader, **kwargs)

    def validate_instance(self, instance, import_validation_errors=None, validate_unique=True):
        errors = dict(import_validation_errors or {})
        try:
            instance.full_clean(
                exclude={*errors, "sheet", "by"},
                validate_unique=False,
                validate_constraints=False,
            )
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        if "sheet_id" not in errors:
            self._check_number(instance.sheet_id, errors)
        if errors:
            raise ValidationError(errors)

    def _check_number(self, number: int, errors: dict) -> None:
        if number in self.refusals:
            errors["sheet_id"] = [self.refusals[number].says]
        elif number in self.lines:
            errors["sheet_id"] = [
                _("This sheet stands on line %(line)s already.") % {"line": self.lines[number]}
            ]
        self.lines.setdefault(number, self.line)

    def save_instance(self, instance, is_create, row, **kwargs):
        self.counts.append(instance)

    def after_import(self, dataset, result, *, dry_run, **kwargs):
        if not result.has_errors() and not result.has_validation_errors():
            act = sheets.foresee if dry_run else sheets.enter_all
            self.taken = act(self.counts, self.by)


def _run(content: bytes, by: Person, *, dry_run: bool) -> Answer:
    dataset = files.read(content)
    resource = CountResource(by)
    result = resource.import_data(
        dataset, dry_run=dry_run, use_transactions=True, rollback_on_validation_errors=True
    )
    for error in (
        *result.base_errors,
        *(e for _row, errors in result.row_errors() for e in errors),
    ):
        raise error.error
    rows = dataset.dict
    problems = [
        problem
        for wrong in result.invalid_rows
        for problem in _problems(rows[wrong.number - 1], wrong.error.message_dict)
    ]
    return Answer(len(dataset), problems, resource.taken, resource.counts[:SHOWN_ROWS])


def _problems(row: dict, reasons: dict[str, list[str]]) -> list[Problem]:
    """What is wrong in a row: for each of its columns the first reason."""
    of_columns = {
        "number" if name == "sheet_id" else name: found for name, found in reasons.items()
    }
    return [
        Problem(row[files.LINE], str(row["number"]), column, of_columns[column][0])
        for column in files.COLUMNS
        if column in of_columns
    ]


def _number(cell) -> int | None:
    return typed.whole_number(re.sub(r"[.]0+$", "", str(cell).strip()))


def _without_fraction(value):
    """7.0 as 7: spreadsheets keep every number with a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
