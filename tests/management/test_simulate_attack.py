"""`simulate_attack`: five kinds of made-up signing against a real server, each in the table."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from petition.models import Signature
from petition.signing import tallies

pytestmark = pytest.mark.django_db


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_each_attack_is_played_and_what_came_of_it_is_said(live_server, settings):
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.SIGN_RATE = "9999/h"
    said = StringIO()
    call_command("simulate_attack", site=live_server.url, count=60, stdout=said)
    lines = {line[:34].strip(): line[34:].split(None, 7) for line in said.getvalue().splitlines()}
    assert lines["one catch-all domain"][3] == "60"
    assert "domain" in lines["one catch-all domain"][7]
    assert "disposable" in lines["throw-away domains"][7]
    assert lines["plus-tags of one mailbox"][2] == "1"  # One mailbox, one signature.
    assert "rhythm" in lines["a botnet that confirms by script"][7]
    assert tallies.recount() == []
    assert Signature.objects.filter(state="held").count() == 0


def test_it_makes_nothing_up_in_production(settings):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG=1 only"):
        call_command("simulate_attack")
