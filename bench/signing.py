"""What a POST to /{lang}/sign/ costs, and whether its time tells a new address from a known one."""

from statistics import median
from time import perf_counter

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from petition.models import Letter, Signature
from petition.signing import lifecycle

REPEATS = 2000
# The states of an address, and one that has got as many letters as it may.
KINDS = ("new", "pending", "counted", "held", "rejected", "withdrawn", "capped")


def run() -> None:
    client = Client()
    statements(client)
    times(client)


def statements(client: Client) -> None:
    sign(client, "warm@example.org")
    with CaptureQueriesContext(connection) as new:
        sign(client, "new@example.org")
    with CaptureQueriesContext(connection) as known:
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
    taken = {kind: [] for kind in KINDS}
    for n in range(REPEATS):
        for kind, list_of_times in taken.items():
            start = perf_counter()
            sign(client, f"{kind}{n}@example.org")
            list_of_times.append(perf_counter() - start)
    new = median(taken["new"])
    print(f"Time of a POST to /en/sign/, medians of {REPEATS} each, in turn, one client")
    for kind, list_of_times in taken.items():
        this = median(list_of_times)
        print(f"  {kind:8} {this * 1000:6.2f} ms   {this / new:.3f} of new")
    print()


def sign(client: Client, email: str) -> None:
    body = {"name": "Sample Signer", "email": email, "country": "MA", "consent": "on"}
    assert client.post("/en/sign/", body).status_code == 303
