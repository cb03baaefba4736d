import re
from contextlib import suppress
from unittest.mock import patch

import pytest
from django.core.mail.message import sanitize_address
from hypothesis import given, settings
from hypothesis import strategies as st

from petition.ground import addresses, typed
from tests.budget import FUZZ, examples


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.b+x@gmail.com", "ab@googlemail.com"),
        ("Sample@Example.org", "sample@EXAMPLE.ORG"),
        ("sample+news@outlook.com", "sample@outlook.com"),
        ("sample+one@example.org", "sample+two@example.org"),
        ("sample+one@company.example", "Sample@company.example"),
        ("sam.ple@proton.me", "sample@pm.me"),
        ("sample@me.com", "sample@icloud.com"),
        ("sample@münchen.example", "sample@xn--mnchen-3ya.example"),
    ],
)
def test_spellings_of_one_mailbox_are_one(one, other):
    assert addresses.canonical(addresses.parse(one)) == addresses.canonical(addresses.parse(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.b@example.org", "ab@example.org"),
        ("sample@hotmail.com", "sample@outlook.com"),
        ("a.b@outlook.com", "ab@outlook.com"),
        ("a@gmail.com", "b@gmail.com"),
    ],
)
def test_mailboxes_that_may_differ_stay_two(one, other):
    assert addresses.canonical(addresses.parse(one)) != addresses.canonical(addresses.parse(other))


@pytest.mark.parametrize(
    "text",
    ["", "sample", "sample@", "@example.org", "a b@example.org", "a@b@example.org", "a@localhost",
     "mailto:", "<>", "a@example.org, b@example.org", "Name <a@example.org> <b@example.org>",
     "sample@example.org\nBcc: other@example.org", "a" * 65 + "@example.org", "سامي@example.org",
     "=?utf-8?q?victim?=@example.org", "=?us-ascii?q?vic=74im?=@example.org",
     "=?utf-8?q?=0d=0aRCPT?=@example.org"],
)  # fmt: skip
def test_what_no_letter_can_reach_is_refused(text):
    with pytest.raises(addresses.Invalid):
        addresses.parse(text)


@pytest.mark.parametrize("character", "!#$%&'*+-/=?^_`{|}~.")
def test_a_mail_library_takes_an_accepted_address_as_it_is(character):
    address = addresses.parse(f"a{character}b@example.org")
    assert sanitize_address(address, "utf-8") == address


def test_a_letter_goes_to_the_address_as_it_was_typed():
    assert addresses.parse("A.b+x@Gmail.com") == "A.b+x@gmail.com"


def test_the_domain_of_a_provider_is_its_first():
    assert addresses.domain("x@googlemail.com") == "gmail.com"
    assert addresses.domain("x@Example.org") == "example.org"


INVISIBLE = "\u200c\u200d" + "".join(sorted(typed.INVISIBLE))


@pytest.mark.parametrize("character", INVISIBLE)
def test_an_invisible_character_at_any_place_is_left_out(character):
    for text in (f"{character}a.b@example.org", f"a.b@example.org{character}",
                  f"a.{character}b@example.org", f"a.b@exa{character}mple.org",
                  f"a.b{character}@{character}example.org"):  # fmt: skip
        assert addresses.parse(text) == "a.b@example.org"


@pytest.mark.parametrize(
    "text",
    ["mailto:a@example.org", "MAILTO:a@example.org", "mailto: a@example.org",
     "mailto:a@example.org?subject=Hello", "mailto:a%40example.org", "<mailto:a@example.org>",
     "Ali <a@example.org>", "Ali Sample<a@example.org>", "علي <a@example.org>", "<a@example.org>",
     '"Ali, Sample" <a@example.org>', "Ali <a@example.org>;", "Ali < a@example.org >",
     "a@example.org.", "a@example.org,", "a@example.org،", "a@example.org؛", "a@example.org;",
     "a@example.org:", "a@example.org!", "a@example.org؟", "a@example.org/", "a@example.org)",
     "(a@example.org)", "«a@example.org»", "“a@example.org”", '"a@example.org"', "[a@example.org]",
     "a＠example.org", "ａ@example.org", "a@ｅxample.org", "a@example．org", "a@example。org",
     "a @example.org", "a@ example.org", "a @ example.org", "a@example .org", "a@example. org",
     " a@example.org ", "\ta@example.org\n", "\u00a0a@example.org\u00a0", "a@example,org",
     "a@example..org", "a@example،org", "a@@example.org", "a@.example.org"],
)  # fmt: skip
def test_an_address_is_read_as_what_is_meant(text):
    assert addresses.parse(text) == "a@example.org"


@pytest.mark.parametrize(
    ("text", "meant"),
    [("salma١٢@example.org", "salma12@example.org"), ("salma۱۲@example.org", "salma12@example.org"),
     ("salma１２@example.org", "salma12@example.org"),
     ("o'brien@example.org", "o'brien@example.org"),
     ("salma@مثال.example", "salma@xn--mgbh0fb.example"), ("a+b@example.org", "a+b@example.org")],
)  # fmt: skip
def test_digits_of_any_script_are_read_and_the_rest_is_kept(text, meant):
    assert addresses.parse(text) == meant


def test_an_address_outside_latin_letters_needs_a_server_that_carries_it():
    with pytest.raises(addresses.Unicode):
        addresses.parse("سلمى@example.org")
    assert addresses.parse("سلمى@example.org", carries_unicode=True) == "سلمى@example.org"


PARTS = ["a", "B", "9", ".", "-", "_", "+", "@", "xn--", "example", "org", "com", "info", "Abuse",
         "é", "ن", "'", " ", "x" * 63, "a.b.", "mb"]  # fmt: skip


def judged(text: str) -> str | None:
    with suppress(addresses.Invalid):
        return addresses.parse(text)
    return None


@pytest.mark.property
@settings(max_examples=examples(400), deadline=None, derandomize=not FUZZ)
@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join), st.sampled_from(PARTS))
def test_what_is_judged_shortly_is_judged_as_the_library_does(text, other):
    for address in (text, f"{other}@{text}", f"{text}@example.org", f"{text}@{other}.org"):
        shortly = judged(address)
        with patch.object(addresses, "PLAIN", re.compile("(?!)")):
            assert judged(address) == shortly
