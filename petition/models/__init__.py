"""What the database holds."""

from petition.models.attempts import Attempt
from petition.models.audit import AuditHead, Entry
from petition.models.campaign import ConsentText, Text, TextVersion, Track, Words
from petition.models.cases import Case, CaseText, CaseUpdate, Certainty, Source
from petition.models.consents import Consent
from petition.models.daily_mails import DailyMail
from petition.models.exports import Export
from petition.models.heartbeats import Heartbeat
from petition.models.history import Hour, Mend
from petition.models.installation import Installation
from petition.models.log import LogEvent, LogHead, LogOpening, LogTile, LogWitness
from petition.models.mail_domains import MailDomain
from petition.models.mailbox import Letter
from petition.models.milestones import Milestone
from petition.models.news import Mailing, News, NewsText
from petition.models.paper import Sheet, SheetCount
from petition.models.portraits import Portrait, Rendition
from petition.models.reviews import Approval, RiskReview, TakeDown
from petition.models.signatures import Signature
from petition.models.sweeps import Sweep, SweepMove
from petition.models.tallies import Tally
from petition.models.two_factor import Authenticator

__all__ = [
    "Approval",
    "Attempt",
    "AuditHead",
    "Authenticator",
    "Case",
    "CaseText",
    "CaseUpdate",
    "Certainty",
    "Consent",
    "ConsentText",
    "DailyMail",
    "Entry",
    "Export",
    "Heartbeat",
    "Hour",
    "Installation",
    "Letter",
    "LogEvent",
    "LogHead",
    "LogOpening",
    "LogTile",
    "LogWitness",
    "MailDomain",
    "Mailing",
    "Mend",
    "Milestone",
    "News",
    "NewsText",
    "Portrait",
    "Rendition",
    "RiskReview",
    "Sheet",
    "SheetCount",
    "Signature",
    "Source",
    "Sweep",
    "SweepMove",
    "TakeDown",
    "Tally",
    "Text",
    "TextVersion",
    "Track",
    "Words",
]
