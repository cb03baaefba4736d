"""`manage.py bounces` reads a real IMAP server (Debian's dovecot-imapd), each mail once."""

import getpass
import grp
import os
import pwd
import shutil
import subprocess
import time
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.core.management import CommandError, call_command

from petition.letters import envelopes
from petition.models import Letter
from tests.conftest import free_port
from tests.letters.test_bounces import BOUNCES, complaint, report
from tests.making import make_signature

DOVECOT = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once,
    pytest.mark.skipif(not DOVECOT, reason="needs Debian's dovecot-imapd"),
]
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_login_user = {login}
default_internal_group = {group}
first_valid_uid = 1
mail_location = maildir:{folder}/mail
mail_uid = {user}
mail_gid = {group}
passdb {{
  driver = static
  args = password=example
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


@pytest.fixture
def mails(settings):
    """The folder into which mail is put that the server then shows."""
    with TemporaryDirectory(prefix="dovecot-") as folder:
        yield from _serve(Path(folder), settings)


def _serve(folder: Path, settings):
    # Run by root, Dovecot wants the accounts of its package.
    user, login = getpass.getuser(), getpass.getuser()
    if user == "root":
        user, login = "dovecot", "dovenull"
    group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
    port = free_port()
    configuration = folder / "dovecot.conf"
    configuration.write_text(
        CONFIGURATION.format(folder=folder, user=user, login=login, group=group, port=port)
    )
    new = folder / "mail" / "new"
    for each in ("new", "cur", "tmp"):
        (folder / "mail" / each).mkdir(parents=True)
    for each in (folder, folder / "mail", *(folder / "mail").iterdir()):
        shutil.chown(each, user, group)
        each.chmod(0o755)
    server = subprocess.Popen([DOVECOT, "-F", "-c", configuration])
    settings.BOUNCE_ADDRESS = BOUNCES
    settings.BOUNCE_MAILBOX = {
        "ssl": False, "host": "127.0.0.1", "port": port, "user": "bounces", "password": "example",
        "folder": "INBOX",
    }  # fmt: skip
    yield new
    server.terminate()
    server.wait(20)


def put(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    shutil.chown(folder / name, folder.owner())


def read_box() -> str:
    """What the command says, once the server answers."""
    until = time.monotonic() + 20
    while True:
        out = StringIO()
        try:
            call_command("bounces", stdout=out)
        except CommandError:
            assert time.monotonic() < until
            time.sleep(0.1)
        else:
            return out.getvalue().strip()


def sent(address: str) -> Letter:
    return Letter.objects.create(
        signature=make_signature(address), kind="confirm", language="en", state="sent", tries=1
    )


def returned(letter: Letter, status: str) -> bytes:
    return report(BOUNCES.replace("@", f"+{envelopes.token(letter.pk, 1)}@"), status)


def test_what_lies_in_the_mailbox_is_acted_on_once_and_marked_as_read(mails):
    gone, full, angry = (sent(f"{name}@elsewhere.example") for name in ("gone", "full", "angry"))
    put(mails, "1", returned(gone, "5.1.1"))
    put(mails, "2", returned(full, "4.2.2"))
    put(mails, "3", complaint(angry))
    put(mails, "4", "Subject: إجازة\r\n\r\nأنا في إجازة.".encode())
    assert read_box() == "hard: 1, soft: 1, complaint: 1, none: 1"
    state = dict(Letter.objects.values_list("pk", "state"))
    assert state == {gone.pk: "refused", full.pk: "due", angry.pk: "refused"}
    assert read_box() == "Nothing came back."
    put(mails, "5", returned(gone, "5.1.1"))  # The same report again.
    assert read_box() == "hard: 1"
    assert dict(Letter.objects.values_list("pk", "state")) == state


def test_a_mailbox_that_does_not_open_is_named_without_its_password(mails, settings):
    read_box()
    settings.BOUNCE_MAILBOX["password"] = "another"
    with pytest.raises(CommandError, match="BOUNCE_MAILBOX cannot be read") as refused:
        call_command("bounces")
    assert "another" not in str(refused.value)
