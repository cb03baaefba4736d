"""Many reminders by two mailers, one of which is killed, while people answer."""

import os
import signal

import pytest

from petition.ground import links
from petition.letters import bounces, envelopes
from petition.models import Letter, Signature
from petition.signing import signatures
from tests.budget import examples
from tests.letters.test_bounces import BOUNCES, report
from tests.letters.test_reminders import signed
from tests.letters.test_sending import CONVERSATIONS, start_mailer, wait_until

pytestmark = pytest.mark.postgres
MANY, ANSWER = min(1000, examples(200)), 20  # A thousand in `make fuzz` and by FUZZ=1.


def comes_back(signature: Signature) -> None:
    """The report about the first letter comes days later."""
    first = Letter.objects.get(signature=signature, kind="confirm")
    to = BOUNCES.replace("@", f"+{envelopes.token(first.pk, first.tries)}@")
    assert bounces.take(report(to)).kind is bounces.Kind.HARD


def test_each_gets_one_and_who_answered_meanwhile_gets_none(committed, smtp, settings):
    settings.BOUNCE_ADDRESS = BOUNCES
    everybody = [signed(f"late{n}@example.org") for n in range(MANY)]
    os.environ["NEWS_RATE"] = "100000/s"
    try:
        two = [start_mailer(smtp), start_mailer(smtp)]
        wait_until(lambda: len(smtp.mails) >= MANY // 5, 60)
        two[0].send_signal(signal.SIGKILL)  # Some are owed now, and some are in its hands.
        two[1].terminate()
        for mailer in two:
            mailer.wait()
        # The last of all have no reminder yet; those of the killed one's hands have one.
        held = Letter.objects.filter(kind="remind", state="due").values_list("signature", flat=True)
        answering = [s for s in everybody if s.pk in set(held)][:3] + everybody[3 - 3 * ANSWER :]
        acts = [
            lambda s: signatures.confirm(links.token(links.CONFIRM, s.reference)),
            lambda s: signatures.withdraw(links.token(links.WITHDRAW, s.reference)),
            comes_back,
        ]
        before = len(smtp.mails)
        already = set(smtp.recipients)
        for n, signature in enumerate(answering):
            acts[n % 3](signature)
        two = [start_mailer(smtp), start_mailer(smtp)]
        silent = {s.pk for s in answering}
        wait_until(
            lambda: Letter.objects.filter(kind="remind", state="sent").exclude(
                signature__in=silent
            ).count() == MANY - len(silent),
            90,
        )  # fmt: skip
        for mailer in two:
            mailer.terminate()
            assert mailer.wait(10) == 0
    finally:
        del os.environ["NEWS_RATE"]
    answered = {f"late{everybody.index(s)}@example.org" for s in answering}
    assert not answered & set(smtp.recipients[before:])
    assert set(smtp.recipients) | answered == {f"late{n}@example.org" for n in range(MANY)}
    assert len(smtp.recipients) <= len(set(smtp.recipients)) + CONVERSATIONS
    assert len(answered & already) <= CONVERSATIONS
    assert not Letter.objects.filter(kind="remind", state="due").exists()
    assert Letter.objects.filter(kind="remind", state="sent").count() >= MANY - len(answered)
