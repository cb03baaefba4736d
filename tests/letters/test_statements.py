"""What the mailer asks PostgreSQL for each letter."""

import pytest
from django.utils import timezone

from petition.letters import owing, statements
from petition.models import Letter
from tests.making import make_signature
from tests.plans import assert_reads_by_key

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("rows", [0, 1, 200])
@pytest.mark.django_db
def test_no_table_is_read_whole_however_few_rows_it_had_when_the_plan_was_made(rows):
    for n in range(rows):
        owing.owe(make_signature(f"sample{n}@example.org"), Letter.Kind.CONFIRM, "fr")
    assert_reads_by_key(
        statements.END.statement, id=1, mailer="", state="sent", tries=1, reply="",
        now=timezone.now(), following=2,
    )  # fmt: skip
