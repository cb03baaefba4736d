"""What the world's name servers say of the domains that our letters come from, and go to."""

from collections.abc import Iterator

import dns.resolver
from dns.exception import DNSException

SECONDS, AT_ONCE_SECONDS = 5, 0.3


def missing(
    sender: str, bounces: str, selector: str, resolver: dns.resolver.Resolver | None = None
) -> Iterator[str]:
    """A sentence for each record that is missing or wrong: `sender` and `bounces` are addresses,
    `selector` names the DKIM key ("" where it is not known)."""
    asks = resolver or dns.resolver.Resolver()
    asks.lifetime = SECONDS
    domain = sender.rpartition("@")[2]
    returns = (bounces or sender).rpartition("@")[2]
    spf = [text for text in _texts(asks, returns) if text.startswith("v=spf1")]
    if not spf:
        yield f"SPF: {returns} has no v=spf1 record. Add: v=spf1 ip4:ADDRESS-OF-THE-SERVER -all"
    elif len(spf) > 1:
        yield f"SPF: {returns} has {len(spf)} v=spf1 records; receivers take that as an error."
    elif "+all" in spf[0] or spf[0].endswith(" all"):
        yield f"SPF: that of {returns} lets anybody send. End it with -all."
    if not selector:
        yield "DKIM: not looked at. Name the selector: --selector NAME"
    elif not any("p=" in text for text in _texts(asks, f"{selector}._domainkey.{domain}")):
        yield f"DKIM: {selector}._domainkey.{domain} has no key."
    policy = [text for text in _texts(asks, f"_dmarc.{domain}") if text.startswith("v=DMARC1")]
    if not policy:
        yield f"DMARC: _dmarc.{domain} has no record. Add: v=DMARC1; p=quarantine"
    elif "p=none" in policy[0].replace(" ", ""):
        yield f"DMARC: that of {domain} only watches (p=none). Use p=quarantine or p=reject."
    if bounces and not _has_mail_server(asks, returns):
        yield f"MX: {returns} takes no mail, so no report arrives at BOUNCE_ADDRESS."


def takes_no_mail(domain: str) -> bool | None:
    """Whether the world's name servers say that nobody can have a mailbox there: no such name, an
    MX that says so (RFC 7505), or neither MX nor address (RFC 5321, 5.1). None where they do not
    answer at once."""
    try:
        asks = dns.resolver.get_default_resolver()
        found = asks.resolve(domain, "MX", lifetime=AT_ONCE_SECONDS)
        return [str(record.exchange) for record in found] == ["."]
    except dns.resolver.NXDOMAIN:
        return True
    except dns.resolver.NoAnswer:
        has = [_has(asks, domain, kind) for kind in ("A", "AAAA")]
        return None if None in has else not any(has)
    except DNSException:
        return None


def _has(asks: dns.resolver.Resolver, name: str, kind: str) -> bool | None:
    try:
        return bool(asks.resolve(name, kind, lifetime=AT_ONCE_SECONDS))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return False
    except DNSException:
        return None


def _texts(asks: dns.resolver.Resolver, name: str) -> list[str]:
    try:
        found = asks.resolve(name, "TXT")
    except DNSException:
        return []
    return [b"".join(record.strings).decode("utf-8", "replace") for record in found]


def _has_mail_server(asks: dns.resolver.Resolver, name: str) -> bool:
    try:
        return bool(asks.resolve(name, "MX"))
    except DNSException:
        return False
