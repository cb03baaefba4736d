"""What axe-core says of an open page, in the light and in the dark."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Only what breaks a rule is wanted: that is much faster.
WANTED = {"resultTypes": ["violations"]}
LEVEL_AA = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
# Public pages keep to the stricter contrast of AAA as well.
PUBLIC = WANTED | {
    "runOnly": [*LEVEL_AA, "best-practice"],
    "rules": {"color-contrast-enhanced": {"enabled": True}, "target-size": {"enabled": True}},
}
PUBLIC_COLOURS = WANTED | {"runOnly": ["color-contrast", "color-contrast-enhanced"],
                           "rules": {"color-contrast-enhanced": {"enabled": True}}}  # fmt: skip
DESK = WANTED | {"runOnly": LEVEL_AA}
DESK_COLOURS = WANTED | {"runOnly": ["color-contrast"]}


def violations(page: Page, of_desk: bool = False) -> list[str]:
    """Each breach of a rule, with the element. In the dark a page is the same but for its colours,
    so that only these are judged again."""
    rules, colours = (DESK, DESK_COLOURS) if of_desk else (PUBLIC, PUBLIC_COLOURS)
    found = Axe().run(page, options=rules).response["violations"]
    page.emulate_media(color_scheme="dark")
    # Django's links fade from one colour to the other.
    page.evaluate("() => document.getAnimations().forEach(each => each.finish())")
    found += page.evaluate("options => axe.run(options)", colours)["violations"]
    page.emulate_media(color_scheme="light")
    return [f"{v['id']}: {n['html'][:140]}" for v in found for n in v["nodes"]]
