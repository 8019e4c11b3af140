"""A manner of writing put on by rule: only one speaker's turns change, and nobody falls silent."""

import pytest

from helpers.corpus.texting_style import restyled, texting
from tests.factories import conversation

TALK = conversation("Are you OK?", "I'm fine, and YOU?", "Yes!", name="t")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("I'm fine, and YOU?", "im fine n u"),
        ("Are you -- going to LA?\nYour call...", "r u going 2 la\nur call"),
        ("because it's for you", "cuz its 4 u"),
        ("Android, stand", "android stand"),  # only whole words are shortened
        ("...", "..."),  # a turn must say something
        ("Hm\n?!\nok", "hm\nok"),
    ],
)
def test_texting_by_hand(text, expected):
    assert texting(text) == expected


def test_only_one_speaker_writes_differently():
    changed = restyled(TALK)
    assert [turn.text for turn in changed.turns] == ["Are you OK?", "im fine n u", "Yes!"]
    assert [turn.speaker for turn in changed.turns] == ["A", "B", "A"] and changed.id == "t"
    assert TALK.turns[1].text == "I'm fine, and YOU?"
    assert restyled(TALK, "A", str.upper).turns[0].text == "ARE YOU OK?"


def test_who_says_nothing_cannot_be_restyled():
    with pytest.raises(ValueError, match="speaker 'C' says nothing in conversation t"):
        restyled(TALK, "C")
