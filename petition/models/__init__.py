"""What the database holds."""

from petition.models.audit import Entry
from petition.models.campaign import ConsentText, Text, Track, TrackText
from petition.models.mailbox import Letter
from petition.models.signatures import Signature
from petition.models.tallies import Tally
from petition.models.two_factor import Authenticator

__all__ = [
    "Authenticator",
    "ConsentText",
    "Entry",
    "Letter",
    "Signature",
    "Tally",
    "Text",
    "Track",
    "TrackText",
]
