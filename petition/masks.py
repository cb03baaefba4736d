"""How much of a name and an address is seen by those who may not see them."""

HIDDEN = "•••"


def name(text: str | None) -> str:
    """The first letter of each word. The length tells nothing."""
    return " ".join(word[0] + HIDDEN for word in (text or "").split()[:4])


def address(text: str | None) -> str:
    """The first character and the top-level domain: a domain of one's own is a name too."""
    if not text:
        return ""
    return f"{text[0]}{HIDDEN}@{HIDDEN}.{text.rpartition('.')[2]}"
