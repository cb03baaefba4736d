"""What people come to the desk to do: its screens by task, and what waits for one of them."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from petition.cases import rules
from petition.ground.lazy import LazyText
from petition.models import CaseText, Entry, Sheet, Signature

# How far back somebody's own acts are looked for.
OWN_ENTRIES = 2000


@dataclass(frozen=True)
class Door:
    """A screen that begins a task; without a permission it is everybody's."""

    title: LazyText
    screen: str
    permission: str = ""

    def opens(self, user: User) -> bool:
        return not self.permission or user.has_perm(f"petition.{self.permission}")

    @property
    def address(self) -> str:
        return reverse(f"admin:{self.screen}")


@dataclass(frozen=True)
class Task:
    """A task, the lists that belong to it (by model), and where it begins."""

    slug: str
    title: LazyText
    models: tuple[str, ...]
    doors: tuple[Door, ...] = ()

    def open_doors(self, user: User) -> list[Door]:
        return [door for door in self.doors if door.opens(user)]


@dataclass(frozen=True)
class Own:
    """What waits for this person, and where it is done."""

    title: LazyText
    count: int
    address: str


TASKS = (
    Task(
        "moderate",
        _("Moderate signatures"),
        ("signature", "letter", "sweep", "maildomain"),
        (Door(_("New bulk removal"), "petition_sweep_new", "run_sweep"),),
    ),
    Task(
        "paper",
        _("Count on paper"),
        ("sheet",),
        (
            Door(_("Enter a sheet"), "petition_sheet_enter", "enter_sheet"),
            Door(_("Import sheets"), "petition_sheet_import", "enter_sheet"),
            Door(_("Print sheets"), "petition_sheet_print", "print_sheet"),
        ),
    ),
    Task(
        "cases",
        _("Present prisoners"),
        ("case",),
        (
            Door(_("Take a profile down"), "petition_case_down"),
            Door(_("New prisoner case"), "petition_case_new", "change_case"),
        ),
    ),
    Task(
        "words",
        _("Write texts and news"),
        ("news", "text", "track", "consenttext"),
        (Door(_("Write news"), "petition_news_new", "write_news"),),
    ),
    Task(
        "figures",
        _("Figures and exports"),
        ("export",),
        (
            Door(_("From signing to confirming"), "petition_signature_funnel", "view_signature"),
            Door(_("Export figures"), "petition_export_tallies", "export_tally"),
            Door(_("Deliver names"), "petition_export_delivery", "deliver_signature"),
        ),
    ),
    Task("people", _("People and what they did"), ("user", "entry")),
)


def grouped(apps: list[dict]) -> list[dict]:
    """Django's list of apps, with the screens that this person may open, by task instead."""
    lists = {each["object_name"].lower(): each for app in apps for each in app["models"]}
    found = []
    for task in TASKS:
        mine = [lists.pop(name) for name in task.models if name in lists]
        if mine:
            home = reverse("admin:index")
            found.append(
                {
                    "name": task.title, "app_label": task.slug, "app_url": f"{home}#{task.slug}",
                    "has_module_perms": True, "models": mine,
                }
            )  # fmt: skip
    if lists:  # Of a package that was added since.
        found.append(apps[0] | {"models": list(lists.values())})
    return found


def waiting_for(user: User) -> list[Own]:
    """What only others than its author can do, and this person has not done yet; and what they
    have left open themselves. Empty tasks are left out."""
    found = []
    if user.has_perm("petition.enter_sheet"):
        sheets = reverse("admin:petition_sheet_changelist") + "?state=once"
        found.append(Own(_("Sheets to count again"), _second_counts(user).count(), sheets))
    if user.has_perm("petition.review_case"):
        cases = reverse("admin:petition_case_changelist") + "?state=waiting"
        found.append(Own(_("Texts of profiles to review"), _reviews(user).count(), cases))
        found.append(Own(_("Profiles to approve"), _approvals(user).count(), cases))
    if user.has_perm("petition.moderate_signature"):
        held = reverse("admin:petition_signature_changelist") + "?state=held"
        found.append(Own(_("Signatures that you suspended"), _holds(user).count(), held))
    return [own for own in found if own.count]


def _second_counts(user: User) -> QuerySet:
    return Sheet.objects.entered_once().exclude(counts__by=user)


def _of_others(user: User) -> QuerySet:
    """Texts of cases that this person has not written, nor the facts."""
    return CaseText.objects.exclude(authors=user).exclude(case__authors=user)


def _reviews(user: User) -> QuerySet:
    return _of_others(user).exclude(reviewed_revision=F("revision"))


def _approvals(user: User) -> QuerySet:
    done = CaseText.objects.filter(
        approvals__by=user,
        approvals__text_revision=F("revision"),
        approvals__case_revision=F("case__revision"),
    )
    reviewed = _of_others(user).filter(reviewed_revision=F("revision"), case__take_down=None)
    return reviewed.exclude(pk__in=done.values("pk")).exclude(pk__in=rules.public().values("pk"))


def _holds(user: User) -> QuerySet:
    last = Entry.objects.order_by("-number").values_list("number", flat=True).first() or 0
    mine = Entry.objects.filter(
        number__gt=last - OWN_ENTRIES, actor=user.get_username(), act=Entry.Act.HOLD
    )
    subjects = mine.values_list("subject", flat=True)
    references = [subject.removeprefix("signature ") for subject in subjects]
    return Signature.objects.filter(reference__in=references, state=Signature.State.HELD)
