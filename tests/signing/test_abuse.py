"""Who may sign, how often, and from where."""

import pytest

from petition.ground import links
from petition.letters import sending
from petition.models import Signature
from petition.signing import abuse, signatures, tallies
from tests.making import code, filled_form, link, make_signature

pytestmark = pytest.mark.django_db


def sign(client, number, **headers):
    body = filled_form(email=f"sample{number}@example.org")
    return client.post("/en/sign/", body, **headers)


def test_too_many_attempts_from_one_network_are_asked_to_wait_and_lose_nothing(client, settings):
    settings.SIGN_RATE = "3/h"
    assert [sign(client, n).status_code for n in range(3)] == [303, 303, 303]
    response = sign(client, 3)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 3600
    page = response.content.decode()
    assert "Too many attempts came from your network." in page
    assert 'value="sample3@example.org"' in page
    assert Signature.objects.count() == 3
    assert sign(client, 3, REMOTE_ADDR="192.0.2.7").status_code == 303


def test_a_forged_forwarding_header_does_not_help(client, settings):
    settings.SIGN_RATE = "1/h"
    sign(client, 0, HTTP_X_FORWARDED_FOR="192.0.2.1")
    assert sign(client, 1, HTTP_X_FORWARDED_FOR="192.0.2.2").status_code == 429
    settings.TRUSTED_PROXIES = 1
    sign(client, 2, HTTP_X_FORWARDED_FOR="192.0.2.3, 198.51.100.1")
    again = sign(client, 3, HTTP_X_FORWARDED_FOR="192.0.2.4, 198.51.100.1")
    assert again.status_code == 429
    other = sign(client, 4, HTTP_X_FORWARDED_FOR="192.0.2.4, 198.51.100.2")
    assert other.status_code == 303


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "network"),
    [
        (0, "192.0.2.1", "198.51.100.1", "192.0.2.1"),
        (1, "192.0.2.1", "198.51.100.1, 198.51.100.2", "198.51.100.2"),
        (2, "192.0.2.1", "198.51.100.1, 198.51.100.2", "198.51.100.1"),
        (3, "192.0.2.1", "198.51.100.1, 198.51.100.2", "198.51.100.1"),
        (1, "192.0.2.1", "", "192.0.2.1"),
        (1, "192.0.2.1", "not an address", "unknown"),
        (0, "", "", "unknown"),
        (0, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        (0, "::ffff:192.0.2.1", "", "192.0.2.1"),
    ],
)
def test_the_network_is_what_the_trusted_proxies_say(
    rf, settings, proxies, remote, forwarded, network
):
    settings.TRUSTED_PROXIES = proxies
    request = rf.post("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    assert abuse.network(request) == network


def test_the_cache_never_sees_an_address(client, cache_contents):
    sign(client, 1, REMOTE_ADDR="192.0.2.55")
    client.post("/en/sign/sent/", {"email": "someone@example.org", "code": "ABCDEFGH"})
    seen = repr(cache_contents())
    assert seen.count("rl:") >= 3
    assert "192.0.2.55" not in seen
    assert "someone" not in seen


@pytest.fixture
def cache_contents():
    from django.core.cache.backends import locmem

    return lambda: locmem._caches


def test_a_guessed_code_is_stopped_after_a_few_tries_from_anywhere(client):
    make_signature()
    statuses = []
    for n in range(10):
        body = {"email": "someone@example.org", "code": f"ABCDEFG{n}"}
        response = client.post("/en/sign/sent/", body, REMOTE_ADDR=f"192.0.2.{n}")
        statuses.append(response.status_code)
    assert statuses == [422] * 5 + [429] * 5
    assert "Retry-After" in response
    assert Signature.objects.get().state == "pending"
    assert tallies.read_counter().total == 0


def test_codes_from_one_network_are_limited_over_all_addresses(client, settings):
    settings.CONFIRM_RATE = "3/h"
    statuses = [
        client.post("/en/sign/sent/", {"email": f"x{n}@example.org", "code": "A"}).status_code
        for n in range(4)
    ]
    assert statuses == [422, 422, 422, 429]


def test_load_tests_can_switch_the_limits_off(client, settings):
    settings.SIGN_RATE, settings.RATELIMIT_ENABLE = "1/h", False
    assert [sign(client, n).status_code for n in range(3)] == [303, 303, 303]


def test_a_lost_cache_does_not_stop_the_campaign(client, settings, caplog):
    settings.CACHES = settings.CACHES | {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    assert sign(client, 1).status_code == 303
    assert "The cache does not answer" in caplog.text
    assert client.get("/readyz").status_code == 200  # Signing works.


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_ORIGIN": "https://elsewhere.example"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
        {"HTTP_ORIGIN": "http://testserver", "HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_ORIGIN": "http://testserver.elsewhere.example"},
        {"HTTP_ORIGIN": "http://["},
    ],
)
def test_a_post_from_another_site_is_refused(client, headers):
    response = client.post("/en/sign/", filled_form(), **headers)
    assert response.status_code == 403
    assert "This was sent from another site" in response.content.decode()
    assert not Signature.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"HTTP_ORIGIN": "http://testserver"},
        {"HTTP_ORIGIN": "http://testserver", "HTTP_SEC_FETCH_SITE": "same-origin"},
        {"HTTP_SEC_FETCH_SITE": "none"},
    ],
)
def test_a_post_from_this_site_or_an_old_browser_is_taken(client, headers):
    assert client.post("/en/sign/", filled_form(), **headers).status_code == 303


def test_codes_for_one_mailbox_are_counted_together_however_it_is_spelt(client):
    statuses = []
    for n in range(6):
        body = {"email": f"some.one+{n}@gmail.com", "code": "ABCDEFGH"}
        response = client.post("/en/sign/sent/", body, REMOTE_ADDR=f"192.0.2.{n}")
        statuses.append(response.status_code)
    assert statuses == [422] * 5 + [429]


def test_what_is_counted_by_means_nothing_without_the_data_key(rf, settings, monkeypatch):
    keys = []
    monkeypatch.setattr(abuse, "get_usage", lambda *args, key, **kwargs: keys.append(key()))
    request = rf.post("/", REMOTE_ADDR="192.0.2.1")
    abuse.seconds_to_wait_to_sign(request)
    settings.DATA_KEYS = [b"n" * 32]
    abuse.seconds_to_wait_to_sign(request)
    assert len(set(keys)) == 2
    assert "192.0.2.1" not in keys


def test_the_scheme_that_a_visitor_claims_is_not_believed(client, settings):
    assert settings.SECURE_PROXY_SSL_HEADER is None
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/ar/", HTTP_X_FORWARDED_PROTO="https").status_code == 301


def test_wrong_codes_are_limited_over_all_mailboxes_and_networks_and_links_go_on(
    client, smtp, monkeypatch
):
    monkeypatch.setattr(abuse, "WRONG_CODES", "3/h")
    client.post("/en/sign/", filled_form(email="owner@example.org"))
    sending.send_due()
    for n in range(3):
        typed = {"email": f"victim{n}@d{n}.example", "code": "ABCD2345"}
        assert client.post("/en/sign/sent/", typed, REMOTE_ADDR=f"192.0.2.{n}").status_code == 422
    typed = {"email": "owner@example.org", "code": code(smtp.mails[0])}
    answer = client.post("/en/sign/sent/", typed, REMOTE_ADDR="192.0.2.99")
    assert answer.status_code == 429
    assert 'value="owner@example.org"' in answer.content.decode()
    assert client.post(link("confirm", smtp.mails[0])).status_code == 303


def test_a_code_is_not_guessed():
    """Of each of the versions that a mailbox may have, within a day."""
    a_day, versions = 24, 1 + signatures.MOST_VERSIONS
    codes = len(links.ALPHABET) ** links.CODE_LENGTH
    rates = (abuse.CODES_PER_MAILBOX, abuse.WRONG_CODES)
    of_one, of_all = (int(rate.partition("/")[0]) for rate in rates)
    assert of_one * a_day * versions / codes <= 1e-9
    assert of_all * a_day * versions / codes <= 1e-6
