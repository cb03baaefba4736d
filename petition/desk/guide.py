"""The volunteers' guide, read from `docs/coordinators*.md`: one section for each task.

The three files have the same sections in the same order; SECTIONS names them for addresses.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from markdown_it import MarkdownIt

DOCS = Path(settings.BASE_DIR) / "docs"
FILES = {"en": "coordinators.md", "fr": "coordinators.fr.md", "ar": "coordinators.ar.md"}
SECTIONS = (
    "sign-in", "lost-phone", "front-page", "find", "hold", "bulk-removal", "undo", "sheets",
    "import", "profile", "take-down", "texts", "news", "export", "delivery", "accounts", "audit",
)  # fmt: skip
# Which section helps on the screens of a model.
OF_MODEL = {
    "signature": "hold",
    "letter": "find",
    "sweep": "bulk-removal",
    "maildomain": "bulk-removal",
    "sheet": "sheets",
    "case": "profile",
    "text": "texts",
    "track": "texts",
    "consenttext": "texts",
    "news": "news",
    "export": "export",
    "user": "accounts",
    "entry": "audit",
}
# And on a screen beside a model's own, which names itself as `help_of`.
OF_SCREEN = {"funnel": "front-page", "daily": "front-page", "sessions": "sign-in"}


@dataclass(frozen=True)
class Section:
    slug: str
    title: str
    html: str


@cache
def title(language: str) -> str:
    return _text(language).splitlines()[0].removeprefix("# ")


@cache
def sections(language: str) -> dict[str, Section]:
    """The sections by their slugs, in the order of the file."""
    parts = re.split(r"^## (.+)$", _text(language), flags=re.MULTILINE)[1:]
    told = zip(SECTIONS, parts[::2], parts[1::2], strict=True)
    return {slug: Section(slug, heading, _html(body)) for slug, heading, body in told}


def picture(name: str) -> Path | None:
    """The file of a screenshot in the guide, by a name such as "en-sheets"."""
    path = DOCS / "pictures" / f"{name}.png"
    return path if path.exists() else None


def _text(language: str) -> str:
    return (DOCS / FILES[language]).read_text("utf-8")


def _html(markdown: str) -> str:
    return MarkdownIt("commonmark", {"html": False}).render(markdown)
