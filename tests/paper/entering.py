"""What tests of sheets share: the desk's screens, as a coordinator uses them."""

import re
from datetime import date

from django.test import Client

from petition.models import Sheet
from tests.making import make_coordinator

LIST = "/admin/petition/sheet/"
State = Sheet.State
COUNT = {
    "country": "MA",
    "place": "Rabat",
    "date": "2026-03-31",
    "collector": "K7",
    "valid": 17,
    "struck": 2,
}
TYPED = COUNT | {"date": date(2026, 3, 31)}


def client_of(*roles, username):
    client = Client(headers={"Accept-Language": "en"})
    client.user = make_coordinator(*roles, username=username)
    client.force_login(client.user)
    return client


def enter(client, sheet, **changes) -> str:
    """What the person reads after entering a sheet."""
    body = {"number": sheet.pk} | COUNT | changes
    return what_is_read(client.post(f"{LIST}enter/", body, follow=True))


def what_is_read(response) -> str:
    assert response.status_code == 200
    page = re.sub(r'<input type="hidden"[^>]*>', "", response.content.decode())
    return page.replace("&#x27;", "'").replace("&quot;", '"')
