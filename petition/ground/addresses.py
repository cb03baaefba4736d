"""Turns an e-mail address as typed into its canonical mailbox: one mailbox, one signature.

What each provider ignores in a local part is data, from the providers' own help pages.
"""

from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email


class Invalid(ValueError):
    """The text is no address that a letter can be sent to."""


@dataclass(frozen=True)
class Provider:
    """Domains whose addresses share mailboxes, the first being the canonical one.

    `ignored` are characters without meaning in a local part, `tag` the one that starts a free tag.
    """

    domains: tuple[str, ...]
    ignored: str = ""
    tag: str = "+"


PROVIDERS = (
    Provider(("gmail.com", "googlemail.com"), ignored="."),
    Provider(("icloud.com", "me.com", "mac.com")),
    Provider(("proton.me", "protonmail.com", "protonmail.ch", "pm.me"), ignored=".-_"),
    Provider(("fastmail.com", "fastmail.fm")),
    Provider(("yandex.ru", "yandex.com", "ya.ru", "yandex.by", "yandex.kz")),
    # Each of these is a mailbox of its own: the same name at hotmail.com is somebody else.
    *(
        Provider((domain,))
        for domain in (
            "outlook.com",
            "outlook.fr",
            "outlook.es",
            "hotmail.com",
            "hotmail.fr",
            "hotmail.es",
            "live.com",
            "live.fr",
            "msn.com",
            "zoho.com",
            "mailbox.org",
            "posteo.net",
            "posteo.de",
        )
    ),
)
BY_DOMAIN = {domain: provider for provider in PROVIDERS for domain in provider.domains}


def parse(text: str) -> str:
    """The address as it is to be written on a letter. Raises Invalid.

    Asks no name server: signing must not wait for somebody else's network, and the letter is the
    proof. A local part outside ASCII is refused, since few servers carry it (RFC 6531), and so is
    an encoded word (RFC 2047), which would be another mailbox once a mail library decodes it.
    """
    if "=?" in text:
        raise Invalid
    try:
        found = validate_email(
            text,
            strict=True,
            check_deliverability=False,
            allow_smtputf8=False,
            test_environment=True,
        )
    except EmailNotValidError as error:
        raise Invalid from error
    return f"{found.local_part}@{found.ascii_domain}"


def domain(address: str) -> str:
    """The domain of a parsed address, in lower case; a provider's first where it has several."""
    name = address.rpartition("@")[2].lower()
    return BY_DOMAIN[name].domains[0] if name in BY_DOMAIN else name


def canonical(address: str) -> str:
    """The mailbox behind a parsed address: equal for every spelling that reaches the same one."""
    local, _, name = address.lower().rpartition("@")
    provider = BY_DOMAIN.get(name)
    if provider:
        bare = local.partition(provider.tag)[0].translate({ord(c): None for c in provider.ignored})
        # An address made of ignored characters alone reaches nobody, but must not equal another.
        local = bare or local
    return f"{local}@{domain(address)}"
