"""`manage.py check_mail`: a letter by a real conversation, DNS by a real name server."""

import dns.resolver
import pytest
from django.core.management import CommandError, call_command

from petition.letters import dns_records

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def wrong(zone, selector="key") -> list[str]:
    return [
        line.split(":")[0]
        for line in dns_records.missing("no-reply@site.example", "b@bounce.example", selector, zone)
    ]


def test_nothing_is_said_where_all_is_there(zone):
    assert wrong(zone) == []


@pytest.mark.parametrize(
    ("record", "value", "said"),
    [
        (("bounce.example.", "TXT"), None, "SPF"),
        (("bounce.example.", "TXT"), '"v=spf1 +all"', "SPF"),
        (("bounce.example.", "TXT"), '"something else"', "SPF"),
        (("key._domainkey.site.example.", "TXT"), None, "DKIM"),
        (("_dmarc.site.example.", "TXT"), None, "DMARC"),
        (("_dmarc.site.example.", "TXT"), '"v=DMARC1; p=none"', "DMARC"),
        (("bounce.example.", "MX"), None, "MX"),
    ],
)
def test_what_is_missing_or_wrong_is_named(zone, record, value, said):
    zone.records[record] = value
    assert wrong(zone) == [said]


def test_without_a_selector_it_says_that_the_key_was_not_looked_at(zone):
    assert wrong(zone, "") == ["DKIM"]


def test_one_letter_is_sent_and_the_answer_said(smtp, zone, settings, monkeypatch, capsys):
    settings.DEFAULT_FROM_EMAIL, settings.BOUNCE_ADDRESS = (
        "no-reply@site.example",
        "b@bounce.example",
    )
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: zone)
    call_command("check_mail", "operator@example.org", selector="key")
    assert smtp.recipients == ["operator@example.org"]
    assert "SPF, DKIM and DMARC are there." in capsys.readouterr().out
    zone.records.clear()
    with pytest.raises(CommandError, match="4 things to mend"):
        call_command("check_mail", "operator@example.org", selector="key")


def test_what_is_no_address_is_answered_in_one_line():
    with pytest.raises(CommandError, match="Write one e-mail address"):
        call_command("check_mail", "nobody")


def test_a_server_that_does_not_take_it_is_named_without_the_address(smtp):
    smtp.replies["operator@example.org"] = "550 5.7.1 operator@example.org is not wanted"
    with pytest.raises(CommandError) as said:
        call_command("check_mail", "operator@example.org")
    assert "operator" not in str(said.value)
