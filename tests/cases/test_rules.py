"""Whatever is typed, consented, reviewed and approved, in whatever order and at whatever time: no
page, list, sitemap, picture or export shows of a person what the rules forbid, and all of them show
what the rules allow. The rules are written here a second time, in plain Python."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from petition.cases import profiles, rules
from petition.cases.rules import Missing
from petition.desk import exports
from petition.models import (
    Approval,
    Case,
    CaseText,
    CaseUpdate,
    Consent,
    Portrait,
    Rendition,
    RiskReview,
    Source,
    TakeDown,
)
from tests.budget import FUZZ, examples
from tests.making import make_person

LANGUAGES = ("ar", "fr", "en")
PEOPLE = ("author", "translator", "one", "two", "three")
SCOPES = ("name", "portrait", "place", "health", "charges", "story", "search")


@dataclass
class Told:
    """A text in one language: who wrote it, who reviewed which revision, who approved what."""

    authors: frozenset
    revision: int = 1
    reviewed_by: str = "one"
    reviewed_revision: int = 1
    approvals: frozenset = frozenset()  # of (person, case revision, text revision)


@dataclass
class World:
    naming: str = "name"
    age_band: str = "30-44"
    is_sick: bool = True
    events: int = 0
    revision: int = 1
    authors: frozenset = frozenset({"author"})
    texts: dict = field(default_factory=dict)
    consent: dict | None = (
        None  # ends (hours from now), given (hours ago), withdrawn, events, scope
    )
    older_consent: bool = False
    sources: int = 1
    risk: tuple | None = (0, True)  # age in days, may be public
    taken_down: bool = False
    portrait: bool = True


people = st.sampled_from(PEOPLE)
small = st.integers(1, 2)
told = st.builds(
    Told,
    authors=st.frozensets(people, min_size=1, max_size=2),
    revision=small,
    reviewed_by=people,
    reviewed_revision=st.integers(0, 2),
    approvals=st.frozensets(st.tuples(people, small, small), max_size=6),
)
consents = st.fixed_dictionaries(
    {
        "ends": st.sampled_from([-24, -1, 1, 24]),
        "given": st.sampled_from([-0.5, 48]),
        "withdrawn": st.booleans(),
        "events": st.integers(0, 1),
        "scope": st.frozensets(st.sampled_from(SCOPES)),
    }
)
worlds = st.builds(
    World,
    naming=st.sampled_from(["name", "pseudonym", "withheld"]),
    age_band=st.sampled_from(["child", "30-44", "60+"]),
    is_sick=st.booleans(),
    events=st.integers(0, 1),
    revision=small,
    authors=st.frozensets(people, max_size=2),
    texts=st.dictionaries(st.sampled_from(LANGUAGES), told, max_size=3),
    consent=st.none() | consents,
    older_consent=st.booleans(),
    sources=st.integers(0, 1),
    risk=st.none() | st.tuples(st.sampled_from([0, 89, 90, 200]), st.booleans()),
    taken_down=st.booleans(),
    portrait=st.booleans(),
)

ALL = frozenset(SCOPES)
HOLDS = {"ends": 24, "given": 48, "withdrawn": False, "events": 0, "scope": ALL}
RIGHT = Told(frozenset({"author"}), approvals=frozenset({("two", 1, 1), ("three", 1, 1)}))


def world(text: dict | None = None, consent: dict | None = None, **changes) -> World:
    """One where all is right but what is changed."""
    told = Told(**(vars(RIGHT) | (text or {})))
    return World(**({"texts": {"en": told}, "consent": HOLDS | (consent or {})} | changes))


# --- The rules, a second time --------------------------------------------------------------------


def may_be_public(world: World, told: Told) -> bool:
    consent = world.consent
    approvers = {
        person
        for person, of_case, of_text in told.approvals
        if (of_case, of_text) == (world.revision, told.revision)
        and person not in told.authors | world.authors
    }
    return (
        not world.taken_down
        and consent is not None
        and consent["given"] > 0
        and consent["ends"] > 0
        and not consent["withdrawn"]
        and consent["events"] == world.events
        and world.sources > 0
        and world.risk is not None
        and world.risk[0] < 90
        and world.risk[1]
        and told.reviewed_revision == told.revision
        and told.reviewed_by not in told.authors
        and len(approvers) >= 2
    )


def allowed(world: World) -> set[str]:
    """The fields of a public case that may be shown."""
    scope = set(world.consent["scope"])
    if world.age_band == "child":
        scope -= {"name", "portrait", "place"}
    fields = scope & {"portrait", "place", "health", "charges", "story"}
    if world.naming == "name" and "name" in scope:
        fields.add("name")
    if world.naming == "pseudonym":
        fields.add("pseudonym")
    return fields


# --- A world in the database ---------------------------------------------------------------------

FIELDS = ("name", "pseudonym", "place", "charges", "health", "story")


def mark(kind: str, language: str) -> str:
    return f"mark{kind}{language}"


def build(world: World) -> Case:
    person = {name: make_person(name) for name in PEOPLE}
    now = timezone.now()
    case = Case.objects.create(
        naming=world.naming, age_band=world.age_band, nationality="lebanese", track_id="fate",
        is_sick=world.is_sick, situation="released" if world.events else "arrested",
        situation_as_of=now.date(), place_as_of=now.date(), events=world.events,
        revision=world.revision,
    )  # fmt: skip
    case.authors.set(person[name] for name in world.authors)
    for _number in range(world.sources):
        Source.objects.create(case=case, title="s", publisher="p", day=now, supports="x")
    if world.older_consent:
        make(case, HOLDS | {"events": world.events}, now)
    if world.consent:
        case.consent = make(case, world.consent, now)
    if world.risk:
        age, yes = world.risk
        case.risk_review = RiskReview.objects.create(
            case=case, by=person["one"], may_be_public=yes, note="n", at=now - timedelta(days=age)
        )
    if world.taken_down:
        case.take_down = TakeDown.objects.create(case=case, by=person["one"], reason="r")
    case.save()
    if world.portrait:
        portrait = Portrait.objects.create(case=case, token="0" * 32)
        for file_format in Rendition.Format:
            Rendition.objects.create(
                portrait=portrait, width=160, height=200, format=file_format, data=b"picture"
            )
    for language, told in world.texts.items():
        write(case, language, told, person)
    return case


def make(case: Case, consent: dict, now) -> Consent:
    return Consent.objects.create(
        case=case, giver="person", method="call", language="ar", evidence="e",
        given_at=now - timedelta(hours=consent["given"] if consent["ends"] > 0 else 72),
        valid_until=now + timedelta(hours=consent["ends"]),
        withdrawn_at=now if consent["withdrawn"] else None, events=consent["events"],
        explained_copies=True, explained_worst_case=True, explained_withdrawal=True,
        recorded_by=User.objects.first(),
        **{f"scope_{scope}": scope in consent["scope"] for scope in SCOPES},
    )  # fmt: skip


def write(case: Case, language: str, told: Told, person: dict) -> None:
    text = CaseText.objects.create(
        case=case, language=language, portrait_alt=mark("portrait", language),
        revision=told.revision, reviewed_revision=told.reviewed_revision,
        reviewed_by=person[told.reviewed_by],
        **{kind: mark(kind, language) for kind in FIELDS},
    )  # fmt: skip
    text.authors.set(person[name] for name in told.authors)
    CaseUpdate.objects.create(text=text, day=timezone.now(), body=mark("story", language) + "2")
    Approval.objects.bulk_create(
        Approval(text=text, by=person[name], case_revision=of_case, text_revision=of_text)
        for name, of_case, of_text in told.approvals
    )


def surfaces(client, case: Case) -> dict[str, str]:
    """Everything public that could tell of a case, as it is answered."""
    asked = {"sitemap": "/sitemap.xml"}
    for language in LANGUAGES:
        asked |= {
            f"{language} home": f"/{language}/",
            f"{language} list": f"/{language}/cases/",
            f"{language} sick": f"/{language}/cases/?group=sick",
            f"{language} track": f"/{language}/tracks/fate/",
            f"{language} profile": f"/{language}/cases/{case.slug}/",
        }
    answers = {name: client.get(url) for name, url in asked.items()}
    assert not [name for name, answer in answers.items() if answer.status_code >= 500]
    shown = {
        name: answer.content.decode() if answer.status_code == 200 else ""
        for name, answer in answers.items()
    }
    return shown | {f"{code} export": str(exports.told(code)) for code in LANGUAGES}


def check(client, world: World) -> None:
    case = build(world)
    public_in = {code for code, told in world.texts.items() if may_be_public(world, told)}
    assert set(rules.public().values_list("language", flat=True)) == public_in
    shown = surfaces(client, case)
    may = allowed(world) if public_in else set()
    for language in LANGUAGES:
        kept = language in public_in
        for kind in (*FIELDS, "portrait"):
            marker = mark(kind, language)
            found = {name for name, page in shown.items() if marker in page}
            if not (kept and kind in may) or (kind == "portrait" and not world.portrait):
                assert found == set(), (kind, language)
            else:
                assert f"{language} profile" in found or kind == "portrait", (kind, language)
        listed = case.slug in shown[f"{language} list"]
        assert listed == bool(public_in)
        sick = bool(public_in) and world.is_sick and "health" in world.consent["scope"]
        assert (case.slug in shown[f"{language} sick"]) == sick
        assert bool(shown[f"{language} profile"]) == bool(public_in)
        status = 200 if public_in else 410 if world.taken_down else 404
        for name in ("", "share.png"):
            assert client.get(f"/{language}/cases/{case.slug}/{name}").status_code == status
    indexed = bool(public_in) and "search" in world.consent["scope"]
    assert (case.slug in shown["sitemap"]) == indexed
    if public_in and not indexed:
        assert "noindex" in client.get(f"/en/cases/{case.slug}/")["X-Robots-Tag"]
    if world.portrait:
        answer = client.get(f"/portraits/{'0' * 32}-160.jpg")
        assert (answer.status_code == 200) == ("portrait" in may)


@pytest.mark.property
@pytest.mark.django_db
@settings(
    max_examples=examples(6),
    deadline=None,
    derandomize=not FUZZ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(worlds)
@example(world())
@example(world(age_band="child"))
@example(world(taken_down=True))
@example(world(sources=0))
@example(world(consent={"ends": -1}))
@example(world(consent={"given": -0.5}))
@example(world(consent={"withdrawn": True}, older_consent=True))
@example(world(consent={"events": 0}, events=1))
@example(world(risk=None))
@example(world(risk=(90, True)))
@example(world(risk=(0, False)))
@example(world(text={"reviewed_revision": 0}))
@example(world(text={"reviewed_by": "author"}))
@example(world(text={"approvals": frozenset({("two", 1, 1)})}))
@example(world(text={"approvals": frozenset({("two", 1, 1), ("author", 1, 1)})}))
@example(world(text={"approvals": frozenset({("two", 1, 1), ("three", 1, 2)})}))
@example(world(text={"approvals": frozenset({("two", 1, 1), ("three", 2, 1)})}))
@example(world(text={"authors": frozenset({"translator"})}, authors=frozenset({"two"})))
@example(world(text={"authors": frozenset({"two"})}))
@example(World(texts={"en": RIGHT, "ar": Told(frozenset({"author"}))}, consent=HOLDS))
@example(World(texts={"ar": RIGHT, "en": Told(frozenset({"author"}))}, consent=HOLDS))
@example(World(texts={"en": RIGHT}, consent=None))
@example(world(naming="pseudonym"))
@example(world(naming="withheld"))
@example(world(consent={"scope": ALL - {"name"}}))
@example(world(consent={"scope": ALL - {"portrait"}}))
@example(world(consent={"scope": ALL - {"place"}}))
@example(world(consent={"scope": ALL - {"health"}}))
@example(world(consent={"scope": ALL - {"charges"}}))
@example(world(consent={"scope": ALL - {"story"}}))
@example(world(consent={"scope": ALL - {"search"}}))
def test_nothing_is_shown_that_the_rules_forbid(client, world):
    attempt(client, world)


def attempt(client, world: World) -> None:
    """Build, check, and leave no trace."""
    with transaction.atomic():
        for cache in caches.all():
            cache.clear()
        try:
            check(client, world)
        finally:
            transaction.set_rollback(True)


# --- Each rule, taken away -----------------------------------------------------------------------

# With the rule, each of these worlds is right: they are among the examples above.

WITHOUT = {
    Missing.NOT_TAKEN_DOWN: world(taken_down=True),
    Missing.CONSENT: World(texts={"en": RIGHT}, consent=None),
    Missing.NOT_WITHDRAWN: world(consent={"withdrawn": True}),
    Missing.NOT_OVER: world(consent={"ends": -1}),
    Missing.SINCE_EVENT: world(events=1),
    Missing.SOURCE: world(sources=0),
    Missing.RISK: world(risk=None),
    Missing.REVIEW: world(text={"reviewed_revision": 0}),
    Missing.APPROVALS: world(text={"approvals": frozenset({("two", 1, 1)})}),
}


@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.parametrize("missing", Missing)
def test_without_one_of_the_rules_that_test_fails(client, monkeypatch, missing):
    monkeypatch.setitem(rules.RULES, missing, lambda now: Q(pk__gt=0))
    with pytest.raises(AssertionError):
        attempt(client, WITHOUT[missing])


@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.parametrize("scope", SCOPES)
def test_where_a_scope_is_not_asked_for_that_test_fails(client, monkeypatch, scope):
    narrower = world(consent={"scope": ALL - {scope}})
    right = rules.may_show
    for module in (rules, profiles):
        monkeypatch.setattr(module, "may_show", lambda case, s: s == scope or right(case, s))
    with pytest.raises(AssertionError):
        attempt(client, narrower)


@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.parametrize("field", rules.HIDDEN_OF_CHILDREN)
def test_where_a_child_is_shown_like_others_that_test_fails(client, monkeypatch, field):
    left = tuple(f for f in rules.HIDDEN_OF_CHILDREN if f != field)
    monkeypatch.setattr(rules, "HIDDEN_OF_CHILDREN", left)
    with pytest.raises(AssertionError):
        attempt(client, world(age_band="child"))
