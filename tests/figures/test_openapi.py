"""The OpenAPI document is valid, complete, current, and true of what is answered."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from petition.figures import openapi
from petition.models import Signature
from petition.urls import urlpatterns
from tests.making import make_figures

pytestmark = [pytest.mark.django_db, pytest.mark.once]

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CONFIG = settings.BASE_DIR / "bench" / "schemathesis.toml"


@pytest.fixture
def document(client):
    make_figures()
    return client.get("/api/v1/openapi.json").json()


def answers(document):
    """Each address with the media type and the content of its success."""
    for path, item in document["paths"].items():
        for media_type, content in item["get"]["responses"]["200"]["content"].items():
            yield path, media_type, content


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    validate(document, cls=OpenAPIV31SpecValidator)


def test_every_address_of_the_api_is_in_the_document(document):
    found = {
        str(p.pattern).removeprefix("api/v1") for p in urlpatterns if "api/v1" in str(p.pattern)
    }
    day = next(pattern for pattern in found if pattern.startswith("^"))
    found = (found - {day}) | {"/history/{day}.json", "/history/{day}.csv"}
    assert set(document["paths"]) == found


def test_each_example_is_what_its_address_says_now(client, document):
    seen = set()
    for path, media_type, content in answers(document):
        if path == "/openapi.json":
            continue  # It would have to hold itself.
        asked = document["paths"][path]["get"]["parameters"]
        asked = [document["components"]["parameters"][p["$ref"].split("/")[-1]] for p in asked]
        examples = {p["name"]: p["example"] for p in asked if "example" in p}
        address = path.replace("{day}", examples.pop("day", ""))
        response = client.get(f"/api/v1{address}", examples)
        assert response["Content-Type"].startswith(media_type)
        body = response.json() if media_type == "application/json" else response.content.decode()
        assert body == content["example"]
        seen.add(path)
    assert len(seen) == 8


def test_each_example_is_as_its_schema_says_and_nothing_else_is(document):
    for path, media_type, content in answers(document):
        if media_type == "application/json" and "example" in content:
            schema = Draft202012Validator(document | content["schema"])
            schema.validate(content["example"])
            assert not schema.is_valid(content["example"] | {"more": 1}), path
            for name in set(content["example"]) - {"sample"}:
                less = {k: v for k, v in content["example"].items() if k != name}
                assert not schema.is_valid(less), (path, name)


def test_the_document_names_each_reason_for_a_correction():
    with translation.override("en"):
        assert set(Signature.Reason.values) == set(openapi.REASONS)


@pytest.mark.usefixtures("committed")
def test_made_up_requests_are_answered_as_the_document_says(live_server, settings, tmp_path):
    """Schemathesis: every check on, some hundred cases. `make audit` has thousands."""
    settings.SITE_URL = live_server.url
    make_figures()
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            SCHEMATHESIS, "--config-file", CONFIG, "run", f"{live_server.url}/api/v1/openapi.json",
            "--checks", "all", "--max-examples", "20", "--report-json-path", report,
            # What Django's test server sends in two parts waits 40 ms on a connection kept open.
            "--header", "Connection: close",
        ],
        cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    found = json.loads(report.read_text("utf-8"))
    assert found["operations"]["tested"] == found["operations"]["total"] == 8
    assert found["test_cases"]["generated"] > 200
    assert found["failures"] == found["errors"] == []
    assert [name for name, said in found["warnings"].items() if said] == []
