"""Builds data for tests. Its people are fictional: the names say so."""

import re

from django.contrib.auth.models import Group, User
from django.utils import timezone

from petition import lifecycle, tallies
from petition.models import ConsentText, Signature

State = Signature.State


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


def make_coordinator(*roles: str, username: str = "coordinator") -> User:
    """An account of the desk with some of the roles that migrations lay."""
    user = User.objects.create_user(username, password="long and fictional", is_staff=True)
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
    """The path of the confirm or withdraw link in a letter."""
    text = mail.body if hasattr(mail, "body") else mail.get_body(("plain",)).get_content()
    return re.search(rf"/(ar|fr|en)/{kind}/\S+", text).group()


def code(mail) -> str:
    """The code in a letter."""
    text = mail.body if hasattr(mail, "body") else mail.get_body(("plain",)).get_content()
    return re.search(r"^([0-9A-Z]{8})\r?$", text, re.MULTILINE).group(1)
