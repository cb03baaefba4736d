"""Every column has a purpose, a ground and an end; the record of processing says them.

After a change: `manage.py privacy_record > docs/privacy/record.md`.
"""

from io import StringIO

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from petition.models.purposes import OF_NOBODY, RECORD

pytestmark = pytest.mark.once


def test_every_column_says_why_it_is_kept_and_for_how_long():
    wrong = {}
    for model in apps.get_models():
        if model.__name__ in OF_NOBODY:
            continue
        named = [n for each in RECORD.get(model.__name__, []) for n in each.columns.split()]
        fields = {f.name for f in (*model._meta.local_fields, *model._meta.local_many_to_many)}
        if sorted(named) != sorted(fields):
            wrong[model.__name__] = fields ^ set(named)
    assert wrong == {}


def test_nothing_is_said_of_tables_that_are_gone():
    assert set(RECORD) | OF_NOBODY == {model.__name__ for model in apps.get_models()}


def test_the_record_says_what_the_models_say():
    said = StringIO()
    call_command("privacy_record", stdout=said)
    kept = settings.BASE_DIR / "docs" / "privacy" / "record.md"
    assert kept.read_text("utf-8") == said.getvalue()
