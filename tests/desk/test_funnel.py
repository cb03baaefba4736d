"""From signing to confirming, by day and by provider; and the warning where fewer confirm."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from petition.desk import funnel
from petition.ground import replica
from petition.letters import owing
from petition.models import Letter, Signature
from tests.making import State, make_coordinator, make_signature

pytestmark = pytest.mark.django_db
PAGE = "/admin/petition/signature/funnel/"


def signed(domain: str, how_many: int, *, confirmed: int, ago: timedelta, letter="sent"):
    """Signatures of one provider, the first of them confirmed after 3 minutes."""
    at = timezone.now() - ago
    for n in range(how_many):
        row = make_signature(f"p{n}.{ago.days}@{domain}", signed_at=at)
        owing.owe(row, "confirm", "ar")
        if n < confirmed:
            Signature.objects.filter(pk=row.pk).update(
                state=State.COUNTED, confirmed_at=at + timedelta(minutes=3)
            )
    Letter.objects.filter(state="due").update(state=letter, ended_at=at)


def squeezed(page: str) -> str:
    return re.sub(r"\s*\n\s*", "", page)


def rows(page: str) -> dict[str, list[str]]:
    found = {}
    for row in re.findall(r"<tr><th scope=.row.*?</tr>", squeezed(page)):
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
        head, *rest = (re.sub(r"<[^>]+>", "", cell).strip() for cell in cells)
        found[head] = rest
    return found


def test_each_step_is_counted_by_day_and_by_provider(client, noon):
    client.force_login(make_coordinator("moderator"))
    signed("gmail.com", 12, confirmed=9, ago=timedelta(days=1))
    signed("yahoo.fr", 10, confirmed=1, ago=timedelta(days=1), letter="refused")
    signed("hotmail.fr", 2, confirmed=1, ago=timedelta(hours=2))
    signed("firm.example", 3, confirmed=0, ago=timedelta(hours=2))
    signed("old.example", 1, confirmed=0, ago=timedelta(days=20))
    found = rows(client.get(PAGE, headers={"Accept-Language": "en"}).content.decode())
    yesterday = f"{timezone.now() - timedelta(days=1):%Y-%m-%d}"
    assert found == {
        f"{timezone.now():%Y-%m-%d}": ["5", "5", "0", "1", "20%", "3"],
        yesterday: ["22", "12", "10", "10", "45.4%", "3"],
        "gmail.com": ["12", "12", "0", "9", "75%", "3"],
        "yahoo.fr": ["10", "0", "10", "1", "10%", "3"],
        "all others": ["5", "5", "0", "1", "20%", "3"],
    }


def test_a_second_letter_to_one_signature_counts_once(client):
    client.force_login(make_coordinator("moderator"))
    row = make_signature("a@gmail.com")
    for _again in range(2):
        Letter.objects.create(signature=row, kind="confirm", language="ar", state="sent")
    page = client.get(PAGE, headers={"Accept-Language": "en"}).content.decode()
    assert rows(page)["all others"] == ["1", "1", "0", "0", "0%", "–"]


def test_its_help_is_that_of_the_front_page(client):
    client.force_login(make_coordinator("moderator"))
    page = client.get(PAGE).content.decode()
    assert 'href="/admin/guide/front-page/"' in page
    assert 'href="/admin/guide/hold/"' not in page


def test_a_site_without_signatures_says_so(client):
    client.force_login(make_coordinator("moderator"))
    page = client.get(PAGE, headers={"Accept-Language": "en"}).content.decode()
    assert page.count("No signature yet.") == 2


def test_a_provider_where_fewer_confirm_is_named_on_the_front_page(client):
    client.force_login(make_coordinator("moderator"))
    signed("gmail.com", 100, confirmed=80, ago=timedelta(days=3))
    signed("hotmail.fr", 100, confirmed=80, ago=timedelta(days=4))
    signed("gmail.com", 30, confirmed=3, ago=timedelta(hours=5))
    signed("hotmail.fr", 30, confirmed=20, ago=timedelta(hours=6))
    page = client.get("/admin/", headers={"Accept-Language": "en"}).content.decode()
    notice = re.sub(r"<[^>]+>", "", page.partition('class="desk-notice">')[2].partition("</p>")[0])
    assert notice.startswith(
        "Fewer people confirm at gmail.com: 10% on the last day, 80% in the week before."
    )
    assert "hotmail.fr" not in page


def test_few_of_a_provider_are_no_warning(client):
    client.force_login(make_coordinator("moderator"))
    signed("gmail.com", 100, confirmed=80, ago=timedelta(days=3))
    signed("gmail.com", 10, confirmed=0, ago=timedelta(hours=5))
    assert "desk-notice" not in client.get("/admin/").content.decode()


def test_it_is_read_from_where_long_readings_come_from(client, monkeypatch):
    client.force_login(make_coordinator("moderator"))
    asked = []
    monkeypatch.setattr(replica, "source", lambda: asked.append(1) or replica.MAIN)
    assert client.get(PAGE).status_code == 200
    assert asked


def test_the_latest_tell_the_share_however_many_have_signed(client, monkeypatch):
    client.force_login(make_coordinator("moderator"))
    monkeypatch.setattr(funnel, "ROWS_AT_MOST", 100)
    signed("gmail.com", 50, confirmed=0, ago=timedelta(days=6))
    signed("gmail.com", 100, confirmed=80, ago=timedelta(days=3))
    signed("gmail.com", 40, confirmed=2, ago=timedelta(hours=5))
    (fall,) = funnel.falls()
    assert (fall.asked_before, fall.confirmed_before, fall.asked) == (100, 80, 40)
