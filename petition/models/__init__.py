"""What the database holds."""

from petition.models.audit import Entry
from petition.models.campaign import ConsentText, Text, TextVersion, Track, Words
from petition.models.exports import Export
from petition.models.mailbox import Letter
from petition.models.paper import Sheet, SheetCount
from petition.models.signatures import Signature
from petition.models.sweeps import Sweep, SweepMove
from petition.models.tallies import Tally
from petition.models.two_factor import Authenticator

__all__ = [
    "Authenticator",
    "ConsentText",
    "Entry",
    "Export",
    "Letter",
    "Sheet",
    "SheetCount",
    "Signature",
    "Sweep",
    "SweepMove",
    "Tally",
    "Text",
    "TextVersion",
    "Track",
    "Words",
]
