"""Builds data for tests. Its people are fictional: the names say so."""

import re
from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.utils import timezone
from django_otp.oath import totp

from petition import lifecycle, newsroom, tallies, two_factor
from petition.models import Authenticator, ConsentText, Mailing, News, NewsText, Signature

State = Signature.State
PASSWORD = "a-password-of-a-test-71"


def make_signature(email: str = "someone@example.org", state: str = State.PENDING, **fields):
    """A stored signature, brought to `state` by the lifecycle so that the counters know of it."""
    details = {
        "name": "Sample Signer",
        "email": email,
        "mailbox": Signature.mailbox_indexes(email)[0],
        "domain": Signature.domain_index(email),
        "country": "MA",
        "language": "ar",
        "consent": ConsentText.objects.filter(language="ar").first(),
    }
    signature = Signature.objects.create(**(details | fields))
    tallies.add({tallies.PENDING: 1})
    if state == State.WITHDRAWN:
        assert lifecycle.move(signature, state, **Signature.ERASED)
    elif state != State.PENDING:
        assert lifecycle.move(signature, state, confirmed_at=timezone.now())
    return signature


def make_story(slug: str = "first-report", *languages: str, **fields) -> News:
    """A story about nothing real, public since a minute ago unless `fields` say otherwise."""
    since = timezone.now() - timedelta(minutes=1)
    details = {"publish_at": since, "created_by": "sample", "changed_at": since}
    story = News.objects.create(slug=slug, **(details | fields))
    for language in languages or ("ar", "fr", "en"):
        NewsText.objects.create(
            news=story,
            language=language,
            title=f"Sample title {language}",
            summary=f"Sample summary {language}",
            body=f"## Sample heading\n\nSample text {language} 2026",
            changed_by="sample",
            changed_at=since,
        )
    return story


def make_mailing(story: News | None = None) -> Mailing:
    """A mailing of a story to those who want news now."""
    return newsroom.send(story or make_story(), make_coordinator(username="sender"))


def make_coordinator(*roles: str, username: str = "coordinator", **fields) -> User:
    """An account of the desk with some of the roles that migrations lay."""
    user = User.objects.create_user(username, password=PASSWORD, **({"is_staff": True} | fields))
    user.groups.set(Group.objects.get(name=role) for role in roles)
    return user


def filled_form(**fields) -> dict:
    """What a browser posts from the sign form."""
    return {
        "name": "Sample Signer",
        "email": "someone@example.org",
        "country": "MA",
        "consent": "on",
    } | fields


def link(kind: str, mail) -> str:
    """The path of the confirm, withdraw or unsubscribe link in a letter."""
    text = mail.body if hasattr(mail, "body") else mail.get_body(("plain",)).get_content()
    return re.search(rf"/(ar|fr|en)/{kind}/\S+", text).group()


def code(mail) -> str:
    """The code in a letter."""
    text = mail.body if hasattr(mail, "body") else mail.get_body(("plain",)).get_content()
    return re.search(r"^([0-9A-Z]{8})\r?$", text, re.MULTILINE).group(1)


def make_authenticator(user, **fields) -> Authenticator:
    secret = two_factor.new_secret()
    recovery = "111122223333 444455556666"
    return Authenticator.objects.create(
        user=user, **({"secret": secret, "recovery": recovery} | fields)
    )


def app_code(secret: str, steps: int = 0) -> str:
    """What an authenticator app shows, now or some steps of 30 seconds from now."""
    return f"{totp(bytes.fromhex(secret), t0=-30 * steps):06}"


def prove(client, device: Authenticator, steps: int = 0):
    return client.post("/admin/two-factor/", {"code": app_code(device.secret, steps)})


def verified(client, user) -> Authenticator:
    """Signs in to the end: password and second factor."""
    device = Authenticator.objects.filter(user=user).first() or make_authenticator(user)
    client.force_login(user)
    assert prove(client, device).status_code == 302
    return device
