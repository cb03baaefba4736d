"""How much of a name and an address is seen by those who may not see them."""

HIDDEN = "•••"


def name(text: str | None) -> str:
    """The first letter of each of four words, but of a word of one letter nothing: in Chinese that
    is a whole name. The length tells nothing."""
    words = (text or "").split()[:4]
    return " ".join((word[0] if len(word) > 1 else "") + HIDDEN for word in words)


def address(text: str | None) -> str:
    """The first character and the top-level domain: a domain of one's own is a name too."""
    if not text:
        return ""
    return f"{text[0]}{HIDDEN}@{HIDDEN}.{text.rpartition('.')[2]}"
