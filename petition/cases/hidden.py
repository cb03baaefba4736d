"""Looks in what is told for what must not be told: names and places that consent does not cover."""

from petition.cases import mentions, profiles, rules
from petition.models import Case, CaseText, NewsText


def is_told(text: CaseText) -> bool:
    """Whether what is shown of a text tells what of its case is hidden, or the whole name of
    another person who may not be named."""
    told = words_of(text)
    if mentions.mentioned(rules.hidden_words(text.case), told):
        return True
    others = CaseText.objects.exclude(case=text.case).filter(name__contains=" ")
    names = [
        other.name
        for other in others.select_related("case__consent")
        if not rules.may_name(other.case)
    ]
    # Who has the same name tells their own.
    own = mentions.mentioned(names, profiles.draft(text).title, whole=True)
    return bool(set(mentions.mentioned(names, told, whole=True)) - set(own))


def is_told_in_news(case: Case) -> bool:
    """Whether a story tells what is hidden: whole names anywhere, places where it speaks of it."""
    hidden = rules.hidden_words(case)
    names = [] if rules.may_name(case) else [t.name for t in case.texts.all() if " " in t.name]
    for text in NewsText.objects.filter(news__withdrawn_at=None).prefetch_related("news__cases"):
        words = f"{text.title} {text.summary} {text.body}"
        if case in text.news.cases.all() and mentions.mentioned(hidden, words):
            return True
        if mentions.mentioned(names, words, whole=True):
            return True
    return False


def single_words(text: CaseText) -> list[str]:
    """Words of what is hidden that stand alone in what is shown: for somebody to look at each."""
    return mentions.told_words(rules.hidden_words(text.case), words_of(text))


def words_of(text: CaseText) -> str:
    """All words of a text that are shown."""
    shown = profiles.draft(text)
    words = [shown.title, shown.story, shown.charges, shown.health]
    words += [told.body for told in shown.updates]
    words += [str(shown.place.value)] if shown.place else []
    words += [shown.portrait.alt] if shown.portrait else []
    for source in shown.sources:
        words += [source.title, source.publisher, source.supports, source.url]
    return " ".join(words)
