"""The map of the world."""

import re

import pytest

from petition.figures import world
from petition.ground import countries

pytestmark = pytest.mark.once


def points(path: str):
    """The corners of each ring of a path, in whole units of the map."""
    for ring in re.findall(r"M[^Mz]+z", path):
        numbers = [int(n) for n in re.findall(r"-?\d+", ring)]
        x, y = numbers[:2]
        corners = [(x, y)]
        for dx, dy in zip(numbers[2::2], numbers[3::2], strict=True):
            x, y = x + dx, y + dy
            corners.append((x, y))
        yield corners


def test_every_country_that_a_signer_may_choose_has_its_place_but_antarctica_and_kosovo():
    codes = countries.names("en").keys()
    drawn = {country.code for country in world.shaded(dict.fromkeys(codes, 10)).countries}
    # Natural Earth gives Kosovo no code: its figures stand in the table.
    assert codes - drawn == {"AQ", "XK"}


def test_no_shape_leaves_the_map_or_runs_around_it():
    every = world.shaded(dict.fromkeys(countries.names("en"), 10))
    width, height = world.size()
    for country in every.countries:
        for corners in points(country.path):
            across = [x for x, _ in corners]
            assert all(0 <= x <= width and 0 <= y <= height for x, y in corners), country.code
            assert max(across) - min(across) < width / 2, country.code
        if country.dot:
            assert 0 <= country.dot[0] <= width
            assert 0 <= country.dot[1] <= height


def test_countries_lie_where_they_are():
    every = world.shaded(dict.fromkeys(countries.names("en"), 10))
    places = {}
    for country in every.countries:
        corners = [country.dot] if country.dot else max(points(country.path), key=len)
        places[country.code] = [sum(part) / len(corners) for part in zip(*corners, strict=True)]
    (lebanon, palestine, morocco), (chile, japan) = (
        [places[code] for code in codes] for codes in (("LB", "PS", "MA"), ("CL", "JP"))
    )
    assert chile[0] < morocco[0] < palestine[0] < japan[0]
    assert lebanon[1] < palestine[1] < chile[1]
    # Too small to be seen as a shape: both are among those that the campaign is about.
    assert {"LB", "PS", "MT", "GP"} <= {country.code for country in every.countries if country.dot}


@pytest.mark.parametrize(
    ("value", "step"),
    [(0, 0), (9, 0), (10, 1), (99, 1), (100, 2), (1_000, 3), (99_999, 4), (100_000, 5),
     (9_000_000, 5)],
)  # fmt: skip
def test_a_country_is_as_dark_as_its_number(value, step):
    assert world.step(value) == step


def test_land_without_a_number_stays_blank():
    some = world.shaded({"MA": 120, "LB": 4, "AQ": 50, "XX": 50})
    assert [(c.code, c.step, c.value) for c in some.countries] == [("MA", 2, 120)]
    whole = world.shaded({}).blank
    (morocco,) = some.countries
    assert morocco.path in whole
    assert len(some.blank) + len(morocco.path) == len(whole)
    assert world.shaded({}).countries == []
