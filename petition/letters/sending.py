"""Sends the letters that we owe; each arrives, whatever happens to the mailer."""

import logging
import smtplib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.core.mail import get_connection
from django.db import DatabaseError, transaction
from django.db import connection as database
from django.utils import timezone

from petition.ground import encryption, metrics
from petition.letters import claims, compose, mailings, pacing, refusals, reminders, statements
from petition.models import Letter

logger = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
MAX_TRIES = 20  # About four days.
HOLD_PAUSE = timedelta(minutes=10)


class ServerUnavailable(Exception):
    """The mail server does not take letters now; says why without repeating what it said.

    `sent` is how many letters went out before.
    """

    sent = 0


class _Pace:
    """Spreads the letters of all conversations of this process evenly, at MAIL_RATE a second."""

    def __init__(self):
        self._lock, self._next_at = threading.Lock(), 0.0

    def wait(self) -> None:
        if not settings.MAIL_RATE:
            return
        with self._lock:
            at = max(self._next_at, time.monotonic())
            self._next_at = at + 1 / settings.MAIL_RATE
        time.sleep(max(0, at - time.monotonic()))


_pace = _Pace()


def send_due(stopped: Callable[[], bool] = lambda: False) -> int:
    """Send every letter that is due now, in up to MAIL_CONCURRENCY conversations with the server at
    once; returns how many went out.

    A letter is claimed before it is sent and marked after: of a mailer killed in between, the one
    letter in the hands of each conversation may go out twice, and none is lost. Raises
    ServerUnavailable.
    """
    claims.free_abandoned()
    return _Conversations(stopped).send()


class _Conversations:
    """As many at once as there are letters for: one that gets a full hand begins another, also
    after others have ended for lack of letters."""

    def __init__(self, stopped: Callable[[], bool]):
        self._stopped = stopped
        self._lock = threading.Lock()
        self._others: list[Future[int]] = []
        self._aside = 0
        self._most_aside = settings.MAIL_CONCURRENCY - 1
        self._is_over = False  # The server takes none: nobody begins anew before the next turn.

    def send(self) -> int:
        with ThreadPoolExecutor(self._most_aside or 1, "conversation") as self._pool:
            ends = [_outcome(self._converse)]
            while others := self._take_others():
                ends += [_outcome(other.result) for other in others]
        sent = sum(end if isinstance(end, int) else getattr(end, "sent", 0) for end in ends)
        for error in ends:
            if isinstance(error, ServerUnavailable):
                error.sent = sent
            if isinstance(error, Exception):
                raise error
        return sent

    def _take_others(self) -> list[Future[int]]:
        with self._lock:
            others, self._others = self._others, []
        return others

    def _begin_another(self) -> None:
        with self._lock:
            if self._aside < self._most_aside and not self._is_over:
                self._aside += 1
                self._others.append(self._pool.submit(self._converse_aside))

    def _converse_aside(self) -> int:
        try:
            return self._converse()
        finally:
            database.close()  # This thread's own.
            with self._lock:
                self._aside -= 1

    def _converse(self) -> int:
        """Send in one conversation with the server, until nothing is due."""
        sent = sent_before = 0  # In all, and when the present conversation with the server began.
        connection = get_connection()
        hand: list[Letter] = []
        try:
            while not self._stopped() and (hand := hand or self._claim()):
                try:
                    letter, following = hand.pop(0), hand[0] if hand else None
                    sent += _send(letter, connection, following, is_first=sent == sent_before)
                except ServerUnavailable as error:
                    _hang_up(connection)
                    if sent == sent_before:
                        error.sent = sent
                        self._is_over = True
                        raise
                    sent_before = sent  # Many servers limit letters per conversation: begin anew.
        finally:
            _hang_up(connection)
            for letter in hand:
                claims.let_go(letter)
        return sent

    def _claim(self) -> list[Letter]:
        hand = claims.claim()
        if len(hand) == claims.BATCH:
            self._begin_another()
        return hand


def _outcome(act: Callable[[], int]) -> int | Exception:
    try:
        return act()
    except (ServerUnavailable, DatabaseError) as error:
        return error


def _send(letter: Letter, connection, following: Letter | None, *, is_first: bool) -> bool:
    """Send a claimed letter, after which comes `following`; whether it went out. Raises
    ServerUnavailable, the letter free.

    Whatever is wrong with one letter puts that one off and never stops the others.
    """
    try:
        if not statements.is_mine(letter):
            return False  # Withdrawn or purged meanwhile, and its letters with it.
        if not letter.signature.email:
            claims.in_hand(letter).delete()  # Withdrawn: nobody is there to write to.
            return False
        if letter.mailing_id and not _may_leave(letter):
            return False
        if letter.kind == Letter.Kind.REMIND and not reminders.is_wanted(letter):
            _end(letter, Letter.State.WITHHELD, "answered")
            return False
        mail = compose.mail(letter)
        if not letter.mailing_id and (wait := pacing.seconds_to_wait(mail.to[0])):
            due_at = timezone.now() + timedelta(seconds=wait)
            claims.let_go(letter, due_at=due_at, reply=pacing.REPLY)
            return False
    except encryption.Unreadable as error:
        logger.error("Letter %s cannot be addressed. %s", letter.pk, error)
        _put_off(letter, "no key")
        return False
    try:
        _pace.wait()
        _open(connection)
    except ServerUnavailable:
        claims.let_go(letter)
        raise
    try:
        connection.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as error:
        _hang_up(connection)  # The next letter starts a clean conversation.
        return _refused(letter, *next(iter(error.recipients.values())), is_first=is_first)
    except smtplib.SMTPResponseException as error:
        _hang_up(connection)
        _refused(letter, error.smtp_code, b"", is_first=is_first)
        if isinstance(error, smtplib.SMTPSenderRefused):
            raise ServerUnavailable(
                f"The mail server refuses EMAIL_FROM ({error.smtp_code})."
            ) from None
        return False
    except (smtplib.SMTPException, OSError) as error:
        _hang_up(connection)
        return _broke_off(letter, type(error).__name__, is_first=is_first)
    except Exception as error:  # A mail that the mail library itself cannot write.
        logger.error("Letter %s cannot be written: %s", letter.pk, type(error).__name__)
        _put_off(letter, type(error).__name__)
        _hang_up(connection)
        return False
    _end(letter, Letter.State.SENT, "", following)
    return True


def _may_leave(letter: Letter) -> bool:
    """Asked of news at the last moment: it waits while its mailing does, and goes nowhere once
    nobody wants it."""
    if not mailings.may_leave(letter):
        claims.let_go(letter)
        return False
    if not mailings.is_wanted(letter):
        if mailings.is_on_hold(letter):
            claims.let_go(letter, due_at=timezone.now() + HOLD_PAUSE)
        else:
            mailings.skip(letter)
        return False
    return True


def _broke_off(letter: Letter, reply: str, *, is_first: bool) -> bool:
    """The conversation ended in the middle: the letter's fault only where it was its first.

    Raises ServerUnavailable, but not for news: that a server breaks off bulk mail delays no
    confirmation.
    """
    if is_first:
        _put_off(letter, reply)
    else:
        claims.let_go(letter)
    if letter.mailing_id:
        mailings.rest(letter)
        return False
    raise ServerUnavailable(f"The mail server broke off ({reply}).") from None


def _open(connection) -> None:
    try:
        connection.open()
    except (smtplib.SMTPException, OSError) as error:
        _hang_up(connection)
        where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
        raise ServerUnavailable(
            f"The mail server at {where} does not take letters ({type(error).__name__})."
        ) from None


def _hang_up(connection) -> None:
    with suppress(smtplib.SMTPException, OSError):  # It may be gone already.
        connection.close()


def _refused(letter: Letter, code: int, text: bytes | str, *, is_first: bool) -> bool:
    refusal = refusals.read(code, text)
    if code == 421:
        return _broke_off(letter, refusal.reply, is_first=is_first)
    if refusal.for_good:
        _end(letter, Letter.State.REFUSED, refusal.reply)
        logger.info("Letter %s: the address is refused (%s).", letter.pk, refusal.reply)
    else:
        _put_off(letter, refusal.reply)
    return False


def _put_off(letter: Letter, reply: str, tried: int | None = None) -> None:
    tries = letter.tries + 1 if tried is None else tried
    if tries >= MAX_TRIES:
        _end(letter, Letter.State.GIVEN_UP, reply)
        return
    metrics.LETTERS.labels("put_off").inc()
    pause = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
    due_at = timezone.now() + pause
    claims.let_go(letter, tries=tries, due_at=due_at, reply=reply[:20])


def try_again(letter: Letter, reply: str) -> None:
    """A letter that went out came back and may be tried again, later and later."""
    again = Letter.objects.filter(pk=letter.pk)
    again.update(state=Letter.State.DUE, ended_at=None)
    _put_off(letter, reply, tried=letter.tries)


def _end(letter: Letter, state: str, reply: str, following: Letter | None = None) -> None:
    if letter.mailing_id:
        with transaction.atomic():
            if statements.end(letter, state, reply[:20]):
                mailings.record(letter, state)
    else:
        statements.end(letter, state, reply[:20], following)
    metrics.LETTERS.labels(state).inc()
