"""Every role at every screen, act and export: allowed, or 403."""

import re
from dataclasses import dataclass, field
from datetime import date

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpResponse

from petition.admin.exports import seal
from petition.cases import acts
from petition.desk import exports, roles
from petition.letters import owing
from petition.models import Export, MailDomain, Sweep, Text
from petition.paper import sheets
from petition.signing import lifecycle
from tests.making import (
    State,
    drawn_picture,
    make_case,
    make_coordinator,
    make_mailing,
    make_signature,
)

NOBODY = "nobody"  # A coordinator without a role.


@dataclass
class Screen:
    """What is asked of the desk, and the permission without which the answer is 403."""

    name: str
    permission: str
    path: str
    posted: dict | None = None
    html: dict = field(default_factory=dict)


def act(name: str, permission: str) -> Screen:
    posted = {"action": name, "_selected_action": "{signature}", "index": 0, "apply": 1,
              "reason": "other"}  # fmt: skip
    return Screen(name, permission, "petition/signature/", posted)


RULE = {"country": "LB", "to": "held", "reason": "other", "start": "1"}
SCREENS = [
    Screen("front page", "", ""),
    Screen("funnel", "petition.view_signature", "petition/signature/funnel/"),
    Screen("figures", "petition.export_tally", "petition/export/tallies/"),
    Screen("export figures", "petition.export_tally", "petition/export/tallies/",
           {"dimension": "day", "file_format": "csv"}),
    Screen("signatures", "petition.view_signature", "petition/signature/"),
    Screen("signature", "petition.view_signature", "petition/signature/{signature}/change/"),
    Screen("its admin history", "petition.view_signature", "petition/signature/{signature}/history/"),  # noqa: E501
    Screen("look up", "petition.view_signature", "petition/signature/look-up/", {"email": "a@b.org"}),  # noqa: E501
    act("count", "petition.moderate_signature"),
    act("hold", "petition.moderate_signature"),
    act("reject", "petition.moderate_signature"),
    act("resend", "petition.moderate_signature"),
    act("erase", "petition.erase_signature"),
    Screen("reveal?", "petition.reveal_signature", "petition/signature/{signature}/reveal/"),
    Screen("reveal", "petition.reveal_signature", "petition/signature/{signature}/reveal/",
           {"why": "for a test"}),
    Screen("letters", "petition.view_letter", "petition/letter/"),
    Screen("letter", "petition.view_letter", "petition/letter/{letter}/change/"),
    Screen("sweeps", "petition.view_sweep", "petition/sweep/"),
    Screen("sweep", "petition.view_sweep", "petition/sweep/{sweep}/change/"),
    Screen("its progress", "petition.view_sweep", "petition/sweep/{sweep}/progress.json"),
    Screen("new sweep", "petition.run_sweep", "petition/sweep/new/"),
    Screen("start a sweep", "petition.run_sweep", "petition/sweep/new/", RULE),
    Screen("stop a sweep", "petition.run_sweep", "petition/sweep/{sweep}/stop/", {}),
    Screen("go on", "petition.run_sweep", "petition/sweep/{sweep}/go-on/", {}),
    Screen("undo a sweep", "petition.run_sweep", "petition/sweep/{sweep}/undo/", {}),
    Screen("mail domains", "petition.view_maildomain", "petition/maildomain/"),
    Screen("mail domain", "petition.view_maildomain", "petition/maildomain/{domain}/change/"),
    Screen("new mail domain", "petition.add_maildomain", "petition/maildomain/add/",
           {"domain": "fake.example", "judged": "throw-away", "until": "2026-12-24"}),
    Screen("exports", "petition.view_export", "petition/export/"),
    Screen("export", "petition.view_export", "petition/export/{export}/change/"),
    Screen("its progress", "petition.view_export", "petition/export/{export}/progress.json"),
    Screen("delivery?", "petition.deliver_signature", "petition/export/delivery/"),
    Screen("delivery", "petition.deliver_signature", "petition/export/delivery/",
           {"reason": "for a test", "noted": "on", "sealed": "{sealed}"}),
    Screen("my delivery", "petition.deliver_signature", "petition/export/progress.json"),
    Screen("stop a delivery", "petition.deliver_signature", "petition/export/{export}/stop/", {}),
    Screen("sheets", "petition.view_sheet", "petition/sheet/"),
    Screen("sheet", "petition.view_sheet", "petition/sheet/{sheet}/change/"),
    Screen("print?", "petition.print_sheet", "petition/sheet/print/"),
    Screen("print", "petition.print_sheet", "petition/sheet/print/",
           {"language": "ar", "how_many": "1"}),
    Screen("print again", "petition.print_sheet", "petition/sheet/print/again/", {"batch": "1"}),
    Screen("enter?", "petition.enter_sheet", "petition/sheet/enter/?number={sheet}"),
    Screen("enter", "petition.enter_sheet", "petition/sheet/enter/",
           {"number": "{sheet}", "country": "MA", "date": "2026-03-01", "valid": "3",
            "struck": "0"}),
    Screen("import?", "petition.enter_sheet", "petition/sheet/import/"),
    Screen("import", "petition.enter_sheet", "petition/sheet/import/", {"load": "1"}),
    Screen("settle?", "petition.settle_sheet", "petition/sheet/{differing}/settle/"),
    Screen("settle", "petition.settle_sheet", "petition/sheet/{differing}/settle/",
           {"country": "MA", "date": "2026-03-01", "valid": "3", "struck": "0"}),
    Screen("take out?", "petition.void_sheet", "petition/sheet/{sheet}/void/"),
    Screen("take out", "petition.void_sheet", "petition/sheet/{sheet}/void/", {"note": "lost"}),
    Screen("cases", "petition.view_case", "petition/case/"),
    Screen("case", "petition.view_case", "petition/case/{case}/change/"),
    Screen("preview", "petition.view_case", "petition/case/{case}/text/en/preview/"),
    Screen("its portrait", "petition.view_case", "petition/case/{case}/portrait.jpg"),
    Screen("export cases", "petition.view_case", "petition/case/export/", {}),
    Screen("new case", "petition.change_case", "petition/case/new/"),
    Screen("facts", "petition.change_case", "petition/case/{case}/facts/"),
    Screen("write a text", "petition.change_case", "petition/case/{case}/text/fr/"),
    Screen("portrait?", "petition.change_case", "petition/case/{case}/portrait/"),
    Screen("consent?", "petition.change_case", "petition/case/{case}/consent/"),
    Screen("consent withdrawn?", "petition.change_case", "petition/case/{case}/withdraw-consent/"),
    Screen("withdraw", "petition.change_case", "petition/case/{case}/withdraw-consent/", {}),
    Screen("no portrait", "petition.change_case", "petition/case/{case}/remove-portrait/", {}),
    Screen("review?", "petition.review_case", "petition/case/{case}/text/en/review/"),
    Screen("review", "petition.review_case", "petition/case/{case}/text/en/review/",
           {"case_seen": 1, "text_seen": 1}),
    Screen("approve", "petition.review_case", "petition/case/{case}/text/en/approve/",
           {"case_seen": 1, "text_seen": 1}),
    Screen("risk?", "petition.review_case", "petition/case/{case}/risk/"),
    Screen("risk", "petition.review_case", "petition/case/{case}/risk/",
           {"may_be_public": "no", "note": "for a test"}),
    Screen("take down by address?", "", "petition/case/take-down/"),
    Screen("take down by address", "", "petition/case/take-down/",
           {"address": "{slug}", "reason": "for a test"}),
    Screen("take down", "", "petition/case/{case}/take-down/", {"reason": "for a test"}),
    Screen("put back?", "petition.restore_case", "petition/case/{case}/put-back/"),
    Screen("put back", "petition.restore_case", "petition/case/{case}/put-back/", {}),
    Screen("erase?", "petition.erase_case", "petition/case/{case}/erase/"),
    Screen("erase", "petition.erase_case", "petition/case/{case}/erase/", {"reason": "for a test"}),
    Screen("audit", "petition.view_entry", "petition/entry/"),
    Screen("audit entry", "petition.view_entry", "petition/entry/1/change/"),
    Screen("texts", "petition.view_text", "petition/text/"),
    Screen("text", "petition.view_text", "petition/text/{text}/change/"),
    Screen("edit a text", "petition.change_text", "petition/text/{text}/change/",
           {"title": "x", "summary": "x", "body": "x", "seen": "1"}),
    Screen("preview a text", "petition.change_text", "petition/text/{text}/preview/",
           {"title": "x", "summary": "x", "body": "x"}),
    Screen("version of a text", "petition.view_text", "petition/text/{text}/versions/1/"),
    Screen("restore a version", "petition.change_text", "petition/text/{text}/versions/1/",
           {"seen": "1"}),
    Screen("shipped text", "petition.view_text", "petition/text/{text}/shipped/"),
    Screen("restore the shipped text", "petition.change_text", "petition/text/{text}/shipped/",
           {"seen": "1"}),
    Screen("tracks", "petition.view_track", "petition/track/"),
    Screen("track", "petition.view_track", "petition/track/fate/change/"),
    Screen("consent texts", "petition.view_consenttext", "petition/consenttext/"),
    Screen("news", "petition.view_news", "petition/news/"),
    Screen("story", "petition.view_news", "petition/news/{story}/change/"),
    Screen("preview", "petition.view_news", "petition/news/{story}/preview/fr/"),
    Screen("letters of a story", "petition.view_news", "petition/news/{story}/progress.json"),
    Screen("new story?", "petition.write_news", "petition/news/new/"),
    Screen("new story", "petition.write_news", "petition/news/new/",
           {"slug": "second", "en_title": "x", "en_summary": "x", "en_body": "x"}),
    Screen("edit a story?", "petition.write_news", "petition/news/{story}/write/"),
    Screen("edit a story", "petition.write_news", "petition/news/{story}/write/",
           {"revision": "1", "slug": "x", "en_title": "x", "en_summary": "x", "en_body": "x"}),
    Screen("publish", "petition.write_news", "petition/news/{story}/publish/", {"revision": "1"}),
    Screen("take back", "petition.write_news", "petition/news/{story}/take-back/",
           {"revision": "1"}),
    Screen("send news?", "petition.send_news", "petition/news/{story}/send/"),
    Screen("send news", "petition.send_news", "petition/news/{story}/send/", {"revision": "1"}),
    Screen("stop news", "petition.send_news", "petition/news/{story}/stop/", {}),
    Screen("let news go on", "petition.send_news", "petition/news/{story}/go-on/", {}),
    Screen("accounts", "auth.view_user", "auth/user/"),
    Screen("new account", "auth.add_user", "auth/user/add/"),
    Screen("account", "auth.view_user", "auth/user/{user}/change/"),
    Screen("password of an account", "auth.change_user", "auth/user/{user}/password/"),
    Screen("second factor?", "auth.change_user", "auth/user/{user}/two-factor/"),
    Screen("second factor", "auth.change_user", "auth/user/{user}/two-factor/", {}),
]  # fmt: skip


@pytest.fixture
def rows(db) -> dict[str, object]:
    """One of each, for the paths."""
    signature = make_signature(state=State.COUNTED)
    lifecycle.move(signature, State.HELD, reason="other")
    somebody = make_coordinator(username="somebody")
    export = exports.begin_delivery(somebody, "for a test")
    sweep = Sweep.objects.create(country="LB", reason="other", expected=0, by="somebody")
    sheet, differing = sheets.make("ar", 2, somebody)
    counted = {"country": "MA", "date": date(2026, 3, 1), "struck": 0}
    sheets.enter(differing.number, somebody, valid=3, **counted)
    sheets.enter(differing.number, make_coordinator(username="third"), valid=4, **counted)
    case = make_case("en")
    acts.set_portrait(case.pk, somebody, 1, drawn_picture())
    return {
        "case": case.pk,
        "slug": case.slug,
        "sheet": sheet.number,
        "differing": differing.number,
        "signature": signature.pk,
        "letter": owing.owe(signature, "held", "ar").pk,
        "sweep": sweep.pk,
        "domain": MailDomain.objects.create(domain="judged.example", judged="honest").pk,
        "export": export.pk,
        "user": somebody.pk,
        "text": Text.objects.get(slug="about", language="ar").pk,
        "sealed": "",
        "story": make_mailing().news_id,
    }


def ask(client, screen: Screen, rows: dict, user=None):
    if user:
        rows = rows | {"sealed": seal(exports.passphrase(), user)}
    path = "/admin/" + screen.path.format(**rows)
    if screen.posted is None:
        return client.get(path)
    return client.post(path, {k: str(v).format(**rows) for k, v in screen.posted.items()})


def key(screen: Screen) -> str:
    return f"{screen.name}: {screen.path}"


def answers(client, rows: dict, user=None) -> dict[str, HttpResponse]:
    """What each screen answers, each asked as if it were the only one."""
    told = {}
    for screen in SCREENS:
        with transaction.atomic():
            told[key(screen)] = ask(client, screen, rows, user)
            transaction.set_rollback(True)
    return told


@pytest.mark.once
@pytest.mark.once
@pytest.mark.parametrize("role", [NOBODY, *roles.ROLES])
def test_a_role_may_what_the_matrix_says_and_nothing_else(client, rows, role):
    user = make_coordinator(*([] if role == NOBODY else [role]))
    client.force_login(user)
    told = answers(client, rows, user)
    wrong = {}
    for screen in SCREENS:
        may = not screen.permission or screen.permission in roles.ROLES.get(role, [])
        status = told[key(screen)].status_code
        if status not in ((200, 302) if may else (403,)):
            wrong[key(screen)] = status
    assert wrong == {}


@pytest.mark.once
def test_who_has_not_signed_in_gets_the_sign_in_page(client, rows):
    for name, response in answers(client, rows).items():
        assert response.status_code == 302, name
        assert response["Location"].startswith("/admin/login/"), name
    assert Export.objects.get().state == "running"


@pytest.mark.once
def test_the_documents_have_the_matrix_of_the_code():
    text = (settings.BASE_DIR / "docs" / "desk.md").read_text("utf-8")
    head, _, *lines = re.search(r"^\| may \|.*?(?=\n\n)", text, re.M | re.S)[0].splitlines()
    columns = [cell.strip() for cell in head.strip("|").split("|")][1:]
    assert columns == list(roles.ROLES)
    said = {role: set() for role in roles.ROLES}
    for line in lines:
        what, *marks = line.strip("|").split("|")
        if permission := re.search(r"`(\w+)`", what):
            for role, mark in zip(columns, marks, strict=True):
                if mark.strip():
                    said[role].add(permission[1])
    assert said == {r: {p.partition(".")[2] for p in allowed} for r, allowed in roles.ROLES.items()}


@pytest.mark.django_db
def test_a_migrated_database_has_the_roles_with_exactly_their_permissions():
    for role, allowed in roles.ROLES.items():
        permissions = Group.objects.get(name=role).permissions.select_related("content_type")
        named = {f"{p.content_type.app_label}.{p.codename}" for p in permissions}
        assert named == set(allowed)


@pytest.mark.django_db
def test_every_permission_that_a_screen_asks_for_is_somebodys():
    given = {permission for allowed in roles.ROLES.values() for permission in allowed}
    asked = {screen.permission for screen in SCREENS} - {""}
    assert asked <= given
