"""The image of deploy/Containerfile, built and run: CONTAINER=1, as root, with buildah, podman and
debootstrap. It takes two minutes, so `make deploy-test` leaves it out."""

import os
import shutil
import subprocess

import psycopg
import pytest
from django.conf import settings

NEEDED = ("buildah", "podman", "crun", "debootstrap", "curl")
pytestmark = [
    pytest.mark.deploy,
    pytest.mark.once,
    pytest.mark.skipif(os.environ.get("CONTAINER") != "1", reason="CONTAINER=1 builds an image"),
]


def test_the_image_is_built_and_signs_without_root_a_capability_or_a_writable_disk(tmp_path):
    missing = [name for name in NEEDED if not shutil.which(name)]
    assert not missing, f"apt-get install {' '.join(missing)}"
    with psycopg.connect(os.environ["TEST_DATABASE_URL"], autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS container WITH (FORCE)")
        server.execute("CREATE DATABASE container")
    database = os.environ["TEST_DATABASE_URL"].rpartition("/")[0] + "/container"
    done = subprocess.run(
        ["unshare", "--mount", "bash", "tests/deploy/container.sh", tmp_path, database],
        cwd=settings.BASE_DIR, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    said = done.stdout.splitlines()
    for line in ("home 200", "picture 200", "sign 303", "ready 200", "petition", "web running",
                 "mailer running", "sweeper running", "historian running"):  # fmt: skip
        assert line in said
    with psycopg.connect(database) as stored:
        assert stored.execute("SELECT state FROM petition_signature").fetchall() == [("pending",)]
