"""Turns an e-mail address as typed into its canonical mailbox: one mailbox, one signature.

What each provider ignores in a local part is data, from the providers' own help pages.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from email_validator import EmailNotValidError, ValidatedEmail, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from petition.ground import typed

# What stands around an address that was copied from a mail, a page or a sentence.
WITH_NAME = re.compile(r"[^<>]*<\s*([^<>]+@[^<>]+)>\W*")
MAILTO = re.compile(r"mailto:\s*", re.IGNORECASE)
AROUND = ' \t"“”„«»‘’()[]<>'
BEHIND = f"{AROUND}.,;:!?/،؛؟。'"
# A part before the @ in which nothing can be wrong, as nearly everybody's is.
PLAIN = re.compile(r"(?=.{1,64}$)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
PLAIN_DOMAIN = re.compile(r"(?!.*xn--)[a-z0-9.-]{1,100}", re.IGNORECASE)
SPACED = re.compile(r"\s*([@.])\s*")  # Keyboards put a space behind a full stop.


class Invalid(ValueError):
    """The text is no address that a letter can be sent to."""


class Unicode(Invalid):
    """The part before the @ is not in Latin letters, and our mail server does not carry that."""


@dataclass(frozen=True)
class Provider:
    """Domains whose addresses share mailboxes, the first being the canonical one. `ignored` are
    characters without meaning in a local part."""

    domains: tuple[str, ...]
    ignored: str = ""


PROVIDERS = (
    Provider(("gmail.com", "googlemail.com"), ignored="."),
    Provider(("icloud.com", "me.com", "mac.com")),
    Provider(("proton.me", "protonmail.com", "protonmail.ch", "pm.me"), ignored=".-_"),
    Provider(("fastmail.com", "fastmail.fm")),
    Provider(("yandex.ru", "yandex.com", "ya.ru", "yandex.by", "yandex.kz")),
)
# What starts a tag that its owner chooses freely (RFC 5233). At any domain: else one mailbox could
# sign without end. Whose provider means something else by it can write to CONTACT_EMAIL.
TAG = "+"
# Where tags were dropped from the beginning.
DROPPED_TAGS = frozenset(
    """gmail.com googlemail.com icloud.com me.com mac.com proton.me protonmail.com
    protonmail.ch pm.me fastmail.com fastmail.fm yandex.ru yandex.com ya.ru yandex.by
    yandex.kz outlook.com outlook.fr outlook.es hotmail.com hotmail.fr hotmail.es live.com
    live.fr msn.com zoho.com mailbox.org posteo.net posteo.de""".split()  # noqa: SIM905
)
BY_DOMAIN = {domain: provider for provider in PROVIDERS for domain in provider.domains}


def parse(text: str, *, carries_unicode: bool = False) -> str:
    """The address that a text evidently means, as it is to be written on a letter. Raises Invalid,
    or Unicode where only a mail server with SMTPUTF8 (RFC 6531) would carry it and ours does not.

    Asks no name server: signing must not wait for somebody else's network, and the letter is the
    proof. An encoded word (RFC 2047) is refused: it would be another mailbox once a mail library
    decodes it.
    """
    address = _meant(text)
    if "=?" in address:
        raise Invalid
    local, _, name = address.partition("@")
    if PLAIN.fullmatch(local) and PLAIN_DOMAIN.fullmatch(name):
        return f"{_as_written(local)}@{_ascii_domain(name)}"
    found = _validated(address)
    if not found.local_part.isascii() and not carries_unicode:
        raise Unicode
    return f"{found.local_part}@{found.ascii_domain}"


def _validated(address: str) -> ValidatedEmail:
    try:
        return validate_email(
            address, strict=True, check_deliverability=False, test_environment=True
        )
    except EmailNotValidError as error:
        raise Invalid from error


@lru_cache(4096)
def _ascii_domain(name: str) -> str:
    """Judged once: thousands sign from one domain."""
    return _validated(f"a@{name}").ascii_domain


def _as_written(local: str) -> str:
    """As the library gives it: offices are in small letters (RFC 2142)."""
    return local.lower() if local.lower() in CASE_INSENSITIVE_MAILBOX_NAMES else local


def _meant(text: str) -> str:
    """The text without what programs and keyboards put around an address and into it."""
    if any(ord(character) < 32 for character in text.strip()):
        raise Invalid
    address = typed.plain(text)
    if found := WITH_NAME.fullmatch(address):
        address = found[1]
    if MAILTO.match(address):
        address = unquote(MAILTO.sub("", address).partition("?")[0])
    address = SPACED.sub(r"\1", address.strip(AROUND).rstrip(BEHIND))
    local, at, name = address.partition("@")
    if at:
        name = re.sub(r"[.,،。]+", ".", name.lstrip("@."))
    return f"{local}{at}{name}"


def named_domain(text: str) -> str:
    """The mail domain that a text such as "@Example.org" names, as `domain` gives it. Raises
    Invalid."""
    return domain(parse(f"name@{text.strip().rpartition('@')[2]}"))


def domain(address: str) -> str:
    """The domain of a parsed address, in lower case; a provider's first where it has several."""
    name = address.rpartition("@")[2].lower()
    return BY_DOMAIN[name].domains[0] if name in BY_DOMAIN else name


def canonical(address: str) -> str:
    """The mailbox behind a parsed address: equal for every spelling that reaches the same one."""
    local, _, name = address.lower().rpartition("@")
    bare = local.partition(TAG)[0]
    if provider := BY_DOMAIN.get(name):
        bare = bare.translate({ord(character): None for character in provider.ignored})
    # An address made of ignored characters alone reaches nobody, but must not equal another.
    return f"{bare or local}@{domain(address)}"


def with_tag(address: str) -> str | None:
    """The mailbox as it was told apart before tags were dropped at every domain; None where that
    makes no difference. For signatures of then, until `rotate_keys` has been run."""
    local, _, name = address.lower().rpartition("@")
    return f"{local}@{domain(address)}" if TAG in local and name not in DROPPED_TAGS else None
