import pytest

from petition.ground import countries


def test_all_countries_of_iso_3166_and_kosovo_are_there_in_each_language():
    codes = set(countries.names("en"))
    assert len(codes - {"XK"}) == 249
    assert [countries.names(code)["XK"] for code in ("ar", "fr", "en")] == [
        "كوسوفو", "Kosovo", "Kosovo"
    ]  # fmt: skip
    assert codes == set(countries.names("ar")) == set(countries.names("fr"))


@pytest.mark.parametrize(
    ("text", "code"),
    [("MA", "MA"), ("ma", "MA"), ("المغرب", "MA"), ("Maroc", "MA"), ("morocco", "MA"),
     ("\u200fلبنان\u200e", "LB"), ("Etats-Unis", "US"), ("الولايات المتحدة", "US"), ("مصر", "EG"),
     ("Palestine", "PS"), ("فلسطين", "PS"), ("Territoires palestiniens", "PS"), ("España", None),
     ("Égypte", "EG"), ("الإمارات", "AE"), ("Kosovo", "XK"), ("", None), ("Atlantis", None)],
)  # fmt: skip
def test_a_country_is_read_by_its_name_in_each_language(text, code):
    assert countries.code(text) == code


def test_the_launch_countries_come_first():
    assert list(countries.names("ar").values())[:3] == ["المغرب", "لبنان", "فلسطين"]
    assert tuple(countries.names("fr"))[:8] == countries.LAUNCH


def test_the_others_are_sorted_as_a_reader_of_the_language_looks_for_them():
    names = list(countries.names("fr").values())[8:]
    assert names.index("États-Unis") < names.index("Éthiopie") < names.index("Fidji")
    arabic = list(countries.names("ar").values())[8:]
    assert arabic.index("أستراليا") < arabic.index("البرازيل") < arabic.index("إيطاليا")
