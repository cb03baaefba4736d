"""The geometry of charts."""

import pytest

from petition.figures import charts

pytestmark = pytest.mark.once


def number(text: str) -> float:
    assert text.endswith("%")
    return float(text.removesuffix("%"))


@pytest.mark.parametrize(
    ("most", "step"),
    [(0, 1), (1, 1), (4, 1), (5, 2), (9, 5), (20, 5), (21, 10), (123, 50), (987_654, 500_000)],
)
def test_lines_are_as_far_apart_as_people_count(most, step):
    assert charts.next_step(most) == step


def test_what_came_stands_above_the_line_and_what_left_below_it_on_one_scale():
    chart = charts.columns([(30, 0), (10, 20)], mirrored=False)
    first, second = chart.columns
    zero = number(chart.zero)
    assert number(first.up_y) + number(first.up) == pytest.approx(zero, abs=0.02)
    assert number(second.down_y) == zero
    assert number(second.down) == pytest.approx(2 * number(second.up), abs=0.02)
    assert number(first.up) == pytest.approx(3 * number(second.up), abs=0.02)
    assert [line.value for line in chart.lines] == [20, 10, 0, 10, 20, 30]
    assert number(chart.lines[0].y) == 100
    assert number(second.down_y) + number(second.down) <= 100


def test_time_runs_from_right_to_left_where_writing_does():
    pairs = [(1, 0), (2, 0), (3, 0)]
    plain = charts.columns(pairs, mirrored=False).columns
    mirrored = charts.columns(pairs, mirrored=True).columns
    for one, other in zip(plain, mirrored, strict=True):
        there = number(one.x) + number(one.width)
        assert number(other.x) == pytest.approx(100 - there, abs=0.02)
    assert [c.up for c in mirrored] == [c.up for c in plain]
    assert number(mirrored[0].x) > number(mirrored[-1].x)


@pytest.mark.parametrize("pairs", [[], [(0, 0)], [(0, 0)] * 30, [(0, 5)], [(10**9, 10**9)]])
def test_every_column_stays_inside_the_picture(pairs):
    chart = charts.columns(pairs, mirrored=True)
    assert len(chart.columns) == len(pairs)
    for column in chart.columns:
        assert 0 <= number(column.x) <= number(column.x) + number(column.width) <= 100
        assert charts.HEADROOM - 0.02 <= number(column.up_y) <= number(column.down_y)
        assert number(column.down_y) + number(column.down) <= 100.02
    assert len(chart.lines) <= 2 * charts.LINES + 1


def test_bars_are_as_long_as_their_numbers_and_begin_where_lines_do():
    first, second, none = charts.bars({"FR": 50, "MA": 200, "LB": 0}, mirrored=False)
    assert [bar.key for bar in (first, second, none)] == ["MA", "FR", "LB"]
    assert [bar.length for bar in (first, second, none)] == ["100%", "25%", "0%"]
    assert {first.x, second.x, none.x} == {"0%"}
    assert [bar.x for bar in charts.bars({"FR": 50, "MA": 200}, mirrored=True)] == ["0%", "75%"]
    assert charts.bars({}, mirrored=False) == []


def test_a_place_is_written_as_programs_read_it():
    assert charts.percent(12.5) == "12.5%"
    assert charts.percent(100 / 3) == "33.33%"
    assert charts.percent(-0.0001) == "0%"
