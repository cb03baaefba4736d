"""Mail services report by webhooks: django-anymail reads them, our own token names the letter.

The events are shortened from each service's documentation; the addresses are made up.
"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys

import pytest
from django.conf import settings as site

from campaign_site import environment
from petition.letters import bounces, compose, envelopes, services
from petition.models import Letter, Signature
from tests.making import make_signature

pytestmark = pytest.mark.django_db

SECRET = "service:a-long-secret-of-this-test-alone"
ADDRESS = "/mail/reports"
KEY = "signing-key-of-this-test"
WHO = "nobody@elsewhere.example"


def brevo(kind: str, mark: str) -> dict:
    event = {"hard": "hard_bounce", "soft": "soft_bounce", "complaint": "spam"}[kind]
    return {"event": event, "email": WHO, "X-Mailin-custom": json.dumps({"letter": mark})}


def mailgun(kind: str, mark: str) -> dict:
    event = {"event": "complained" if kind == "complaint" else "failed", "recipient": WHO,
             "timestamp": 1, "user-variables": {"letter": mark}}  # fmt: skip
    if kind != "complaint":
        code = {"hard": "5.1.1 no such user", "soft": "5.2.2 mailbox full"}[kind]
        event |= {"severity": "permanent", "reason": "bounce", "delivery-status": {"message": code}}
    signed = hmac.new(KEY.encode(), b"1767225600token", hashlib.sha256).hexdigest()
    return {"signature": {"timestamp": "1767225600", "token": "token", "signature": signed},
            "event-data": event}  # fmt: skip


def mailjet(kind: str, mark: str) -> list:
    event = {"event": "spam" if kind == "complaint" else "bounce", "email": WHO, "CustomID": mark}
    if kind != "complaint":
        hard = kind == "hard"
        event |= {"hard_bounce": hard, "error": "user unknown" if hard else "quota exceeded"}
    return [event]


def postmark(kind: str, mark: str) -> dict:
    told = {"hard": "HardBounce", "soft": "SoftBounce", "complaint": "SpamComplaint"}[kind]
    record = "SpamComplaint" if kind == "complaint" else "Bounce"
    return {"RecordType": record, "Type": told, "Email": WHO, "Metadata": {"letter": mark},
            "BouncedAt": "2026-01-01T00:00:00Z"}  # fmt: skip


def sparkpost(kind: str, mark: str) -> list:
    event = {"type": "spam_complaint" if kind == "complaint" else "bounce", "rcpt_to": WHO,
             "rcpt_meta": {"letter": mark}, "timestamp": "1767225600"}  # fmt: skip
    if kind != "complaint":
        hard = kind == "hard"
        event |= {"bounce_class": "10" if hard else "22",
                  "raw_reason": "550 5.1.1 unknown" if hard else "552 5.2.2 full"}  # fmt: skip
    return [{"msys": {"message_event": event}}]


MADE = {
    "brevo": brevo, "mailgun": mailgun, "mailjet": mailjet,
    "postmark": postmark, "sparkpost": sparkpost,
}  # fmt: skip


@pytest.fixture(params=sorted(MADE))
def service(request, settings):
    settings.MAIL_SERVICE = request.param
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": KEY}
    services.webhook.cache_clear()
    yield request.param
    services.webhook.cache_clear()


@pytest.fixture
def letter():
    return Letter.objects.create(
        signature=make_signature(WHO), kind="confirm", language="en", state="sent", tries=1
    )


def tell(client, events, secret=SECRET):
    headers = {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    return client.post(ADDRESS, json.dumps(events), "application/json", headers=headers)


@pytest.mark.parametrize(
    ("kind", "state"), [("hard", "refused"), ("soft", "due"), ("complaint", "refused")]
)
def test_each_service_is_understood_and_the_same_event_twice_does_nothing_more(
    client, service, letter, kind, state
):
    mark = envelopes.token(letter.pk, 1)
    for _ in range(2):
        assert tell(client, MADE[service](kind, mark)).status_code == 200
        letter.refresh_from_db()
        assert (letter.state, letter.tries) == (state, 1)
    assert (letter.reply == "complaint") == (kind == "complaint")


def test_a_letter_carries_the_token_where_the_service_gives_it_back(service, letter):
    letter.tries = 0
    mail = compose.mail(letter).message()
    name, value = envelopes.OF_SERVICE[service]
    assert mail[name] == value.replace("{}", envelopes.token(letter.pk, 1))
    assert envelopes.found_in([mail[name]]) == (letter.pk, 1)


@pytest.mark.parametrize("mark", ["f" * 32, "", "1"])
def test_an_event_that_names_no_letter_of_ours_does_nothing(client, service, letter, mark):
    assert tell(client, MADE[service]("hard", mark)).status_code == 200
    letter.refresh_from_db()
    assert letter.state == "sent"


def test_whoever_does_not_know_the_secret_is_refused(client, service, letter):
    events = MADE[service]("hard", envelopes.token(letter.pk, 1))
    assert tell(client, events, "service:another").status_code == 400
    assert client.post(ADDRESS, json.dumps(events), "application/json").status_code in (400, 401)
    letter.refresh_from_db()
    assert letter.state == "sent"


@pytest.mark.parametrize("body", ["", "{", "[]", "[1]", "{}", '{"a": 1}', "null", '"x"', "[[]]"])
def test_torn_events_are_refused_and_nothing_falls(client, service, body):
    headers = {"Authorization": f"Basic {base64.b64encode(SECRET.encode()).decode()}"}
    response = client.post(ADDRESS, body, "application/json", headers=headers)
    assert response.status_code in (200, 400)


def test_what_is_no_end_of_a_letter_changes_nothing(client, settings, letter):
    settings.MAIL_SERVICE = "brevo"
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    services.webhook.cache_clear()
    custom = json.dumps({"letter": envelopes.token(letter.pk, 1)})
    for name in ("request", "deferred", "delivered", "opened", "click"):
        told = {"event": name, "email": WHO, "X-Mailin-custom": custom}
        assert tell(client, told).status_code == 200
        letter.refresh_from_db()
        assert letter.state == "sent"
    # Refused as spam by the receiver: that is about us, not a complaint of its owner.
    told = {"event": "hard_bounce", "email": WHO, "X-Mailin-custom": custom,
            "reason": "550 5.7.1 looks like spam"}  # fmt: skip
    assert tell(client, told).status_code == 200
    letter.refresh_from_db()
    assert letter.state == "due"
    services.webhook.cache_clear()


def test_without_a_service_the_address_does_not_exist(client):
    assert site.MAIL_SERVICE == ""
    assert client.post(ADDRESS, "[]", "application/json").status_code == 404


@pytest.mark.once
def test_a_site_without_a_service_does_not_load_what_reads_them():
    code = "import sys, petition.urls; print({'requests', 'anymail'} & set(sys.modules))"
    given = os.environ | {"DEBUG": "1", "MAIL_SERVICE": ""}
    given["DJANGO_SETTINGS_MODULE"] = "campaign_site.settings"
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
    done = subprocess.run(command, env=given, cwd=site.BASE_DIR, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_every_place_knows_the_same_services():
    assert set(services.VIEWS) == set(envelopes.OF_SERVICE) == set(environment.MAIL_SERVICES)
    assert set(MADE) == set(services.VIEWS)
    assert bounces.Kind.NONE  # An event that is none of these.
    assert Signature.objects.count() == 0
