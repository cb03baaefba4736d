import os

import pytest

from petition import vault

OLD, NEW = os.urandom(32), os.urandom(32)


def test_what_is_encrypted_comes_back_and_never_looks_the_same_twice():
    one, two = vault.encrypt("عيّنة", "name"), vault.encrypt("عيّنة", "name")
    assert one != two
    assert vault.decrypt(one, "name") == vault.decrypt(two, "name") == "عيّنة"


def test_lengths_tell_nothing():
    assert len(vault.encrypt("ab", "name")) == len(vault.encrypt("a" * 30, "name"))


def test_one_purpose_cannot_read_another():
    with pytest.raises(vault.Unreadable):
        vault.decrypt(vault.encrypt("sample", "name"), "email")


@pytest.mark.parametrize("place", [1, 5, 20, -1])
def test_a_changed_byte_is_noticed(place):
    sealed = bytearray(vault.encrypt("sample", "name"))
    sealed[place] ^= 1
    with pytest.raises(vault.Unreadable):
        vault.decrypt(bytes(sealed), "name")


def test_a_former_key_still_decrypts_and_the_first_encrypts(settings):
    settings.DATA_KEYS = [OLD]
    sealed = vault.encrypt("sample", "name")
    settings.DATA_KEYS = [NEW, OLD]
    assert vault.decrypt(sealed, "name") == "sample"
    fresh = vault.encrypt("sample", "name")
    settings.DATA_KEYS = [NEW]
    assert vault.decrypt(fresh, "name") == "sample"
    with pytest.raises(vault.Unreadable, match="DATA_KEYS"):
        vault.decrypt(sealed, "name")


def test_indexes_are_equal_for_equal_values_only_under_the_same_key_and_purpose(settings):
    settings.DATA_KEYS = [OLD]
    index = vault.index("sample@example.org", "mailbox")
    assert vault.index("sample@example.org", "mailbox") == index
    assert vault.index("other@example.org", "mailbox") != index
    assert vault.index("sample@example.org", "domain") != index
    settings.DATA_KEYS = [NEW, OLD]
    assert vault.index("sample@example.org", "mailbox") != index
    assert vault.indexes("sample@example.org", "mailbox")[1] == index
