import pytest

from petition.ground import languages


@pytest.mark.parametrize(
    ("code", "written"), [("ar", "1,234,567"), ("fr", "1\u202f234\u202f567"), ("en", "1,234,567")]
)
def test_numbers_are_grouped_as_the_language_groups_them(code, written):
    assert languages.number(1234567, code) == written


def test_a_share_is_rounded_down_so_that_the_goal_is_never_reached_early():
    assert languages.percent(999_999, 1_000_000, "en") == "99.9%"
    assert languages.percent(1_000_000, 1_000_000, "en") == "100%"
    assert languages.percent(0, 0, "en") == "0%"
    assert languages.percent(54, 4273, "en") == "1.2%"
    assert languages.percent(54, 4273, "en", nearest=True) == "1.3%"
    assert languages.percent(123_456, 1_000_000, "fr") == "12,3\xa0%"


def test_the_same_page_in_other_languages():
    assert languages.in_other_languages("/fr/tracks/fate/") == {
        "ar": "/ar/tracks/fate/",
        "fr": "/fr/tracks/fate/",
        "en": "/en/tracks/fate/",
    }
    assert languages.in_other_languages("/admin/") == {}
