"""The ten commonest tasks of the desk, from its front page to the end: none takes above six clicks,
on a phone or a wide window, in any language."""

from datetime import date

import pytest

from petition.models import Case, CaseText, Entry, Export, News, Sheet, Signature, Sweep
from petition.paper import sheets
from tests.budget import examples
from tests.cases.deciding import review, written
from tests.making import PASSWORD, State, make_case, make_coordinator, make_person, make_signature

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

MOST = 6
ROLES = ("moderator", "editor", "cases", "paper", "press", "delivery", "administrator")
SIGNATURES, SHEETS, CASES = (f"/admin/petition/{name}/" for name in ("signature", "sheet", "case"))
SUBMIT = "main .desk-form button[type=submit]"
COUNT = {"country": "MA", "date": date(2026, 3, 1), "struck": 0}


class Hand:
    """Clicks and counts; choosing from a list is a click, typing is none."""

    def __init__(self, page):
        self.page, self.clicks = page, 0

    def begin(self) -> None:
        self.page.goto("/admin/")
        self.clicks = 0

    def click(self, selector: str) -> None:
        self.page.locator(selector).locator("visible=true").first.click()
        self.clicks += 1

    def choose(self, name: str, value: str) -> None:
        self.page.locator(f".desk-form [name={name}]").select_option(value)
        self.clicks += 1

    def type(self, **words: str) -> None:
        for name, text in words.items():
            self.page.locator(f"main [name={name}]").first.fill(text)

    def look_up(self, address: str) -> None:
        self.click(f"main a[href='{SIGNATURES}']")
        self.type(email=address)
        self.click(".desk-look-up button")
        self.page.wait_for_url(f"**{SIGNATURES}*/change/")

    def done(self) -> None:
        self.page.locator(".messagelist .success, .messagelist .info").first.wait_for()


def find_a_signature(hand: Hand) -> None:
    hand.look_up("one@example.org")
    assert Entry.objects.latest("number").act == "look up"


def suspend_it(hand: Hand) -> None:
    hand.look_up("one@example.org")
    hand.click("button[name=action][value=hold]")
    hand.choose("reason", "automated")
    hand.click(SUBMIT)
    hand.done()
    assert Signature.objects.order_by("pk").first().state == State.HELD


def count_one_that_waits(hand: Hand) -> None:
    hand.click(f"main a[href='{SIGNATURES}?state=held']")
    hand.click("#result_list tbody tr:first-child th a")
    hand.click("button[name=action][value=count]")
    hand.click(SUBMIT)
    hand.done()
    assert not Signature.objects.filter(state=State.HELD).exists()


def remove_many(hand: Hand) -> None:
    for n in range(3):
        make_signature(f"made-up{n}@throwaway.example", State.COUNTED)
    hand.click("main a[href='/admin/petition/sweep/new/']")
    hand.type(domain="throwaway.example")
    hand.choose("reason", "disposable")
    hand.click(SUBMIT)
    assert hand.page.inner_text(".desk-preview .desk-figure") == "3"
    hand.click("button[name=start]")
    hand.page.wait_for_url("**/sweep/*/change/")
    assert Sweep.objects.count() == 1


def print_sheets(hand: Hand) -> None:
    hand.click(f"main a[href='{SHEETS}print/']")
    hand.type(how_many="2")
    with hand.page.expect_download():
        hand.click(SUBMIT)
    assert Sheet.objects.filter(state="blank").count() >= 2


def enter_a_sheet(hand: Hand) -> None:
    sheet = Sheet.objects.filter(state="blank").first()
    hand.click(f"main a[href='{SHEETS}enter/']")
    hand.choose("country", "MA")
    hand.type(number=str(sheet.number), date="2026-03-01", valid="18", struck="1")
    hand.click(SUBMIT)
    hand.done()
    sheet.refresh_from_db()
    assert sheet.state == "once"


def settle_two_counts(hand: Hand) -> None:
    (sheet,) = sheets.make("ar", 1, make_person("first"))
    sheets.enter(sheet.number, make_person("first"), valid=4, **COUNT)
    sheets.enter(sheet.number, make_person("second"), valid=5, **COUNT)
    hand.begin()
    hand.click(f"main a[href*='{SHEETS}?state=conflict']")
    hand.click("#result_list tbody tr:first-child th a")
    hand.click(f"main a[href='{SHEETS}{sheet.pk}/settle/']")
    hand.choose("country", "MA")
    hand.type(date="2026-03-01", valid="5", struck="0")
    hand.click(SUBMIT)
    hand.done()
    sheet.refresh_from_db()
    assert (sheet.state, sheet.valid) == ("counted", 5)


def take_a_profile_down(hand: Hand) -> None:
    case = make_case("ar", "en")
    hand.click(f"main a[href='{CASES}take-down/']")
    hand.type(address=f"/ar/cases/{case.slug}/", reason="بطلب من العائلة")
    hand.click(SUBMIT)
    hand.page.locator(".messagelist li").first.wait_for()
    assert Case.objects.get(pk=case.pk).take_down_id


def approve_a_profile(hand: Hand) -> None:
    text = written(make_person("writer"))
    review(text)
    hand.begin()
    hand.click(f"main a[href*='{CASES}?state=waiting']")
    hand.click("#result_list tbody tr:first-child th a")
    hand.click(f"main a[href$='/text/{text.language}/approve/']")
    hand.click(SUBMIT)
    hand.done()
    assert CaseText.objects.get(pk=text.pk).approvals.count() == 1


def publish_a_story(hand: Hand) -> None:
    hand.click("main a[href='/admin/petition/news/new/']")
    hand.type(slug=f"story-{News.objects.count()}")
    for name in ("title", "summary", "body"):
        hand.type(**{f"ar_{name}": "نصّ مثاليّ"})
    hand.click(SUBMIT)
    hand.click("form[action$='/publish/'] button")
    hand.done()
    assert News.objects.latest("pk").publish_at


def export_figures(hand: Hand) -> None:
    hand.click("main a[href='/admin/petition/export/tallies/']")
    with hand.page.expect_download():
        hand.click(SUBMIT)
    assert Export.objects.exists()


TASKS = (
    find_a_signature, suspend_it, count_one_that_waits, remove_many, print_sheets, enter_a_sheet,
    settle_two_counts, take_a_profile_down, approve_a_profile, publish_a_story, export_figures,
)  # fmt: skip


# All six in `make fuzz` and by FUZZ=1.
WINDOWS = [("ar", 390), ("fr", 1280), ("en", 390), ("ar", 1280), ("fr", 390), ("en", 1280)]


@pytest.mark.parametrize(("language", "width"), WINDOWS[: examples(3)])
def test_no_task_takes_above_six_clicks(chromium, live_server, settings, language, width):
    settings.ALLOWED_HOSTS = ["localhost"]
    make_signature("one@example.org", State.COUNTED)
    user = make_coordinator(*ROLES)
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, base_url=live_server.url, locale=language
    )
    page = context.new_page()
    page.goto("/admin/")
    page.fill("[name=username]", user.username)
    page.fill("[name=password]", PASSWORD)
    page.click("#login-form [type=submit]")
    page.wait_for_url("**/admin/")
    assert page.get_attribute("html", "lang") == language
    hand, clicks = Hand(page), {}
    for task in TASKS:
        hand.begin()
        task(hand)
        clicks[task.__name__] = hand.clicks
    context.close()
    print(f"{language}, {width}: {clicks}")  # Shown by -s: docs/desk.md has them.
    assert {task: n for task, n in clicks.items() if n > MOST} == {}
