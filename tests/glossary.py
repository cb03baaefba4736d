"""The words that the glossary (docs/words.md) avoids, looked for in a text."""

import re

# ruff: noqa: E501 - lists of words.

# Beside whole words: what a word may be part of without being meant.
AVOIDED = {
    "ar": ["الانسحاب", "خطاب", "محجوز", "كنس", "تصفية", "إيقاف الأخبار", "حصيلة", "حصائل", "محو الشخص", "بصمة",
           "عامل التحقّق", "بتوقيت UTC"],
    "fr": ["courriel", "balayage", "arrêter", "arrêtée?", "bilan", "effacer la personne", "empreinte",
           "retenue", "désinscription", "seconds? facteurs?"],
    "en": ["sweeps?", "hand(?:ed)? over", "erase the person", "fingerprints?", "bounced letters?",
           "by letter", "letters? waiting", "second factors?"],
}  # fmt: skip
# Said on purpose: what our codes have nothing to do with.
MEANT = ["ولا علاقة لهما ببصمات الأصابع", "rien à voir avec vos empreintes digitales"]
# An article and the short words that Arabic writes together with the next one.
BEFORE = "[وف]?[بكل]?(?:ال|ل)?"


def avoided(text: str, language: str) -> list[str]:
    """The avoided words that stand in a text, where they are not meant."""
    for meant in MEANT:
        text = text.replace(meant, "")
    words = "|".join(AVOIDED[language])
    return re.findall(rf"(?<!\w)(?:{BEFORE})(?:{words})(?!\w)", text, re.IGNORECASE)
