"""The calculation that keeps programs out: it counts once, for its form, in time; who has no
JavaScript is looked at by a person."""

import base64
import json
from datetime import timedelta

import pytest
from altcha import Challenge, ChallengeParameters, Payload, Solution, solve_challenge
from django.core import mail
from django.core.cache import caches
from django.db import OperationalError
from django.test import RequestFactory
from django.utils import timezone, translation
from redis.exceptions import ConnectionError as RedisGone

from petition.letters import sending
from petition.models import Entry, Signature
from petition.signing import abuse, challenge, moderation, signatures, tallies
from tests.making import filled_form, link, make_coordinator

pytestmark = pytest.mark.django_db
HELD, COUNTED = Signature.State.HELD, Signature.State.COUNTED


@pytest.fixture(autouse=True)
def _asked(settings, monkeypatch):
    settings.CHALLENGE = "altcha"
    monkeypatch.setattr(challenge, "TRIES", 6)  # Python tries them slowly.


def solved(client, form="sign") -> str:
    """What a browser does: asks, calculates, sends."""
    given = Challenge.from_dict(client.get(f"/challenge/{form}").json())
    return Payload(given, solve_challenge(given)).to_base64()


def sign(client, **fields):
    return client.post("/en/sign/", filled_form(**fields))


def confirm(client, **fields):
    """Presses the button behind the latest letter; where it leads."""
    sending.send_due()
    page = link("confirm", mail.outbox[-1])
    return client.post(page, fields)["Location"]


def test_who_solved_it_is_counted(client):
    assert sign(client, altcha=solved(client)).status_code == 303
    assert confirm(client) == "/en/signed/"
    assert Signature.objects.get().state == COUNTED


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_who_did_not_is_answered_the_same_and_looked_at_by_a_person(client, language):
    response = client.post(f"/{language}/sign/", filled_form())
    assert (response.status_code, response["Location"]) == (303, f"/{language}/sign/sent/")
    assert confirm(client) == f"/{language}/signed/review/"
    signature = Signature.objects.get()
    assert (signature.state, signature.reason) == (HELD, "challenge")
    assert signature.confirmed_at
    assert tallies.recount() == []
    with translation.override(language):
        said = translation.gettext("Confirmed, not counted yet")
    assert f"<h1>{said}</h1>" in client.get(f"/{language}/signed/review/").content.decode()


def test_a_second_press_on_the_button_says_the_same(client):
    sign(client)
    assert confirm(client) == confirm(client) == "/en/signed/review/"


def test_a_volunteer_lets_it_count(client):
    sign(client)
    confirm(client)
    by = make_coordinator()
    moderation.count(Signature.objects.get(), by)
    assert Signature.objects.get().state == COUNTED
    assert Entry.objects.filter(act="count").exists()
    assert confirm(client) == "/en/signed/"


def test_what_a_volunteer_took_back_before_its_owner_confirmed_counts_without_it(client):
    sign(client)
    by = make_coordinator()
    moderation.hold(Signature.objects.get(), by, "other")
    moderation.count(Signature.objects.get(), by)
    assert confirm(client) == "/en/signed/"


def test_it_can_be_solved_at_the_button_as_well(client):
    sign(client)
    sending.send_due()
    page = client.get(link("confirm", mail.outbox[-1])).content.decode()
    assert 'data-challenge="/challenge/confirm"' in page
    assert confirm(client, altcha=solved(client, "confirm")) == "/en/signed/"
    assert Signature.objects.get().state == COUNTED


def test_who_solved_it_before_is_not_asked_again(client):
    sign(client, altcha=solved(client))
    sending.send_due()
    assert "data-challenge" not in client.get(link("confirm", mail.outbox[-1])).content.decode()


def test_a_later_version_has_its_own(client):
    """A stranger's program signed first: the owner who solved it is counted all the same."""
    sign(client)
    sign(client, name="Sample Owner", altcha=solved(client))
    assert confirm(client) == "/en/signed/"
    assert Signature.objects.get().name == "Sample Owner"


def test_a_program_that_signs_later_is_not_helped_by_the_first(client):
    sign(client, altcha=solved(client))
    sign(client, name="False Name")
    assert confirm(client) == "/en/signed/review/"


# --- Refused solutions ----------------------------------------------------------------------------


def changed(solution: str, **fields) -> str:
    given = json.loads(base64.b64decode(solution))
    for name, value in fields.items():
        given["challenge"]["parameters"][name] = value
    return base64.b64encode(json.dumps(given).encode()).decode()


def spliced(solution: str) -> str:
    """A cheap challenge of one's own making, under the signature of a real one."""
    real = Payload.from_base64(solution).challenge
    own = ChallengeParameters("SHA-256", "00" * 16, "00" * 16, 1, key_prefix="")
    mine = Challenge(own, real.signature)
    return Payload(mine, Solution(0, solve_challenge(mine).derived_key)).to_base64()


def unsigned(_solution: str) -> str:
    own = Challenge(ChallengeParameters("SHA-256", "00" * 16, "00" * 16, 1, key_prefix=""))
    return Payload(own, solve_challenge(own)).to_base64()


@pytest.mark.parametrize(
    "forge",
    [
        spliced,
        unsigned,
        lambda solution: changed(solution, expiresAt=4_000_000_000),
        lambda solution: changed(solution, data={"form": "confirm"}),
        lambda solution: changed(solution, cost=1),
        lambda solution: changed(solution, keyPrefix="00"),
        lambda solution: changed(solution, keySignature=None),
        lambda solution: solution[:-8],
        lambda solution: "x" * 100_000,
        lambda solution: "\x00é\ud800",
        lambda solution: base64.b64encode(b"[" * 1000).decode(),
        lambda solution: base64.b64encode(b'{"challenge": 1}').decode(),
        lambda solution: "",
    ],
)
def test_what_was_forged_spliced_or_torn_counts_for_nothing(client, forge):
    assert not challenge.spend(forge(solved(client)), "sign", "a@example.org")


def test_it_counts_once_however_it_is_written(client):
    solution = solved(client)
    assert challenge.spend(solution, "sign", "a@example.org")
    spaced = base64.b64encode(json.dumps(json.loads(base64.b64decode(solution)), indent=1).encode())
    assert not challenge.spend(solution, "sign", "b@example.org")
    assert not challenge.spend(spaced.decode(), "sign", "b@example.org")


def test_a_form_that_was_sent_twice_by_a_double_click_is_counted_by_either_letter(client):
    solution = solved(client)
    for _ in range(2):
        sign(client, altcha=solution)
    assert confirm(client) == "/en/signed/"  # By the later one.
    assert Signature.objects.get().state == COUNTED


def test_a_second_signer_with_the_same_solution_is_looked_at(client):
    solution = solved(client)
    sign(client, altcha=solution)
    sign(client, email="another@example.org", altcha=solution)
    assert confirm(client) == "/en/signed/review/"


def test_that_of_another_form_and_that_of_yesterday_count_for_nothing(client, monkeypatch):
    assert not challenge.spend(solved(client, "confirm"), "sign", "a@example.org")
    solution = solved(client)
    later = timezone.now() + timedelta(seconds=challenge.LIFE_SECONDS + 5)
    monkeypatch.setattr("altcha.v2.time.time", later.timestamp)
    assert not challenge.spend(solution, "sign", "a@example.org")


# --- Nothing is lost ------------------------------------------------------------------------------


def test_what_was_calculated_is_kept_where_something_else_is_wrong(client):
    solution = solved(client)
    response = sign(client, name="", altcha=solution)
    assert response.status_code == 422
    assert f'value="{solution}"' in response.content.decode()
    assert sign(client, altcha=solution).status_code == 303
    assert confirm(client) == "/en/signed/"


def test_what_could_not_be_stored_can_be_sent_again(client, monkeypatch):
    solution = solved(client)
    with monkeypatch.context() as broken:
        broken.setattr(signatures, "sign", _gone)
        response = sign(client, altcha=solution)
    assert response.status_code == 503
    assert f'value="{solution}"' in response.content.decode()
    sign(client, altcha=solution)
    assert confirm(client) == "/en/signed/"


def _gone(**_details):
    raise OperationalError


def test_a_lost_cache_stops_nobody(client, monkeypatch):
    solution = solved(client)

    def gone(*_args, **_options):
        raise RedisGone

    for act in ("add", "delete"):
        monkeypatch.setattr(caches["default"], act, gone)
    assert challenge.spend(solution, "sign", "a@example.org")
    challenge.give_back(solution, "sign")


# --- What it is -----------------------------------------------------------------------------------


def test_nothing_is_asked_where_the_operator_wants_none(client, settings):
    settings.CHALLENGE = "none"
    assert "data-challenge" not in client.get("/en/sign/").content.decode()
    sign(client)
    assert confirm(client) == "/en/signed/"


def test_a_challenge_is_new_each_time_kept_by_nobody_and_names_its_form(client):
    first, second = client.get("/challenge/sign"), client.get("/challenge/sign")
    assert first.json() != second.json()
    assert "no-store" in first["Cache-Control"]
    assert first.json()["parameters"]["data"] == {"form": "sign"}
    assert "set-cookie" not in first.headers
    assert client.get("/challenge/other").status_code == 404


def test_it_asks_no_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/challenge/sign")


def test_it_grows_harder_for_a_network_that_asks_much(client, monkeypatch):
    monkeypatch.setattr(abuse, "NETWORK_STEPS", (2, 4, 6))
    request = RequestFactory().get("/challenge/sign", REMOTE_ADDR="192.0.2.7")
    other = RequestFactory().get("/challenge/sign", REMOTE_ADDR="198.51.100.9")
    assert [abuse.pressure(request) for _ in range(8)] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert abuse.pressure(other) == 0


def test_it_grows_harder_for_all_when_the_whole_site_is_asked_much(monkeypatch):
    monkeypatch.setattr(abuse, "SITE_STEPS", (3, 100, 1000))
    networks = [RequestFactory().get("/", REMOTE_ADDR=f"192.0.2.{n}") for n in range(5)]
    assert [abuse.pressure(request) for request in networks] == [0, 0, 0, 1, 1]


def test_each_level_is_twice_the_work(monkeypatch):
    seen = []
    made = challenge.create_challenge
    monkeypatch.setattr(
        challenge, "create_challenge", lambda *a, **o: seen.append(o["counter"]) or made(*a, **o)
    )
    for level in range(4):
        challenge.made("sign", level)
        most = challenge.TRIES << level
        assert most // 3 <= seen[-1] < most


def test_the_page_asks_for_it_at_an_address_of_ours_alone(client):
    page = client.get("/en/sign/").content.decode()
    assert 'data-challenge="/challenge/sign"' in page
    assert "js/altcha/pbkdf2.js" in page
    assert "<script>" not in page
