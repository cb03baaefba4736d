"""Sample data: fictional, labelled, and taken away again as a whole."""

import json
import random
import uuid
from datetime import datetime, timedelta
from io import BytesIO

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from PIL import Image

from petition.campaign import newsroom, texts
from petition.cases import acts
from petition.desk import exports
from petition.figures import history
from petition.ground import countries
from petition.ground.languages import LANGUAGES
from petition.models import (
    Case,
    CaseText,
    Consent,
    ConsentText,
    Export,
    Letter,
    Mailing,
    News,
    Sheet,
    SheetCount,
    Signature,
    Sweep,
    Tally,
)
from petition.paper import sheets
from petition.signing import sweeps, tallies

SIGNATURES = 5_000
DAYS = 60
COUNTRIES = 40
PUBLIC_NEWS = 3
BATCH = 500
# Signatures are known by their references, also those whose person was erased since.
NAMESPACE = uuid.UUID("5ca1ab1e-0000-4000-8000-000000000000")
# Reserved: no mail program finds a mailbox there (RFC 2606).
DOMAIN = "sample.invalid"
AUTHOR, REVIEWER, FIRST, SECOND = PEOPLE = (
    "sample-author",
    "sample-reviewer",
    "sample-first",
    "sample-second",
)
# Each case: what differs from the one before. All situations, namings, ages and groups are there.
CASES: tuple[dict[str, object], ...] = (
    {"situation": "arrested", "portrait": True},
    {"situation": "sentenced", "naming": "pseudonym", "track_id": "legislation"},
    {"situation": "administrative", "age_band": "60+", "is_sick": True, "portrait": True},
    {"situation": "disappeared", "languages": ("ar",), "nationality": "lebanese"},
    {"situation": "released", "is_woman": True},
    {"situation": "died", "naming": "withheld", "is_sick": True},
    {"situation": "arrested", "age_band": "child", "languages": ("ar", "fr")},
    {"situation": "disappeared", "nationality": "other", "scope": ("story", "place")},
    {"situation": "sentenced", "track_id": "legislation", "ends_in": 10},
    {"situation": "administrative", "is_woman": True, "decided": False},
    {"situation": "arrested", "taken_down": True},
    {"situation": "administrative", "age_band": "18-29", "languages": ("ar", "en")},
)
USUAL: dict[str, object] = {
    "naming": "name",
    "track_id": "protection",
    "age_band": "30-44",
    "nationality": "palestinian",
    "is_woman": False,
    "is_sick": False,
}
COLOURS = (("#1f4634", "#c9bfa5"), ("#5b4a3a", "#b7c4b1"), ("#2f4858", "#d8cfc0"))
State = Signature.State


class RealSignatures(Exception):
    """There are signatures that are no samples: nothing is mixed with them."""


class LoadedAlready(Exception):
    """The sample data is there."""


def signatures() -> QuerySet[Signature]:
    return Signature.objects.filter(reference__in=_references())


def load() -> None:
    """Cases first: from then on every page says that what it shows is a sample.

    Raises RealSignatures and LoadedAlready.
    """
    if Case.objects.filter(sample=True).exists():
        raise LoadedAlready
    if Signature.objects.exclude(reference__in=_references()).exists() or Sheet.objects.exists():
        raise RealSignatures
    dice = random.Random(1_000_000)  # noqa: S311  The same data everywhere.
    for number, differs in enumerate(CASES, start=1):
        with transaction.atomic():
            _load_case(number, USUAL | differs)
    _load_news()
    _load_signatures(dice)
    _load_sheets()
    history.forget()
    _load_sweep()
    exports.tallies("day", "csv", _person(AUTHOR))


def remove() -> None:
    """All of it goes, but for what the audit keeps; the counters are right again."""
    left = signatures().count()
    gone = SIGNATURES - left if left else 0  # None where loading never came so far.
    with transaction.atomic():
        if gone:
            # Deleted unconfirmed by `purge`, and counted as such.
            tallies.add_anywhere(
                (Tally.Channel.ONLINE, Tally.Dimension.STATE, Tally.EXPIRED), -gone
            )
        signatures().delete()
        Letter.objects.filter(mailing__news__created_by__in=PEOPLE).delete()
        Mailing.objects.filter(news__created_by__in=PEOPLE).delete()
        News.objects.filter(created_by__in=PEOPLE).delete()
        Sweep.objects.filter(by__in=PEOPLE).delete()
        Export.objects.filter(by__in=PEOPLE).delete()
        ours = Sheet.objects.filter(made_by__in=PEOPLE)
        SheetCount.objects.filter(sheet__in=ours).delete()
        ours.delete()
        tallies.mend()
        if Case.objects.filter(sample=True).delete()[0]:
            history.forget()  # What is public of a site that never had samples is true, and stays.
        get_user_model().objects.filter(username__in=PEOPLE).delete()


def _references() -> list[uuid.UUID]:
    return [uuid.uuid5(NAMESPACE, str(number)) for number in range(SIGNATURES)]


def _person(username: str):
    """An account that nobody can sign in to."""
    people = get_user_model().objects
    return people.get_or_create(username=username, defaults={"is_active": False})[0]


def _words(language: str) -> dict:
    return json.loads((texts.SHIPPED / language / "samples.json").read_text("utf-8"))


def _load_case(number: int, facts: dict) -> None:
    """A case as coordinators make one, with each act by whom the rules let do it."""
    told_in = facts.pop("languages", tuple(LANGUAGES))
    scope, ends_in = facts.pop("scope", Consent.SCOPES), facts.pop("ends_in", 300)
    portrait, decided = facts.pop("portrait", False), facts.pop("decided", True)
    taken_down = facts.pop("taken_down", False)
    today = timezone.now().date()
    day = today - timedelta(days=30 * number)
    dated = {"situation_as_of": day, "since": day, "since_as_of": day, "place_as_of": day}
    words = _words(told_in[0])
    title, publisher, supports = (text.format(n=number) for text in words["source"])
    case = acts.open_case(
        _person(AUTHOR),
        facts | dated | {"sample": True, "situation_certainty": "confirmed"},
        [{"title": title, "publisher": publisher, "supports": supports, "day": day,
          "language": told_in[0], "url": "https://example.org/"}],
    )  # fmt: skip
    for language in told_in:
        _write(case, language, number)
    case.refresh_from_db()
    if portrait:
        acts.set_portrait(case.pk, _person(AUTHOR), case.revision, _picture(number))
    now = timezone.now()
    acts.record_consent(
        case.pk, _person(AUTHOR),
        {"giver": "parent", "why_not_person": words["why"], "method": "meeting", "language": "ar",
         "given_at": now - timedelta(days=2), "valid_until": now + timedelta(days=ends_in),
         "explained_copies": True, "explained_worst_case": True, "explained_withdrawal": True,
         "evidence": f"SAMPLE-{number}"} | {f"scope_{name}": True for name in scope},
    )  # fmt: skip
    if decided:
        _decide(case)
    if taken_down:
        acts.take_down(case.pk, _person(FIRST), words["why"])


def _write(case: Case, language: str, number: int) -> None:
    words = _words(language)
    told = {key: words[key].format(n=number) for key in ("name", "pseudonym", "place")}
    told |= {key: words[key] for key in ("charges", "health")}
    told |= {"story": words["story"][case.situation], "portrait_alt": words["alt"]}
    update = {"day": case.situation_as_of + timedelta(days=7), "body": words["update"]}
    acts.write_text(case.pk, language, _person(AUTHOR), 0, told, [update])


def _decide(case: Case) -> None:
    acts.review_risk(case.pk, _person(REVIEWER), may_be_public=True, note=_words("en")["why"])
    for text in CaseText.objects.filter(case=case).select_related("case"):
        acts.review(text.pk, _person(REVIEWER), text.revision)
        for name in (FIRST, SECOND):
            acts.approve(text.pk, _person(name), (text.case.revision, text.revision))


def _picture(number: int) -> bytes:
    """Two quiet colours that flow into each other: a portrait of nobody."""
    size = (960, 1200)
    one, other = COLOURS[number % len(COLOURS)]
    mask = Image.linear_gradient("L").rotate(90 * number).resize(size)
    out = BytesIO()
    Image.composite(Image.new("RGB", size, one), Image.new("RGB", size, other), mask).save(
        out, "JPEG"
    )
    return out.getvalue()


def _load_news() -> None:
    """Some that are public, one whose time will come, and a draft."""
    words = {language: _words(language)["news"] for language in LANGUAGES}
    now = timezone.now()
    for number in range(len(words["ar"])):
        drafts = {
            language: newsroom.Draft(*words[language][number])
            for language in LANGUAGES
            if words[language][number]
        }
        story = News()
        newsroom.write(story, f"sample-{number + 1}", drafts, _person(AUTHOR))
        if number < PUBLIC_NEWS:
            newsroom.publish(story, _person(AUTHOR))
            News.objects.filter(pk=story.pk).update(publish_at=now - timedelta(days=9 * number + 1))
        elif number == PUBLIC_NEWS:
            newsroom.publish(story, _person(AUTHOR), now + timedelta(days=3))


def _load_signatures(dice: random.Random) -> None:
    now = timezone.now()
    consents = {code: ConsentText.objects.filter(language=code).first() for code in LANGUAGES}
    others = sorted(set(countries.names("en")) - set(countries.LAUNCH))
    chosen = [*countries.LAUNCH, *dice.sample(others, COUNTRIES - len(countries.LAUNCH))]
    weights = [2 ** (-n / 8) for n in range(COUNTRIES)]
    made = [
        _signature(number, reference, dice, now, dice.choices(chosen, weights)[0], consents)
        for number, reference in enumerate(_references())
    ]
    Signature.objects.bulk_create(made, batch_size=BATCH)
    refused = Signature.objects.filter(reference__in=_references()[:7])
    Letter.objects.bulk_create(
        Letter(
            signature=signature, kind=Letter.Kind.CONFIRM, language=signature.language,
            state=Letter.State.REFUSED, reply="550 5.1.1", ended_at=now,
        )
        for signature in refused
    )  # fmt: skip
    tallies.mend()


def _signature(number, reference, dice, now: datetime, country: str, consents) -> Signature:
    state = dice.choices([State.COUNTED, State.PENDING, State.HELD, State.REJECTED], [84, 9, 5, 2])[
        0
    ]
    days = dice.triangular(0, 13 if state == State.PENDING else DAYS, 5)
    signed = now - timedelta(days=days)
    confirmed = None if state == State.PENDING else min(now, signed + timedelta(minutes=7))
    language = dice.choices(["ar", "fr", "en"], [60, 25, 15])[0]
    email = f"sample{number}@{DOMAIN}"
    return Signature(
        reference=reference,
        state=state,
        name={"ar": "موقِّع للمثال {}", "fr": "Signataire exemple {}", "en": "Sample signer {}"}[
            language
        ].format(number),
        email=email,
        mailbox=Signature.mailbox_indexes(email)[0],
        domain=Signature.domain_index(email),
        country=country,
        track_id=dice.choice([None, *texts.TRACKS]),
        updates=dice.random() < 0.4,
        delivery=dice.random() < 0.7,
        consent=consents[language],
        language=language,
        signed_at=signed,
        confirmed_at=confirmed,
        moved_at=confirmed or signed,
        reason="automated" if state in (State.HELD, State.REJECTED) else "",
    )


def _load_sheets() -> None:
    """A batch of ten, of which each state has some."""
    made = sheets.make("ar", 10, _person(AUTHOR))
    today = timezone.now().date()
    count = {"country": "MA", "place": "Sample", "collector": "S1", "date": today, "struck": 1}
    for number, sheet in enumerate(made[:7]):
        sheets.enter(sheet.number, _person(FIRST), valid=12 + number, **count)
        if number < 5:
            differs = int(number == 4)
            sheets.enter(sheet.number, _person(SECOND), valid=12 + number + differs, **count)
    sheets.void(made[9].number, _person(AUTHOR), _words("en")["why"])


def _load_sweep() -> None:
    """One that has run."""
    rule = Sweep(country="BE", language="en", reason="automated", by=AUTHOR)
    rule.since = timezone.now() - timedelta(days=20)
    sweeps.start(rule, _person(AUTHOR))
    sweeps.run()
