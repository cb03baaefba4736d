"""The log's files on the disk of a host: they answer without the database, and follow it."""

import pytest

from petition.log import copies
from petition.models import LogEvent, LogHead, LogOpening, LogTile
from tests.log.making import append, counted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.LAST_GOOD_DIR = str(tmp_path)


def files(client) -> dict[str, bytes]:
    """Every file that the log of 302 entries has, as a stranger gets it."""
    paths = ["0/000", "0/001.p/46", "1/000.p/1", "entries/000", "entries/001.p/46"]
    return {path: client.get(f"/log/tile/{path}").content for path in paths}


def test_what_was_copied_is_served_without_a_question_to_the_database(
    client, django_assert_num_queries
):
    counted(300)
    append()
    by_database = files(client)
    assert copies.keep() == 5
    with django_assert_num_queries(0):
        assert files(client) == by_database
    assert copies.keep() == 0  # Nothing is new.


def test_a_width_that_is_not_copied_yet_comes_from_the_database(client):
    counted(3)
    append()
    copies.keep()
    counted(2)
    append()
    size = LogHead.objects.get().size
    assert len(client.get(f"/log/tile/0/000.p/{size}").content) == size * 32
    assert client.get(f"/log/tile/0/000.p/{size + 1}").status_code == 404


def test_the_copy_grows_tile_by_tile(client, django_assert_num_queries):
    counted(250)
    append()
    copies.keep()
    counted(50)
    append()
    by_database = files(client)
    copies.keep()
    with django_assert_num_queries(0):
        assert files(client) == by_database


@pytest.mark.parametrize("entries", [3, 40])
def test_another_log_replaces_the_copy(client, entries):
    """As after a restore, whether the database's log is now shorter or longer."""
    counted(20)
    append()
    copies.keep()
    former = client.get("/log/tile/0/000.p/4").content
    for model in (LogHead, LogTile, LogEvent, LogOpening):
        model.objects.all().delete()
    counted(entries)
    append()
    copies.keep()
    assert client.get("/log/tile/0/000.p/4").content != former
    assert (
        client.get("/log/tile/0/000.p/4").content == bytes(LogTile.objects.get(level=0).data)[:128]
    )


def test_a_site_without_a_folder_keeps_no_copy(client, settings):
    settings.LAST_GOOD_DIR = ""
    counted(3)
    append()
    assert copies.keep() == 0
    assert client.get("/log/tile/0/000.p/3").status_code == 200
