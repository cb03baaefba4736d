"""What is asked of a coordinator before something is done to a prisoner case."""

from typing import Any

from django.utils.translation import gettext_lazy

from petition.admin import case_forms as forms
from petition.cases import acts

TAKE_DOWN = gettext_lazy(
    "The page, its picture and every list answer at once that it is gone. Two other coordinators "
    "can put it back. If in doubt, take it down."
)


def _risk(pk, by, data):
    acts.review_risk(pk, by, may_be_public=data["may_be_public"] == "yes", note=data["note"])


# What is asked before it is done: `act(pk, by, what was typed)`.
ASKED: dict[str, dict[str, Any]] = {
    "withdraw-consent": {
        "permission": "change",
        "title": gettext_lazy("The consent was withdrawn"),
        "intro": gettext_lazy("From then on nothing of this profile is shown."),
        "button": gettext_lazy("Note that it was withdrawn"),
        "form": forms.NoForm,
        "act": lambda pk, by, data: acts.withdraw_consent(pk, by),
        "done": gettext_lazy("Noted. The case is not public."),
        "careful": True,
    },
    "remove-portrait": {
        "permission": "change",
        "title": gettext_lazy("Remove the portrait"),
        "intro": gettext_lazy("It is deleted. Earlier approvals no longer count."),
        "button": gettext_lazy("Remove it"),
        "form": forms.NoForm,
        "act": lambda pk, by, data: acts.remove_portrait(pk, by),
        "done": gettext_lazy("The portrait is deleted."),
    },
    "risk": {
        "permission": "review",
        "title": gettext_lazy("Review the risk"),
        "intro": gettext_lazy(
            "What can being public do to the person in prison, to the family, to witnesses? What "
            "has changed? The judgement holds for 90 days."
        ),
        "button": gettext_lazy("Record the judgement"),
        "form": forms.RiskForm,
        "act": _risk,
        "done": gettext_lazy("The judgement is recorded."),
    },
    "take-down": {
        "permission": "",
        "title": gettext_lazy("Take a profile down"),
        "intro": TAKE_DOWN,
        "button": gettext_lazy("Take it down"),
        "form": forms.ReasonForm,
        "act": lambda pk, by, data: acts.take_down(pk, by, data["reason"]),
        "done": gettext_lazy("The profile is no longer on the site."),
        "careful": True,
    },
    "put-back": {
        "permission": "restore",
        "title": gettext_lazy("Put a profile back"),
        "intro": gettext_lazy(
            "Two coordinators who did not take it down have to agree. Everything else that a "
            "profile needs is asked of it as before."
        ),
        "button": gettext_lazy("I agree that it goes back"),
        "form": forms.NoForm,
        "act": lambda pk, by, data: acts.put_back(pk, by),
        "done": gettext_lazy("Noted. It is back when two have agreed."),
        "settled": gettext_lazy("Two have agreed: it is no longer taken down."),
    },
    "erase": {
        "permission": "erase",
        "title": gettext_lazy("Erase a case"),
        "intro": gettext_lazy(
            "All of it is deleted for good: texts, portrait, sources, consents. The audit keeps "
            "that it was there, and this reason. This cannot be undone."
        ),
        "button": gettext_lazy("Erase it"),
        "form": forms.ReasonForm,
        "act": lambda pk, by, data: acts.erase(pk, by, data["reason"]),
        "done": gettext_lazy("The case is erased."),
        "careful": True,
    },
}
