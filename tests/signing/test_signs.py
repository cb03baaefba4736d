"""Signs of made-up signatures: seen by people with numbers and a rule, and quiet on honest days."""

import random
import socket
from contextlib import suppress
from datetime import timedelta

import dns.message
import dns.resolver
import pytest
from django.core.cache import caches
from django.core.cache.backends import locmem
from django.utils import timezone, translation

from petition.admin.sweeps import SweepForm
from petition.models import Letter, Signature, Tally
from petition.signing import abuse, signs, sweeps, tallies
from tests.making import filled_form, make_coordinator, make_signature

pytestmark = pytest.mark.django_db
COUNTED, PENDING = Signature.State.COUNTED, Signature.State.PENDING
HONEST = ("gmail.com", "hotmail.fr", "yahoo.com", "menara.ma", "outlook.com")


def many(how_many: int, domain: str, *, confirmed: float = 0, ago=timedelta(minutes=20), **fields):
    """Signatures of one domain, spread over some minutes; a share of them confirmed, each after a
    time of its own."""
    chance, now = random.Random(domain), timezone.now()  # noqa: S311
    for n in range(how_many):
        at = now - ago - timedelta(seconds=chance.uniform(0, 600))
        after = fields.pop("after", None)
        row = make_signature(f"p{n}@{domain}", signed_at=at, **{"name": name_of(chance)} | fields)
        if n < how_many * confirmed:
            took = after or timedelta(seconds=chance.uniform(5, 600))
            Signature.objects.filter(pk=row.pk).update(state=COUNTED, confirmed_at=at + took)
        if after:
            fields["after"] = after


def name_of(chance: random.Random) -> str:
    """A made-up name, as good as never the same twice."""
    return "".join(chance.choices("abcdefghijklmnop", k=9)).title()


def seen() -> dict[str, list[signs.Sign]]:
    found: dict[str, list[signs.Sign]] = {}
    for sign in signs.look(timezone.now()):
        found.setdefault(sign.kind.value, []).append(sign)
    return found


def test_an_honest_hour_shows_nothing():
    for domain in HONEST:
        many(40, domain, confirmed=0.75)
    for n in range(30):
        many(2, f"firm{n}.example", confirmed=0.75)
    assert seen() == {}


def test_one_domain_in_an_hour_is_seen_among_honest_ones_with_a_rule_that_finds_just_it():
    many(60, "gmail.com", confirmed=0.7)
    many(70, "catch-all.example", confirmed=0.9)
    (sign,) = seen()["domain"]
    assert (sign.domain, sign.count, sign.of) == ("catch-all.example", 70, 130)
    rule = dict(sign.rule)
    sweep = signs_sweep(rule)
    found, _sample = sweeps.preview(sweep, make_coordinator(), 1)
    assert found == 70


def signs_sweep(rule):
    """What the desk's form makes of a rule."""
    form = SweepForm(rule | {"to": "held"})
    assert form.is_valid(), form.errors
    return form.save(commit=False)


def test_a_large_provider_is_never_a_sign():
    many(120, "gmail.com", confirmed=0.7)
    assert "domain" not in seen()


def test_throw_away_addresses_are_seen_from_the_first():
    many(1, "mailinator.com")
    (sign,) = seen()["disposable"]
    assert (sign.count, sign.domain, sign.rule["reason"]) == (1, "mailinator.com", "disposable")


def test_a_thousand_throw_away_domains_are_one_sign():
    for domain in ("mailinator.com", "yopmail.com", "guerrillamail.com"):
        many(2, domain)
    (sign,) = seen()["disposable"]
    assert (sign.count, sign.domain) == (6, "")


def test_a_domain_that_nobody_confirms_is_seen_once_there_was_time_to():
    many(60, "made-up.example", ago=timedelta(hours=3))
    many(60, "real.example", confirmed=0.7, ago=timedelta(hours=3))
    (sign,) = seen()["unconfirmed"]
    assert (sign.domain, sign.count) == ("made-up.example", 60)


def test_a_script_that_confirms_in_the_same_second_is_seen():
    many(60, "gmail.com", confirmed=1)
    many(40, "hotmail.com", confirmed=1, after=timedelta(seconds=7.3))
    (sign,) = seen()["rhythm"]
    assert sign.count >= 40


def test_many_without_the_check_of_the_browser_are_seen():
    many(40, "gmail.com", confirmed=0.7)
    many(30, "yahoo.com", passed_challenge=False)
    (sign,) = seen()["unsolved"]
    assert (sign.count, sign.of) == (30, 70)


def test_a_country_far_above_its_share_is_seen():
    Tally.objects.create(channel="online", dimension="country", value="MA", slot=7, count=9000)
    Tally.objects.create(channel="online", dimension="country", value="IS", slot=7, count=50)
    many(100, "gmail.com", country="IS", confirmed=0.7)
    many(60, "yahoo.com", country="MA", confirmed=0.7)
    (sign,) = seen()["country"]
    assert (sign.country, sign.count, sign.rule["country"]) == ("IS", 100, "IS")


def test_nothing_is_done_by_itself():
    many(70, "catch-all.example", confirmed=0.9)
    before = tallies.read_counter()
    assert seen()["domain"]
    assert not Signature.objects.filter(state="held").exists()
    assert tallies.read_counter() == before


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_front_page_shows_it_and_leads_to_a_filled_form(client, language):
    many(60, "catch-all.example", confirmed=0.9)
    client.force_login(make_coordinator("administrator", "moderator"))
    page = client.get("/admin/", headers={"Accept-Language": language}).content.decode()
    assert "catch-all.example" in page
    with translation.override(language):
        assert str(signs.Kind.DOMAIN.label) in page
    (sign,) = seen()["domain"]
    form = client.get(f"/admin/petition/sweep/new/?{sign.query}").content.decode()
    assert 'value="catch-all.example"' in form
    assert '<option value="repeated" selected>' in form


def test_who_may_not_see_signatures_sees_no_sign(client):
    many(60, "catch-all.example", confirmed=0.9)
    client.force_login(make_coordinator("editor"))
    assert "catch-all.example" not in client.get("/admin/").content.decode()


def test_one_name_many_times_is_seen():
    many(60, "gmail.com", confirmed=0.7)
    many(40, "hotmail.fr", confirmed=0.7, name="Same Name")
    (sign,) = seen()["pattern"]
    assert (sign.count, sign.of) == (40, 100)
    assert sign.query == ""


@pytest.mark.parametrize("local", ["k{}.7{}", "{}x{}", "u{}n{}m"])
def test_addresses_of_one_pattern_are_seen(local):
    many(60, "gmail.com", confirmed=0.7)
    for n in range(40):
        name = name_of(random.Random(n))  # noqa: S311
        make_signature(f"{local.format(n, n)}@hotmail.com", name=name)
    assert seen()["pattern"][0].count == 40


@pytest.mark.parametrize("local", ["ali{}", "a.benali{}", "maria_lopez", "x-y.z{}", "1990{}"])
def test_addresses_as_people_have_them_are_no_pattern(local):
    for n in range(60):
        make_signature(f"{local.format(n)}@d{n}.example", name=name_of(random.Random(n)))  # noqa: S311
    assert "pattern" not in seen()


def test_many_from_a_few_networks_are_seen_and_no_network_is_kept(client, settings):
    settings.TRUSTED_PROXIES = 1
    for n in range(160):
        fields = filled_form(email=f"p{n}@gmail.com", name=name_of(random.Random(n)))  # noqa: S311
        network = f"198.51.100.{n % 2}"
        client.post("/en/sign/", fields, headers={"X-Forwarded-For": network})
    (sign,) = seen()["network"]
    assert (sign.count, sign.of) == (160 - 2 * abuse.BUSY_NETWORK, 160)
    assert "198.51.100" not in repr(locmem._caches)


def test_a_day_on_which_everybody_comes_from_elsewhere_shows_no_network(client, settings):
    settings.TRUSTED_PROXIES = 1
    for n in range(120):
        fields = filled_form(email=f"p{n}@gmail.com", name=name_of(random.Random(n)))  # noqa: S311
        client.post("/en/sign/", fields, headers={"X-Forwarded-For": f"198.51.{n}.7"})
    assert "network" not in seen()


def usual(dimension: str, **values: int) -> None:
    """What is usual: so many of each."""
    for value, count in values.items():
        Tally.objects.create(
            channel="online", dimension=dimension, value=value.replace("_", "-"), slot=0,
            count=count, changed_at=timezone.now(),
        )  # fmt: skip


def test_a_language_far_above_its_share_is_seen_with_a_rule_that_finds_it():
    usual("language", ar=9_000, en=300)
    many(120, "gmail.com", confirmed=0.7, language="en")
    many(40, "hotmail.fr", confirmed=0.7, language="ar")
    (sign,) = seen()["language"]
    assert (sign.count, sign.of) == (120, 160)
    assert signs_sweep(sign.rule).language == "en"


@pytest.mark.parametrize(("a_week", "is_seen"), [(1_500, True), (40_000, False), (500, False)])
def test_an_hour_far_above_the_week_before_is_seen(a_week, is_seen):
    for n in range(1, 8):
        day = (timezone.now() - timedelta(hours=1, days=n)).date().isoformat()
        usual("day", **{day.replace("-", "_"): a_week})
    many(650, "gmail.com", confirmed=0.7)
    assert ("hour" in seen()) is is_seen


def test_a_domain_whose_e_mails_come_back_is_seen_with_its_rule():
    many(40, "made-up.example")
    many(40, "firm.example", confirmed=0.8)
    many(40, "gmail.com")
    for domain, refused in (("made-up.example", 40), ("firm.example", 10), ("gmail.com", 40)):
        index = Signature.domain_index(f"a@{domain}")
        for n, row in enumerate(Signature.objects.filter(domain=index)):
            state = "refused" if n < refused else "sent"
            Letter.objects.create(signature=row, kind="confirm", language="en", state=state,
                                  ended_at=timezone.now())  # fmt: skip
    (sign,) = seen()["bounced"]
    assert (sign.count, sign.of, sign.domain) == (40, 40, "made-up.example")


# --- Mail domains that take no mail -------------------------------------------------------------


@pytest.mark.once
def test_a_mail_domain_that_takes_no_mail_is_a_sign_and_one_that_does_is_none(
    zone, monkeypatch, settings
):
    settings.ASK_NAME_SERVERS = True
    monkeypatch.setattr(dns.resolver, "default_resolver", zone)
    zone.records |= {
        ("nobody.example.", "MX"): "0 .",
        ("with-mx.example.", "MX"): "10 mail.with-mx.example.",
        ("address.example.", "A"): "192.0.2.1",
    }
    for domain in ("nobody.example", "with-mx.example"):
        many(signs.FEW, domain)
    (sign,) = seen()["no mail"]
    assert (sign.domain, sign.count, sign.rule["reason"]) == ("nobody.example", 30, "repeated")
    zone.records.clear()
    assert len(seen()["no mail"]) == 1  # What was said holds for an hour.
    caches["process"].clear()
    assert {sign.domain for sign in seen()["no mail"]} == {"nobody.example", "with-mx.example"}
    zone.records[("with-mx.example.", "A")] = "192.0.2.1"
    caches["process"].clear()
    assert [sign.domain for sign in seen()["no mail"]] == ["nobody.example"]


@pytest.mark.once
def test_name_servers_that_do_not_answer_are_no_sign_and_are_waited_for_once(monkeypatch, settings):
    settings.ASK_NAME_SERVERS = True
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(0)
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], silent.getsockname()[1]
        monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
        for domain in ("one.example", "two.example"):
            many(signs.FEW, domain)
        assert "no mail" not in seen()
        asked = set()
        with suppress(BlockingIOError):
            while True:
                asked.add(dns.message.from_wire(silent.recv(4096)).question[0].name.to_text())
        assert len(asked) == 1
