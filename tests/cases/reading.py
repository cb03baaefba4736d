"""What tests read of the public pages of cases."""

import re

from petition.models import Case, Consent


def page(client, path, status=200):
    response = client.get(path)
    assert response.status_code == status, path
    return response.content.decode()


def names(html: str) -> list[str]:
    """Whose cards a page shows, in their order."""
    return re.findall(r'href="/\w\w/cases/([\w-]+)/" aria-describedby', html)


def consent_of(case: Case, **fields):
    Consent.objects.filter(pk=case.consent_id).update(**fields)


def files(html: str) -> set[str]:
    return set(re.findall(r"/portraits/[0-9a-f]{32}-\d+\.\w+", html))
