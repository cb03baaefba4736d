"""What tests share: a clean memory, committed data, and a real mail server."""

import gc
import os
import socket
from contextlib import ExitStack
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.template.base import Template
from django.utils import timezone

from petition.campaign.texts import lay_shipped_texts
from petition.desk import roles
from petition.models import Tally
from petition.signing import statements
from tests import browsing, equipment
from tests.name_server import zone  # noqa: F401 - a fixture.

STARTED = timezone.now()
RENDER = Template._render
# The modules that take longest, a minute and more of two cores together: left out of `test-quick`.
SLOW = {
    "campaign/test_editing.py", "campaign/test_migrations.py", "campaign/test_news.py",
    "campaign/test_pages.py", "cases/test_gone.py", "cases/test_pages.py",
    "cases/test_picture_refusals.py", "cases/test_pictures.py", "cases/test_rules.py",
    "desk/test_entries.py", "desk/test_roles.py",
    "figures/test_counter.py", "figures/test_disclosure.py", "figures/test_openapi.py",
    "figures/test_press.py", "letters/test_mailings.py", "letters/test_mailings_stopped.py",
    "management/test_samples.py", "paper/test_imports.py", "paper/test_screens.py",
    "paper/test_sheets.py", "signing/test_migrations.py",
    "test_every_screen.py", "test_run.py", "test_settings.py", "web/test_corpus.py",
}  # fmt: skip


def pytest_collection_modifyitems(items):
    """Races and killed processes are about PostgreSQL: on SQLite nobody asked for them."""
    for item in items:
        if item.path.relative_to(Path(__file__).parent).as_posix() in SLOW:
            item.add_marker(pytest.mark.slow)
    if connection.vendor != "postgresql":
        wrong = [i.nodeid for i in items if i.get_closest_marker("postgres")]
        for item in items:
            if item.nodeid in wrong:
                item.add_marker(pytest.mark.skip(reason="needs TEST_DATABASE_URL=postgres://…"))


def pytest_collection_finish():
    """What is loaded stays: looking through it for garbage again and again takes a tenth of all."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Tests with committed data empty the tables after them: the audit must let them."""
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE petition_entry DISABLE TRIGGER audit_is_not_emptied")
    yield
    with django_db_blocker.unblock():
        for group in statements.GROUPS:
            group.close()


@pytest.fixture(scope="session", autouse=True)
def _rendered_as_on_the_site(django_test_environment):
    """No test asks for a template's context; Django's test client copies it for each template."""
    Template._render = RENDER


@pytest.fixture(autouse=True)
def _nothing_remembered():
    for name in settings.CACHES:
        caches[name].clear()


@pytest.fixture
def noon(monkeypatch):
    """Half an hour past noon of the day on which the run began: in the first hour of a day, it has
    no hours that could be told, and a run may go on past midnight. The clock goes on from there,
    also for the models' own moments, which have the function itself."""
    moment = STARTED.replace(hour=12, minute=30, second=0, microsecond=0)
    ahead, right = moment - timezone.now(), timezone.now

    def clock():
        return right() + ahead

    monkeypatch.setattr(timezone, "now", clock)
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if field.default is right:
                monkeypatch.setitem(vars(field), "_get_default", clock)
    return moment


@pytest.fixture
def pages_in_memory(settings):
    """Public pages are kept for seconds, as on a real site."""
    settings.PAGE_MEMORY_BYTES = 4 << 20


@pytest.fixture
def committed(transactional_db):
    """Data that other threads, processes and servers see."""


@receiver(post_migrate)
def _as_migrated(sender, **kwargs):
    """Lays again what migrations laid, after a test with committed data emptied the tables: any
    test may come next."""
    was_emptied = "plan" not in kwargs
    if sender.label == "petition" and was_emptied:
        lay_shipped_texts(apps)
        roles.lay(apps)
        Tally.objects.get_or_create(dimension="total", value="", slot=0)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Box:
    """A mail server's box, and how the server behaves."""

    def __init__(self):
        self.mails, self.senders = [], []
        self.replies = {}  # {recipient: the reply to RCPT}
        self.data_reply = None
        self.sender_reply = None
        self.letters_a_conversation = None
        self.pipelines = True

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        session.host_name = hostname
        if self.pipelines:
            responses.insert(1, "250-PIPELINING")
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        session.letters = getattr(session, "letters", 0) + 1
        if self.letters_a_conversation and session.letters > self.letters_a_conversation:
            return "421 4.7.0 enough for this conversation"
        if self.sender_reply:
            return self.sender_reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.data_reply:
            return self.data_reply
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append(mail)
        self.senders.append(envelope.mail_from)
        return "250 OK"

    @property
    def recipients(self) -> list[str]:
        return [mail["To"] for mail in self.mails]


@pytest.fixture
def smtp(settings):
    """A real SMTP server on a port of its own."""
    box = Box()
    host, port = "127.0.0.1", free_port()
    controller = Controller(box, hostname=host, port=port)
    controller.start()
    settings.EMAIL_BACKEND = "petition.letters.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = host, port
    box.url = f"smtp://{host}:{port}"
    yield box
    controller.stop()


@pytest.fixture(scope="session")
def chromium():
    """The one that CHROMIUM names, or the system's."""
    from playwright.sync_api import sync_playwright

    browsing.read_pages_whole()
    # Playwright's loop runs in this thread; Django would take its synchronous calls for a mistake.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or equipment.installed_browser(),
            # The rest: it looks for nothing but what it is told to open.
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(chromium, live_server, settings):
    """Opens pages in contexts of their own; fails where one asked another host, set a cookie or
    wrote to the console."""
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.SITE_URL = live_server.url
    with ExitStack() as stack:

        def open_page(**options):
            return stack.enter_context(browsing.watched_page(chromium, live_server.url, **options))

        yield open_page


@pytest.fixture
def phone(open_page):
    """A small phone without JavaScript."""
    return open_page(java_script_enabled=False)
