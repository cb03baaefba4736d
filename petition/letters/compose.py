"""Writes the mail of a letter that we owe, at the moment in which it is sent."""

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from petition.campaign import news, texts
from petition.ground import encryption, links
from petition.ground.languages import LANGUAGES
from petition.letters import envelopes
from petition.models import Letter

SUBJECTS: dict[str, str] = {
    Letter.Kind.CONFIRM: "letters/confirm_subject.txt",
    Letter.Kind.COUNTED: "letters/counted_subject.txt",
    Letter.Kind.HELD: "letters/held_subject.txt",
    Letter.Kind.NEWS: "letters/news_subject.txt",
    Letter.Kind.REMIND: "letters/confirm_subject.txt",
}


def mail(letter: Letter) -> EmailMultiAlternatives:
    """The mail for a letter, with links that are made now. Raises encryption.Unreadable."""
    signature = letter.signature
    language = LANGUAGES[letter.language]
    version = letter.attempt or signature.reference
    with translation.override(language.code):
        context = {
            "language": language,
            "site": urlsplit(settings.SITE_URL).hostname,
            # People take a letter about nothing for fraud; some must not get one that says it.
            "campaign": "" if settings.DISCREET_LETTERS else texts.site(language.code).title,
            "contact": settings.CONTACT_EMAIL,
            "code": links.code(version),
            "confirm_url": _link("confirm", links.CONFIRM, version),
            "withdraw_url": _link("withdraw", links.WITHDRAW, signature.reference),
            "code_url": settings.SITE_URL + reverse("code"),
        }
        if letter.mailing_id:
            context |= _news(letter)
        mail = EmailMultiAlternatives(
            subject=render_to_string(SUBJECTS[letter.kind]).strip(),
            body=render_to_string(f"letters/{letter.kind}.txt", context),
            # Of the envelope alone: readers see EMAIL_FROM.
            from_email=envelopes.sender(letter),
            to=[signature.email],
            reply_to=[settings.CONTACT_EMAIL] if settings.CONTACT_EMAIL else None,
            headers={
                "From": settings.DEFAULT_FROM_EMAIL,
                **envelopes.headers(letter),
                # What large providers sum complaints up by.
                "Feedback-ID": f"{letter.kind}:petition:{context['site']}",
                # The same for a second copy, so that mail programs can show the two as one.
                "Message-ID": f"<{encryption.index(str(letter.pk), 'message id').hex()}"
                f"@{context['site']}>",
                "Auto-Submitted": "auto-generated",
                "X-Auto-Response-Suppress": "All",
                "Content-Language": language.code,
                **(_list_headers(context) if letter.mailing_id else {}),
            },
        )
        mail.attach_alternative(
            render_to_string(f"letters/{letter.kind}.html", context), "text/html"
        )
    return mail


def _news(letter: Letter) -> dict:
    """Title and summary, and the way to the rest: a page can be taken back, a letter cannot."""
    # A constraint: news, and only news, has a mailing.
    story = news.told(letter.mailing.news, letter.language)  # type: ignore[union-attr]
    return {
        "story": story,
        "story_url": settings.SITE_URL + reverse("story", args=[story.slug]),
        "unsubscribe_url": _link("unsubscribe", links.UNSUBSCRIBE, letter.signature.reference),
    }


def _list_headers(context: dict) -> dict[str, str]:
    """One click ends the news (RFC 8058), also from the mail program's own button."""
    return {
        "List-Id": f"<news.{context['site']}>",
        "List-Unsubscribe": f"<{context['unsubscribe_url']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Precedence": "bulk",
    }


def _link(name: str, kind: str, reference: UUID) -> str:
    return settings.SITE_URL + reverse(name, args=[links.token(kind, reference)])
