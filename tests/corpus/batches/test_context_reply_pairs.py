"""Contexts and replies: nothing lost, nothing twice, little padding, the same batches whenever they are asked for."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from helpers.corpus.batches.base import IGNORED, Pair
from helpers.corpus.batches.context_reply_pairs import PairBatches, batch_of, pairs
from helpers.corpus.tokenizers.characters import CharTokenizer
from tests.factories import conversation as talk

SMALL = CharTokenizer("abcdefgh ")  # <pad> 0, <unknown> 1, <end> 2, <A> 3, <B> 4, <other> 5, then a 6, b 7, …


def shown(pair):
    return tuple(SMALL.decode(part, special=True) for part in pair)


def many(number=100, seed=0):
    """Pairs in which every token says which pair it belongs to; contexts and replies of all lengths."""
    random = np.random.default_rng(seed)
    return [Pair([n] * random.integers(1, 30), [n] * random.integers(2, 20)) for n in range(1, number + 1)]


# --- pairs ----------------------------------------------------------------------------------------------------------


def test_a_pair_for_every_turn():
    assert [shown(pair) for pair in pairs([talk("ab", "c", "d"), talk("e")], SMALL)] == [
        ("<end>", "<A>ab<B>"),
        ("<end><A>ab", "<B>c<A>"),
        ("<end><A>ab<B>c", "<A>d<end>"),
        ("<end>", "<A>e<end>"),
    ]


def test_context_and_reply_joined_are_the_encoded_conversation():
    conversation = talk("ab", "", "d e", "f", speakers="ABC")
    whole = [SMALL.end, *SMALL.encode_conversation(conversation)]
    for pair in pairs([conversation], SMALL):
        both = [*pair.context, *pair.reply]
        assert both == whole[: len(both)]
    assert both == whole
    assert shown(pairs([conversation], SMALL)[2])[1] == "<other>d e<A>"


def test_a_long_context_loses_its_beginning_and_a_long_reply_its_end():
    last = pairs([talk("abcd", "ef", "gh")], SMALL, context_tokens=5, reply_tokens=3)[-1]
    assert shown(last) == ("cd<B>ef", "<A>gh")
    first = pairs([talk("abcd")], SMALL, context_tokens=1, reply_tokens=2)[0]
    assert shown(first) == ("<end>", "<A>a")


def test_a_turn_without_text_is_still_answered():
    assert shown(pairs([talk("", "a")], SMALL)[0]) == ("<end>", "<A><B>")


@pytest.mark.parametrize("conversations", [[], [talk()]])
def test_no_turn_makes_no_pair(conversations):
    with pytest.raises(ValueError, match="no turn to make a pair of"):
        pairs(conversations, SMALL)


@pytest.mark.parametrize("room", [{"context_tokens": 0}, {"reply_tokens": 1}])
def test_room_for_nothing_is_refused(room):
    with pytest.raises(ValueError, match="at least 1 and 2"):
        pairs([talk("a")], SMALL, **room)


# --- one batch ------------------------------------------------------------------------------------------------------


def test_a_batch_by_hand():
    batch = batch_of([Pair([2], [3, 6, 7, 4]), Pair([2, 3, 8], [4, 2])], pad=0)
    assert batch.context.tolist() == [[2, 0, 0], [2, 3, 8]]
    assert batch.inputs.tolist() == [[3, 6, 7], [4, 0, 0]]
    assert batch.targets.tolist() == [[6, 7, 4], [2, IGNORED, IGNORED]]
    assert batch.first is True and {part.dtype for part in batch[:3]} == {torch.int64}


def test_torch_does_not_count_the_padding():
    batch = batch_of([Pair([2], [3, 6, 7, 4]), Pair([2, 3, 8], [4, 2])], pad=0)
    losses = functional.cross_entropy(torch.randn(6, 15), batch.targets.flatten(), reduction="none")
    assert (losses == 0).tolist() == [False] * 4 + [True] * 2


@pytest.mark.parametrize("wrong", [[], [Pair([], [3, 2])], [Pair([2], [3])], [Pair([2], [])]])
def test_a_batch_of_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="at least one|pair 0 has an empty context or reply"):
        batch_of(wrong, pad=0)


# --- batches --------------------------------------------------------------------------------------------------------


def rows_of(batch):
    return batch.context[:, 0].tolist()


def test_a_pass_reads_every_pair_once():
    batches = PairBatches(many(100), batch_size=8, pad=0)
    assert len(batches) == 13
    for turn in range(3):
        read = [row for place in range(13) for row in rows_of(batches[turn * 13 + place])]
        assert sorted(read) == list(range(1, 101))


def test_context_and_reply_stay_one_pair_and_nothing_is_lost():
    data = many(100)
    batches = PairBatches(data, batch_size=8, pad=0)
    for place in range(13):
        batch = batches[place]
        for context, inputs, targets in zip(*batch[:3]):
            pair = data[context[0] - 1]
            assert context[context > 0].tolist() == pair.context
            assert inputs[inputs > 0].tolist() == pair.reply[:-1] and targets[targets > 0].tolist() == pair.reply[1:]
            assert torch.equal(inputs > 0, targets != IGNORED)


def test_pairs_of_similar_length_share_a_batch_but_not_in_the_order_of_length():
    batches = PairBatches(many(1000), batch_size=10, pad=0)
    sizes, padding = [], []
    for place in range(len(batches)):
        inputs = batches[place].inputs
        sizes.append(inputs.shape[1])
        padding.append((inputs == 0).float().mean().item())
    assert np.mean(padding) < 0.2  # in batches of any order almost half would be
    assert abs(np.corrcoef(np.arange(100), sizes)[0, 1]) < 0.3


def test_fewer_pairs_than_a_batch_are_one_small_batch():
    batches = PairBatches(many(3), batch_size=64, pad=0)
    assert len(batches) == 1 and len(batches[7].context) == 3


def test_pairs_that_teach_nothing_are_refused():
    with pytest.raises(ValueError, match="pair 1 has an empty context or reply"):
        PairBatches([Pair([2], [3, 2]), Pair([2], [3])], 8, pad=0)
    with pytest.raises(ValueError, match="pair 0 has an empty context"):
        PairBatches([Pair([], [3, 2])], 8, pad=0)
