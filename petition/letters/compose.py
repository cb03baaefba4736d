"""Writes the mail of a letter that we owe, at the moment in which it is sent.

What all letters of a kind and language have in common is written once in a while, by the templates
and the mail library; each letter differs in a few words of fixed length.
"""

from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from petition.campaign import news, texts
from petition.ground import encryption, links
from petition.ground.languages import LANGUAGES
from petition.ground.memory import remember
from petition.letters import envelopes
from petition.models import Letter

SUBJECTS: dict[str, str] = {
    Letter.Kind.CONFIRM: "letters/confirm_subject.txt",
    Letter.Kind.COUNTED: "letters/counted_subject.txt",
    Letter.Kind.HELD: "letters/held_subject.txt",
    Letter.Kind.NEWS: "letters/news_subject.txt",
    Letter.Kind.REMIND: "letters/confirm_subject.txt",
}
REMEMBERED_SECONDS = 2  # As texts are.

# Stand in a pattern for what differs from letter to letter; as long as that, so that the mail
# library folds lines alike.
TO, DATE = "to-qq@place.invalid", "date-qq"
CODE = "qqCODEqq"
CONFIRM, WITHDRAW, UNSUBSCRIBE = (
    f"qq{name}qq".ljust(links.TOKEN_LENGTH, "q") for name in ("CONFIRM", "WITHDRAW", "UNSUBSCRIBE")
)
MARK, MESSAGE = (f"qq{name}qq".ljust(32, "q") for name in ("MARK", "MESSAGE"))


@dataclass(frozen=True)
class Pattern:
    """A mail of one kind and language, with words in place of what differs; `written` is all of it
    as it goes over the line."""

    subject: str
    body: str
    html: str
    headers: dict[str, str]
    written: bytes


class Mail(EmailMultiAlternatives):
    """One letter. `written` is all of it as it goes over the line to an address in ASCII. What a
    mail has besides is filled in where somebody asks for the `message`, which few letters need."""

    def __init__(self, pattern: Pattern, words: dict[str, str], to: str):
        super().__init__(
            pattern.subject,
            # Of the envelope alone: readers see EMAIL_FROM.
            from_email=envelopes.sender(words[MARK]),
            to=[to],
            reply_to=_reply_to(),
        )
        self._pattern, self._words = pattern, words
        self.written = pattern.written
        # The address last: what somebody typed may be one of the words.
        date = formatdate(localtime=settings.EMAIL_USE_LOCALTIME)
        for place, word in (words | {DATE: date, TO: to}).items():
            self.written = self.written.replace(place.encode(), word.encode())

    def message(self, *args, **kwargs):
        if not self.body:
            pattern = self._pattern
            headers = {name: _filled(text, self._words) for name, text in pattern.headers.items()}
            self.extra_headers = headers | self.extra_headers
            self.body = _filled(pattern.body, self._words)
            self.attach_alternative(_filled(pattern.html, self._words), "text/html")
        return super().message(*args, **kwargs)


def mail(letter: Letter) -> Mail:
    """The mail for a letter, with links that are made now. Raises encryption.Unreadable."""
    pattern = remember(
        f"letter-{letter.kind}-{letter.language}-{letter.mailing_id}",
        lambda: _pattern(letter),
        REMEMBERED_SECONDS,
    )
    return Mail(pattern, _words(letter), letter.signature.email)


def _words(letter: Letter) -> dict[str, str]:
    """What stands in this letter for the words of a pattern."""
    reference = letter.signature.reference
    version = letter.attempt or reference
    return {
        CODE: links.code(version),
        CONFIRM: links.token(links.CONFIRM, version),
        WITHDRAW: links.token(links.WITHDRAW, reference),
        UNSUBSCRIBE: links.token(links.UNSUBSCRIBE, reference) if letter.mailing_id else "",
        MARK: envelopes.of_next_try(letter),
        # The same for a second copy, so that mail programs can show the two as one.
        MESSAGE: encryption.index(str(letter.pk), "message id").hex(),
    }


def _filled(text: str, words: dict[str, str]) -> str:
    for place, word in words.items():
        text = text.replace(place, word)
    return text


def _pattern(letter: Letter) -> Pattern:
    language, kind = LANGUAGES[letter.language], letter.kind
    with translation.override(language.code):
        context = {
            "language": language,
            "site": urlsplit(settings.SITE_URL).hostname,
            # People take a letter about nothing for fraud; some must not get one that says it.
            "campaign": "" if settings.DISCREET_LETTERS else texts.site(language.code).title,
            "contact": settings.CONTACT_EMAIL,
            "code": CODE,
            "confirm_url": _link("confirm", CONFIRM),
            "withdraw_url": _link("withdraw", WITHDRAW),
            "code_url": settings.SITE_URL + reverse("code"),
        }
        if letter.mailing_id:
            context |= _news(letter)
        subject = render_to_string(SUBJECTS[kind]).strip()
        body = render_to_string(f"letters/{kind}.txt", context)
        html = render_to_string(f"letters/{kind}.html", context)
    headers = {
        "From": settings.DEFAULT_FROM_EMAIL,
        **envelopes.headers(MARK),
        # What large providers sum complaints up by.
        "Feedback-ID": f"{kind}:petition:{context['site']}",
        "Message-ID": f"<{MESSAGE}@{context['site']}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": language.code,
        **(_list_headers(context) if letter.mailing_id else {}),
    }
    whole = EmailMultiAlternatives(
        subject, body, to=[TO], reply_to=_reply_to(), headers={"Date": DATE} | headers
    )
    whole.attach_alternative(html, "text/html")
    return Pattern(subject, body, html, headers, whole.message().as_bytes(linesep="\r\n"))


def _news(letter: Letter) -> dict:
    """Title and summary, and the way to the rest: a page can be taken back, a letter cannot."""
    # A constraint: news, and only news, has a mailing.
    story = news.told(letter.mailing.news, letter.language)  # type: ignore[union-attr]
    return {
        "story": story,
        "story_url": settings.SITE_URL + reverse("story", args=[story.slug]),
        "unsubscribe_url": _link("unsubscribe", UNSUBSCRIBE),
    }


def _list_headers(context: dict) -> dict[str, str]:
    """One click ends the news (RFC 8058), also from the mail program's own button."""
    return {
        "List-Id": f"<news.{context['site']}>",
        "List-Unsubscribe": f"<{context['unsubscribe_url']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Precedence": "bulk",
    }


def _reply_to() -> list[str] | None:
    return [settings.CONTACT_EMAIL] if settings.CONTACT_EMAIL else None


def _link(name: str, token: str) -> str:
    return settings.SITE_URL + reverse(name, args=[token])
