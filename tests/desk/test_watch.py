"""Who came in and who was turned away is written down, by the number of the account alone."""

import pytest

from tests.desk.coming_in import sign_in
from tests.making import make_authenticator, make_coordinator, prove, verified

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor")]


@pytest.fixture
def said(caplog):
    caplog.set_level("INFO", "petition")
    return lambda: [r.getMessage() for r in caplog.records if r.name.startswith("petition.")]


def test_signing_in_and_out_is_written_down(client, coordinator, said):
    device = make_authenticator(coordinator)
    sign_in(client)
    client.post("/admin/two-factor/", {"code": "000000"})
    device.refresh_from_db()
    device.throttle_reset()
    prove(client, device)
    client.post("/admin/logout/")
    account = f"Account {coordinator.pk}"
    assert said() == [
        f"{account}: the password was right.", f"{account}: a wrong code.",
        f"{account}: the second factor was right.", f"{account} signed out.",
    ]  # fmt: skip


def test_a_failed_sign_in_names_the_account_by_its_number_and_no_other(client, coordinator, said):
    sign_in(client, password="zz-wrong")
    sign_in(client, "zz-nobody", "zz-wrong")
    assert said() == [
        f"A sign-in failed: account {coordinator.pk}.", "A sign-in failed: no such account.",
    ]  # fmt: skip


def test_a_refused_screen_is_written_down(client, said):
    user = make_coordinator("press")
    verified(client, user)
    assert client.get("/admin/petition/sweep/new/").status_code == 403
    assert said()[-1] == f"Account {user.pk} was refused admin:petition_sweep_new."
