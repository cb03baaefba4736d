import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.utils import timezone

from petition.models import Signature, Tally
from petition.signing import lifecycle, privacy, tallies
from tests.making import State, filled_form, make_signature

pytestmark = pytest.mark.django_db


def today() -> str:
    return timezone.now().date().isoformat()


def states() -> dict[str, int]:
    rows = Tally.objects.filter(dimension="state").values("value").annotate(n=Sum("count"))
    return {row["value"]: row["n"] for row in rows if row["n"]}


def run_recount(*args):
    out, err = StringIO(), StringIO()
    try:
        call_command("recount", *args, stdout=out, stderr=err)
        code = 0
    except SystemExit as end:
        code = end.code
    return code, out.getvalue() + err.getvalue()


def test_recount_says_that_all_is_right():
    make_signature(state=State.COUNTED)
    assert run_recount() == (0, "All counters agree: 1 signatures.\n")


def test_recount_names_what_differs_and_fix_mends_it():
    make_signature(state=State.COUNTED, country="LB")
    Tally.objects.filter(dimension="total").delete()
    Tally.objects.create(dimension="country", value="FR", slot=0, count=7)
    code, said = run_recount()
    assert code == 1
    assert "total: the counter says 0, the signatures 1" in said
    assert "country FR: the counter says 7, the signatures 0" in said
    assert "recount --fix" in said
    code, said = run_recount("--fix")
    assert code == 0
    assert "total: the counter said 0, the signatures 1" in said
    assert tallies.recount() == []
    assert tallies.read_counter().total == 1


@pytest.mark.parametrize("dimension", ["total", "country", "day", "language", "track", "state"])
def test_recount_notices_each_kind_of_counter(dimension):
    make_signature(state=State.COUNTED, track_id="fate")
    make_signature("other@example.org", State.HELD)
    Tally.objects.filter(
        dimension=dimension, value__in=["", "MA", "ar", "fate", "held", today()]
    ).update(count=5)
    assert {d.dimension for d in tallies.recount()} == {dimension}


@pytest.mark.usefixtures("pages_in_memory")
def test_the_figure_on_pages_is_remembered_for_a_moment_only(client, django_assert_num_queries):
    client.get("/en/")
    client.get("/api/v1/counter.json")
    make_signature(state=State.COUNTED)
    with django_assert_num_queries(0):
        assert "<bdi>0</bdi>" in client.get("/en/").content.decode()
    assert json.loads(client.get("/api/v1/counter.json").content)["total"] == 0
    assert tallies.REMEMBERED_SECONDS <= 5


def test_every_state_is_counted_from_signing_to_the_end(client):
    for n in range(3):
        client.post("/en/sign/", filled_form(email=f"sample{n}@example.org"))
    client.post("/en/sign/", filled_form(email="sample0@example.org"))
    assert states() == {"pending": 3}
    first, second, third = Signature.objects.order_by("pk")
    lifecycle.move(first, State.HELD, reason="other")
    lifecycle.move(second, State.REJECTED, reason="other")
    assert states() == {"pending": 1, "held": 1, "rejected": 1}
    lifecycle.move(second, State.WITHDRAWN, **Signature.ERASED)
    Signature.objects.filter(pk=third.pk).update(signed_at=timezone.now() - timedelta(days=15))
    privacy.purge()
    assert states() == {"held": 1, "withdrawn": 1, "expired": 1}
    assert tallies.recount() == []


def test_a_reason_stands_only_while_a_signature_is_held_or_rejected():
    signature = make_signature(state=State.COUNTED)
    lifecycle.move(signature, State.HELD, reason="automated")
    assert Signature.objects.get().reason == "automated"
    lifecycle.move(signature, State.COUNTED)
    assert Signature.objects.get().reason == ""
