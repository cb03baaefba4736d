"""What a POST to /{lang}/sign/ costs, and whether its time tells a new address from a known one."""

from statistics import median
from time import perf_counter

from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from petition.models import Letter, Signature
from petition.signing import lifecycle
from petition.signing.statements import SIGNING

REPEATS = 2000
# The states of an address; one that was typed five times, and one that has got as many letters as
# it may.
KINDS = ("new", "pending", "tried", "counted", "held", "rejected", "withdrawn", "capped")


def run() -> None:
    client = Client()
    statements(client)
    times(client)


def statements(client: Client) -> None:
    sign(client, "warm@example.org")
    own = SIGNING.own_connection()
    with CaptureQueriesContext(own) as new:
        sign(client, "new@example.org")
    with CaptureQueriesContext(own) as known:
        sign(client, "new@example.org")
    print("SQL statements of a POST to /en/sign/ (transaction begin and commit shown apart)")
    for name, captured in (("new address", new), ("known address", known)):
        words = [query["sql"].split()[0] for query in captured.captured_queries]
        work = [word for word in words if word not in ("BEGIN", "COMMIT")]
        print(
            f"  {name:14} {len(work)} statements, {words.count('COMMIT')} commit: {', '.join(work)}"
        )
    print()


def times(client: Client) -> None:
    """One of each kind in turn, so that a drift hits them alike."""
    for n in range(REPEATS):
        for kind in KINDS[1:]:
            for _ in range(5 if kind == "tried" else 1):
                sign(client, f"{kind}{n}@example.org")
    for signature in Signature.objects.all().iterator():
        email = signature.email
        if email.startswith("counted"):
            lifecycle.move(signature, "counted", confirmed_at=timezone.now())
        if email.startswith(("held", "rejected")):
            lifecycle.move(signature, email.split("@")[0].rstrip("0123456789"), reason="other")
        if email.startswith("withdrawn"):
            lifecycle.move(signature, "withdrawn", **Signature.ERASED)
        if email.startswith("capped"):
            Letter.objects.bulk_create(
                Letter(signature=signature, kind="confirm", language="en") for _ in range(5)
            )
    for name, act in ACTS.items():
        taken = {kind: [] for kind in KINDS}
        for n in range(REPEATS):
            for kind, list_of_times in taken.items():
                start = perf_counter()
                act(client, f"{kind}{n}@example.org")
                list_of_times.append(perf_counter() - start)
        _tell(name, taken)


def _tell(name: str, taken: dict[str, list[float]]) -> None:
    new = median(taken["new"])
    print(f"Time of {name}, medians of {REPEATS} each, in turn, one client")
    for kind, list_of_times in taken.items():
        this = median(list_of_times)
        print(f"  {kind:8} {this * 1000:6.2f} ms   {this / new:.3f} of new")
    print()


def sign(client: Client, email: str) -> None:
    body = {"name": "Sample Signer", "email": email, "country": "MA", "consent": "on"}
    assert client.post("/en/sign/", body).status_code == 303


def type_code(client: Client, email: str) -> None:
    answer = client.post("/en/sign/sent/", {"email": email, "code": "ABCD2345"})
    assert answer.status_code == 422


# A code first: signing makes the new ones known.
ACTS = {"a POST of a wrong code": type_code, "a POST to /en/sign/": sign}
