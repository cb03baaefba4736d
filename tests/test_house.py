"""The rules of the house: layers, names, translations, templates, documentation."""

import ast
import re
import subprocess
from pathlib import Path

import django.contrib.admin
import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import call_command

pytestmark = pytest.mark.once

ROOT = settings.BASE_DIR
DJANGO_ADMIN = Path(django.contrib.admin.__file__).parent
APP = ROOT / "petition"

INLINE = r"<script(?![^>]*(?:src=|ld\+json))|<style|\sstyle=|\son[a-z]+="


# Django's own families; what else is a folder in `petition/` is a wing.
FAMILIES = {"models", "views", "admin", "management", "templatetags", "migrations"}
WINGS = sorted(
    path.parent for path in APP.glob("*/__init__.py") if path.parent.name not in FAMILIES
)


def modules() -> list[Path]:
    found = [*APP.rglob("*.py"), *(ROOT / "campaign_site").rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_the_front_door_shows_at_most_twenty_rooms():
    tracked = {path.relative_to(APP).parts[0] for path in APP.rglob("*.py")}
    assert len(tracked) <= 20


@pytest.mark.parametrize("wing", WINGS, ids=lambda wing: wing.name)
def test_a_wing_says_in_a_few_lines_what_it_is(wing):
    tree = ast.parse((wing / "__init__.py").read_text("utf-8"))
    said = ast.get_docstring(tree)
    assert len(tree.body) == 1
    assert 3 <= len(said.splitlines()) <= 6
    assert "Start with" in said
    assert "never" in said


def test_modules_are_short():
    lengths = sorted(lines(path) for path in modules() if lines(path))
    assert lengths[len(lengths) // 2] <= 90
    assert lengths[len(lengths) * 9 // 10] <= 300
    assert lengths[-1] <= 400


def test_the_state_is_written_by_the_lifecycle_alone():
    pattern = re.compile(r"update\([^)]*\bstate=|\.state = ")
    # Letters, sweeps, sheets, exports and mailings have states of their own.
    others = {
        "owing.py",
        "sending.py",
        "bounces.py",
        "sweeps.py",
        "exports.py",
        "sheets.py",
        "mailings.py",
        "newsroom.py",
    }
    users = {path.name for path in modules() if pattern.search(path.read_text("utf-8"))}
    assert users - others <= {"lifecycle.py"}


# What would belong to a session of the database: behind PgBouncer the next statement may reach
# another one, and somebody else this one. `.iterator()` opens a cursor WITH HOLD.
SESSION_STATE = (
    r"[\"'](?:SET SESSION |SET (?!LOCAL\b)\w+ TO |RESET \w|(?:UN)?LISTEN|PREPARE \w|DECLARE \w)"
    r"|pg_(?:try_)?advisory_lock|set_config\([^)]*, *false|\.iterator\(|CREATE TEMP"
)


def test_nothing_leaves_its_mark_on_a_session_of_the_database():
    for spelling in ("'SET synchronous_commit TO off'", "'RESET a'", "pg_advisory_lock(1)"):
        assert re.search(SESSION_STATE, spelling)
    sources = [*APP.rglob("*.py"), *(ROOT / "campaign_site").rglob("*.py")]
    marks = {path.name for path in sources if re.search(SESSION_STATE, path.read_text("utf-8"))}
    assert marks == set()


def test_no_migration_is_missing(db):
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.parametrize("language", ["ar", "fr"])
def test_every_word_is_translated_and_compiled(language, tmp_path):
    source = ROOT / "locale" / language / "LC_MESSAGES" / "django.po"
    with source.open("rb") as file:
        catalog = read_po(file, locale=language)
    forms = {"ar": 6, "fr": 2}[language]
    for message in catalog:
        if message.id:
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            assert all(strings), message.id
            assert not message.fuzzy, message.id
            assert len(strings) == (forms if message.pluralizable else 1)
    compiled = tmp_path / "django.mo"
    with compiled.open("wb") as file:
        write_mo(file, catalog)
    assert compiled.read_bytes() == source.with_suffix(".mo").read_bytes(), "run: make messages"


@pytest.mark.parametrize("language", ["ar", "fr"])
def test_no_word_of_the_code_is_missing_in_the_catalogue(language, tmp_path):
    """What xgettext finds in the sources is what the catalogue has."""
    sources = {path: path.read_text("utf-8") for path in APP.rglob("*.py")}
    sources |= {path: path.read_text("utf-8") for path in (ROOT / "templates").rglob("*.*")}
    used = set()
    for text in sources.values():
        used |= set(re.findall(r'{% translate "([^"]+)"', text))
        used |= set(re.findall(r'\b_\(\s*"([^"]+)"\s*\)', text))
    with (ROOT / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        known = {m.id for m in read_po(file, locale=language) if isinstance(m.id, str)}
    assert used - known == set()


def test_every_template_is_used():
    texts = [p.read_text("utf-8") for p in (*APP.rglob("*.py"), *(ROOT / "templates").rglob("*"))
             if p.is_file()]  # fmt: skip
    unused = []
    for path in (ROOT / "templates").rglob("*.*"):
        name = path.relative_to(ROOT / "templates").as_posix()
        made = name.startswith(("errors/", "letters/", "django_recaptcha/"))
        made = made or (DJANGO_ADMIN / "templates" / name).exists()  # Ours comes before its own.
        if not made and not any(f'"{name}"' in text for text in texts):
            unused.append(name)
    assert unused == []


def test_templates_have_no_inline_script_or_style():
    for path in (ROOT / "templates").rglob("*.html"):
        if "letters" not in path.parts:
            text = path.read_text("utf-8")
            assert not re.search(INLINE, text), path


def test_css_knows_no_left_and_no_right():
    for path in (ROOT / "static").rglob("*.css"):
        found = re.findall(r"[\w-]*\b(?:left|right|top|bottom)\b[\w-]*\s*:", path.read_text())
        found += re.findall(r":\s*(?:left|right)\b|(?<![\w-])(?:max-|min-)?(?:width|height):",
                            re.sub(r"@media[^{]*", "", path.read_text()))  # fmt: skip
        assert found == [], path


DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_documents_are_short():
    assert lines(ROOT / "README.md") <= 150
    assert {path.name: lines(path) for path in DOCUMENTS if lines(path) > 300} == {}


def test_every_link_of_a_document_leads_to_a_file():
    wrong = []
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
            if not (path.parent / target).exists():
                wrong.append(f"{path.name} → {target}")
    assert wrong == []


def test_every_setting_command_and_target_is_documented():
    settings_page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    sources = (ROOT / "campaign_site" / "settings").glob("*.py")
    variables = [
        name
        for path in sources
        for name in re.findall(r'read\(\s*"([A-Z_]+)"', path.read_text("utf-8"))
    ]
    assert len(variables) > 15
    assert [name for name in variables if f"| `{name}` |" not in settings_page] == []
    operating = (ROOT / "docs" / "operating.md").read_text("utf-8")
    commands = [p.stem for p in (APP / "management" / "commands").glob("[a-z]*.py")]
    assert [name for name in commands if f"| `manage.py {name}" not in operating] == []
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert [name for name in targets if f"make {name}" not in contributing] == []


def test_every_dependency_has_its_reason():
    reasons = (ROOT / "docs" / "dependencies.md").read_text("utf-8").lower()
    text = (ROOT / "requirements.in").read_text("utf-8")
    text += (ROOT / "requirements-dev.txt").read_text("utf-8")
    packages = re.findall(r"^([A-Za-z-]+)(?:\[\w+\])?==", text, re.MULTILINE)
    assert len(packages) > 15
    assert [name for name in packages if f"| {name.lower()} |" not in reasons] == []


def test_the_readme_maps_every_wing():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [wing.name for wing in WINGS if f"`{wing.name}/`" not in readme] == []


def test_what_runs_in_production_is_pinned_and_its_files_are_known_by_their_hash():
    named = (ROOT / "requirements.in").read_text("utf-8").lower()
    pinned = (ROOT / "requirements.txt").read_text("utf-8").lower()
    packages = re.findall(r"^([a-z0-9._-]+)==([^ ;]+)(.*?)(?=^\S|\Z)", pinned, re.M | re.S)
    assert len(packages) > 30
    assert [name for name, _, rest in packages if "--hash=sha256:" not in rest] == []
    kept = {(name, version) for name, version, _ in packages}
    for name, version in re.findall(r"^([a-z-]+)(?:\[\w+\])?==(\S+)", named, re.M):
        assert (name, version) in kept, f"make requirements: {name}"


def test_nothing_of_a_machine_is_committed():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout
    for name in tracked.splitlines():
        assert not name.startswith(("var/", ".venv/")), name
        assert not name.endswith((".sqlite3", ".pyc", ".env")), name


def test_a_label_for_screen_readers_stands_where_a_role_can_bear_it():
    """The Nu checker refuses it elsewhere, and screen readers ignore it."""
    plain = re.compile(r"<(?:pre|div|span|p|bdi|strong|em|code)\b(?![^>]*\brole=)[^>]*\baria-label")
    pages = (ROOT / "templates").rglob("*.html")
    assert [page.name for page in pages if plain.search(page.read_text("utf-8"))] == []
