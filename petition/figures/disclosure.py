"""Decides how small numbers are shown: what is published by country, by language and by track.

The total is public at every moment, and so is how many came and left in each hour. So a table must
not let anybody find out, by subtraction or by watching, that somebody's country had 1 to 9
signatures, or gained or lost 1 to 9. `tests/figures/test_disclosure.py` attacks this.
"""

from collections import Counter
from dataclasses import dataclass, field

Cells = dict[str, int]


@dataclass(frozen=True)
class Table:
    """What is published of one dimension: `shown` in whole tens, all else in `rest`; together they
    are the total. The other fields are what `renew` remembers: they are not for publication."""

    shown: Cells
    rest: int
    # By how much a number is shown lower than it was found to be, so that enough is left over.
    lowered: Cells = field(default_factory=dict)
    # How many came (left) since a category was last found not to have risen (fallen), less what
    # others were seen to take of them: those of all categories, but for those with their own.
    cover_up: int = 0
    cover_down: int = 0
    own_up: Cells = field(default_factory=dict)
    own_down: Cells = field(default_factory=dict)


def renew(
    before: Table | None, counted: Cells, came: int, left: int, least: int = 10, kept: str = ""
) -> Table:
    """The table that follows `before` when `came` were counted and `left` others went since then.

    `counted` has every category that there can be, also those with none: else their absence would
    tell. All that is asked of a number, and when, follows from what is published already:

    - A number moves by whole `least`. It is asked whether it has moved only once as many came (or
      left) as it would move by, since it was last found not to have; and what one has moved by, no
      other can move by. So whoever sees it move cannot tell from where: all could have come now.
    - At least `least` stay in the rest, or nothing is shown: else it would tell of what is hidden.
    - `kept` stays in the rest for good, however many it has. Of the others one would know that they
      are below the next step, and a rest as large as all of them can be would tell each.
    """
    total = sum(counted.values())
    if before is None:
        before, came = Table({}, 0), total
    names = sorted({*counted, *before.shown, *before.lowered})
    found = {name: before.shown.get(name, 0) + before.lowered.get(name, 0) for name in names}
    # The largest first: where there is not enough for all, the small ones wait.
    asked = sorted((name for name in names if name != kept), key=lambda name: -found[name])
    up = {name: before.own_up.get(name, before.cover_up) + came for name in asked}
    down = {name: before.own_down.get(name, before.cover_down) + left for name in asked}
    for name in asked:
        allowed = min(down[name], found[name]) // least * least
        wanted = max(0, -(-(found[name] - counted.get(name, 0)) // least) * least)
        step = min(wanted, allowed)
        found[name] -= step
        down = _taken(down, step)
        if step:
            up[name] = 0
        if wanted < allowed:
            down[name] = 0
    for name in asked:
        spare = total - sum(found.values()) - least
        allowed = max(0, min(up[name], spare)) // least * least
        wanted = max(0, counted.get(name, 0) - found[name]) // least * least
        step = min(wanted, allowed)
        found[name] += step
        up = _taken(up, step)
        if step:
            down[name] = 0
        if wanted < allowed:
            up[name] = 0
    shown = _with_enough_left_over(found, total, least)
    cover_up, own_up = _packed(up)
    cover_down, own_down = _packed(down)
    return Table(
        {name: count for name, count in shown.items() if count},
        total - sum(shown.values()),
        {name: found[name] - shown[name] for name in names if found[name] > shown[name]},
        cover_up,
        cover_down,
        own_up,
        own_down,
    )


def _taken(cover: Cells, count: int) -> Cells:
    return {name: max(0, n - count) for name, n in cover.items()}


def _with_enough_left_over(found: Cells, total: int, least: int) -> Cells:
    """The largest are lowered until the rest is `least`: a step that public numbers decide."""
    shown = dict(found)
    while total - sum(shown.values()) < least and any(shown.values()):
        shown[max(shown, key=lambda name: shown[name])] -= least
    return shown


def _packed(cover: Cells) -> tuple[int, Cells]:
    """What most have, and what the others have."""
    if not cover:
        return 0, {}
    common = Counter(cover.values()).most_common(1)[0][0]
    return common, {name: n for name, n in cover.items() if n != common}
