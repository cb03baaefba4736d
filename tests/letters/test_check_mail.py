"""`manage.py check_mail`: a letter by a real conversation, DNS by a real name server."""

import socket
import threading

import dns.message
import dns.resolver
import dns.rrset
import pytest
from django.core.management import CommandError, call_command

from petition.letters import dns_records

pytestmark = [pytest.mark.django_db, pytest.mark.once]
GOOD = {
    ("bounce.example.", "TXT"): '"v=spf1 ip4:192.0.2.1 -all"',
    ("bounce.example.", "MX"): "10 mx.bounce.example.",
    ("key._domainkey.site.example.", "TXT"): '"v=DKIM1; p=MIIB"',
    ("_dmarc.site.example.", "TXT"): '"v=DMARC1; p=reject"',
}


@pytest.fixture
def zone():
    """A name server on loopback, and a resolver that asks it alone; `records` is what it says."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.getsockname()[1]
    resolver.records = dict(GOOD)

    def serve():
        while (received := server.recvfrom(4096)) and received[0]:
            data, whence = received
            question = dns.message.from_wire(data)
            answer = dns.message.make_response(question)
            asked = question.question[0]
            kind = dns.rdatatype.to_text(asked.rdtype)
            if found := resolver.records.get((asked.name.to_text(), kind)):
                answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, found))
            server.sendto(answer.to_wire(), whence)

    serving = threading.Thread(target=serve)
    serving.start()
    yield resolver
    server.sendto(b"", server.getsockname())  # An empty question ends it, after all the others.
    serving.join()
    server.close()


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
