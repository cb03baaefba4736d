"""What every page says of itself."""

from django.conf import settings
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from petition.campaign import texts
from petition.cases import rules
from petition.ground.languages import DEFAULT, LANGUAGES, in_other_languages


def page(request):
    """`here`, and `campaign`: its name and description, read where a page says them."""
    code = LANGUAGES.get(get_language(), LANGUAGES[DEFAULT]).code
    return {
        "here": here(request),
        "campaign": SimpleLazyObject(lambda: texts.text("site", code)),
    }


def here(request, query: str = "") -> dict:
    """The page's language, the same page in the others, and absolute addresses. `query` is what of
    the address behind the "?" makes it another page."""
    language = LANGUAGES.get(get_language(), LANGUAGES[DEFAULT])
    query = query and f"?{query}"
    preview = getattr(request, "preview", "")
    # What is seen in a preview may have no public address yet.
    others = {} if preview else in_other_languages(request.path)
    return {
        "language": language,
        "site": settings.SITE_URL,
        "url": settings.SITE_URL + request.path + query,
        "others": [
            (LANGUAGES[code], settings.SITE_URL + path + query) for code, path in others.items()
        ],
        "picture": f"{settings.SITE_URL}/{language.code}/share.png",
        "contact": settings.CONTACT_EMAIL,
        "preview": preview,
        "is_sample": rules.samples_are_shown,
    }
