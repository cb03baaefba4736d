"""Why each column is kept, on which legal ground, and for how long: the record of processing (GDPR
article 30, Morocco's law 09-08) in docs/privacy/ is made of it (`manage.py privacy_record`).

A test fails for a column that is missing here. Grounds are what the founders see; an operator's
lawyer has to confirm them for the operator's country.
"""

from dataclasses import dataclass
from enum import StrEnum


class Ground(StrEnum):
    """A legal ground. The record says what each stands for."""

    EXPLICIT_CONSENT = "explicit consent"
    INTEREST = "interest"
    NONE = "no personal data"


LAW = {
    Ground.EXPLICIT_CONSENT: "GDPR articles 6(1)(a) and 9(2)(a); law 09-08, articles 4 and 21",
    Ground.INTEREST: "a legitimate one in a sound count and accountable work: GDPR article 6(1)(f)",
    Ground.NONE: "nothing here says anything of a person",
}
EXPLICIT_CONSENT, INTEREST, NONE = Ground


@dataclass(frozen=True)
class Purpose:
    """What columns of a table are for."""

    columns: str  # Names, a space between.
    why: str
    ground: Ground
    kept: str


UNTIL_WITHDRAWN = (
    "until its signer withdraws, or the day of IDENTITIES_END; 14 days where nobody confirms"
)
ROW = "as long as the campaign's archive: without the columns above it says nothing of a person"
CASE = "until it is erased at the wish of the person or the family"
ACCOUNT = "as long as the account; names in the audit as long as the audit"
ARCHIVE = "as long as the campaign's archive"
FIGURES = "as long as the campaign's archive; figures by country, language and track in tens"

RECORD: dict[str, list[Purpose]] = {
    "Signature": [
        Purpose("name", "the name behind a signature; handed over where its signer said so",
                EXPLICIT_CONSENT, UNTIL_WITHDRAWN),
        Purpose("email", "e-mails about the signature, and news where asked for",
                EXPLICIT_CONSENT, UNTIL_WITHDRAWN),
        Purpose("mailbox domain", "one mailbox, one signature; finding fakes (keyed indexes)",
                EXPLICIT_CONSENT, f"{UNTIL_WITHDRAWN}; that of the mailbox stays after that day"),
        Purpose("country track language updates delivery", "what its signer chose; figures",
                EXPLICIT_CONSENT, "country and choices until withdrawn; the language stays"),
        Purpose("receipt", "finds the signature's entry in the public log (sealed random bytes)",
                EXPLICIT_CONSENT, "until withdrawn"),
        Purpose("reference consent", "proof of what was agreed to; the name in e-mailed links",
                INTEREST, ROW),
        Purpose("id state signed_at confirmed_at moved_at reason passed_challenge in_log",
                "the count, and what was decided about it", INTEREST, ROW),
    ],
    "Attempt": [
        Purpose("name country track language updates delivery passed_challenge",
                "a later version of an unconfirmed signature", EXPLICIT_CONSENT,
                "until one version is confirmed, 14 days at most"),
        Purpose("id reference signature consent signed_at", "the name in e-mailed links",
                INTEREST, "14 days"),
    ],
    "Letter": [
        Purpose("id signature attempt kind language mailing", "which e-mail is owed to whom",
                EXPLICIT_CONSENT, "30 days after it was sent, refused or withheld"),
        Purpose("state created_at due_at mailer claimed_at tries reply ended_at",
                "that no e-mail is lost or sent twice; the mail server's code of refusal",
                INTEREST, "30 days after it ended"),
    ],
    "Case": [
        Purpose("slug naming age_band nationality is_woman is_sick track situation situation_as_of "
                "situation_certainty since since_as_of since_certainty place_as_of place_certainty "
                "events event_on", "what a profile of a prisoner says", EXPLICIT_CONSENT, CASE),
        Purpose("id sample made_at revision changed_at consent risk_review take_down authors",
                "who decided what about it, and when", INTEREST, CASE),
    ],
    "CaseText": [
        Purpose("name pseudonym place charges health story portrait_alt",
                "what a profile of a prisoner says", EXPLICIT_CONSENT, CASE),
        Purpose("id case language revision changed_at reviewed_revision reviewed_by reviewed_at "
                "authors", "who wrote and reviewed it", INTEREST, CASE),
    ],
    "CaseUpdate": [
        Purpose("id text day body", "what a profile of a prisoner says", EXPLICIT_CONSENT, CASE)
    ],
    "Source": [
        Purpose("id case title publisher url day supports language", "where facts are reported",
                EXPLICIT_CONSENT, CASE)
    ],
    "Portrait": [
        Purpose("id case token made_at", "the portrait of a prisoner", EXPLICIT_CONSENT, CASE)
    ],
    "Rendition": [
        Purpose("id portrait width height format data", "the portrait, without metadata",
                EXPLICIT_CONSENT, CASE)
    ],
    "Consent": [
        Purpose("giver why_not_person method language given_at valid_until explained_copies "
                "explained_worst_case explained_withdrawal scope_name scope_portrait scope_place "
                "scope_health scope_charges scope_story scope_search evidence events withdrawn_at",
                "proof of the consent to a profile, without the name of who gave it",
                EXPLICIT_CONSENT, CASE),
        Purpose("id case recorded_by recorded_at", "who recorded it", INTEREST, CASE),
    ],
    "Approval": [
        Purpose("id text by case_revision text_revision at", "who approved a profile", INTEREST,
                CASE)
    ],
    "RiskReview": [
        Purpose("id case by at may_be_public note", "that the danger was looked at", INTEREST, CASE)
    ],
    "TakeDown": [
        Purpose("id case by at reason first second lifted_at", "who took a profile off, and why",
                INTEREST, CASE)
    ],
    "Sheet": [
        Purpose("collector", "who collected a sheet: a first name or a code", INTEREST, ARCHIVE),
        Purpose("number language batch made_at made_by state moved_at country place date valid "
                "struck counted_at in_log", "the count of paper", INTEREST, ARCHIVE),
    ],
    "SheetCount": [
        Purpose("collector", "who collected a sheet: a first name or a code", INTEREST, ARCHIVE),
        Purpose("id sheet by entered_at country place date valid struck imported",
                "what each of two coordinators counted", INTEREST, ARCHIVE),
    ],
    "Entry": [
        Purpose("number at actor act subject detail previous hash",
                "who of the coordinators did what; no name and no address of a signer", INTEREST,
                ARCHIVE)
    ],
    "AuditHead": [Purpose("id number seal", "that the audit was not written anew", NONE, ARCHIVE)],
    "Authenticator": [
        Purpose("id user name confirmed throttling_failure_timestamp throttling_failure_count "
                "created_at last_used_at secret recovery last_step",
                "a coordinator's second factor", INTEREST, ACCOUNT)
    ],
    "DailyMail": [
        Purpose("user email language asked_at confirmed_at sent_on",
                "one e-mail a day to a coordinator who asked for it; the address is sealed",
                INTEREST, "until its owner stops it, at the latest with the account")
    ],
    "Export": [
        Purpose("id kind by reason state expected rows unreadable started_at beat_at ended_at",
                "who took data out, when and why", INTEREST, ARCHIVE)
    ],
    "Sweep": [
        Purpose("domain country language since until", "what a bulk removal looked for", INTEREST,
                ARCHIVE),
        Purpose("id to reason note by made_at expected task state moved restored begun_at lowered "
                "raised rules undo_at ended_at worker beat_at reached_at reached_pk",
                "who removed what from the count, and how to undo it", INTEREST, ARCHIVE),
    ],
    "SweepMove": [
        Purpose("id sweep signature was was_reason was_since at restored_at raised",
                "that a bulk removal can be undone", INTEREST, "as long as the signature's row")
    ],
    "Mailing": [
        Purpose("id news state by started_at ended_at expected last_signature paced_until queued "
                "queued_at sent failed skipped", "who sent news, and how far it is", INTEREST,
                ARCHIVE)
    ],
    "News": [
        Purpose("id slug publish_at withdrawn_at created_by created_at changed_at revision cases",
                "news, and who wrote it", INTEREST, ARCHIVE)
    ],
    "NewsText": [
        Purpose("id title summary body news language changed_by changed_at",
                "news, and who wrote it", INTEREST, ARCHIVE)
    ],
    "TextVersion": [
        Purpose("id title summary body text number origin by at", "texts, and who changed them",
                INTEREST, ARCHIVE)
    ],
    "Text": [Purpose("id title summary body slug language", "texts of the site", NONE, ARCHIVE)],
    "Track": [Purpose("slug position", "the campaign's tracks", NONE, ARCHIVE)],
    "ConsentText": [
        Purpose("id version language body", "what signers agree to", NONE, ARCHIVE)
    ],
    "Hour": [
        Purpose("id hour at online paper came withdrawn set_aside taken_out tables opens_day "
                "states", "published figures", NONE, FIGURES)
    ],
    "Milestone": [
        Purpose("id percent figure goal reached_at story", "published figures", NONE, FIGURES)
    ],
    "Mend": [Purpose("id made_at count rules", "corrections of the count", NONE, FIGURES)],
    "Tally": [
        Purpose("id channel dimension value slot count changed_at", "the count", NONE, FIGURES)
    ],
    "LogEvent": [
        Purpose("id line opening", "what the log will say; its opening is sealed", INTEREST,
                "seconds")
    ],
    "LogOpening": [
        Purpose("index sealed", "lets an auditor open an entry; sealed", INTEREST, ARCHIVE)
    ],
    "LogTile": [
        Purpose("id level number data at", "the public log: hashes alone", NONE, ARCHIVE)
    ],
    "LogHead": [
        Purpose("id size online paper rules total_at signed_at checkpoint", "the public log",
                NONE, ARCHIVE)
    ],
    "LogWitness": [Purpose("id url size", "who cosigns the public log", NONE, ARCHIVE)],
    "MailDomain": [
        Purpose("id domain judged until note", "finding fakes: what coordinators know of a mail "
                "domain", NONE, "until somebody ends it; the record stays")
    ],
    "Heartbeat": [Purpose("id worker host at", "that workers live", NONE, "overwritten")],
    "Installation": [
        Purpose("id keys database crisis_since", "which keys the database is in use with", NONE,
                ARCHIVE)
    ],
    # Of Django and its packages.
    "User": [
        Purpose("id password last_login is_superuser username first_name last_name email is_staff "
                "is_active date_joined groups user_permissions",
                "accounts of coordinators; names and address may stay empty", INTEREST, ACCOUNT)
    ],
    "Session": [
        Purpose("session_key session_data expire_date", "that a coordinator stays signed in",
                INTEREST, "8 hours")
    ],
    "LogEntry": [
        Purpose("id action_time user content_type object_id object_repr action_flag "
                "change_message", "what was changed on Django's own screens (accounts, tracks)",
                INTEREST, ARCHIVE)
    ],
}  # fmt: skip
# Tables that stay empty (attempts to sign in are counted in the cache), or hold nothing but names
# of the code.
OF_NOBODY = {
    "AccessAttempt", "AccessAttemptExpiration", "AccessFailureLog", "AccessLog", "ContentType",
    "Group", "Permission",
}  # fmt: skip
