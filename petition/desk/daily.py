"""Once a day by e-mail: what waits on the desk for a coordinator who asked for it.

It names tasks and numbers, never a person. It is sent once at most on a day: a mailer that dies in
between leaves that day out.
"""

import logging
import smtplib
from datetime import datetime

from django.conf import settings
from django.core import signing
from django.core.cache import caches
from django.core.mail import EmailMessage, get_connection
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from petition.desk import tasks
from petition.ground import encryption
from petition.models import DailyMail

logger = logging.getLogger(__name__)

FROM_HOUR = 6  # UTC: morning from Rabat to Beirut.
VALID_SECONDS = 3 * 24 * 3600
SALT = "daily mail"
RESTS, REST_SECONDS = "daily-e-mails-rest", 300


def of(user) -> DailyMail | None:
    return DailyMail.objects.filter(user=user).first()


def ask(user, address: str, language: str) -> None:
    """Remember the wish; a link goes to the address, and nothing else before it is opened."""
    DailyMail.objects.update_or_create(
        user=user,
        defaults={
            "email": address, "language": language, "asked_at": timezone.now(),
            "confirmed_at": None, "sent_on": None,
        },
    )  # fmt: skip


def stop(user) -> None:
    DailyMail.objects.filter(user=user).delete()


def token(wish: DailyMail) -> str:
    return signing.dumps([wish.user_id, wish.asked_at.timestamp()], salt=SALT)


def confirm(user, text: str) -> bool:
    """Whether the link is of this person's present wish; from then on they are written to."""
    try:
        named = signing.loads(text, salt=SALT, max_age=VALID_SECONDS)
    except signing.BadSignature:
        return False
    wish = of(user)
    if wish is None or named != [wish.user_id, wish.asked_at.timestamp()]:
        return False
    if not wish.confirmed_at:
        DailyMail.objects.filter(pk=wish.pk).update(confirmed_at=timezone.now(), sent_on=None)
    return True


def send_due(now: datetime | None = None) -> int:
    """Send what is due at this moment; returns how many. Where the mail server does not take one,
    it is tried again after some minutes."""
    if caches["process"].get(RESTS):
        return 0
    now = now or timezone.now()
    to_confirm = Q(confirmed_at=None, sent_on=None)
    to_tell = Q(confirmed_at__isnull=False) & (Q(sent_on=None) | Q(sent_on__lt=now.date()))
    due = to_confirm | to_tell if now.hour >= FROM_HOUR else to_confirm
    sent = 0
    people = DailyMail.objects.filter(due, user__is_active=True, user__is_staff=True)
    for wish in people.select_related("user"):
        before = wish.sent_on
        mine = DailyMail.objects.filter(pk=wish.pk, asked_at=wish.asked_at)
        if not mine.filter(sent_on=before).update(sent_on=now.date()):
            continue  # Another mailer was first.
        try:
            sent += _send(wish)
        except (smtplib.SMTPException, OSError) as error:
            if _is_for_good(error):  # Not again today, and nobody waits behind it.
                logger.warning("The daily e-mail of account %s was refused.", wish.pk)
                continue
            mine.update(sent_on=before)
            caches["process"].set(RESTS, True, REST_SECONDS)
            logger.warning("Daily e-mails wait: %s", type(error).__name__)
            break
        except encryption.Unreadable:
            logger.error("The daily e-mail of account %s cannot be addressed.", wish.pk)
    return sent


def rotate_keys() -> None:
    """Seal every address again under the first data key; one that no key opens is dropped, since
    its owner can ask again."""
    for wish in list(DailyMail.objects.all()):
        try:
            address = wish.email
        except encryption.Unreadable:
            wish.delete()
            continue
        wish.email = address
        wish.save(update_fields=["email"])


def _is_for_good(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _reason in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500


def _send(wish: DailyMail) -> int:
    """Nobody is written to for whom nothing waits."""
    with translation.override(wish.language):
        waiting = tasks.waiting_for(wish.user) if wish.confirmed_at else []
        if wish.confirmed_at and not waiting:
            return 0
        home = desk_address() + reverse("admin:daily")
        context = {
            "waiting": waiting,
            "host": desk_address().partition("://")[2],
            "desk_url": desk_address() + reverse("admin:index"),
            "stop_url": home,
            "confirm_url": f"{desk_address()}{reverse('admin:daily_confirm', args=[token(wish)])}",
        }
        name = "daily" if wish.confirmed_at else "daily_confirm"
        subject = render_to_string(f"letters/{name}_subject.txt").strip()
        text = render_to_string(f"letters/{name}.txt", context)
    headers = {"Auto-Submitted": "auto-generated", "Content-Language": wish.language}
    mail = EmailMessage(subject, text, to=[wish.email], headers=headers)
    return get_connection().send_messages([mail]) or 0


def desk_address() -> str:
    """Where the desk is: its own host, or the site's."""
    return f"https://{settings.ADMIN_HOST}" if settings.ADMIN_HOST else settings.SITE_URL
