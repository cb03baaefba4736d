"""The log: one line a kind and minute, each with its request, none with what is private."""

import json
import logging
import runpy

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from gunicorn.config import Config

from campaign_site import logs
from petition.ground import request_ids
from tests.making import filled_form

pytestmark = pytest.mark.django_db
GIVEN = "0123456789abcdef" * 2


def record(message="Gone: %s", *values, level=logging.WARNING, error=None):
    info = (type(error), error, None) if error else None
    return logging.LogRecord("petition.test", level, __file__, 1, message, values, info)


def test_a_failure_is_said_once_a_minute_with_how_many_there_were(monkeypatch):
    once, now = logs.OncePerMinute(), [100.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    passed = [once.filter(record("Gone: %s", n)) for n in range(50)]
    assert passed == [True] + [False] * 49
    assert once.filter(record("Another: %s", 1))
    assert once.filter(record("Gone: %s", 1, error=ValueError()))
    now[0] += 61
    again = record("Gone: %s", 7)
    assert once.filter(again)
    assert again.getMessage() == "Gone: 7 (49 more since the last such line)"


@pytest.mark.parametrize("access_log", [None, "-"])
def test_gunicorn_makes_a_line_of_each_request_only_for_who_asked_for_it(access_log, settings):
    conf = runpy.run_path(str(settings.BASE_DIR / "gunicorn.conf.py"))
    assert conf["accesslog"] is None
    config = Config()
    config.set("logconfig_dict", conf["logconfig_dict"])
    config.set("accesslog", access_log)
    logger = object.__new__(conf["logger_class"])  # Made in the usual way, it takes over all logs.
    logger.cfg = config
    assert logger.access_log_enabled == bool(access_log)


def test_what_is_no_failure_is_always_said():
    once = logs.OncePerMinute()
    assert all(once.filter(record("Done: %s", n, level=logging.INFO)) for n in range(5))


def test_a_line_of_json_says_which_request_it_belongs_to():
    with request_ids.serving(GIVEN):
        line = json.loads(logs.JsonLine().format(record("Gone: %s", "كذا\nنعم")))
    assert line["request"] == GIVEN
    assert (line["level"], line["message"]) == ("WARNING", "Gone: كذا\nنعم")
    assert "request" not in json.loads(logs.JsonLine().format(record("Gone", error=ValueError())))


@pytest.mark.parametrize("given", ["", "x" * 32, GIVEN.upper(), GIVEN + "0", "*/ DROP TABLE a; --"])
def test_a_number_that_no_proxy_of_ours_gives_is_not_taken(given):
    with request_ids.serving(given):
        assert request_ids.current() != given
        assert request_ids.GIVEN.fullmatch(request_ids.current())
    assert request_ids.current() == ""


@pytest.mark.parametrize("proxies", [0, 1])
def test_the_number_is_taken_from_a_proxy_that_is_trusted(client, settings, monkeypatch, proxies):
    settings.TRUSTED_PROXIES = proxies
    seen = []

    def sign(**_):
        seen.append(request_ids.current())

    monkeypatch.setattr("petition.signing.signatures.sign", sign)
    client.post("/en/sign/", filled_form(), headers={"X-Request-ID": GIVEN})
    assert (seen == [GIVEN]) == bool(proxies)
    assert len(seen[0]) == 32


@pytest.mark.postgres
def test_statements_carry_the_number_to_the_database(client, settings):

    settings.LOG_FORMAT, settings.TRUSTED_PROXIES = "json", 1
    with CaptureQueriesContext(connection) as asked:
        client.post("/en/sign/", filled_form(), headers={"X-Request-ID": GIVEN})
    assert asked.captured_queries
    assert any(f"/* {GIVEN} */" in query["sql"] for query in asked.captured_queries)
