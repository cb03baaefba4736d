"""Two editors at the same instant: real threads on a real PostgreSQL."""

import threading

import pytest

from petition import audit
from petition.campaign import editing
from petition.models import Entry, Text, TextVersion, Words
from tests.making import make_coordinator
from tests.signing.test_races import at_once


@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
def test_of_editors_at_the_same_instant_one_saves_and_the_others_are_told():
    people = [make_coordinator("editor", username=f"editor-{n}") for n in range(6)]
    every = list(Text.objects.all())
    start = threading.Barrier(len(people))

    def save_all(person):
        start.wait()
        outcomes = []
        for text in every:
            words = Words("A title", f"By {person.username}", "Words.")
            try:
                outcomes.append(editing.save(text, person, words, seen=1).number)
            except editing.ChangedMeanwhile:
                outcomes.append("told")
        return outcomes

    answers = at_once([lambda p=person: save_all(p) for person in people])
    for text, outcomes in zip(every, zip(*answers, strict=True), strict=True):
        assert sorted(outcomes, key=str) == [2, *["told"] * (len(people) - 1)]
        text.refresh_from_db()
        assert text.words == text.versions.first().words
    assert TextVersion.objects.count() == 2 * len(every)
    assert Entry.objects.filter(act=Entry.Act.TEXT).count() == len(every)
    assert audit.broken() == []
