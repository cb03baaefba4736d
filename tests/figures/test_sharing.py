"""What is passed on: links, QR code, poster, picture."""

import os
import re
import struct
import subprocess
import sys

import pytest

from petition.figures import sharing
from tests.making import State, make_signature

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, 0), (9, 0), (10, 10), (99, 99), (123, 120), (9_999, 9_900), (123_456, 120_000)],
)
def test_a_picture_never_says_more_than_there_are(count, shown):
    assert sharing.rounded_down(count) == shown <= count


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_picture_for_links_is_a_png_of_the_size_that_messengers_ask_for(client, language):
    page = client.get(f"/{language}/").content.decode()
    address = f"http://testserver/{language}/share.png"
    assert f'<meta property="og:image" content="{address}">' in page
    before = client.get(f"/{language}/share.png")
    assert before["Content-Type"] == "image/png"
    assert "public" in before["Cache-Control"]
    assert struct.unpack(">II", before.content[16:24]) == (1200, 630)
    for n in range(10):
        make_signature(f"sample{n}@example.org", State.COUNTED)
    from django.core.cache import caches

    caches["process"].clear()
    assert client.get(f"/{language}/share.png").content != before.content


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_poster_is_one_page_of_a4(client, language):
    response = client.get(f"/{language}/poster.pdf")
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")
    assert b"/Count 1" in response.content
    assert b"[0 0 595.27" in response.content


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="not Linux")
def test_the_typesetter_of_a_web_process_that_keeps_to_one_core_uses_them_all():
    program = """
import os, runpy, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
typeset = runpy.run_path(sys.argv[1])
typeset["use_all_cores"]()
print(len(os.sched_getaffinity(0)))
"""
    told = subprocess.run(
        [sys.executable, "-c", program, sharing.TYPESET], capture_output=True, text=True, check=True
    )
    assert int(told.stdout) == len(os.sched_getaffinity(0))


def test_what_texts_hold_is_never_markup_to_the_typesetter():
    words = {
        "language": "en", "direction": "ltr", "title": "#panic() $ * _ @ <x> \\",
        "count": "", "caption": "", "summary": "#x", "address": "#read(\"/etc/passwd\")",
    }  # fmt: skip
    assert sharing.picture(words).startswith(b"\x89PNG")


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_thanks_offer_ways_to_pass_it_on_without_a_third_partys_script(client, language):
    page = client.get(f"/{language}/signed/").content.decode()
    address = f"http%3A%2F%2Ftestserver%2F{language}%2F"
    for start in ("https://wa.me/?text=", "https://t.me/share/url?url=", "https://x.com/",
                  "https://www.facebook.com/sharer/sharer.php?u=", "mailto:?subject="):  # fmt: skip
        link = page.split(f'href="{start}')[1].split('"')[0]
        assert address in link or start == "https://x.com/"
        assert "utm" not in link
    scripts = re.findall(r"<script[^>]*>", page)
    assert scripts
    assert all(' src="/static/' in script for script in scripts)
    assert 'role="img"' in page
    assert "<svg" in page
    assert f'href="/{language}/poster.pdf"' in page
