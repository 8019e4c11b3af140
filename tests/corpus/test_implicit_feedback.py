"""Preference pairs: which message is chosen, which take no part, and what is refused because nobody preferred anything."""

import pytest

from helpers.corpus.batches.base import Pair
from helpers.corpus.implicit_feedback import (
    BASELINES,
    Preference,
    PreferencePair,
    accuracy,
    checked,
    preference_pairs,
    preferences,
    preferred,
)
from helpers.corpus.tokenizers.bpe import BPETokenizer
from tests import factories


def talk(*sizes, name="c"):
    """A conversation whose turns have so many words, A and B in turn."""
    return factories.conversation(*(" ".join(["word"] * size) for size in sizes), name=name)


def turns(found):
    return [(vote.chosen, vote.rejected) for vote in found]


def test_the_message_with_the_longer_answer_wins():
    # A's messages, turns 0 and 2, have five words each; B answered with 4 and with 12.
    assert turns(preference_pairs([talk(5, 4, 5, 12, 1)])) == [(2, 0)]
    assert turns(preference_pairs([talk(5, 12, 5, 4, 1)])) == [(0, 2)]


@pytest.mark.parametrize(
    "sizes",
    [
        (5, 8, 5, 12, 1),  # 12 words are not twice 8
        (5, 1, 5, 5, 1),  # twice, but only four words more
        (2, 4, 2, 12, 1),  # messages of two words take no part
        (41, 4, 41, 12, 1),  # nor sermons
        (5, 4, 5),  # the last turn has no answer
        (5, 4, 8, 12, 1),  # lengths too different
    ],
)
def test_what_is_no_preference(sizes):
    with pytest.raises(ValueError, match="no two messages"):
        preference_pairs([talk(*sizes)])


def test_lengths_are_matched_by_the_share_of_the_longer_one():
    talks = [talk(20, 4, 18, 12, 1)]  # a tenth less
    assert turns(preference_pairs(talks)) == [(2, 0)]
    with pytest.raises(ValueError, match="no two"):
        preference_pairs(talks, matched=0)
    assert turns(preference_pairs([talk(5, 4, 30, 12, 1)], matched=None)) == [(2, 0), (1, 3)]
    with pytest.raises(ValueError, match="share from 0"):
        preference_pairs(talks, matched=1.5)


def test_both_messages_are_of_one_person_and_each_takes_part_once():
    found = preference_pairs([talk(*[5, 20, 5, 3, 9] * 8, name=str(number)) for number in range(4)], matched=None)
    for conversation in {vote.conversation.id for vote in found}:
        used = [turn for vote in found if vote.conversation.id == conversation for turn in (vote.chosen, vote.rejected)]
        assert len(used) == len(set(used))
    assert all(vote.chosen % 2 == vote.rejected % 2 for vote in found)
    speakers = [vote.conversation.turns[vote.chosen].speaker for vote in found]
    assert set(speakers) == {"A", "B"}


def test_pairs_are_formed_at_random_by_the_seed():
    talks = [talk(*[6, 3, 6, 20, 6, 3, 6, 18, 6, 2, 6, 40] * 3)]
    first, again, other = (turns(preference_pairs(talks, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_accuracy_counts_a_tie_half_and_refuses_what_is_no_number():
    sizes_and_turns = [((1, 2, 3), 2, 0), ((1, 2, 3), 0, 2), ((4, 2, 4), 0, 2)]
    found = [PreferencePair(talk(*sizes), *both) for sizes, *both in sizes_and_turns]
    assert accuracy(found, BASELINES["the longer message"]) == 0.5  # right, wrong, a tie
    assert accuracy(found, lambda talk, turn: -turn) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="no number"):
        accuracy(found, lambda talk, turn: float("nan"))
    with pytest.raises(ValueError, match="no preference pairs"):
        accuracy([], BASELINES["the longer message"])


def test_preferences_hold_context_and_message_with_the_partners_token():
    four_turns = factories.conversation("hi there", "oh no", "bye now", "so long")
    tokenizer = BPETokenizer.train(["hi there oh no bye now so long"], 270)
    (found,) = preferences([PreferencePair(four_turns, 2, 0)], tokenizer)
    a, b = tokenizer.speaker("A"), tokenizer.speaker("B")
    assert list(found.chosen.reply) == [a, *tokenizer.encode("bye now"), b]
    assert tokenizer.decode(found.chosen.context, special=True) == "<end><A>hi there<B>oh no"
    assert list(found.rejected.context) == [tokenizer.end]


FIRST, SECOND = Pair([1], [3, 7]), Pair([1], [3, 8])


def test_choices_say_which_of_two_is_preferred():
    assert preferred([FIRST, FIRST], [SECOND, SECOND], [0, 1]) == [Preference(FIRST, SECOND), Preference(SECOND, FIRST)]


@pytest.mark.parametrize("choice", [None, 0.5, "A", 2, -1, float("nan"), True])
def test_a_pair_without_a_preferred_side_is_refused(choice):
    with pytest.raises(ValueError, match="pair 1 has no preferred side"):
        preferred([FIRST, FIRST], [SECOND, SECOND], [0, choice])


def test_empty_and_equal_replies_are_refused():
    with pytest.raises(ValueError, match="rejected reply of pair 0"):
        preferred([FIRST], [Pair([1], [3])], [0])
    with pytest.raises(ValueError, match="chosen reply of pair 0 or its context is empty"):
        checked([Preference(Pair([], [3, 4]), SECOND)])
    with pytest.raises(ValueError, match="both replies are the same"):
        preferred([FIRST], [Pair([1], [3, 7])], [0])
    with pytest.raises(ValueError, match="one choice per pair"):
        preferred([FIRST], [SECOND], [])
