"""The desk as a volunteer uses it: in Arabic, on a phone, under the site's own CSP."""

import io
import re

import pytest
import pyzipper

from petition import audit
from petition.campaign import editing
from petition.letters import mailings
from petition.models import ConsentText, Entry, Export, Mailing, Sheet, Signature, Sweep, Text
from petition.paper import sheets
from petition.signing import sweeps, tallies
from tests.accessibility import violations
from tests.making import (
    PASSWORD,
    State,
    app_code,
    make_case,
    make_coordinator,
    make_mailing,
    make_signature,
    make_story,
)

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

PHONE = {"width": 390, "height": 844}
ROLES = ("moderator", "editor", "paper", "press", "delivery", "administrator")
LIST = "/admin/petition/signature/"
# What Chromium itself says of an answer that is an error on purpose.
EXPECTED = re.compile(r"Failed to load resource: .* status of 4[0-9][0-9]")


TOO_WIDE = """addEventListener("load", () => {
  if (document.body.scrollWidth > innerWidth) console.error("too wide: " + location.pathname);
});"""


@pytest.fixture
def desk(chromium, live_server, settings):
    """A phone in Arabic; fails where the console said something, a page was wider than the phone,
    or another host was asked."""
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.SITE_URL = live_server.url
    settings.TWO_FACTOR = True
    context = chromium.new_context(
        viewport=PHONE, base_url=live_server.url, locale="ar", has_touch=True
    )
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    # The page itself says that it is too wide: asked from here, it may have gone to the next one.
    context.add_init_script(TOO_WIDE)
    yield page
    assert [text for text in said if not EXPECTED.match(text)] == []
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []
    context.close()


def sign_in(page, user) -> None:
    """By password; then the second factor is set up, as at the first sign-in of everybody."""
    page.goto("/admin/")
    page.fill("[name=username]", user.username)
    page.fill("[name=password]", PASSWORD)
    page.click("#login-form [type=submit]")
    page.wait_for_url("**/admin/two-factor/**")
    typed = page.inner_text(".sign-in-secret").replace(" ", "")
    page.fill("[name=code]", app_code(hex_of(typed)))
    page.click("form:has([name=code]) [type=submit]")
    assert page.locator(".sign-in-codes li").count() == 10
    page.click(".button")
    page.wait_for_url("**/admin/")


def hex_of(base32: str) -> str:
    from base64 import b32decode

    return b32decode(base32 + "=" * (-len(base32) % 8)).hex()


def choose(page, act: str, **answers) -> None:
    """Press an act on a signature's page, and answer what it asks."""
    page.click(f"button[name=action][value={act}]")
    for name, value in answers.items():
        field = page.locator(f".desk-form [name={name}]")
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    page.click(".desk-form button[type=submit]")


def make_deliverable(email: str, **fields) -> Signature:
    consent = ConsentText.objects.get(version=2, language="ar")
    return make_signature(email, State.COUNTED, delivery=True, consent=consent, **fields)


def test_a_coordinator_signs_in_with_a_second_factor_and_does_one_of_each_act(desk):
    user = make_coordinator(*ROLES)
    one = make_deliverable("one@throwaway.example", name="مثال موقِّعة")
    gone = make_deliverable("gone@example.org")
    waiting = make_signature("waiting@example.org")
    sign_in(desk, user)
    assert desk.get_attribute("html", "dir") == "rtl"
    assert (
        desk.inner_text("[aria-labelledby=figures] .desk-tile:nth-child(2) .desk-tile__figure")
        == "2"
    )

    desk.goto(LIST)
    desk.fill("[name=email]", "One@Throwaway.example")
    desk.click(".desk-look-up button")
    desk.wait_for_url(f"**{LIST}{one.pk}/change/")
    choose(desk, "hold", reason="automated", note="من أجل الاختبار")
    assert "من أجل الاختبار" in desk.inner_text("main")
    choose(desk, "count")
    choose(desk, "reject", reason="other")
    choose(desk, "count")
    desk.click("a[href$='/reveal/']")
    desk.fill("[name=why]", "بطلب من صاحب العنوان")
    desk.click(".desk-form button")
    assert "one@throwaway.example" in desk.inner_text(".desk-facts")
    assert tallies.read_counter().total == 2

    desk.goto(LIST)
    desk.check(f"[name=_selected_action][value='{gone.pk}']")
    desk.select_option("[name=action]", "erase")
    desk.click(".actions button")
    desk.fill(".desk-form [name=note]", "بطلب منه")
    desk.click(".desk-form button[type=submit]")
    desk.goto(f"{LIST}{waiting.pk}/change/")
    choose(desk, "resend")
    assert Signature.objects.get(pk=gone.pk).state == State.WITHDRAWN

    sweep_and_undo(desk, one)
    tell_news(desk)
    print_and_enter(desk)
    export(desk)

    desk.goto("/admin/petition/entry/")
    done = set(Entry.objects.values_list("act", flat=True))
    assert done == {
        "two factor", "look up", "hold", "count", "reject", "resend", "reveal", "erase", "preview",
        "sweep", "sweep end", "sweep undo", "news", "news publish", "mailing",
        "mailing end", "print", "enter", "import", "export", "export end",
    }  # fmt: skip
    assert str(Entry.objects.count()) in desk.inner_text("#result_list tbody tr:first-child")
    assert audit.broken() == []
    assert tallies.recount() == []


def sweep_and_undo(desk, one) -> None:
    desk.goto("/admin/petition/sweep/new/")
    desk.fill("[name=domain]", "throwaway.example")
    desk.select_option("[name=reason]", "disposable")
    desk.click(".desk-form button")
    assert desk.inner_text(".desk-preview .desk-figure") == "1"
    desk.click("button[name=start]")
    sweeps.run()
    # The page notices by itself that the sweep has come to its end.
    desk.locator("form[action$='/undo/'] button").wait_for()
    assert Signature.objects.get(pk=one.pk).state == State.HELD
    desk.click("form[action$='/undo/'] button")
    desk.locator("progress").wait_for()
    sweeps.run()
    desk.locator("progress").wait_for(state="detached")
    assert Signature.objects.get(pk=one.pk).state == State.COUNTED
    assert Sweep.objects.get().restored == 1


def tell_news(desk) -> None:
    desk.goto("/admin/petition/news/new/")
    desk.fill("[name=slug]", "first-report")
    for name in ("title", "summary", "body"):
        desk.fill(f"[name=ar_{name}]", "نصّ مثاليّ")
    desk.click(".desk-form button[type=submit]")
    desk.click("form[action$='/publish/'] button")
    desk.click("a[href$='/send/']")
    desk.click("form:has([name=revision]) button[type=submit]")
    desk.locator("progress").wait_for()
    for _ in range(2):  # The mailer: nobody is left who wants it, and so it ends.
        mailings.queue()
    assert Mailing.objects.get().state == "finished"
    # The page notices by itself.
    desk.locator("progress").wait_for(state="detached")
    desk.goto("/ar/news/first-report/")
    assert desk.inner_text("h1") == "نصّ مثاليّ"


def print_and_enter(desk) -> None:
    desk.goto("/admin/petition/sheet/print/")
    desk.locator("[name=how_many]").fill("2")
    with desk.expect_download() as download:
        desk.locator("form:has([name=how_many]) button[type=submit]").click()
    assert download.value.suggested_filename.endswith(".pdf")
    first, second = Sheet.objects.order_by("number")
    desk.goto(f"/admin/petition/sheet/enter/?number={first.number}")
    desk.select_option("[name=country]", "MA")
    desk.fill("[name=date]", "2026-03-01")
    desk.fill("[name=valid]", "18")
    desk.fill("[name=struck]", "1")
    desk.click(".desk-form button[type=submit]")
    assert desk.locator(".messagelist .success").count() == 1
    other = make_coordinator("paper", username="other")
    values = Sheet.objects.get(pk=first.pk).counts.values("country", "date", "valid", "struck")
    sheets.enter(first.number, other, **values.get())
    assert tallies.read_counter().paper == 18
    content = (
        f"number,country,place,date,collector,valid,struck\n{second.number},LB,,2026-03-02,,7,0\n"
    )
    desk.goto("/admin/petition/sheet/import/")
    desk.set_input_files(
        "[name=file]",
        {"name": "sheets.csv", "mimeType": "text/csv", "buffer": content.encode()},
    )
    desk.click("button[name=import]")
    assert Sheet.objects.get(pk=second.pk).state == "once"


def export(desk) -> None:
    desk.goto("/admin/petition/export/tallies/")
    with desk.expect_download() as download:
        desk.click(".desk-form button[type=submit]")
    assert download.value.suggested_filename.startswith("day-")
    desk.goto("/admin/petition/export/delivery/")
    secret = desk.inner_text(".desk-passphrase")
    desk.fill("[name=reason]", "تسليم إلى اللجنة الدولية")
    desk.check("[name=noted]")
    with desk.expect_download() as download:
        desk.click("form[data-shows] button[type=submit]")
    desk.locator("#under-way").wait_for()
    with open(download.value.path(), "rb") as file:
        archive = pyzipper.AESZipFile(io.BytesIO(file.read()))
    archive.setpassword(secret.encode())
    text = archive.read(archive.namelist()[0]).decode("utf-8-sig")
    assert "مثال موقِّعة" in text
    assert "throwaway" not in text
    assert Export.objects.latest("pk").state == "finished"


def test_an_editor_previews_saves_and_restores_a_text(desk):
    sign_in(desk, make_coordinator("editor"))
    text = Text.objects.get(slug="about", language="ar")
    shipped = text.words
    desk.goto("/admin/petition/text/")
    desk.click(f"a[href$='/text/{text.pk}/change/']")
    desk.fill("[name=title]", "عن حملتنا")
    with desk.expect_popup() as opened:
        desk.click("button[formtarget=_blank]")
    preview = opened.value
    preview.wait_for_load_state()
    assert preview.inner_text("h1") == "عن حملتنا"
    assert preview.locator(".preview").count() == 1
    assert preview.evaluate("document.body.scrollWidth") <= PHONE["width"]
    preview.close()
    text.refresh_from_db()
    assert text.words == shipped
    desk.click(".desk-words button:not([formtarget])")
    desk.locator(".messagelist .success").wait_for()
    text.refresh_from_db()
    assert text.words == shipped._replace(title="عن حملتنا")
    desk.goto(f"/admin/petition/text/{text.pk}/versions/2/")
    assert desk.inner_text(".desk-difference ins") == "حملتنا"
    desk.goto(f"/admin/petition/text/{text.pk}/shipped/")
    desk.click("form:has([name=seen]) button")
    desk.locator(".messagelist .success").wait_for()
    text.refresh_from_db()
    assert text.words == shipped
    desk.goto("/admin/petition/text/")


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_no_screen_of_ours_breaks_a_rule_of_accessibility(
    chromium, live_server, settings, language
):
    settings.ALLOWED_HOSTS = ["localhost"]
    user = make_coordinator(username="superuser", is_superuser=True)
    signature = make_deliverable("one@example.org", updates=True)
    case = make_case("en")
    story, unsent = make_mailing().news, make_story("unsent")
    text = Text.objects.get(slug="about", language="ar")
    editing.save(text, user, text.words._replace(title="عن حملتنا"), seen=1)
    context = chromium.new_context(viewport=PHONE, base_url=live_server.url, locale=language)
    page = context.new_page()
    page.goto("/admin/")
    page.fill("[name=username]", user.username)
    page.fill("[name=password]", PASSWORD)
    page.click("#login-form [type=submit]")
    page.wait_for_url("**/admin/")
    broken = {}
    for path in (
        "", "petition/signature/", f"petition/signature/{signature.pk}/change/",
        f"petition/signature/{signature.pk}/reveal/", "petition/sweep/new/", "petition/sweep/",
        "petition/sheet/", "petition/sheet/print/", "petition/sheet/enter/",
        "petition/sheet/import/", "petition/export/tallies/", "petition/export/delivery/",
        "petition/case/", "petition/case/new/", "petition/case/take-down/",
        f"petition/case/{case.pk}/change/", f"petition/case/{case.pk}/text/ar/",
        f"petition/case/{case.pk}/consent/", f"petition/case/{case.pk}/text/en/review/",
        f"petition/case/{case.pk}/risk/", f"petition/case/{case.pk}/portrait/",
        "petition/entry/", "petition/news/", "petition/news/new/",
        f"petition/news/{story.pk}/change/", f"petition/news/{unsent.pk}/send/",
        "two-factor/", "petition/text/", f"petition/text/{text.pk}/change/",
        f"petition/text/{text.pk}/versions/2/", f"petition/text/{text.pk}/shipped/",
    ):  # fmt: skip
        page.goto(f"/admin/{path}")
        assert page.url.endswith(f"/admin/{path}")
        broken[path] = violations(page, of_desk=True)
    context.close()
    assert {where: what for where, what in broken.items() if what} == {}


def test_on_a_phone_each_row_of_a_list_is_a_card_that_names_its_cells(desk):
    make_signature("one@example.org", State.COUNTED)
    sign_in(desk, make_coordinator("moderator"))
    desk.goto(LIST)
    labels = desk.locator("#result_list tbody td[data-label]").evaluate_all(
        "cells => cells.map(cell => getComputedStyle(cell, '::before').content.slice(1, -1))"
    )
    heads = desk.locator("#result_list thead th").all_text_contents()
    assert labels == [head.strip() for head in heads][2:]  # After the box and the reference.
    assert desk.locator("#result_list tbody tr").evaluate(
        "row => getComputedStyle(row).display"
    ) == ("block")
    desk.set_viewport_size({"width": 1280, "height": 900})
    row = desk.locator("#result_list tbody tr")
    assert row.evaluate("row => getComputedStyle(row).display") == "table-row"
