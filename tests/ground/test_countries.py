from petition.ground import countries


def test_all_countries_of_iso_3166_are_there_in_each_language():
    codes = set(countries.names("en"))
    assert len(codes) == 249
    assert codes == set(countries.names("ar")) == set(countries.names("fr"))


def test_the_launch_countries_come_first():
    assert list(countries.names("ar").values())[:3] == ["المغرب", "لبنان", "فلسطين"]
    assert tuple(countries.names("fr"))[:8] == countries.LAUNCH


def test_the_others_are_sorted_as_a_reader_of_the_language_looks_for_them():
    names = list(countries.names("fr").values())[8:]
    assert names.index("États-Unis") < names.index("Éthiopie") < names.index("Fidji")
    arabic = list(countries.names("ar").values())[8:]
    assert arabic.index("أستراليا") < arabic.index("البرازيل") < arabic.index("إيطاليا")
