"""Who types somebody else's address learns nothing: the same answer and the same work whether it
has signed or not, at every form that takes an address. `bench signing` looks at the time."""

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from petition.ground import links
from petition.models import Attempt, Signature
from petition.signing import lifecycle, signatures
from tests.making import State, filled_form

pytestmark = pytest.mark.django_db

ADDRESS = "someone@example.org"
STATES = ("new", "pending", "tried", "counted", "held", "rejected", "withdrawn")


def make(state: str, client) -> None:
    if state == "new":
        return
    for _ in range(5 if state == "tried" else 1):
        client.post("/en/sign/", filled_form(email=ADDRESS))
    signature = Signature.objects.get()
    if state == "tried":
        assert Attempt.objects.count() == 4
    elif state == "withdrawn":
        lifecycle.move(signature, State.WITHDRAWN, **Signature.ERASED)
    elif state != "pending":
        lifecycle.move(signature, state, confirmed_at=timezone.now())


def told(client, path: str, form: dict) -> dict:
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(path, form)
    return {
        "status": answer.status_code,
        "headers": sorted(h for h in answer.headers.items() if h[0] != "Expires"),  # The clock's.
        "body": answer.content,
        "cookies": len(answer.cookies),
        "statements": len(queries),
    }


@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_wrong_code_is_answered_alike_with_as_much_work(client, monkeypatch, language):
    compared = []
    is_code = links.is_code
    monkeypatch.setattr(links, "is_code", lambda *a: compared.append(1) or is_code(*a))
    answers = {}
    form = {"email": ADDRESS, "code": "ABCD2345"}
    client.post(f"/{language}/sign/sent/", form)  # What a process reads once, it has read now.
    for state in STATES:
        Signature.objects.all().delete()
        make(state, client)
        compared.clear()
        answers[state] = told(client, f"/{language}/sign/sent/", form) | {"codes": len(compared)}
        caches["default"].clear()  # The limits.
    for state in STATES:
        assert answers[state] == answers["new"], state
    assert answers["new"]["status"] == 422


def test_signing_is_answered_alike(client):
    answers = {}
    client.post("/en/sign/", filled_form(email="other@example.org"))
    for state in STATES:
        Signature.objects.all().delete()
        make(state, client)
        answers[state] = told(client, "/en/sign/", filled_form(email=ADDRESS))
        caches["default"].clear()  # The limits.
    for state in STATES:
        answer, new = dict(answers[state]), dict(answers["new"])
        if not signatures.in_one_statement():  # SQLite has several, which are not compared.
            answer.pop("statements"), new.pop("statements")
        assert answer == new, state
    assert answers["new"]["status"] == 303


@pytest.mark.parametrize("kind", ["confirm", "withdraw", "unsubscribe"])
@pytest.mark.parametrize("more", ["", "?receipt=1", "?receipt=file", "?copy=1"])
def test_a_made_up_link_is_answered_alike(client, kind, more):
    answers = {}
    client.get(f"/en/{kind}/{'a' * 43}/{more}")
    for state in STATES:
        Signature.objects.all().delete()
        make(state, client)
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(f"/en/{kind}/{'a' * 43}/{more}")
        answers[state] = (answer.status_code, answer.content, len(queries))
    assert set(answers.values()) == {answers["new"]}
