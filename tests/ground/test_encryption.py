import os

import pytest

from petition.ground import encryption

OLD, NEW = os.urandom(32), os.urandom(32)


def test_what_is_encrypted_comes_back_and_never_looks_the_same_twice():
    one, two = encryption.encrypt("عيّنة", "name"), encryption.encrypt("عيّنة", "name")
    assert one != two
    assert encryption.decrypt(one, "name") == encryption.decrypt(two, "name") == "عيّنة"


def test_lengths_tell_nothing():
    assert len(encryption.encrypt("ab", "name")) == len(encryption.encrypt("a" * 30, "name"))


def test_one_purpose_cannot_read_another():
    with pytest.raises(encryption.Unreadable):
        encryption.decrypt(encryption.encrypt("sample", "name"), "email")


@pytest.mark.parametrize("place", [1, 5, 20, -1])
def test_a_changed_byte_is_noticed(place):
    sealed = bytearray(encryption.encrypt("sample", "name"))
    sealed[place] ^= 1
    with pytest.raises(encryption.Unreadable):
        encryption.decrypt(bytes(sealed), "name")


def test_a_former_key_still_decrypts_and_the_first_encrypts(settings):
    settings.DATA_KEYS = [OLD]
    sealed = encryption.encrypt("sample", "name")
    settings.DATA_KEYS = [NEW, OLD]
    assert encryption.decrypt(sealed, "name") == "sample"
    fresh = encryption.encrypt("sample", "name")
    settings.DATA_KEYS = [NEW]
    assert encryption.decrypt(fresh, "name") == "sample"
    with pytest.raises(encryption.Unreadable, match="DATA_KEYS"):
        encryption.decrypt(sealed, "name")


def test_indexes_are_equal_for_equal_values_only_under_the_same_key_and_purpose(settings):
    settings.DATA_KEYS = [OLD]
    index = encryption.index("sample@example.org", "mailbox")
    assert encryption.index("sample@example.org", "mailbox") == index
    assert encryption.index("other@example.org", "mailbox") != index
    assert encryption.index("sample@example.org", "domain") != index
    settings.DATA_KEYS = [NEW, OLD]
    assert encryption.index("sample@example.org", "mailbox") != index
    assert encryption.indexes("sample@example.org", "mailbox")[1] == index
