import uuid
from base64 import urlsafe_b64encode

import pytest
from django.core.signing import Signer

from petition.ground import links

REFERENCE = uuid.UUID("12345678-1234-5678-1234-567812345678")


def test_a_token_reads_back():
    assert links.read(links.CONFIRM, links.token(links.CONFIRM, REFERENCE)) == REFERENCE


def test_a_token_altered_in_any_one_character_is_refused():
    token = links.token(links.CONFIRM, REFERENCE)
    for place, character in enumerate(token):
        other = "A" if character != "A" else "B"
        with pytest.raises(links.Invalid):
            links.read(links.CONFIRM, token[:place] + other + token[place + 1 :])


def test_a_token_of_another_kind_is_refused():
    with pytest.raises(links.Invalid):
        links.read(links.CONFIRM, links.token(links.WITHDRAW, REFERENCE))


def test_a_token_is_letters_and_digits_alone_and_short_enough_for_one_line():
    for kind in (links.CONFIRM, links.WITHDRAW, links.UNSUBSCRIBE):
        for _ in range(200):
            token = links.token(kind, uuid.uuid4())
            assert len(token) == 43
            assert token.isascii()
            assert token.isalnum()
    assert links.read(links.CONFIRM, links.token(links.CONFIRM, uuid.UUID(int=0))).int == 0


def test_a_link_that_was_mailed_before_still_works():
    encoded = urlsafe_b64encode(REFERENCE.bytes).rstrip(b"=").decode()
    former = Signer(salt="petition.links.withdraw", sep=".").sign(encoded)
    assert links.read(links.WITHDRAW, former) == REFERENCE
    for wrong in (former[:-1], former.replace(".", ".A"), former.replace("E", "F", 1)):
        with pytest.raises(links.Invalid):
            links.read(links.WITHDRAW, wrong)
    with pytest.raises(links.Invalid):
        links.read(links.CONFIRM, former)


@pytest.mark.parametrize(
    "text", ["", ".", "x", "a.b.c", "é", "\x00", "." * 500, "Z" * 43, "0" * 43, "-" * 43, "٣" * 43]
)
def test_nonsense_is_refused(text):
    with pytest.raises(links.Invalid):
        links.read(links.CONFIRM, text)


def test_links_and_codes_outlive_a_change_of_the_secret_key(settings):
    token, code = links.token(links.WITHDRAW, REFERENCE), links.code(REFERENCE)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key"
    assert links.read(links.WITHDRAW, token) == REFERENCE
    assert links.is_code(REFERENCE, code)
    assert links.code(REFERENCE) != code


def test_a_code_can_be_typed_as_people_type():
    code = links.code(REFERENCE)
    assert len(code) == 8
    assert set(code) <= set(links.ALPHABET)
    typed = f" {code[:4].lower()}-{code[4:]} ".replace("0", "o").replace("1", "l")
    assert links.is_code(REFERENCE, links.clean_code(typed))
    assert links.clean_code("٢٣") == "23"
    assert not links.is_code(REFERENCE, links.clean_code("00000000"))
    assert not links.is_code(REFERENCE, "")
