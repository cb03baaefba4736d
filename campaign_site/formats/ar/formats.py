"""How the desk writes days and moments."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y، H:i"
