"""The words and addresses on paper sheets, in the language of the sheets."""

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from petition.campaign import texts
from petition.figures import sharing
from petition.ground import languages
from petition.models import Sheet, Text


def pdf(sheets: list[Sheet]) -> HttpResponse:
    """The sheets of one batch, to be downloaded."""
    enter = settings.SITE_URL + reverse("admin:petition_sheet_enter")
    numbers = {sheet.number: f"{enter}?number={sheet.number}" for sheet in sheets}
    batch, language = sheets[0].batch, sheets[0].language
    response = HttpResponse(
        sharing.sheets(_words(language), numbers), content_type="application/pdf"
    )
    name = f"sheets-{batch}-{language}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _words(code: str) -> dict:
    appeal = texts.text(Text.Slug.APPEAL, code)
    with override(code):
        return {
            "language": code,
            "direction": languages.LANGUAGES[code].direction,
            "title": appeal.title,
            "summary": appeal.summary,
            "consent": _(
                "By signing here I support this petition. I give my name and my signature so that "
                "my signature is counted. They are kept on paper, not typed into any computer, and "
                "not published. Sign once only: here or online."
            ),
            "unseen": _(
                "Whoever holds this sheet can read it; online, the others who sign do not see "
                "your name."
            ),
            "name": _("First and last name"),
            "from": _("City, country"),
            "signature": _("Signature"),
            "place": _("Place"),
            "date": _("Date"),
            "collector": _("Collected by (first name or code)"),
            "sheet": _("Sheet no."),
            "coordinators": _("for coordinators"),
            # Isolated, so that its slashes stand where they belong from right to left.
            "address": f"\u2066{_home().partition('://')[2]}\u2069",
            "lines": Sheet.LINES,
        }


def _home() -> str:
    return settings.SITE_URL + reverse("home")
