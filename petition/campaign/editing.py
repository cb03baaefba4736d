"""What editors do to a text: save, restore; every state that it had stays as a version."""

import re
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from petition import audit
from petition.campaign import texts
from petition.ground import languages
from petition.ground.lazy import LazyText
from petition.models import Entry, Text, TextVersion, Words

# French has spaces that do not break, which stay.
SPACES = re.compile(r"[ \t\r\n]+")
SPACE_AT_END = re.compile(r"[ \t]*\r?\n")

Origin = TextVersion.Origin
BY_PEOPLE = (Origin.FOUND, Origin.EDITED, Origin.RESTORED)


class Refused(Exception):
    """Why words are not saved; `says` is for whoever typed them, `field` is where it is wrong."""

    says: LazyText = ""

    def __init__(self, field: str | None = None):
        super().__init__(field)
        self.field = field


class Missing(Refused):
    says = _("Write something here: the page needs it.")


class HeadingTooHigh(Refused):
    says = _("Begin headings with ##. The page has a heading of its own above them.")


class ChangedMeanwhile(Refused):
    says = _("Somebody else has changed this text while you were writing. Nothing was saved.")


@dataclass
class Standing:
    """Where a text stands beside its translations. `edited`: it is not as it was shipped; `newer`:
    the languages in which people have changed it since it was changed in this one."""

    text: Text
    edited: bool
    newer: list[str]


def has_body(text: Text) -> bool:
    """A page shows what the shipped text has: the name of the site, for one, has no body."""
    return bool(texts.shipped(text.slug, text.language).body)


def tidied(text: Text, typed: Words) -> Words:
    """What a browser sent, as it is stored and compared: without spaces and line ends of its own,
    and without a body where the page shows none."""
    return Words(
        title=SPACES.sub(" ", typed.title).strip(),
        summary=SPACES.sub(" ", typed.summary).strip(),
        body=SPACE_AT_END.sub("\n", typed.body).strip() if has_body(text) else "",
    )


def save(text: Text, by: AbstractBaseUser, typed: Words, seen: int) -> TextVersion | None:
    """Store what somebody typed into the version `seen` of a text. None where nothing is changed.

    Raises Missing and HeadingTooHigh, and ChangedMeanwhile where it is no longer that version.
    """
    words = tidied(text, typed)
    for field, value in words._asdict().items():
        if not value and (field != "body" or has_body(text)):
            raise Missing(field)
    if texts.has_top_heading(words.body):
        raise HeadingTooHigh("body")
    return _write(text, by, words, seen, Origin.EDITED)


def restore(version: TextVersion, by: AbstractBaseUser, seen: int) -> TextVersion | None:
    """Let a text say again what it said then. As `save`; raises ChangedMeanwhile alone."""
    return _write(version.text, by, version.words, seen, Origin.RESTORED, restores=version.number)


def restore_shipped(text: Text, by: AbstractBaseUser, seen: int) -> TextVersion | None:
    """Let a text say what this release of the site ships. As `restore`."""
    words = texts.shipped(text.slug, text.language)
    return _write(text, by, words, seen, Origin.RESTORED, restores=Origin.SHIPPED)


def number_of(text: Text) -> int:
    """Of the version that a text is in."""
    last = text.versions.first()
    return last.number if last else 0


def subject(text: Text) -> str:
    """How audit entries name a text."""
    return f"text {text.slug} {text.language}"


def standings() -> dict[str, list[Standing]]:
    """All texts by their places, in the order of the site and of its languages. Each has `last_by`,
    `last_at` and `last_origin` of its version, and `changed_at`, when people last changed it."""
    versions = TextVersion.objects.filter(text=OuterRef("pk")).order_by("-number")
    changed = versions.filter(origin__in=BY_PEOPLE).values("at")[:1]
    rows = Text.objects.annotate(
        **{f"last_{name}": Subquery(versions.values(name)[:1]) for name in ("by", "at", "origin")},
        changed_at=Subquery(changed),
    )
    stored = {(text.slug, text.language): text for text in rows}
    places = {
        slug: [stored[slug, code] for code in languages.LANGUAGES if (slug, code) in stored]
        for slug in Text.Slug.values
    }
    return {slug: [_standing(text, row) for text in row] for slug, row in places.items()}


def _standing(text: Any, siblings: list[Any]) -> Standing:
    newer = [
        sibling.get_language_display()
        for sibling in siblings
        if sibling.changed_at
        and (text.changed_at is None or sibling.changed_at > text.changed_at)
        and (_is_edited(sibling) or _is_edited(text))
    ]
    return Standing(text, _is_edited(text), newer)


def _is_edited(text: Text) -> bool:
    return text.words != texts.shipped(text.slug, text.language)


def _write(
    text: Text, by: AbstractBaseUser, words: Words, seen: int, origin: str, **detail
) -> TextVersion | None:
    with transaction.atomic():
        # Locked, so that of two who save the same version one is told of the other.
        current = Text.objects.select_for_update(no_key=True).get(pk=text.pk)
        number = number_of(current)
        if number != seen:
            raise ChangedMeanwhile
        if current.words == words:
            return None
        Text.objects.filter(pk=text.pk).update(**words._asdict())
        version = TextVersion.objects.create(
            text=current,
            number=number + 1,
            origin=origin,
            by=by.get_username(),
            **words._asdict(),
        )
        audit.append(by, Entry.Act.TEXT, subject(text), version=version.number, **detail)
    return version
