"""What machines ask: is it up, may I look, whom do I tell."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from petition.campaign import news, texts
from petition.cases import profiles
from petition.ground import languages
from petition.views import cases, headers
from petition.web import readiness

PLAIN = "text/plain; charset=utf-8"
PAGES = ("home", "sign", "tracks", "cases", "stories", "counter", "figures", "press", "api",
         "collect", "about", "privacy")  # fmt: skip
URLSET = (
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    ' xmlns:xhtml="http://www.w3.org/1999/xhtml">'
)


@require_safe
@never_cache
def readyz(request: HttpRequest, use: str = "sign") -> HttpResponse:
    """What this process can be used for: `sign`, `read`, `desk`, each with why not. 503 where it
    cannot be used for `use`; "ok" alone where all is well."""
    found = readiness.uses()
    said = "".join(f"{each}: {why or 'ok'}\n" for each, why in found.items())
    notes = "".join(f"note: {note}\n" for note in readiness.notes())
    status = 503 if found[use] else 200
    well = not notes and not any(found.values())
    return HttpResponse("ok\n" if well else said + notes, content_type=PLAIN, status=status)


@require_safe
@headers.public(3600)
def robots(request: HttpRequest) -> HttpResponse:
    lines = [
        "User-agent: *",
        "Disallow: /admin/",
        *(
            f"Disallow: /{code}/{page}/"
            for code, _ in settings.LANGUAGES
            for page in ("confirm", "withdraw", "unsubscribe")
        ),
        f"Sitemap: {settings.SITE_URL}/sitemap.xml",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type=PLAIN)


@require_safe
@headers.public(3600)
def security(request: HttpRequest) -> HttpResponse:
    """RFC 9116: whom to tell of a hole. As the operator signed it, as long as that is good; else
    made anew, good for the next 30 days."""
    now = timezone.now()
    signed, ends_at = settings.SECURITY_TXT or ("", now)
    return HttpResponse(signed if ends_at > now else _unsigned(now), content_type=PLAIN)


def _unsigned(now: datetime) -> str:
    with translation.override("en"):
        about = settings.SITE_URL + reverse("about")
    contact = f"mailto:{settings.CONTACT_EMAIL}" if settings.CONTACT_EMAIL else about
    until = (now + timedelta(days=30)).strftime("%Y-%m-%dT00:00:00Z")
    lines = [
        f"Contact: {contact}",
        f"Expires: {until}",
        "Preferred-Languages: ar, fr, en",
        f"Canonical: {settings.SITE_URL}/.well-known/security.txt",
    ]
    return "\n".join(lines) + "\n"


@require_safe
@headers.public(cases.SECONDS, stale=False)
def sitemap(request: HttpRequest) -> HttpResponse:
    """Every page that search engines may list, in every language (sitemaps.org).

    Made by hand: Django's own takes seconds for ten thousand profiles, at every request.
    """
    entries = "".join(_entries(path, changed) for path, changed in _pages())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{URLSET}\n{entries}</urlset>\n'
    response = HttpResponse(body, content_type="application/xml; charset=utf-8")
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _pages() -> Iterator[tuple[str, str]]:
    """Paths without their language, and the day of the last change where it is known."""
    names: list[tuple[str, list[str]]] = [(name, []) for name in PAGES]
    names += [("track", [slug]) for slug in texts.TRACKS]
    names += [("story", [slug]) for slug in news.addresses()]
    with translation.override("en"):
        yield from ((reverse(name, args=args).removeprefix("/en"), "") for name, args in names)
        case = reverse("case", args=["-"]).removeprefix("/en")
    for slug, changed in profiles.addresses():
        yield case.replace("-", slug), changed.date().isoformat()


def _entries(path: str, changed: str) -> str:
    lastmod = changed and f"<lastmod>{changed}</lastmod>"
    alternates = "".join(
        f'<xhtml:link rel="alternate" hreflang="{code}" href="{settings.SITE_URL}/{code}{path}"/>'
        for code in languages.LANGUAGES
    )
    return "".join(
        f"<url><loc>{settings.SITE_URL}/{code}{path}</loc>{lastmod}{alternates}</url>\n"
        for code in languages.LANGUAGES
    )
