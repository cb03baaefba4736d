"""What coordinators know of a mail domain changes what the desk warns of, until its last day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from petition.models import Entry, MailDomain, Signature
from petition.signing import signs
from tests.making import make_coordinator, make_signature

pytestmark = pytest.mark.django_db
ADD = "/admin/petition/maildomain/add/"


def day(days: int):
    return timezone.now().date() + timedelta(days=days)


def seen() -> set[tuple[str, str]]:
    return {(sign.kind.value, sign.domain) for sign in signs.look(timezone.now())}


def signed(domain: str, how_many: int) -> None:
    """Within the last hour, each confirmed after a time of its own."""
    for n in range(how_many):
        at = timezone.now() - timedelta(minutes=20, seconds=n)
        name = "".join(chr(97 + (n * k) % 26) for k in (3, 5, 7, 11))
        row = make_signature(f"p{n}@{domain}", signed_at=at, name=name)
        confirmed = at + timedelta(seconds=10 + 17 * n)
        Signature.objects.filter(pk=row.pk).update(state="counted", confirmed_at=confirmed)


def test_an_added_domain_is_seen_as_throw_away_up_to_its_last_day():
    signed("new-fakes.example", 2)
    assert seen() == set()
    row = MailDomain.objects.create(domain="new-fakes.example", judged="throw-away", until=day(0))
    assert seen() == {("disposable", "new-fakes.example")}
    MailDomain.objects.filter(pk=row.pk).update(until=day(-1))
    assert seen() == set()


def test_an_exception_is_no_throw_away_domain_up_to_its_last_day():
    signed("mailinator.com", 2)
    assert seen() == {("disposable", "mailinator.com")}
    row = MailDomain.objects.create(domain="mailinator.com", judged="honest", until=day(1))
    assert seen() == set()
    MailDomain.objects.filter(pk=row.pk).update(until=day(-1))
    assert seen() == {("disposable", "mailinator.com")}


def test_a_university_that_signs_in_an_hour_is_no_warning_once_it_is_known():
    signed("university.example", 60)
    assert ("domain", "university.example") in seen()
    MailDomain.objects.create(domain="university.example", judged="honest", until=day(7))
    assert seen() == set()


def test_a_moderator_adds_one_by_an_address_and_the_audit_says_so(client):
    client.force_login(make_coordinator("moderator"))
    typed = {"domain": " p@FAKES.example ", "judged": "throw-away", "until": day(30), "note": "x"}
    assert client.post(ADD, typed).status_code == 302
    row = MailDomain.objects.get()
    assert (row.domain, row.until) == ("fakes.example", day(30))
    entry = Entry.objects.get(act="domain")
    assert (entry.subject, entry.detail["domain"]) == (f"maildomain {row.pk}", "fakes.example")
    assert client.post(f"/admin/petition/maildomain/{row.pk}/change/",
                       typed | {"until": day(-1)}).status_code == 302  # fmt: skip
    assert Entry.objects.filter(act="domain").count() == 2
    assert client.post(f"/admin/petition/maildomain/{row.pk}/delete/").status_code == 403
    signed("fakes.example", 2)
    assert seen() == set()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"domain": "gmail.com"}, "This is a large provider"),
        ({"domain": "no domain"}, "Enter a mail domain, such as example.org."),
        ({"until": "2199-01-01"}, "Choose a day within a year"),
        ({"judged": "x"}, "x"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_what_was_typed_is_kept(client, wrong, said):
    client.force_login(make_coordinator("moderator"))
    typed = {"domain": "kept.example", "judged": "honest", "until": day(30), "note": "my note"}
    answer = client.post(ADD, typed | wrong, headers={"Accept-Language": "en"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert said in page
    assert "my note" in page
    assert not MailDomain.objects.exists()
