"""Reads one environment variable at a time and stops the start where one is wrong.

The operator reads one line: the variable, what is wrong with it, the cure. Values are never
repeated: they may be secrets, and an operator's screen is often shared.
"""

import base64
import binascii
import os
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import environ

from petition.log import notes

# gunicorn gives up on 3 ("worker failed to boot") where it would start other codes again for ever.
EXIT_CODE = 3

REQUIRED = object()
# Those whose events petition/letters/services.py reads.
MAIL_SERVICES = ("brevo", "mailgun", "mailjet", "postmark", "sparkpost")

env = environ.Env()


def stop(variable: str, wrong: str, cure: str) -> NoReturn:
    """End the process with one line on stderr and exit code 3."""
    sys.stderr.write(f"{variable} {wrong}. {cure}\n")
    raise SystemExit(EXIT_CODE)


def read(variable: str, parse=str, *, cure: str, default=REQUIRED):
    """The parsed value of `variable`; `default` where it is unset or empty.

    `parse` takes the text and raises where it is malformed.
    """
    # As it stands: `$` in a secret is a character.
    text = (_credential(variable) or env.ENVIRON.get(variable, "")).strip()
    if not text:
        if default is REQUIRED:
            stop(variable, "is not set", cure)
        return default
    try:
        return parse(text)
    except Exception:  # Whatever a parser trips over, the operator reads one line.
        stop(variable, "is malformed", cure)


def _credential(variable: str) -> str:
    """What systemd hands over under this name (`LoadCredentialEncrypted=`): a secret that stands in
    no file of the service and in no environment."""
    folder = env.ENVIRON.get("CREDENTIALS_DIRECTORY", "")
    path = Path(folder) / variable
    try:
        return path.read_text("utf-8") if folder and path.is_file() else ""
    except (OSError, UnicodeDecodeError):
        stop(variable, "cannot be read from CREDENTIALS_DIRECTORY", "Encrypt it again.")


def switch(text: str) -> bool:
    """`1` or `0` and their usual spellings; anything else is refused rather than taken as off."""
    lowered = text.lower()
    if lowered in ("1", "true", "yes", "on"):
        return True
    if lowered in ("0", "false", "no", "off"):
        return False
    raise ValueError(text)


def challenge(text: str) -> str:
    """`none`, `altcha` or `recaptcha`."""
    if text not in ("none", "altcha", "recaptcha"):
        raise ValueError(text)
    return text


def count(text: str) -> int:
    """A whole number, zero or more."""
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise ValueError(text)
    return int(text)


def positive(text: str) -> int:
    """A whole number, one or more."""
    if not count(text):
        raise ValueError(text)
    return int(text)


def rate(text: str) -> str:
    """django-ratelimit's notation: `600/h`, `5/10m`."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}/([1-9][0-9]{0,4})?[smhd]", text):
        raise ValueError(text)
    return text


def pace(text: str) -> float:
    """How many a second, written as a `rate` is: `3600/h` is 1."""
    many, period = rate(text).split("/")
    seconds = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}[period[-1]]
    return int(many) / (int(period[:-1] or 1) * seconds)


def log_format(text: str) -> str:
    """`line` or `json`."""
    if text not in ("line", "json"):
        raise ValueError(text)
    return text


def directory(text: str) -> str:
    """A folder that this process may write; made where it is missing."""
    Path(text).mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(text, os.W_OK):
        raise ValueError(text)
    return text


def address(text: str) -> tuple[str, int]:
    """`host:port`."""
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise ValueError(text)
    return host.strip("[]"), int(port)


def names(text: str) -> list[str]:
    """A comma-separated list without empty places."""
    return [part.strip() for part in text.split(",") if part.strip()]


def hosts(text: str) -> list[str]:
    """Host names as Django's ALLOWED_HOSTS takes them: no scheme, no path, no space."""
    found = names(text)
    if not found or not all(re.fullmatch(r"[\w.*-]+|\[[0-9a-fA-F:]+\]", host) for host in found):
        raise ValueError(text)
    return found


def signed_file(text: str) -> tuple[str, datetime]:
    """A security.txt that `gpg --clearsign` signed, and until when it is good (RFC 9116)."""
    content = Path(text).read_text("utf-8")
    if not content.startswith("-----BEGIN PGP SIGNED MESSAGE-----\n"):
        raise ValueError
    (ends,) = re.findall(r"(?m)^Expires: (\S+)$", content)
    ends_at = datetime.fromisoformat(ends)
    if ends_at.tzinfo is None:
        raise ValueError
    return content, ends_at


def host(text: str) -> str:
    """One host name."""
    (name,) = hosts(text)
    if name.startswith((".", "*")):
        raise ValueError(text)
    return name


def data_keys(text: str) -> list[bytes]:
    """Comma-separated base64url keys of 32 bytes each; the first encrypts, all decrypt."""
    keys = []
    for part in names(text):
        try:
            key = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        except binascii.Error as error:
            raise ValueError("not base64url") from error
        if len(key) != 32:
            raise ValueError("not 32 bytes")
        keys.append(key)
    if not keys:
        raise ValueError("no key")
    return keys


def log_key(text: str) -> bytes:
    """One base64url key of 32 bytes."""
    (key,) = data_keys(text)
    return key


def witnesses(text: str) -> list[tuple[str, str]]:
    """`https://address verifier-key` of each witness, separated by commas: (address, key)."""
    found = []
    for part in names(text):
        url, key = part.split()
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(part)
        notes.verifier(key)  # Raises a ValueError where it is none.
        found.append((url.rstrip("/"), key))
    return found


def site_url(text: str) -> str:
    """An absolute http(s) address without a path."""
    parts = urlsplit(text.rstrip("/"))
    if parts.scheme not in ("http", "https") or parts.path or parts.query or parts.fragment:
        raise ValueError(text)
    if "@" in parts.netloc:
        raise ValueError("credentials")
    check_host(parts)
    return text.rstrip("/")


def check_host(parts: SplitResult) -> None:
    """Raises ValueError where an address has no host, or a host or port that cannot be one."""
    host = (parts.hostname or "").encode("idna").decode()
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:]+", host):
        raise ValueError("host")
    parts.port  # noqa: B018  raises ValueError where the port is no number


# What an operator may say to libpq (PostgreSQL's manual, 34.1.2), and Django's own two.
LIBPQ = frozenset(
    """sslmode sslrootcert sslcert sslkey sslcrl sslnegotiation channel_binding application_name
    connect_timeout target_session_attrs load_balance_hosts options passfile service gssencmode
    keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout host port
    require_auth""".split()  # noqa: SIM905
)
OF_DJANGO: dict[str, Callable[[str], object]] = {
    "conn_max_age": int,
    "disable_server_side_cursors": switch,
}


def database(text: str) -> dict:
    """Django's settings for `postgres://user:password@host:port,host:port/name?option=value` or
    `sqlite:///file`. Several hosts are tried in turn, as libpq does; `?host=/run/postgresql` names
    a socket."""
    parts = urlsplit(text)
    if parts.scheme not in ("postgres", "postgresql", "sqlite") or "://" not in text:
        raise ValueError("unknown scheme")
    if parts.scheme == "sqlite":
        if parts.query:
            raise ValueError("unknown option")
        settings = env.db_url_config(text)
        if not settings["NAME"]:
            raise ValueError("no database name")
        return settings
    asked = parse_qs(parts.query, strict_parsing=bool(parts.query))
    if set(asked) - LIBPQ - set(OF_DJANGO) or any(len(values) > 1 for values in asked.values()):
        raise ValueError("unknown option")
    options = {name: values[0] for name, values in asked.items() if name in LIBPQ}
    credentials, _, places = parts.netloc.rpartition("@")
    hosts, ports = _places(places) if places else ("", "")
    user, _, password = credentials.partition(":")
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise ValueError("no database name")
    found = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(user),
        "PASSWORD": unquote(password),
        "HOST": options.pop("host", hosts),
        "PORT": options.pop("port", ports),
        **{key.upper(): read(asked[key][0]) for key, read in OF_DJANGO.items() if key in asked},
    }
    return found | ({"OPTIONS": options} if options else {})


def replica(text: str) -> dict:
    """A PostgreSQL, named as the main database is."""
    found = database(text)
    if found["ENGINE"].endswith("sqlite3"):
        raise ValueError("no PostgreSQL")
    return found


def _places(text: str) -> tuple[str, str]:
    """Hosts and ports as libpq takes them, separated by commas."""
    hosts, ports = [], []
    for place in text.split(","):
        parts = urlsplit(f"//{place}")
        check_host(parts)
        hosts.append(parts.hostname or "")
        ports.append(str(parts.port or 5432))
    return ",".join(hosts), ",".join(ports)


def cache(text: str) -> dict:
    """Django's settings for `redis://host:port/number`, for `unix:///path?db=number`, and for
    `redis+sentinel://host:port,host:port/service/number`, which names the sentinels."""
    parts = urlsplit(text)
    # As a list: Django divides a text at its commas.
    backend = {"BACKEND": "petition.ground.cache.RedisCache", "LOCATION": [text]}
    if parts.scheme == "unix":
        is_path = parts.path.startswith("/") and not parts.netloc
        if not is_path or not re.fullmatch(r"(db=[0-9]+)?", parts.query):
            raise ValueError("no path of a socket")
        return backend
    if parts.scheme == "redis+sentinel":
        if not re.fullmatch(r"/[\w.-]+(/[0-9]*)?", parts.path):
            raise ValueError("no name of a service")
        for place in parts.netloc.rpartition("@")[2].split(","):
            check_host(urlsplit(f"//{place}"))
        return backend
    if parts.scheme not in ("redis", "rediss") or not re.fullmatch(r"(/[0-9]*)?", parts.path):
        raise ValueError("unknown scheme or database number")
    check_host(parts)
    return env.cache_url_config(text) | {"BACKEND": "petition.ground.cache.RedisCache"}


def smtp(text: str) -> dict:
    """Django's EMAIL_… settings for `smtp://`, `smtp+tls://` or `smtp+ssl://`, with
    `user:password@host:port`."""
    parts = urlsplit(text)
    if parts.scheme not in ("smtp", "smtp+tls", "smtp+ssl"):
        raise ValueError("unknown scheme")
    check_host(parts)
    settings = env.email_url_config(text)
    settings["EMAIL_PORT"] = settings["EMAIL_PORT"] or {"smtp+tls": 587, "smtp+ssl": 465}.get(
        parts.scheme, 25
    )
    settings["EMAIL_HOST_USER"] = settings["EMAIL_HOST_USER"] or ""
    settings["EMAIL_HOST_PASSWORD"] = settings["EMAIL_HOST_PASSWORD"] or ""
    settings.pop("EMAIL_FILE_PATH")
    return settings


def mailbox(text: str) -> dict:
    """`imap+ssl://user:password@host:993/folder`, or `imap://…` for a server on this host."""
    parts = urlsplit(text)
    if parts.scheme not in ("imap", "imap+ssl") or not parts.username or not parts.password:
        raise ValueError(text)
    check_host(parts)
    is_ssl = parts.scheme == "imap+ssl"
    return {
        "ssl": is_ssl,
        "host": parts.hostname,
        "port": parts.port or (993 if is_ssl else 143),
        "user": unquote(parts.username),
        "password": unquote(parts.password),
        "folder": parts.path.strip("/") or "INBOX",
    }


def mail_service(text: str) -> str:
    """A mail service whose webhooks are understood."""
    if text not in MAIL_SERVICES:
        raise ValueError(text)
    return text


def webhook_secret(text: str) -> str:
    """`user:password` of the webhook's address, long enough that nobody guesses it."""
    user, _, password = text.partition(":")
    if not user or len(password) < 20:
        raise ValueError(text)
    return text


def mail_address(text: str) -> str:
    """An address for letters: `name@host` or `Some words <name@host>`."""
    words = re.fullmatch(r"[^<>@\r\n]*<([^<>]+)>", text)
    bare_mail_address(words[1] if words else text)
    return text


def bare_mail_address(text: str) -> str:
    """`name@host` alone, as it stands in a link."""
    if not re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)*", text):
        raise ValueError(text)
    return text
