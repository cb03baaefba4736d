import pytest
from django.core.mail.message import sanitize_address

from petition.ground import addresses


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.b+x@gmail.com", "ab@googlemail.com"),
        ("Sample@Example.org", "sample@EXAMPLE.ORG"),
        ("sample+news@outlook.com", "sample@outlook.com"),
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
        ("sample+one@example.org", "sample+two@example.org"),
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
