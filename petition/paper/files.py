"""Reads files of sheets' counts, CSV or XLSX, and makes empty ones to fill in."""

import csv
import re
import warnings
import zipfile
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from functools import cache
from io import BytesIO, StringIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override
from tablib import Dataset

from petition.ground.countries import sort_key
from petition.ground.languages import LANGUAGES

# What the site calls each column in a file, in the language of whoever fills it in.
COLUMNS = {
    "number": gettext_noop("Number of the sheet"),
    "country": gettext_noop("Country"),
    "place": gettext_noop("Place"),
    "date": gettext_noop("Date"),
    "collector": gettext_noop("Collected by"),
    "valid": gettext_noop("Valid lines"),
    "struck": gettext_noop("Crossed-out lines"),
}
# And what people call it besides.
OTHER_TITLES = {
    "number": ("sheet", "no", "n°", "numéro", "feuille", "رقم", "الرقم", "الورقة", "رقم الورقة"),
    "country": ("pays", "البلد", "بلد", "الدولة"),
    "place": ("city", "lieu", "ville", "المكان", "مكان", "المدينة"),
    "date": ("day", "jour", "التاريخ", "تاريخ", "اليوم"),
    "collector": ("collecteur", "collectrice", "collecté par", "الجامع", "جمعها", "من جمعها"),
    "valid": ("valides", "lignes valides", "valid lines", "الصالحة", "الأسطر الصالحة"),
    "struck": ("crossed-out lines", "struck lines", "crossed out", "barrées", "lignes barrées",
               "lignes rayées", "المشطوبة", "الأسطر المشطوبة"),
}  # fmt: skip
LINE = "line"  # The row's line in the file, which the errors name.
MOST_BYTES = 2 * 1024 * 1024
MOST_UNZIPPED_BYTES = 10 * 1024 * 1024  # A parser takes some eighty times as much memory.
MOST_ROWS = 10_000
MOST_LINES = 100_000  # With empty ones, which a file can claim without end.
# Beyond our columns there may be a few that are empty; a file may claim to have thousands.
MOST_COLUMNS = 30
DELIMITERS = ",;\t،"
SEPARATOR = re.compile(r"sep=(.)", re.IGNORECASE)
BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")
MIXED_WORD = re.compile("[A-Za-z][\u0600-\u06ff]|[\u0600-\u06ff][A-Za-z]")


class Unreadable(Exception):
    """Why the file as a whole cannot be read."""


def read(content: bytes) -> Dataset:
    """The rows that say something, each with its line. Raises Unreadable."""
    if len(content) > MOST_BYTES:
        raise Unreadable(_("The file is larger than 2 MB. Divide it."))
    rows = _rows_of_xlsx(content) if content.startswith(b"PK") else _rows_of_csv(content)
    line, titles = next(rows, (0, []))
    titles = [str(title).strip() for title in titles]
    while titles and not titles[-1]:
        titles.pop()
    titles = _columns(titles)
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


def titles(language: str) -> list[str]:
    """The first line of a file in a language."""
    with override(language):
        return [_(title) for title in COLUMNS.values()]


def template_csv(language: str) -> bytes:
    """An empty file to fill in, in UTF-8 with the mark that spreadsheet programs look for."""
    out = StringIO()
    csv.writer(out, delimiter=";").writerow(titles(language))
    return out.getvalue().encode("utf-8-sig")


def template_xlsx(language: str) -> bytes:
    """The same as a workbook, from right to left in Arabic."""
    from openpyxl import Workbook

    book = Workbook()
    table = book.active
    table.append(titles(language))
    table.sheet_view.rightToLeft = LANGUAGES[language].direction == "rtl"
    table.freeze_panes = "A2"
    for column in "ABCDEFG":
        table.column_dimensions[column].width = 20
    out = BytesIO()
    book.save(out)
    return out.getvalue()


@cache
def _by_title() -> dict[str, str]:
    """`{title as it is compared: column}`."""
    known = {sort_key(column): column for column in COLUMNS}
    for column, others in OTHER_TITLES.items():
        known |= {sort_key(other): column for other in others}
    for language in LANGUAGES:
        known |= {sort_key(t): c for t, c in zip(titles(language), COLUMNS, strict=True)}
    return known


def _columns(titles: list[str]) -> list[str]:
    """The columns that the first line names, in any of the three languages."""
    columns = [_by_title().get(sort_key(title), "") for title in titles]
    missing = [column for column in COLUMNS if column not in columns]
    if missing:
        raise Unreadable(
            _("The first line does not name these columns: %(names)s.")
            % {"names": ", ".join(missing)}
        )
    others = [t or "?" for t, column in zip(titles, columns, strict=True) if not column]
    if others or len(set(columns)) < len(columns):
        raise Unreadable(
            _("The first line names columns that do not belong there: %(names)s.")
            % {"names": ", ".join(title[:40] for title in others or titles)}
        )
    return columns


def _rows_of_csv(content: bytes):
    text = _decoded(content)
    first, _end, rest = text.partition("\n")
    line = 0
    if separator := SEPARATOR.fullmatch(first.rstrip("\r")):  # Excel's own way to name it.
        text, line = rest, 1
    first = text.split("\n", 1)[0]
    delimiter = separator[1] if separator else max(DELIMITERS, key=first.count)
    reader = csv.reader(StringIO(text), delimiter=delimiter)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield line + reader.line_num, row
    except csv.Error as error:
        raise Unreadable(_("The file cannot be read as CSV.")) from error


def _decoded(content: bytes) -> str:
    """The text of a CSV file, as spreadsheet programs write it: UTF-8, UTF-16 ("Unicode text"), or
    where neither fits, the Windows code page of Arabic or of French."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        codecs = ["utf-16"]
    else:
        codecs = ["utf-8-sig", "cp1256", "cp1252"]
    for codec in codecs:
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        if BINARY.search(text):
            break
        # An Arabic letter within a French word: É is where the other page has ة.
        if codec != "cp1256" or not MIXED_WORD.search(text):
            return text
    raise Unreadable(
        _("The file is neither XLSX nor CSV in UTF-8. Save it as “CSV UTF-8” or as XLSX.")
    )


def _rows_of_xlsx(content: bytes):
    # Here: it takes a tenth of a second and 15 MB of each process, and few of them read a file.
    from openpyxl import load_workbook
    from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

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
                for place, cell in enumerate(cells):
                    if isinstance(cell, ArrayFormula | DataTableFormula):
                        cells[place] = "="  # As other formulas begin.
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
