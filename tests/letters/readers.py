"""Readers of the news, and what their letters say."""

from petition.ground import links
from petition.models import Mailing, Signature
from tests.making import State, make_signature

FAST = 1_000_000.0  # Letters a second.


def make_reader(email: str = "someone@example.org", state: str = State.COUNTED, **fields):
    return make_signature(email, state, **({"updates": True, "language": "en"} | fields))


def again(rows=Mailing):
    """As it is in the database now."""
    return rows.objects.get()


def text(mail) -> str:
    return mail.get_body(("plain",)).get_content()


def token(signature: Signature) -> str:
    return links.token(links.UNSUBSCRIBE, signature.reference)
