"""Small numbers: whoever knows all that is published, and the rule, finds out none of them.

The attacks are exact. They go through every history that could have led to what was published, and
ask whether a small number is the same in all of them.
"""

import random
import sys
from collections import Counter, defaultdict
from functools import cache, reduce
from itertools import combinations, pairwise
from operator import or_
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from petition.figures import disclosure
from petition.figures.disclosure import Table, renew
from tests.budget import examples

pytestmark = pytest.mark.once

# What happens in an hour is seen as it happens: +3, -1 says that three came and then one left.
Hours = list[tuple[int, ...]]


def flow(hour: tuple[int, ...]) -> tuple[int, int]:
    """How many came and how many left."""
    return sum(n for n in hour if n > 0), -sum(n for n in hour if n < 0)


def public(table: Table) -> tuple:
    return tuple(sorted(table.shown.items())), table.rest


@cache
def shares(count: int, among: int) -> list[tuple[int, ...]]:
    """Every way to share so many among so many."""
    if among == 1:
        return [(count,)]
    return [(n, *rest) for n in range(abs(count) + 1) for rest in shares(abs(count) - n, among - 1)]


@cache
def after(counts: tuple[int, ...], hour: tuple[int, ...]) -> set[tuple[int, ...]]:
    """Every count by category that can stand at the end of an hour."""
    possible = {counts}
    for n in hour:
        sign = 1 if n > 0 else -1
        parts = shares(abs(n), len(counts))
        possible = {
            tuple(a + sign * b for a, b in zip(one, part, strict=True))
            for one in possible
            for part in parts
            if sign > 0 or all(a >= b for a, b in zip(one, part, strict=True))
        }
    return possible


class Rule:
    """A rule as an attacker runs it over and over: the same table for the same past."""

    def __init__(self, renew, names: str, least: int, kept: str = ""):
        self.renew, self.names, self.least, self.kept = renew, names, least, kept or names[-1]
        self.known, self.tables = {}, {}

    def __call__(self, before: Table | None, counts: tuple[int, ...], hour: tuple[int, ...]):
        key = (id(before), counts, hour)
        if key not in self.known:
            cells = dict(zip(self.names, counts, strict=True))
            table = self.renew(before, cells, *flow(hour), self.least, self.kept)
            self.known[key] = self.tables.setdefault(repr(table), table)
        return self.known[key]


def told_by_all(rule: Rule, hours: Hours) -> list[str]:
    """Go through every history of these hours; name each small number that some publication tells:
    of a category at an hour, or its change between two hours."""
    start = ((0,) * len(rule.names),)
    groups = {(): {start: None}}  # By what was published: each past, with its last table.
    for hour in hours:
        further = defaultdict(dict)
        for published, pasts in groups.items():
            for past, table in pasts.items():
                for counts in after(past[-1], hour):
                    new = rule(table, counts, hour)
                    further[(*published, public(new))][(*past, counts)] = new
        groups = further
    return [
        f"{hours}: {published}: {rule.names[c]} at {times}: {value}"
        for published, pasts in groups.items()
        for c in range(len(rule.names))
        for times, value in _the_same_in_all(list(pasts), c, rule.least)
    ]


def _the_same_in_all(pasts, c: int, least: int):
    length = len(pasts[0])
    for one, other in combinations(range(length), 2):
        values = {past[other][c] - past[one][c] for past in pasts}
        if len(values) == 1 and 0 < abs(next(iter(values))) < least:
            yield (one, other), values.pop()
    for at in range(1, length):
        values = {past[at][c] for past in pasts}
        if len(values) == 1 and 0 < next(iter(values)) < least:
            yield at, values.pop()


def published(rule: Rule, counts: list[tuple[int, ...]], hours: Hours) -> list[Table]:
    """What the rule makes of a history: the counts at the end of each of its hours."""
    tables = [None]
    for now, hour in zip(counts, hours, strict=True):
        tables.append(rule(tables[-1], now, hour))
    return tables[1:]


def told_by(rule: Rule, counts: list[tuple[int, ...]], hours: Hours) -> list[str]:
    """Small numbers that this one publication tells; exact also where the numbers are large.

    Keeps what can have been at each hour, with what follows from it, instead of whole histories.
    """
    layers = [{((0,) * len(rule.names), None): set()}]  # State: the states that it can come from.
    memory = {None: None}
    for table, hour in zip(published(rule, counts, hours), hours, strict=True):
        further = defaultdict(set)
        for state in layers[-1]:
            for now in after(state[0], hour):
                new = rule(memory[state[1]], now, hour)
                if public(new) == public(table):
                    memory[id(new)] = new
                    further[now, id(new)].add(state)
        layers.append(further)
    for before, further in reversed(list(pairwise(layers))):
        led_on = set().union(*further.values())
        for state in before.keys() - led_on:
            del before[state]
    return [
        f"{name} from {start} to {end}: {change:+}"
        for c, name in enumerate(rule.names)
        for start in range(len(layers))
        for end, change in _the_same_from(layers, start, c)
        if 0 < abs(change) < rule.least
    ]


def _the_same_from(layers: list[dict], start: int, c: int):
    """By how much a category has changed from an hour to later ones, where that is certain. Hour 0
    is before all, so a change from it is a count. Sets of changes are the bits of a number."""
    most = max(state[0][c] for state in layers[start])
    origins = {state: 1 << (most - state[0][c]) for state in layers[start]}
    for end in range(start + 1, len(layers)):
        origins = {
            state: reduce(or_, (origins[one] for one in came_from))
            for state, came_from in layers[end].items()
        }
        changes = reduce(or_, (bits << state[0][c] for state, bits in origins.items()))
        if changes.bit_count() == 1:
            yield end, changes.bit_length() - 1 - most


def told_to_reckoners(rule: Rule, counts: list[tuple[int, ...]], hours: Hours) -> list[str]:
    """Small numbers that follow by reckoning with bounds, where there are too many categories to go
    through all that can have been: what the rule would have shown of fewer and of more, what can
    have come and left since, and what the others leave over."""
    tables = published(rule, counts, hours)
    flows = [flow(hour) for hour in hours]
    bounds = [
        {name: _shown_alike(rule, table, before, hour, name) for name in rule.names}
        for before, table, hour in zip([None, *tables], tables, hours, strict=False)
    ]
    totals = [sum(table.shown.values()) + table.rest for table in tables]
    narrower = None
    while narrower != bounds:
        narrower = [dict(at) for at in bounds]
        for (one, other), (came, left) in zip(pairwise(bounds), flows[1:], strict=True):
            for name in rule.names:
                (a, b), (c, d) = one[name], other[name]
                other[name] = max(c, a - left), min(d, b + came)
                one[name] = max(a, c - came), min(b, d + left)
        for at, total in zip(bounds, totals, strict=True):
            least, most = (sum(bound[side] for bound in at.values()) for side in (0, 1))
            for name, (a, b) in list(at.items()):
                at[name] = max(a, total - (most - b)), min(b, total - (least - a))
    found = []
    for name in rule.names:
        row = [(0, 0), *(at[name] for at in bounds)]
        for start, end in combinations(range(len(row)), 2):
            change = row[end][0] - row[start][1]
            if change == row[end][1] - row[start][0] and 0 < abs(change) < rule.least:
                found.append(f"{name} from {start} to {end}: {change:+}")
    return found


def _shown_alike(rule: Rule, table: Table, before: Table | None, hour, name: str):
    """Between which counts of a category the rule publishes the same, all else as it is shown."""
    total = sum(table.shown.values()) + table.rest
    seen = {one: table.shown.get(one, 0) + table.lowered.get(one, 0) for one in rule.names}
    spare = total - sum(seen.values())

    def is_the_same(count: int) -> bool:
        cells = seen | {name: count}
        cells[rule.kept] += total - sum(cells.values())
        counts = tuple(cells[one] for one in rule.names)
        return public(rule(before, counts, hour)) == public(table)

    if name == rule.kept or not is_the_same(seen[name]):
        return 0, total
    least = seen[name] if seen[name] and not is_the_same(seen[name] - 1) else 0
    higher = (n for n in range(seen[name], seen[name] + max(spare, 0)) if not is_the_same(n + 1))
    return least, next(higher, total)


# --- Small worlds, from their first signature to their last --------------------------------------

# Names, `least`, and what came and left in each hour. The last category is the one that is kept.
WORLDS = [
    ("AB", 2, [(4,), (1,)]),
    ("AB", 2, [(4,), (2, -1)]),
    ("AB", 2, [(4,), (2,)]),
    ("AB", 2, [(4,), (-1,), (2,)]),
    ("AB", 2, [(2,), (5, -2), (-1,)]),
    ("AB", 2, [(5,), (1, -2), (-1,), (2,)]),
    ("AB", 2, [(2,), (3,), (3, -2), (1, -3), (1, -1)]),
    ("AB", 3, [(3,), (-3,), (5, -2), (5, -1), (-1,)]),
    ("AB", 3, [(6,), (4,), (-1,), (7, -2), (3,), (-4, 2)]),
    ("ABC", 2, [(5,), (1,)]),
    ("ABC", 2, [(5,), (2,)]),
    ("ABC", 2, [(3,), (4,), (1, -2)]),
    ("ABC", 2, [(4,), (1,), (5, -1), (3,)]),
    ("ABC", 3, [(7,), (2, -1), (5,)]),
    ("ABCD", 2, [(6,), (3, -1), (2,)]),
]
SOURCE = Path(disclosure.__file__).read_text("utf-8")
SAME_FOR_UP = "        if step:\n            up[name] = 0\n"
SAME_FOR_DOWN = "        if step:\n            down[name] = 0\n"
PARTS = {
    "who rises needs as many who came": [
        ("before.own_up.get(name, before.cover_up) + came", "999")
    ],
    "who falls needs as many who left": [
        ("before.own_down.get(name, before.cover_down) + left", "999")
    ],
    "two do not rise by the same signatures": [("up = _taken(up, step)", "up[name] -= step")],
    "two do not fall by the same signatures": [("down = _taken(down, step)", "down[name] -= step")],
    "who came before a number was asked does not count again": [
        ("        if wanted < allowed:\n            up[name] = 0\n", "")
    ],
    "who left before a number was asked does not count again": [
        ("        if wanted < allowed:\n            down[name] = 0\n", "")
    ],
    "a fall says that there are not more": [(SAME_FOR_UP, "")],
    "a rise says that there are not fewer": [(SAME_FOR_DOWN, "")],
    "who would leave too little over is not asked": [("values()) - least", "values())")],
    "enough is left over": [
        ("values()) - least", "values())"),
        ("values()) < least and", "values()) < 0 and"),
    ],
    "what was found is remembered where less is shown": [("+ before.lowered.get(name, 0)", "")],
    "one stays in the rest": [("if name != kept", "if name")],
}


def without(part: str):
    """The rule, but for one of its parts."""
    source = SOURCE
    for text, instead in PARTS[part]:
        assert source.count(text) == 1, text
        source = source.replace(text, instead)
    module = ModuleType("disclosure_without")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)  # Dataclasses look their module up.
        exec(source, vars(module))  # noqa: S102
    return module.renew


def rounded_alone(before, counted, came, left, least=10, kept=""):
    """What everybody does first."""
    shown = {name: n // least * least for name, n in counted.items() if n >= least}
    return Table(shown, sum(counted.values()) - sum(shown.values()))


@pytest.mark.parametrize(("names", "least", "hours"), WORLDS)
def test_no_history_of_a_small_world_tells_a_small_number(names, least, hours):
    assert told_by_all(Rule(renew, names, least), hours) == []


@pytest.mark.parametrize("part", PARTS)
def test_each_part_of_the_rule_taken_away_lets_the_attack_through(part):
    rule = without(part)
    assert any(told_by_all(Rule(rule, names, least), hours) for names, least, hours in WORLDS)


def test_rounding_alone_tells_small_numbers():
    assert told_by_all(Rule(rounded_alone, "AB", 2), [(2,), (1,)])


# --- Histories that nobody chose -----------------------------------------------------------------


def histories(names: str, hours: int, most: int, leave: int):
    """By hour, which categories those who came and those who left belong to."""
    quiet = st.text(names, max_size=2)
    hour = st.tuples(
        quiet | st.text(names, max_size=most), st.just("") | st.text(names, max_size=leave)
    )
    return st.lists(hour, min_size=3, max_size=hours)


def lived(names: str, history) -> tuple[list[tuple[int, ...]], Hours]:
    """The counts after each hour of a history, and what is seen of it. Nobody leaves twice."""
    now, counts, hours = Counter(), [], []
    for came, left in history:
        now.update(came)
        gone = Counter(left) & now
        now -= gone
        counts.append(tuple(now[name] for name in names))
        hours.append((len(came), -gone.total()))
    return counts, hours


@pytest.mark.property
@settings(max_examples=examples(40), deadline=None)
@given(histories("AB", 20, 14, 12))
def test_no_history_tells_a_small_number_of_one_of_two(history):
    assert told_by(Rule(renew, "AB", 10), *lived("AB", [("AB" * 12, ""), *history])) == []


@pytest.mark.property
@settings(max_examples=examples(6), deadline=None)
@given(histories("ABC", 10, 10, 3))
def test_no_history_tells_a_small_number_of_one_of_three(history):
    assert told_by(Rule(renew, "ABC", 10), *lived("ABC", [("ABC" * 8, ""), *history])) == []


COUNTRIES = "ABCDEFGHIJK"


def campaign(seed: int) -> tuple[list[tuple[int, ...]], Hours]:
    """Days of a campaign in eleven countries, most of them small: nights, great hours, and sweeps
    that set aside much of what came."""
    chance = random.Random(seed)  # noqa: S311 - Worlds, not secrets.
    sizes = [chance.random() ** 4 for _ in COUNTRIES]
    history = []
    for _ in range(chance.randint(10, 25)):
        come = chance.choice([0, 1, 1, 2, 5, 12, 40, 300])
        leave = chance.choice([0, 0, 0, 1, 2, 25, 120])
        history.append(tuple("".join(chance.choices(COUNTRIES, sizes, k=n)) for n in (come, leave)))
    return lived(COUNTRIES, history)


@pytest.mark.property
@settings(max_examples=examples(6), deadline=None)
@given(st.integers(0, 2**32))
def test_no_campaign_tells_a_small_number_to_reckoners(seed):
    assert told_to_reckoners(Rule(renew, COUNTRIES, 10), *campaign(seed)) == []


@pytest.mark.parametrize(
    ("part", "seed"),
    [("who rises needs as many who came", 10), ("who falls needs as many who left", 12)],
)
def test_reckoners_find_what_a_rule_without_cover_tells(part, seed):
    assert told_to_reckoners(Rule(without(part), COUNTRIES, 10), *campaign(seed))


@pytest.mark.property
@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 2**32))
def test_a_table_adds_up_and_shows_nothing_under_ten(seed):
    counts, hours = campaign(seed)
    for now, table in zip(
        counts, published(Rule(renew, COUNTRIES, 10), counts, hours), strict=True
    ):
        assert sum(table.shown.values()) + table.rest == sum(now)
        assert all(n >= 10 and n % 10 == 0 for n in table.shown.values())
        assert table.rest >= 10 or not table.shown
        assert COUNTRIES[-1] not in table.shown


# --- And yet it is of use ------------------------------------------------------------------------


def grown(a_hour: int, hours: int, shares: dict[str, float]) -> tuple[dict[str, int], Table]:
    """A campaign that grows evenly, and its last table."""
    now, table = dict.fromkeys(shares, 0), None
    chance = random.Random(a_hour)  # noqa: S311
    for _ in range(hours):
        for name in chance.choices(list(shares), list(shares.values()), k=a_hour):
            now[name] += 1
        table = renew(table, now, a_hour, 0, kept="Z")
    return now, table


@pytest.mark.parametrize("a_hour", [1, 11, 15, 19, 200])
def test_large_numbers_are_shown_to_within_a_few_tens(a_hour):
    now, table = grown(a_hour, 400, {"A": 70, "B": 20, "C": 9, "D": 0.7, "Z": 0.3})
    for name in "ABC":
        assert now[name] - 40 <= table.shown.get(name, 0) <= now[name]
    assert table.rest <= 10 * len(now) + 20 + now["Z"]


def test_one_country_alone_does_not_fall_behind():
    now, table = grown(15, 300, {"A": 1, "Z": 0})
    assert now == {"A": 4500, "Z": 0}
    assert table.shown["A"] >= 4470


def test_what_was_counted_before_the_first_table_is_shown_at_once():
    table = renew(None, {"MA": 4321, "FR": 987, "BE": 3, "AQ": 0}, 0, 0, kept="AQ")
    assert table.shown == {"MA": 4320, "FR": 980}
    assert table.rest == 11


def test_a_sweep_is_seen_within_the_hour():
    before = renew(None, {"MA": 4321, "FR": 987, "AQ": 7}, 5315, 0, kept="AQ")
    table = renew(before, {"MA": 4321, "FR": 501, "AQ": 7}, 0, 486, kept="AQ")
    assert table.shown == {"MA": 4310, "FR": 500}  # 9 left over would be too few.
    assert table.rest == 19


def test_nothing_is_shown_under_ten_in_all():
    assert public(renew(None, {"MA": 9, "AQ": 0}, 9, 0, kept="AQ")) == ((), 9)
    assert public(renew(None, {"MA": 0, "AQ": 0}, 0, 0, kept="AQ")) == ((), 0)


def test_a_million_signatures_from_everywhere_cost_no_time():
    counted = {f"{n:03}": 9_000_000 // n**2 for n in range(1, 250)}
    table = renew(None, counted, sum(counted.values()), 0, kept="249")
    assert sum(table.shown.values()) + table.rest == sum(counted.values())
    assert len(table.own_up) + len(table.own_down) < 10
