"""What a mail server means where it refuses a letter."""

import pytest

from petition.letters import refusals


@pytest.mark.parametrize(
    ("code", "text", "for_good"),
    [
        (550, b"5.1.1 no such user", True),
        (550, b"5.2.1 disabled", True),
        (550, b"no such user", True),
        (553, b"5.1.3 bad address", True),
        (550, b"5.1.8 sender domain not found", False),
        (554, b"5.7.1 your network is on a blocklist", False),
        (550, b"5.7.26 not authenticated", False),
        (552, b"5.2.2 mailbox full", False),
        (554, b"transaction failed", False),
        (451, b"4.7.1 greylisted", False),
    ],
)
def test_only_a_dead_address_is_refused_for_good(code, text, for_good):
    assert refusals.read(code, text).for_good is for_good
