"""A database that writes down every statement with its values, and counts them, learns no name and
no address: they are sealed before they leave the web process."""

from pathlib import Path

import psycopg
import pytest

from tests import equipment
from tests.web.standing import Site

pytestmark = [pytest.mark.postgres, pytest.mark.outage]

NAME, ADDRESS = "Zzmarkedname", "zz-marked-address@zz-marked-domain.example"
TALKATIVE = {
    "logging_collector": "on", "log_filename": "all.log", "log_statement": "all",
    "log_min_duration_statement": "0", "log_min_messages": "debug1",
    "log_min_error_statement": "debug1", "log_parameter_max_length_on_error": "-1",
    "shared_preload_libraries": "pg_stat_statements",
}  # fmt: skip


@pytest.fixture
def database():
    try:
        with equipment.server(TALKATIVE) as running:
            yield running
    except equipment.Missing:  # As where PostgreSQL is the wheel's.
        pytest.skip("needs PostgreSQL with pg_stat_statements")


def written(database) -> str:
    data = Path(database.command[database.command.index("-D") + 1])
    return (data / "log" / "all.log").read_text("utf-8", "replace")


def test_no_log_of_the_database_holds_a_name_or_an_address(database, tmp_path):
    site = Site(database.url, tmp_path)
    site.manage("migrate")
    site.start()
    try:
        typed = {"name": NAME, "email": ADDRESS, "country": "MA", "consent": "on"}
        assert site.post("/en/sign/", **typed).status == 303
        assert site.post("/en/sign/", **typed).status == 303
        assert site.post("/en/sign/sent/", email=ADDRESS, code="ABCD2345").status == 422
        with psycopg.connect(database.url, autocommit=True) as direct:
            (reference,) = direct.execute("SELECT reference FROM petition_signature").fetchone()
            # What the statement would say where it fails.
            direct.execute(
                "ALTER TABLE petition_letter ADD CONSTRAINT none CHECK (false) NOT VALID"
            )
            assert site.post("/en/sign/", **typed | {"email": f"b-{ADDRESS}"}).status == 503
            direct.execute("ALTER TABLE petition_letter DROP CONSTRAINT none")
            direct.execute("CREATE EXTENSION pg_stat_statements")
            site.post("/en/sign/", **typed)
            rows = direct.execute("SELECT query FROM pg_stat_statements").fetchall()
    finally:
        site.stop()
    log = written(database)
    assert "petition_sign" in log  # It does write statements down, and their values:
    assert reference.hex in log
    assert "violates check constraint" in log
    for place in (log, "\n".join(query for (query,) in rows)):
        for mark in ("zz-marked", "Zzmarked"):
            assert mark not in place
