"""What the database holds."""

from petition.models.audit import Entry
from petition.models.campaign import ConsentText, Text, Track, TrackText
from petition.models.mailbox import Letter
from petition.models.paper import Sheet, SheetCount
from petition.models.signatures import Signature
from petition.models.tallies import Tally

__all__ = [
    "ConsentText",
    "Entry",
    "Letter",
    "Sheet",
    "SheetCount",
    "Signature",
    "Tally",
    "Text",
    "Track",
    "TrackText",
]
