"""What administrators do with coordinators' accounts, and what they cannot."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from petition import audit
from petition.desk import roles, sessions
from petition.models import Entry

ADMINISTRATOR = "administrator"
# A password that somebody else gave opens the desk for so long, and only to choose another.
FIRST_PASSWORD_LASTS = timedelta(days=3)
MUST_CHOOSE = "must_choose_password"  # In the session.


def may_change(by: User, user: User) -> bool:
    """Who can do everything is changed by their like alone."""
    return by.is_superuser or not user.is_superuser


def objection(by: User, user: User, active: bool, chosen: list[str]) -> str | None:
    """Why `by` cannot leave `user` like this: nobody locks themselves out, or gives themselves
    what another has to give."""
    if by.pk != user.pk:
        return None
    if not active:
        return _("You cannot deactivate your own account. Ask another administrator.")
    if set(chosen) != set(roles_of(user)) and not by.is_superuser:
        return _("You cannot change your own roles. Ask another administrator.")
    return None


def roles_of(user: User) -> list[str]:
    names = {group.name for group in user.groups.all()}
    return [name for name in roles.NAMES if name in names]


def state(pk: int) -> dict[str, str]:
    """What an entry says of an account."""
    user = User.objects.get(pk=pk)
    return {"roles": ", ".join(roles_of(user)) or "none", "active": str(user.is_active).lower()}


def record_new(by: User, user: User) -> None:
    audit.append(by, Entry.Act.ACCOUNT, audit.name_of_account(user), what="added", **state(user.pk))


def record_change(by: User, user: User, before: dict[str, str]) -> None:
    """Appends what differs from `before`; who was deactivated is signed out everywhere."""
    after = state(user.pk)
    changed = {k: f"{before[k]} → {after[k]}" for k in after if before[k] != after[k]}
    if not user.is_active:
        sessions.end(user)
    if changed:
        audit.append(by, Entry.Act.ACCOUNT, audit.name_of_account(user), what="changed", **changed)


def set_password(by: User, user: User, password: str) -> None:
    """Every session of the account ends: they are bound to the password."""
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        record_password(by, user)


def record_password(by: User, user: User) -> None:
    audit.append(by, Entry.Act.ACCOUNT, audit.name_of_account(user), what="password set")


def given_at(user: User) -> datetime | None:
    """When somebody else gave the account its present password; None where it is its owner's, or
    was set on the command line."""
    of_account = Entry.objects.filter(act=Entry.Act.ACCOUNT, subject=audit.name_of_account(user))
    last = of_account.filter(detail__what__in=["added", "password set"]).order_by("-number").first()
    return last.at if last and last.actor != user.get_username() else None
