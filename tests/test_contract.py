"""What others depend on stays as it was: addresses, settings, commands, tables and columns.

`contract.txt` holds one line for each. A line that goes breaks a link, a script or a release that
is half rolled out. Something new adds its line, by
`python -m tests.test_contract`.
"""

import os
import re
from pathlib import Path

import django
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands
from django.urls import get_resolver
from django.utils import translation

pytestmark = pytest.mark.once

KEPT = Path(__file__).with_name("contract.txt")


def interface() -> list[str]:
    with translation.override("en"):
        lines = [f"address {pattern}" for pattern in _addresses(get_resolver())]
    lines = [line for line in lines if not line.startswith("address dev/")]  # With DEBUG=1 only.
    for path in (settings.BASE_DIR / "campaign_site" / "settings").glob("*.py"):
        read = re.findall(r'read\(\s*"([A-Z_]+)"', path.read_text("utf-8"))
        lines += [f"setting {name}" for name in read]
    commands = get_commands().items()
    lines += [f"command {name}" for name, app in commands if app == "petition"]
    for model in apps.get_app_config("petition").get_models():
        table = model._meta.db_table
        lines += [f"column {table}.{field.column}" for field in model._meta.local_fields]
    return sorted(set(lines))


def _addresses(resolver, before=""):
    for entry in resolver.url_patterns:
        address = before + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from _addresses(entry, address)
        else:
            yield f"{address} {entry.name or ''}".strip()


def test_no_address_setting_command_or_column_has_gone_or_come_unnoticed():
    assert interface() == KEPT.read_text("utf-8").splitlines()


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    KEPT.write_text("\n".join(interface()) + "\n", "utf-8")
