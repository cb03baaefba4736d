"""What the public pages of prisoner cases cost among ten thousand of them."""

import re
from datetime import date, timedelta
from statistics import median
from time import perf_counter

from django.core.cache import caches
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

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
)
from tests.making import make_person

MANY = 10_000
REPEATS = 15
TRACKS = ("fate", "legislation", "protection")
AGES = ("18-29", "30-44", "45-59", "60+", "child")
STORY = "A sample story of a person who does not exist.\n\n## Since then\n\n" + "Words. " * 300
LISTS = (
    "track=fate", "group=sick", "group=elderly", "group=woman", "group=child",
    "nationality=palestinian", "nationality=lebanese", "nationality=other",
    "track=fate&group=sick&nationality=lebanese", "track=legislation&group=child&nationality=other",
)  # fmt: skip


def run() -> None:
    start = perf_counter()
    fill(MANY)
    print(f"{MANY:,} public cases made in {perf_counter() - start:.0f} s; medians of {REPEATS}")
    client = Client()
    # In three languages, and in Arabic alone.
    several, single = of_languages(3), of_languages(1)
    token = Portrait.objects.latest("pk").token
    pages = {
        "list": "/ar/cases/",
        "list, page 100": page_hundred(client),
        **{f"list, {query}": f"/ar/cases/?{query}" for query in LISTS},
        "profile in its language": f"/ar/cases/{several}/",
        "profile in another language than its own": f"/en/cases/{single}/",
        "share picture": f"/ar/cases/{several}/share.png",
        "portrait": f"/portraits/{token}-320.avif",
        "track": "/ar/tracks/fate/",
        "home, nothing remembered": "/ar/",
        "sitemap": "/sitemap.xml",
    }
    for name, address in pages.items():
        seconds, statements = cost(client, address)
        print(f"  {name:50} {seconds * 1000:7.1f} ms, {statements} statements")
    print()
    empty()


def cost(client: Client, address: str) -> tuple[float, int]:
    times = []
    for _ in range(REPEATS):
        caches["process"].clear()
        start = perf_counter()
        assert client.get(address).status_code == 200, address
        times.append(perf_counter() - start)
    caches["process"].clear()
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return median(times), len(captured)


def page_hundred(client: Client) -> str:
    address = "/ar/cases/"
    for _ in range(99):
        html = client.get(address).content.decode()
        address = re.search(r'href="([^"]+)" rel="next"', html)[1].replace("&amp;", "&")
    return address


def of_languages(how_many: int) -> str:
    """The address of a case that is told in so many languages, from the middle."""
    told = Case.objects.annotate(languages=Count("texts")).filter(languages=how_many)
    slugs = told.order_by("pk").values_list("slug", flat=True)
    return slugs[len(slugs) // 2]


def fill(how_many: int) -> None:
    """So many public cases, in one to three languages, every second with a portrait; one in a
    thousand of another nationality."""
    now, day = timezone.now(), date(2026, 3, 1)
    people = [make_person(name) for name in ("author", "reviewer", "first", "second")]
    author, reviewer, *approvers = people
    cases = Case.objects.bulk_create(
        [
            Case(
                naming=("name", "pseudonym", "withheld")[n % 3], age_band=AGES[n % 5],
                nationality="other" if n % 1000 == 7 else ("palestinian", "lebanese")[n % 8 == 0],
                is_woman=n % 4 == 0, is_sick=n % 7 == 0, track_id=TRACKS[n // 5 % 3],
                situation=("arrested", "sentenced", "administrative")[n % 3],
                situation_as_of=day, since=day, since_as_of=day, place_as_of=day,
            )
            for n in range(how_many)
        ],
        2000,
    )  # fmt: skip
    consents = Consent.objects.bulk_create(
        [
            Consent(
                case=case, giver="person", method="writing", language="ar", evidence="SAMPLE",
                given_at=now - timedelta(days=9), valid_until=now + timedelta(days=90 + n % 300),
                explained_copies=True, explained_worst_case=True, explained_withdrawal=True,
                recorded_by=author, **{f"scope_{scope}": True for scope in Consent.SCOPES},
            )
            for n, case in enumerate(cases)
        ],
        2000,
    )  # fmt: skip
    risks = RiskReview.objects.bulk_create(
        [RiskReview(case=case, by=reviewer, may_be_public=True, note="Sample") for case in cases],
        2000,
    )
    for case, consent, risk in zip(cases, consents, risks, strict=True):
        case.consent, case.risk_review = consent, risk
    Case.objects.bulk_update(cases, ["consent", "risk_review"], 1000)
    Case.authors.through.objects.bulk_create(
        [Case.authors.through(case=case, user=author) for case in cases], 5000
    )
    fill_texts(cases, author, reviewer, approvers)
    fill_portraits(cases[::2])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def fill_texts(cases, author, reviewer, approvers) -> None:
    day, now = date(2026, 3, 1), timezone.now()
    texts = CaseText.objects.bulk_create(
        [
            CaseText(
                case=case, language=language, name=f"Sample Prisoner {n}", place="Sample Prison",
                pseudonym=f"Sample Pseudonym {n}", charges="Sample.", health="Sample.",
                story=STORY, portrait_alt="Sample", reviewed_revision=1, reviewed_by=reviewer,
                reviewed_at=now,
            )
            for n, case in enumerate(cases)
            for language in ("ar", "fr", "en")[: n % 3 + 1]
        ],
        2000,
    )  # fmt: skip
    CaseText.authors.through.objects.bulk_create(
        [CaseText.authors.through(casetext=text, user=author) for text in texts], 5000
    )
    Approval.objects.bulk_create(
        [
            Approval(text=text, by=person, case_revision=1, text_revision=1)
            for text in texts
            for person in approvers
        ],
        5000,
    )
    CaseUpdate.objects.bulk_create(
        [CaseUpdate(text=text, day=day, body="Sample.") for text in texts for _ in range(2)], 5000
    )
    Source.objects.bulk_create(
        [
            Source(case=case, title="Sample", publisher="Sample", day=day, supports="Sample",
                   language="en", url="https://example.org/")
            for case in cases
            for _ in range(2)
        ],
        5000,
    )  # fmt: skip


def fill_portraits(cases) -> None:
    portraits = Portrait.objects.bulk_create([Portrait(case=case) for case in cases], 2000)
    Rendition.objects.bulk_create(
        [
            Rendition(portrait=portrait, width=width, height=width * 5 // 4, format=name,
                      data=bytes(10 * width))
            for portrait in portraits
            for width in (160, 320, 640)
            for name in Rendition.Format.values
        ],
        2000,
    )  # fmt: skip


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE petition_case CASCADE")
