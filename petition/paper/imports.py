"""Reads counts of many sheets from a CSV or XLSX file: wrong rows are named, or all are taken."""

import csv
import re
import warnings
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO, StringIO

from django.contrib.auth.models import User as Person
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource
from import_export.widgets import Widget
from openpyxl import load_workbook
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula
from tablib import Dataset

from petition.models import SheetCount
from petition.paper import sheets

COLUMNS = ["number", "country", "place", "date", "collector", "valid", "struck"]
LINE = "line"  # The row's line in the file, which the errors name.
MOST_BYTES = 2 * 1024 * 1024
MOST_UNZIPPED_BYTES = 10 * 1024 * 1024  # A parser takes some eighty times as much memory.
MOST_ROWS = 10_000
MOST_LINES = 100_000  # With empty ones, which a file can claim without end.
# Beyond our columns there may be a few that are empty; a file may claim to have thousands.
MOST_COLUMNS = 30
WHOLE_NUMBER = re.compile(r"(\d{1,12})(?:[.]0+)?")


class Unreadable(Exception):
    """Why the file as a whole cannot be read."""


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

    @property
    def wrong_rows(self) -> int:
        return len({problem.line for problem in self.problems})


def check(content: bytes, by: Person) -> Answer:
    """What would become of a file; nothing is written. Raises Unreadable."""
    return _run(content, by, dry_run=True)


def load(content: bytes, by: Person) -> Answer:
    """Take all counts of a file, or none where a row is wrong. Raises Unreadable."""
    return _run(content, by, dry_run=False)


def read(content: bytes) -> Dataset:
    """The rows that say something, each with its line. Raises Unreadable."""
    if len(content) > MOST_BYTES:
        raise Unreadable(_("The file is larger than 2 MB. Divide it."))
    rows = _rows_of_xlsx(content) if content.startswith(b"PK") else _rows_of_csv(content)
    line, titles = next(rows, (0, []))
    titles = [str(title).strip().lower() for title in titles]
    while titles and not titles[-1]:
        titles.pop()
    _check_titles(titles)
    dataset = Dataset(headers=[*titles, LINE])
    for line, cells in rows:
        if any(str(cell).strip() for cell in cells[len(titles) :]):
            raise Unreadable(_("Line %(line)s has more cells than columns.") % {"line": line})
        cells = (cells + [""] * len(titles))[: len(titles)]
        dataset.append([*cells, line])
        if len(dataset) > MOST_ROWS:
            raise Unreadable(_("The file has more than 10,000 rows. Divide it."))
    if not len(dataset):
        raise Unreadable(_("The file has no row below its first line."))
    return dataset


class CellWidget(Widget):
    """A cell that is no formula: what it shows depends on other cells, or on who opens it."""

    def clean(self, value, row=None, **kwargs):
        if isinstance(value, str):
            value = " ".join(value.split())
        if isinstance(value, ArrayFormula | DataTableFormula) or str(value).startswith("="):
            raise ValueError(_("A formula cannot be read. Put its value in its place."))
        return self.read(value)

    def read(self, value):
        return str(_without_fraction(value))


class CountryWidget(CellWidget):
    def read(self, value):
        return super().read(value).upper()


class NumberWidget(CellWidget):
    def read(self, value):
        found = WHOLE_NUMBER.fullmatch(str(value))
        if not found:
            raise ValueError(_("Enter a whole number."))
        return int(found[1])


class DayWidget(CellWidget):
    def read(self, value):
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", str(value)):
                return date.fromisoformat(value)
            # What Excel makes of it where the day comes first, as in all the launch countries.
            if found := re.fullmatch(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", str(value)):
                day, month, year = map(int, found.groups())
                return date(year, month, day)
        except ValueError:
            pass
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
        numbers = [WHOLE_NUMBER.fullmatch(str(cell).strip()) for cell in dataset["number"]]
        self.refusals = sheets.refusals([int(found[1]) for found in numbers if found], self.by)

    def import_row(self, row, instance_loader, **kwargs):
        self.line = row[LINE]
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
    dataset = read(content)
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
    return Answer(len(dataset), problems, resource.taken)


def _problems(row: dict, reasons: dict[str, list[str]]) -> list[Problem]:
    """What is wrong in a row: for each of its columns the first reason."""
    of_columns = {
        "number" if name == "sheet_id" else name: found for name, found in reasons.items()
    }
    return [
        Problem(row[LINE], str(row["number"]), column, of_columns[column][0])
        for column in COLUMNS
        if column in of_columns
    ]


def _check_titles(titles: list[str]) -> None:
    missing = [title for title in COLUMNS if title not in titles]
    if missing:
        raise Unreadable(
            _("The first line does not name these columns: %(names)s.")
            % {"names": ", ".join(missing)}
        )
    others = [title or "?" for title in titles if title not in COLUMNS]
    if others or len(set(titles)) < len(titles):
        raise Unreadable(
            _("The first line names columns that do not belong there: %(names)s.")
            % {"names": ", ".join(title[:40] for title in others or titles)}
        )


def _rows_of_csv(content: bytes):
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            _("The file is neither XLSX nor CSV in UTF-8. Save it as “CSV UTF-8” or as XLSX.")
        ) from error
    first = text.split("\n", 1)[0]
    reader = csv.reader(StringIO(text), delimiter=max(",;\t", key=first.count))
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise Unreadable(_("The file cannot be read as CSV.")) from error


def _rows_of_xlsx(content: bytes):
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            unzipped = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise _not_xlsx() from error
    if unzipped > MOST_UNZIPPED_BYTES:
        raise Unreadable(_("Unzipped, the file is larger than 10 MB. Divide it."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About styles and the like, which nobody reads here.
            book = load_workbook(BytesIO(content), read_only=True)
            table = _visible(book)
            table.reset_dimensions()  # What a file says of its size is not to be believed.
            rows = table.iter_rows(max_row=MOST_LINES, max_col=MOST_COLUMNS + 1, values_only=True)
            for line, row in enumerate(rows, start=1):
                cells = ["" if cell is None else cell for cell in row]
                if len(cells) > MOST_COLUMNS and str(cells[MOST_COLUMNS]).strip():
                    raise Unreadable(_("The file has too many columns."))
                if line == MOST_LINES:
                    raise Unreadable(_("The file has too many lines. Delete the empty ones."))
                if any(str(cell).strip() for cell in cells):
                    yield line, cells
    except Unreadable:
        raise
    except Exception as error:  # Whatever a broken file provokes in the parsers.
        raise _not_xlsx() from error


def _visible(book):
    """The one sheet of a workbook that people see; of a hidden copy nobody knows."""
    visible = [table for table in book.worksheets if table.sheet_state == "visible"]
    if len(visible) != 1:
        raise Unreadable(_("The file must have exactly one visible sheet. Delete the others."))
    return visible[0]


def _not_xlsx() -> Unreadable:
    return Unreadable(
        _("The file cannot be read as XLSX. Save it anew from a spreadsheet program.")
    )


def _without_fraction(value):
    """7.0 as 7: spreadsheets keep every number with a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
