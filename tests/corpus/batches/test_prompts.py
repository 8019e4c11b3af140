"""Contexts to reply to: whole turns, padded at their beginning, each several times in a row."""

import pytest
import torch

from helpers.corpus.batches.prompts import ContextBatches, contexts
from helpers.corpus.tokenizers.bpe import BPETokenizer
from tests.factories import conversation

CONTEXTS = [[2, 4, 7, 8, 3], [2, 3, 9, 4], [2, 4, 10, 11, 12, 13, 3], [2, 3]]
THREE_TURNS = conversation("hi there", "oh no", "bye now")


def test_contexts_are_whole_turns_and_the_next_speaker():
    tokenizer = BPETokenizer.train(["hi there oh no bye now"], 270)
    texts = [tokenizer.decode(row, special=True) for row in contexts([THREE_TURNS], tokenizer, turns=1)]
    assert texts == ["<end><A>hi there<B>", "<end><B>oh no<A>"]
    rows = [row for seed in range(9) for row in contexts([THREE_TURNS], tokenizer, seed=seed)]
    assert {tokenizer.decode(row, special=True) for row in rows} == {*texts, "<end><A>hi there<B>oh no<A>"}
    with pytest.raises(ValueError, match="at most 3 tokens"):
        contexts([THREE_TURNS], tokenizer, most=3)
    with pytest.raises(ValueError, match="turns is 0"):
        contexts([THREE_TURNS], tokenizer, turns=0)


def test_batches_repeat_each_context_side_by_side():
    batches, seen = ContextBatches(CONTEXTS, 2, replies=3, pad=0), set()
    for number in range(2):
        ids, padding = batches[number].ids, batches[number].padding
        assert len(ids) == 6 and torch.equal(ids[0], ids[2]) and not torch.equal(ids[2], ids[3])
        assert all(not row[:skip].any() for row, skip in zip(ids, padding))
        seen |= {tuple(row[skip:].tolist()) for row, skip in zip(ids, padding)}
    assert seen == set(map(tuple, CONTEXTS))


def test_fewer_contexts_than_a_batch_are_one_small_batch():
    batches = ContextBatches(CONTEXTS, 64, pad=0)
    assert len(batches) == 1 and len(batches[5].ids) == 4


@pytest.mark.parametrize(("changes", "words"), [
    ({"contexts": [[2], []]}, "contexts of one token"), ({"replies": 0}, "replies is 0"),
])  # fmt: skip
def test_wrong_input_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        ContextBatches(**{"contexts": CONTEXTS, "batch_size": 2, "pad": 0, **changes})
