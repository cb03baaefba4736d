"""What every page says of itself."""

from django.conf import settings
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from petition import campaign
from petition.languages import DEFAULT, LANGUAGES, in_other_languages


def page(request):
    """`here`: the page's language, the same page in the others, and absolute addresses. `campaign`:
    its name and description, read where a page says them."""
    language = LANGUAGES.get(get_language(), LANGUAGES[DEFAULT])
    return {
        "here": {
            "language": language,
            "site": settings.SITE_URL,
            "url": settings.SITE_URL + request.path,
            "others": [
                (LANGUAGES[code], settings.SITE_URL + path)
                for code, path in in_other_languages(request.path).items()
            ],
            "picture": f"{settings.SITE_URL}/{language.code}/share.png",
            "contact": settings.CONTACT_EMAIL,
            "preview": getattr(request, "preview", False),
        },
        "campaign": SimpleLazyObject(lambda: campaign.text("site", language.code)),
    }
