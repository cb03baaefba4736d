"""How tests read and write news."""

import re
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta

from django.utils import timezone

ATOM = "{http://www.w3.org/2005/Atom}"


def in_(**span) -> datetime:
    return timezone.now() + timedelta(**span)


def html(response, status: int = 200) -> str:
    assert response.status_code == status
    return response.content.decode()


def titles(page: str) -> list[str]:
    return re.findall(r'<a href="/\w\w/news/([\w-]+)/"', page)


def entries(client, language: str = "en"):
    return parsed(client.get(f"/{language}/news/feed.atom")).findall(f"{ATOM}entry")


def parsed(response) -> ET.Element:
    return ET.fromstring(response.content)  # noqa: S314  ours


def typed(**fields) -> dict:
    story = {"slug": "first-report", "en_title": "Sample title", "en_summary": "Sample summary",
             "en_body": "Sample text", "revision": "0"}  # fmt: skip
    return story | fields
