"""Builds data for tests. Its people are fictional: the names say so."""

import re
from datetime import date, timedelta
from io import BytesIO

from django.contrib.auth.models import Group, User
from django.utils import timezone
from django_otp.oath import totp
from PIL import Image

from petition import audit
from petition.campaign import newsroom
from petition.cases import pictures
from petition.desk import two_factor
from petition.figures import history
from petition.models import (
    Approval,
    Authenticator,
    Case,
    CaseText,
    CaseUpdate,
    Consent,
    ConsentText,
    Entry,
    Mailing,
    Mend,
    News,
    NewsText,
    Portrait,
    Rendition,
    RiskReview,
    Signature,
    Source,
    Sweep,
)
from petition.signing import lifecycle, tallies

State = Signature.State
PASSWORD = "a-password-of-a-test-71"


def make_signature(email: str = "someone@example.org", state: str = State.PENDING, **fields):
    """A stored signature, brought to `state` by the lifecycle so that the counters know of it."""
    details = {
        "name": "Sample Signer",
        "email": email,
        "mailbox": Signature.mailbox_indexes(email)[0],
        "domain": Signature.domain_index(email),
        "country": "MA",
        "language": "ar",
        "consent": ConsentText.objects.filter(language="ar").first(),
    }
    signature = Signature.objects.create(**(details | fields))
    tallies.add({tallies.PENDING: 1})
    if state == State.WITHDRAWN:
        assert lifecycle.move(signature, state, **Signature.ERASED)
    elif state != State.PENDING:
        assert lifecycle.move(signature, state, confirmed_at=timezone.now())
    return signature


def make_figures() -> None:
    """Signatures of two days, drawn up by the hour, and each kind of correction."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    signed = [
        make_signature(f"sample{n}@example.org", State.COUNTED, country="MA" if n % 3 else "LB",
                       track_id="fate" if n % 2 else None)
        for n in range(36)
    ]  # fmt: skip
    for hours in (14, 13, 0):
        history.draw_up(midnight - timedelta(hours=hours))
    assert lifecycle.move(signed[0], State.HELD, reason=Signature.Reason.AUTOMATED)
    assert lifecycle.move(signed[1], State.WITHDRAWN, **Signature.ERASED)
    details = {"country": "MA", "by": "sample", "state": Sweep.State.DONE, "expected": 1}
    for task, reason in ((Sweep.Task.APPLY, "automated"), (Sweep.Task.UNDO, "disposable")):
        Sweep.objects.create(
            task=task, reason=reason, moved=1, lowered=1, raised=1, undo_at=timezone.now(),
            **details,
        )  # fmt: skip
    Mend.objects.create(count=-1, rules=tallies.RULES)


def make_story(slug: str = "first-report", *languages: str, **fields) -> News:
    """A story about nothing real, public since a minute ago unless `fields` say otherwise."""
    since = timezone.now() - timedelta(minutes=1)
    details = {"publish_at": since, "created_by": "sample", "changed_at": since}
    story = News.objects.create(slug=slug, **(details | fields))
    for language in languages or ("ar", "fr", "en"):
        NewsText.objects.create(
            news=story,
            language=language,
            title=f"Sample title {language}",
            summary=f"Sample summary {language}",
            body=f"## Sample heading\n\nSample text {language} 2026",
            changed_by="sample",
            changed_at=since,
        )
    return story


def make_mailing(story: News | None = None) -> Mailing:
    """A mailing of a story to those who want news now."""
    return newsroom.send(story or make_story(), make_coordinator(username="sender"))


def make_coordinator(*roles: str, username: str = "coordinator", **fields) -> User:
    """An account of the desk with some of the roles that migrations lay."""
    user = User.objects.create_user(username, password=PASSWORD, **({"is_staff": True} | fields))
    user.groups.set(Group.objects.get(name=role) for role in roles)
    return user


def filled_form(**fields) -> dict:
    """What a browser posts from the sign form."""
    return {
        "name": "Sample Signer",
        "email": "someone@example.org",
        "country": "MA",
        "consent": "on",
    } | fields


def link(kind: str, mail) -> str:
    """The path of the confirm, withdraw or unsubscribe link in a letter."""
    text = mail.body if hasattr(mail, "body") else mail.get_body(("plain",)).get_content()
    return re.search(rf"/(ar|fr|en)/{kind}/\S+", text).group()


def code(mail) -> str:
    """The code in a letter."""
    text = mail.body if hasattr(mail, "body") else mail.get_body(("plain",)).get_content()
    return re.search(r"^([0-9A-Z]{8})\r?$", text, re.MULTILINE).group(1)


def make_authenticator(user, **fields) -> Authenticator:
    secret = two_factor.new_secret()
    recovery = "111122223333 444455556666"
    return Authenticator.objects.create(
        user=user, **({"secret": secret, "recovery": recovery} | fields)
    )


def app_code(secret: str, steps: int = 0) -> str:
    """What an authenticator app shows, now or some steps of 30 seconds from now."""
    return f"{totp(bytes.fromhex(secret), t0=-30 * steps):06}"


def prove(client, device: Authenticator, steps: int = 0):
    return client.post("/admin/two-factor/", {"code": app_code(device.secret, steps)})


def verified(client, user) -> Authenticator:
    """Signs in to the end: password and second factor."""
    device = Authenticator.objects.filter(user=user).first() or make_authenticator(user)
    client.force_login(user)
    assert prove(client, device).status_code == 302
    return device


def drawn_picture(width: int = 400, height: int = 500, file_format: str = "JPEG") -> bytes:
    """A picture of nobody, as a file."""
    out = BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, file_format)
    return out.getvalue()


def make_person(username: str) -> User:
    """An account without a role, made once."""
    return User.objects.get_or_create(username=username, defaults={"is_staff": True})[0]


def make_consent(case: Case, **fields) -> Consent:
    """A consent to everything, which holds; the newest of its case."""
    now = timezone.now()
    details = {
        "giver": "parent",
        "why_not_person": "Sample: held without contact",
        "method": "writing",
        "language": "ar",
        "given_at": now - timedelta(days=1),
        "valid_until": now + timedelta(days=365),
        "explained_copies": True,
        "explained_worst_case": True,
        "explained_withdrawal": True,
        "evidence": "SAMPLE-FILE-1",
        "events": case.events,
        "recorded_by": make_person("author"),
    } | {f"scope_{scope}": True for scope in Consent.SCOPES}
    case.consent = Consent.objects.create(case=case, **(details | fields))
    case.save(update_fields=["consent"])
    return case.consent


def make_text(case: Case, language: str = "en", **fields) -> CaseText:
    """What is told in a language: written by one, reviewed by another, approved by two more."""
    details = {
        "name": "Sample Prisoner",
        "pseudonym": "Sample Pseudonym",
        "place": "Sample Prison",
        "charges": "Sample charges.",
        "health": "Sample health.",
        "story": "A sample story of a person who does not exist.",
        "portrait_alt": "A sample portrait",
        "reviewed_revision": fields.get("revision", 1),
        "reviewed_by": make_person("reviewer"),
        "reviewed_at": timezone.now(),
    }
    text = CaseText.objects.create(case=case, language=language, **(details | fields))
    text.authors.add(make_person("author"))
    for name in ("first", "second"):
        Approval.objects.create(
            text=text,
            by=make_person(name),
            case_revision=case.revision,
            text_revision=text.revision,
        )
    return text


def make_case(*languages: str, **fields) -> Case:
    """A case that is public in these languages: every rule holds until a test breaks one."""
    details = {
        "naming": "name",
        "age_band": "30-44",
        "nationality": "palestinian",
        "track_id": "protection",
        "situation": "arrested",
        "situation_as_of": date(2026, 3, 1),
        "since": date(2025, 11, 2),
        "since_as_of": date(2026, 3, 1),
        "place_as_of": date(2026, 3, 1),
    }
    case = Case.objects.create(**(details | fields))
    author = make_person("author")
    case.authors.add(author)
    Source.objects.create(
        case=case, title="Sample report", publisher="Sample Observer", day=date(2026, 3, 1),
        url="https://example.org/report", supports="the arrest", language="en",
    )  # fmt: skip
    make_consent(case)
    case.risk_review = RiskReview.objects.create(
        case=case, by=make_person("reviewer"), may_be_public=True, note="Sample."
    )
    case.save(update_fields=["risk_review"])
    for language in languages or ("en",):
        make_text(case, language)
    return case


def make_portrait(case: Case) -> Portrait:
    """A picture of nobody, in every size and format."""
    shades = Image.linear_gradient("L").resize((800, 1000))
    out = BytesIO()
    Image.merge("RGB", (shades, shades.point(lambda v: 90 + v // 3), shades)).save(out, "JPEG")
    portrait = Portrait.objects.create(case=case)
    for file in pictures.renditions(out.getvalue()):
        Rendition.objects.create(
            portrait=portrait, width=file.width, height=file.height, format=file.format,
            data=file.data,
        )  # fmt: skip
    return portrait


ARABIC = {
    "name": "عيّنة: اسم لا وجود لصاحبته",
    "pseudonym": "عيّنة: اسم مستعار",
    "place": "عيّنة: سجن لا وجود له",
    "charges": "لم تُبلَّغ العائلة بأيّ تهمة حتى الآن.",
    "health": "تحتاج إلى متابعة طبية مرّتين في الأسبوع (عيّنة).",
    "story": "هذه عيّنة لا تروي قصّة أحد.\n\n## قبل الاعتقال\n\n"
    + "كانت تعمل معلّمة في مدرسة القرية منذ عام 2009، وتعود كلّ مساء إلى بيت العائلة. " * 6
    + "\n\n## منذ ذلك الحين\n\n- لم تُسمح زيارة واحدة.\n- وصلت رسالة واحدة في 3 مارس 2026.\n\n"
    + "تقول العائلة إنّها لا تعرف أكثر من ذلك، وإنّها تنتظر خبرًا من الصليب الأحمر. " * 5,
    "portrait_alt": "صورة للعرض لا تُظهر أحدًا",
}  # fmt: skip


def make_profiles() -> None:
    """A public profile of each kind that pages show differently, under addresses that say which."""
    named = make_case("en", "fr", slug="named", is_woman=True, is_sick=True, place_as_of=None)
    text = make_text(named, "ar", **ARABIC)
    for day in (date(2026, 3, 5), date(2026, 4, 1)):
        CaseUpdate.objects.create(text=text, day=day, body="خبر للعرض: **زيارة** بعد 12 أسبوعًا.")
    make_portrait(named)
    make_text(
        make_case("fr", slug="pseudonym", naming="pseudonym", nationality="lebanese"),
        "ar", **ARABIC,
    )  # fmt: skip
    make_case(
        "ar", "fr", "en", slug="withheld", naming="withheld", track_id="fate",
        situation="disappeared", situation_certainty="confirmed", age_band="60+",
    )  # fmt: skip
    make_portrait(make_case("ar", "en", slug="child", age_band="child", naming="pseudonym"))
    arabic = make_case("ar", slug="arabic-only", situation="administrative")
    CaseText.objects.filter(case=arabic).update(**ARABIC)
    make_portrait(arabic)


# One act of each kind, with its details as the code writes them (tests/desk/test_entries.py).
NUMBERS = {"country": "MA", "valid": 17, "struck": 2}
RULE_OF_A_SWEEP = {
    "domain": "sample.invalid", "country": "LB", "language": "ar", "since": "2026-03-01T00:00:00",
    "until": "2026-03-02T00:00:00", "to": "held", "why": "automated", "note": "sample",
}  # fmt: skip
DETAILS = {
    "count": {"was": "held", "to": "counted", "note": "sample"},
    "hold": {"was": "counted", "to": "held", "why": "disposable"},
    "reject": {"was": "held", "to": "rejected", "why": "name"},
    "erase": {"was": "pending", "to": "withdrawn"},
    "resend": {"letter": "confirm"},
    "reveal": {"note": "sample"},
    "look up": {},
    "preview": {"found": "12"} | RULE_OF_A_SWEEP,
    "sweep": {"expected": 12} | RULE_OF_A_SWEEP,
    "sweep stop": {},
    "sweep go on": {},
    "sweep undo": {},
    "sweep end": {"task": "undo", "moved": 12, "restored": 11},
    "domain": {"domain": "sample.invalid", "judged": "throw-away", "until": "2026-12-24"},
    "print": {"sheets": 10, "language": "ar", "first": 100016, "last": 100108, "again": True},
    "enter": {"state": "once"} | NUMBERS,
    "import": {"rows": 9, "first": 1, "counted": 2, "conflicts": 3, "known": 3},
    "settle": {"note": "sample"} | NUMBERS,
    "void": {"was": "counted", "note": "sample"} | NUMBERS,
    "export": {"kind": "tallies", "dimension": "country", "format": "csv", "rows": 40},
    "export end": {"outcome": "stopped", "rows": 40},
    "text": {"version": 2, "restores": "shipped"},
    "case": {"part": "no portrait", "situation": "released", "language": "fr"},
    "case erase": {"note": "sample"},
    "consent": {"scope": ["name", "portrait", "search"], "until": "2027-03-01T00:00:00+00:00"},
    "consent withdraw": {},
    "review": {"language": "fr"},
    "approve": {"language": "en"},
    "risk": {"outcome": "may not"},
    "take down": {},
    "put back": {},
    "account": {"what": "changed", "roles": "moderator, press → none", "active": "true → false"},
    "two factor": {"what": "used a recovery code", "left": 3},
    "news": {"name": "sample", "languages": "ar, fr"},
    "news publish": {"name": "sample", "at": "2026-03-01 10:00 UTC"},
    "news take back": {"name": "sample"},
    "mailing": {"name": "sample", "expected": 12},
    "mailing stop": {"name": "sample"},
    "mailing go on": {"name": "sample"},
    "mailing end": {"sent": 10, "failed": 1, "skipped": 1},
}
SUBJECTS = (
    "signature 5ca1ab1e", "sweep 3", "sheet 100016", "batch 7", "export 4", "text about ar",
    "track fate", "case 5ca1ab1e", "news 2", "account sample", "nothing found",
)  # fmt: skip


def make_entries() -> list[Entry]:
    """One of every act, and then one of every kind of thing that an act is about."""
    by = make_person("sample-coordinator")
    acts = [audit.append(by, act, "case 5ca1ab1e", **detail) for act, detail in DETAILS.items()]
    return acts + [audit.append(None, "export end", subject, asked="stop") for subject in SUBJECTS]
