"""The counter in a page of another site, in a real Chromium."""

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.core.cache import caches
from playwright.sync_api import expect

from petition.figures import embeds
from petition.models import Tally
from petition.views import embeds as views
from tests.accessibility import violations
from tests.making import State, make_case, make_signature

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

LANGUAGES = ("ar", "fr", "en")
WRITTEN = {"ar": "123,456", "fr": "123\u202f456", "en": "123,456"}
REFUSING = ["en/", "en/counter/", "en/sign/", "en/counter.svg", "admin/login/", "embed/de/counter/"]
REFUSED = "chrome-error://chromewebdata/"


class Newsroom(BaseHTTPRequestHandler):
    """Another site, whose only page is what the test puts there."""

    page, headers_too = "", {}
    timeout = 1  # A browser opens connections that it may want; each ends, and its thread.

    def do_GET(self):
        self.send_response(200 if self.path == "/" else 204)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        for name, value in self.headers_too.items():
            self.send_header(name, value)
        self.end_headers()
        if self.path == "/":
            head = "<!doctype html><html lang=en><title>News</title>"
            self.wfile.write((head + type(self).page).encode())

    def log_message(self, *args):
        """Says nothing."""


@pytest.fixture
def newsroom():
    """Its address; `Newsroom.page` is what it shows."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Newsroom)
    server.daemon_threads = False  # Closing waits for them.
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    Newsroom.page, Newsroom.headers_too = "", {}


@pytest.fixture
def site(live_server, settings):
    """Ours, under another name than the newsroom's."""
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.SITE_URL = live_server.url
    assert live_server.url.startswith("http://localhost:")
    Tally.objects.filter(dimension="total").update(count=123_456)
    return live_server.url


@contextmanager
def reading(chromium, newsroom, page="", **options):
    """A reader of the newsroom's page. Fails where the console said anything, a cookie was set or
    a third host asked."""
    Newsroom.page = page
    context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
    reader = context.new_page()
    said, asked = [], []
    reader.on("console", lambda message: said.append(message.text))
    reader.on("request", lambda request: asked.append(request.url.split("/")[2].split(":")[0]))
    try:
        reader.goto(newsroom)
        yield reader
        assert said == []
        assert context.cookies() == []
        assert set(asked) <= {"localhost", "127.0.0.1"}
    finally:
        context.close()


def frame_of(site: str, language: str = "en", query: str = "", attributes: str = "") -> str:
    size = embeds.size(query.partition("size=")[2].split("&")[0])
    return (
        f'<iframe src="{site}/embed/{language}/counter/?{query}" title="Counter" frameborder="0"'
        f' width="{size.width}" height="{size.height}" {attributes}></iframe>'
    )


@pytest.mark.parametrize("is_sample", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_frame_fits_its_size_whatever_the_readers_text(
    chromium, site, newsroom, language, is_sample
):
    if is_sample:
        make_case("en", sample=True)
    page = "".join(frame_of(site, language, f"size={name}") for name in embeds.SIZES)
    with reading(chromium, newsroom, page) as reader:
        assert len(reader.frames) == 1 + len(embeds.SIZES)
        for frame in reader.frames[1:]:
            expect(frame.locator("strong")).to_have_text(WRITTEN[language])
            for text in ("100%", "200%"):
                box = frame.locator("html").evaluate(
                    "(e, text) => { e.style.fontSize = text;"
                    " return [e.scrollWidth, e.clientWidth, e.scrollHeight, e.clientHeight]; }",
                    text,
                )
                assert (box[0], box[2]) == (box[1], box[3]), (frame.url, text)
            assert frame.locator(".made-up").count() == is_sample
            cut = frame.locator("main p").evaluate_all(
                "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className)"
            )
            assert cut == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_frame_takes_the_colours_that_it_was_asked_for_or_the_readers(
    chromium, site, newsroom, theme
):
    page = "".join(frame_of(site, "en", f"theme={name}") for name in embeds.THEMES)
    with reading(chromium, newsroom, page, color_scheme=theme) as reader:
        colours = []
        for frame in reader.frames[1:]:
            expect(frame.locator("strong")).to_have_text("123,456")
            colours.append(
                frame.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
            )
        light, dark = "rgb(251, 248, 242)", "rgb(23, 21, 18)"
        assert colours == [{"light": light, "dark": dark}[theme], light, dark]


@pytest.mark.parametrize("sandbox", ["", 'sandbox="allow-scripts"'])
def test_a_frame_keeps_itself_current_also_after_nothing_was_new(
    chromium, site, newsroom, monkeypatch, sandbox
):
    """As WordPress shows what it does not know, it is in a sandbox."""
    monkeypatch.setattr(views, "REFRESH_SECONDS", 1)
    frame = frame_of(site, attributes=sandbox)
    with reading(chromium, newsroom, frame, java_script_enabled=False) as reader:
        figure = reader.frame_locator("iframe").locator("strong")
        for _ in range(2):
            with reader.expect_request(lambda request: "/embed/" in request.url) as asked:
                pass
            assert "if-none-match" in asked.value.all_headers()
        expect(figure).to_have_text("123,456")
        make_signature(state=State.COUNTED)
        caches["process"].clear()
        expect(figure).to_have_text("123,457", timeout=10_000)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_oembed_answers_shows_the_counter_where_an_editor_pastes_the_address(
    chromium, site, newsroom, language
):
    with reading(chromium, newsroom, "<main></main>") as reader:
        reader.evaluate(
            """async ([site, page]) => {
                const query = new URLSearchParams({url: page, format: 'json', maxwidth: 500});
                const answer = await (await fetch(`${site}/oembed?${query}`)).json();
                document.querySelector('main').innerHTML = answer.html;
            }""",
            [site, f"{site}/{language}/counter/"],
        )
        figure = reader.frame_locator("iframe").locator("strong")
        expect(figure).to_have_text(WRITTEN[language])
        box = reader.locator("iframe").bounding_box()
        assert (box["width"], box["height"]) == (400, 180)


def test_a_frame_leads_to_the_counter_in_a_window_of_its_own(chromium, site, newsroom):
    with reading(chromium, newsroom, frame_of(site)) as reader:
        link = reader.frame_locator("iframe").locator(".source a")
        with reader.context.expect_page() as opened:
            link.click()
        opened.value.wait_for_url(f"{site}/en/counter/")
        assert reader.url == newsroom


@pytest.mark.parametrize(
    "path",
    ["en/", "en/counter/", "en/sign/", "en/counter.svg", "admin/login/", "embed/de/counter/"],
)
def test_no_page_but_the_embed_lets_itself_be_framed(chromium, site, newsroom, path):
    Newsroom.page = f'<iframe src="{site}/{path}" title="x"></iframe>' + frame_of(site)
    context = chromium.new_context()
    reader = context.new_page()
    reader.goto(newsroom)
    expect(reader.frame_locator("iframe >> nth=1").locator("strong")).to_have_text("123,456")
    refused, embed = reader.frames[1:]
    assert refused.url == REFUSED
    assert embed.url.startswith(site)
    context.close()


@pytest.mark.parametrize("policy", ["unsafe-none", "require-corp"])
def test_badges_are_shown_and_read_also_by_sites_that_let_little_in(
    chromium, site, newsroom, policy
):
    Newsroom.headers_too = {"Cross-Origin-Embedder-Policy": policy}
    pictures = [f"{site}/{language}/counter.{kind}" for language in LANGUAGES
                for kind in ("svg", "png")]  # fmt: skip
    page = "".join(f'<img src="{address}" alt="Counter">' for address in pictures)
    with reading(chromium, newsroom, page) as reader:
        reader.wait_for_load_state("load")
        widths = reader.locator("img").evaluate_all("all => all.map(e => e.naturalWidth)")
        assert widths == [360, 720] * 3
        text = reader.evaluate("async address => (await fetch(address)).text()", pictures[2])
        assert WRITTEN["fr"] in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_frame_breaks_a_rule_of_accessibility(chromium, site, language):
    context = chromium.new_context()
    page = context.new_page()
    broken = {}
    for size in embeds.SIZES.values():
        page.set_viewport_size({"width": size.width, "height": size.height})
        page.goto(f"{site}/embed/{language}/counter/?size={size.name}")
        broken[size.name] = violations(page)
    assert {size: what for size, what in broken.items() if what} == {}
    context.close()
