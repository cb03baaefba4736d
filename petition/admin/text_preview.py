"""The public page on which a text stands, with words that are not saved."""

from django.http import HttpRequest, HttpResponse
from django.urls import resolve, reverse
from django.utils.translation import override

from petition.campaign import texts
from petition.models import Text, Words

Slug = Text.Slug
# Where each text is seen: the name of an address, and what it takes.
PAGES: dict[str, tuple[str, dict[str, str]]] = {
    Slug.SITE: ("sign", {}),
    Slug.APPEAL: ("home", {}),
    Slug.TRACKS: ("tracks", {}),
    Slug.FATE: ("track", {"slug": Slug.FATE.value}),
    Slug.LEGISLATION: ("track", {"slug": Slug.LEGISLATION.value}),
    Slug.PROTECTION: ("track", {"slug": Slug.PROTECTION.value}),
    Slug.ASKS: ("track", {"slug": Slug.FATE.value}),
    Slug.COUNTING: ("home", {}),
    Slug.THANKS: ("signed", {}),
    Slug.CASES: ("cases", {}),
    Slug.NEWS: ("stories", {}),
    Slug.PRESS: ("press", {}),
    Slug.ABOUT: ("about", {}),
    Slug.PRIVACY: ("privacy", {}),
}


def address(text: Text) -> str:
    """The path of the public page; "" where it has none yet."""
    if text.slug not in PAGES:
        return ""
    name, kwargs = PAGES[text.slug]
    with override(text.language):
        return reverse(name, kwargs=kwargs)


def page(text: Text, words: Words) -> HttpResponse:
    """The answer of the public page's own view to `words`, kept and found by nobody."""
    with override(text.language), texts.shown_instead(text.slug, text.language, words):
        # A text without a page of its own yet is shown as a page of one text is.
        path = address(text) or reverse("about")
        view, _, kwargs = resolve(path)
        request = HttpRequest()
        request.method, request.path, request.path_info = "GET", path, path
        request.preview = "typed"  # type: ignore[attr-defined]  # Read by `web.context_processors`.
        response = view(request, **(kwargs if text.slug in PAGES else {"slug": text.slug}))
    del response.headers["Cache-Control"]  # The desk's own says that nothing is kept.
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Content-Language"] = text.language
    return response
