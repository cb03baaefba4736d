"""What machines ask: is it up, may I look, whom do I tell."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps.views import sitemap
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from petition import campaign, news
from petition.views import headers

PLAIN = "text/plain; charset=utf-8"


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Database and cache answer and migrations are applied; 503 names what does not."""
    wrong = [name for name, works in (("database", _database), ("cache", _cache)) if not works()]
    answer = f"not ready: {', '.join(wrong)}\n" if wrong else "ok\n"
    return HttpResponse(answer, content_type=PLAIN, status=503 if wrong else 200)


def _database() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


def _cache() -> bool:
    try:
        cache.set("readyz", "ok", 10)
        return cache.get("readyz") == "ok"
    except (OSError, RedisError):
        return False


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
    """RFC 9116: whom to tell of a hole. Always good for the next 30 days."""
    with translation.override("en"):
        about = settings.SITE_URL + reverse("about")
    contact = f"mailto:{settings.CONTACT_EMAIL}" if settings.CONTACT_EMAIL else about
    until = (timezone.now() + timedelta(days=30)).strftime("%Y-%m-%dT00:00:00Z")
    lines = [
        f"Contact: {contact}",
        f"Expires: {until}",
        "Preferred-Languages: ar, fr, en",
        f"Canonical: {settings.SITE_URL}/.well-known/security.txt",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type=PLAIN)


sitemap = headers.public(3600)(sitemap)


class Pages(Sitemap):
    """Every public page in every language."""

    i18n = True
    alternates = True
    protocol = urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site=None):
        return urlsplit(settings.SITE_URL).netloc

    def items(self):
        pages = [(name, []) for name in ("home", "sign", "tracks", "stories", "about", "privacy")]
        pages += [("track", [slug]) for slug in campaign.TRACKS]
        return pages + [("story", [slug]) for slug in news.addresses()]

    def location(self, item):
        name, args = item
        return reverse(name, args=args)
