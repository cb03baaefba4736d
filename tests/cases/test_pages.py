"""Prisoner cases as everybody sees them: what is shown, and to whom."""

import re
import struct
from datetime import date

import pytest
from django.core.cache import caches

from petition.models import Case, CaseText, CaseUpdate, Source
from tests.cases.reading import consent_of, files, names, page
from tests.making import make_case, make_consent, make_portrait, make_text
from tests.test_house import INLINE

pytestmark = pytest.mark.django_db


# --- The list ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_list_and_profile_are_what_the_house_promises(client, language):
    case = make_case("ar", "fr", "en")
    make_portrait(case)
    for path in ("cases/", f"cases/{case.slug}/"):
        response = client.get(f"/{language}/{path}")
        html = response.content.decode()
        for other in ("ar", "fr", "en"):
            assert f'hreflang="{other}" href="http://testserver/{other}/{path}"' in html
        assert f'<link rel="canonical" href="http://testserver/{language}/{path}">' in html
        assert html.count("<h1") == 1
        assert not re.search(INLINE, html)
        assert "ld+json" not in html
        assert not response.cookies
        assert "{%" not in html
        assert "{{" not in html


def test_a_filter_keeps_the_others_and_says_which_is_chosen(client):
    make_case(slug="one", track_id="fate", nationality="lebanese", is_sick=True)
    make_case(slug="two", track_id="fate", is_woman=True)
    make_case(slug="three", age_band="60+")
    assert names(page(client, "/en/cases/")) == ["three", "two", "one"]
    assert names(page(client, "/en/cases/?track=fate")) == ["two", "one"]
    html = page(client, "/en/cases/?nationality=lebanese&track=fate&group=sick")
    assert names(html) == ["one"]
    chosen = re.findall(r'href="([^"]+)" aria-current="true">([^<]+)<', html)
    here = "/en/cases/?track=fate&amp;group=sick&amp;nationality=lebanese"
    assert chosen == [(here, "Reveal their fate"), (here, "The sick"), (here, "Lebanese")]
    assert 'href="/en/cases/?track=fate&amp;nationality=lebanese">All<' in html
    assert f'<link rel="canonical" href="http://testserver{here}">' in html
    other = here.replace("/en/", "/fr/")
    assert f'hreflang="fr" href="http://testserver{other}"' in html
    assert names(page(client, "/en/cases/?group=elderly")) == ["three"]
    assert names(page(client, "/en/cases/?group=woman")) == ["two"]


@pytest.mark.parametrize(
    "query", ["track=x", "group=x", "nationality=french", "after=%00", "after=a'b", "track=%00"]
)
def test_an_address_that_asks_for_what_there_is_not_finds_nothing(client, query):
    page(client, f"/en/cases/?{query}", 404)


def test_pages_turn_by_key_and_miss_nobody(client):
    slugs = [make_case(track_id="fate").slug for _ in range(50)]
    make_case(track_id="protection")
    address, seen = "/en/cases/?track=fate", []
    while address:
        html = page(client, address)
        seen += names(html)
        older = re.search(r'href="([^"]+)" rel="next"', html)
        address = older and older[1].replace("&amp;", "&")
        assert address is None or "track=fate" in address
    assert seen == slugs[::-1]
    assert 'href="/en/cases/?track=fate">Newest profiles<' in html


def test_an_empty_list_says_why(client):
    assert "No profile is published at the moment." in page(client, "/en/cases/")
    case = make_case()
    assert "No published profile fits this choice." in page(client, "/en/cases/?track=fate")
    assert "There are no older profiles." in page(client, f"/en/cases/?after={case.slug}")


# --- The profile ---------------------------------------------------------------------------------


def test_a_profile_says_of_which_day_its_facts_are_and_that_they_are_reported(client):
    case = make_case(situation_certainty="confirmed")
    html = page(client, f"/en/cases/{case.slug}/")
    facts = re.sub(r"<[^>]+>|\s+", " ", html[html.index("<dl") : html.index("</dl")])
    facts = re.sub(r" +", " ", facts)
    assert "Situation arrested as of 1 March 2026 – confirmed" in facts
    assert "Date of detention 2 November 2025 as of 1 March 2026 – reported" in facts
    assert "Place of detention Sample Prison as of 1 March 2026 – reported" in facts
    assert "Charges, as reported" in html
    assert "Health, as reported" in html
    description = "arrested, as of 1 March 2026 – confirmed"
    assert f'<meta name="description" content="{description}">' in html
    assert f'<meta property="og:description" content="{description}">' in html
    assert "1er mars 2026" in page(client, f"/fr/cases/{case.slug}/")


def test_sources_are_named_with_what_they_support_and_learn_nothing_of_readers(client):
    case = make_case()
    Source.objects.create(
        case=case, title="تقرير", publisher="Sample Paper", day=date(2026, 4, 2), supports="x",
        language="ar",
    )  # fmt: skip
    html = page(client, f"/en/cases/{case.slug}/")
    link = '<a href="https://example.org/report" rel="noreferrer nofollow">Sample report</a>'
    assert link in html
    assert "Supports: <bdi>the arrest</bdi>" in html
    assert '<cite lang="ar"><bdi>تقرير</bdi></cite>' in html
    assert '<time datetime="2026-04-02">2 April 2026</time>' in html


def test_a_story_is_markdown_whose_markup_and_pictures_are_harmless(client):
    case = make_case("ar")
    story = (
        "# A\n\n## B\n\n<script>x</script> ![p](https://example.org/p.png) 12, [x](javascript:x)"
    )
    CaseText.objects.update(story=story)
    CaseUpdate.objects.create(text=CaseText.objects.get(), day=date(2026, 5, 1), body="*older*")
    CaseUpdate.objects.create(text=CaseText.objects.get(), day=date(2026, 5, 9), body="newer 3")
    html = page(client, f"/ar/cases/{case.slug}/")
    assert "<h2>A</h2>" in html
    assert "<h3>B</h3>" in html
    assert html.count("<h1") == 1
    assert "<script>x" not in html
    assert "<img" not in html
    assert 'href="javascript:' not in html
    assert "<bdi>12</bdi>" in html
    assert html.index("newer <bdi>3</bdi>") < html.index("<em>older</em>")


@pytest.mark.parametrize(
    ("naming", "shown"),
    [("name", "Sample Prisoner"), ("pseudonym", "Sample Pseudonym"), ("withheld", "Name withheld")],
)
def test_a_person_is_called_as_the_case_says_and_never_otherwise(client, naming, shown):
    case = make_case(naming=naming)
    every = {"Sample Prisoner", "Sample Pseudonym", "Name withheld"}
    for path in (f"/en/cases/{case.slug}/", "/en/cases/", "/en/", "/en/tracks/protection/"):
        html = page(client, path)
        assert shown in html
        assert not any(other in html for other in every - {shown})
    html = page(client, f"/en/cases/{case.slug}/")
    assert f'<meta property="og:title" content="{shown}">' in html
    assert ("The name has been changed." in html) == (naming == "pseudonym")


def test_who_reads_another_language_is_told_so_and_reads_what_there_is(client):
    case = make_case("ar", "en")
    CaseText.objects.filter(language="ar").update(name="اسم", story="قصّة", place="مكان")
    html = page(client, f"/fr/cases/{case.slug}/")
    assert '<html lang="fr" dir="ltr">' in html
    assert "arabe et anglais" in html
    assert '<div class="prose" lang="ar" dir="rtl"><p>قصّة</p>' in html
    assert '<bdi lang="ar">اسم</bdi>' in html
    assert '<bdi lang="ar">مكان</bdi>' in html
    assert "arabe" not in page(client, f"/ar/cases/{case.slug}/")
    assert "has not been written in English" not in page(client, f"/en/cases/{case.slug}/")


def test_an_error_is_reported_with_the_address_of_the_page(client, settings):
    case = make_case()
    path = f"/en/cases/{case.slug}/"
    assert "The person or the family can ask at any time" in page(client, path)
    assert "mailto:?subject=About" not in page(client, path)
    settings.CONTACT_EMAIL = "contact@example.org"
    subject = f"About%20this%20profile%3A%20http%3A%2F%2Ftestserver%2Fen%2Fcases%2F{case.slug}%2F"
    assert f'href="mailto:contact@example.org?subject={subject}"' in page(client, path)


def test_nothing_invites_to_spread_a_child_or_who_is_not_to_be_found(client):
    assert "https://wa.me/" in page(client, f"/en/cases/{make_case().slug}/")
    child = make_case(age_band="child")
    hidden = make_case()
    consent_of(hidden, scope_search=False)
    for case in (child, hidden):
        html = page(client, f"/en/cases/{case.slug}/")
        assert "https://wa.me/" not in html
        assert "Please pass on nothing but the address" in html


# --- Search engines ------------------------------------------------------------------------------


def test_who_may_not_be_found_is_in_no_index_and_on_no_page_that_is(client):
    case = make_case(slug="hidden", track_id="fate")
    make_case(slug="found", track_id="fate")
    consent_of(case, scope_search=False)
    for path in ("/en/cases/hidden/", "/en/cases/"):
        response = client.get(path)
        assert response["X-Robots-Tag"] == "noindex"
        assert '<meta name="robots" content="noindex">' in response.content.decode()
    for path in ("/en/cases/found/", "/en/cases/?nationality=other"):
        response = client.get(path)
        assert "noindex" not in response["X-Robots-Tag"]
        assert "noarchive" in response["X-Robots-Tag"]
        assert "noindex" not in response.content.decode()
    for path in ("/en/", "/en/tracks/fate/"):
        assert names(page(client, path)) == ["found"]
    assert "hidden" not in page(client, "/sitemap.xml")


def test_the_sitemap_has_the_profiles_in_every_language(client):
    case = make_case("ar")
    changed = f"<lastmod>{case.changed_at:%Y-%m-%d}</lastmod>"
    found = page(client, "/sitemap.xml")
    for language in ("ar", "fr", "en"):
        assert f"<loc>http://testserver/{language}/cases/{case.slug}/</loc>{changed}" in found
        assert f'hreflang="{language}" href="http://testserver/{language}/cases/' in found


# --- Home and tracks -----------------------------------------------------------------------------


def test_home_shows_the_newest_three_and_nothing_where_there_are_none(client):
    assert "Prisoners’ profiles</h2>" not in page(client, "/en/")
    slugs = [make_case().slug for _ in range(4)]
    caches["process"].clear()
    assert names(page(client, "/en/")) == slugs[:0:-1]


@pytest.mark.usefixtures("pages_in_memory")
def test_home_costs_no_statement_once_it_is_warm(client, django_assert_num_queries):
    make_portrait(make_case("fr"))
    client.get("/fr/")
    with django_assert_num_queries(0):
        assert len(names(page(client, "/fr/"))) == 1


def test_a_track_shows_its_own_cases(client):
    make_case(slug="other", track_id="fate")
    slugs = [make_case(track_id="legislation").slug for _ in range(13)]
    html = page(client, "/en/tracks/legislation/")
    assert names(html) == slugs[:0:-1]
    assert 'href="/en/cases/?track=legislation"' in html
    assert 'href="/en/cases/?track=protection"' not in page(client, "/en/tracks/protection/")


# --- Portraits -----------------------------------------------------------------------------------


def test_a_portrait_is_there_in_three_sizes_and_formats_and_moves_nothing(client):
    case = make_case("en", "ar")
    make_portrait(case)
    CaseText.objects.filter(language="ar").update(portrait_alt="صورة")
    html = page(client, f"/ar/cases/{case.slug}/")
    assert len(files(html)) == 9
    assert 'alt="صورة" lang="ar"' in html
    assert 'width="160" height="200"' in html
    kinds = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}
    for address in files(html):
        response = client.get(address)
        assert response["Content-Type"] == kinds[address.rpartition(".")[2]]
        assert response["Cross-Origin-Resource-Policy"] == "same-origin"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["X-Robots-Tag"] == "noindex"
        assert "Accept-Language" not in response.get("Vary", "")
        assert response.content
    assert 'loading="lazy"' in page(client, "/ar/cases/")


def test_no_other_site_gets_a_portrait(client):
    case = make_case()
    make_portrait(case)
    (address, *_rest) = files(page(client, f"/en/cases/{case.slug}/"))
    for elsewhere in ("cross-site", "same-site"):
        response = client.get(address, headers={"Sec-Fetch-Site": elsewhere})
        assert response.status_code == 403
        assert "no-store" in response["Cache-Control"]
        assert response.content == b""
    for ours in ("same-origin", "none"):
        assert client.get(address, headers={"Sec-Fetch-Site": ours}).status_code == 200


def test_what_is_no_portrait_is_not_found(client):
    token = "0" * 32
    for name in (f"{token}-160.jpg", f"{token}-160.png", "x-160.jpg", f"{token}-99999.jpg"):
        page(client, f"/portraits/{name}", 404)


@pytest.mark.parametrize("how", ["child", "scope"])
def test_a_portrait_that_may_not_be_shown_is_neither_named_nor_sent(client, how):
    case = make_case()
    make_portrait(case)
    named = files(page(client, f"/en/cases/{case.slug}/"))
    if how == "child":
        Case.objects.update(age_band="child")
    else:
        consent_of(case, scope_portrait=False)
    for path in (f"/en/cases/{case.slug}/", "/en/cases/"):
        assert "/portraits/" not in page(client, path)
    for address in named:
        page(client, address, 404)


# --- Share picture -------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_picture_for_a_profiles_link_shows_its_words_and_no_portrait(client, language):
    case = make_case("ar", "fr", "en")
    address = f"/{language}/cases/{case.slug}/share.png"
    html = page(client, f"/{language}/cases/{case.slug}/")
    assert f'<meta property="og:image" content="http://testserver{address}">' in html
    before = client.get(address)
    assert before["Content-Type"] == "image/png"
    assert struct.unpack(">II", before.content[16:24]) == (1200, 630)
    make_portrait(case)
    assert client.get(address).content == before.content
    Case.objects.update(naming="withheld")
    withheld = client.get(address).content
    assert withheld != before.content
    CaseText.objects.update(name="Another")
    assert client.get(address).content == withheld


# --- What it costs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["cases/", "cases/?group=sick&track=protection&nationality=palestinian", "cases/{slug}/",
     "cases/{slug}/share.png", "tracks/protection/", ""],
)  # fmt: skip
def test_pages_cost_a_dozen_statements_at_most_however_many_cases(
    client, path, django_assert_max_num_queries
):
    for _ in range(30):
        case = make_case("ar", "en", is_sick=True)
        CaseUpdate.objects.create(text=case.texts.first(), day=date(2026, 5, 1), body="x")
    make_portrait(case)
    with django_assert_max_num_queries(12):
        assert client.get(f"/fr/{path.format(slug=case.slug)}").status_code == 200


def test_what_another_consent_covers_is_shown_from_the_next_request_on(client):
    case = make_case(naming="withheld")
    make_text(case, "fr", health="Santé de l’échantillon")
    assert "Health, as reported" in page(client, f"/en/cases/{case.slug}/")
    make_consent(case, scope_health=False)
    html = page(client, f"/en/cases/{case.slug}/")
    assert "Sample health" not in html
    assert "Health, as reported" not in html
