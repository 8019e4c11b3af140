"""The cost of a changed context: the reply stays, strangers are strangers, and the error counts conversations."""

import numpy as np
import pytest

from helpers.bots.bot import Bot
from helpers.robustness.context_cost import (
    ReplySet,
    changed_contexts,
    context_bits,
    cost,
    fits,
    reply_set,
    strangers_contexts,
)
from helpers.robustness.noise import upper_case
from tests import factories


def rng(seed=0):
    return np.random.default_rng(seed)


def talks(lengths):
    return [
        factories.conversation(*(f"talk {n} turn {t}" for t in range(length)), name=f"c{n}")
        for n, length in enumerate(lengths)
    ]


@pytest.fixture
def gpt_bot(tokenizer):
    return Bot(factories.gpt(len(tokenizer), std=0.3, context=64), tokenizer, "gpt")


def test_each_reply_has_the_turns_before_it():
    data = reply_set(talks([7, 3, 6]), per_conversation=2, turns=3, rng=rng())
    assert len(data.replies) == 4 and data.groups.tolist() == [0, 0, 2, 2]
    for reply, context, group in zip(*data):
        turn = int(reply.rsplit(" ", 1)[1])
        assert context == [f"talk {group} turn {t}" for t in range(turn - 3, turn)]
    assert reply_set(talks([7]), 2, 3).replies == ["talk 0 turn 3", "talk 0 turn 4"]
    with pytest.raises(ValueError, match="no conversation has 5 turns"):
        reply_set(talks([4]), turns=4)
    with pytest.raises(ValueError, match="turns=0"):
        reply_set(talks([4]), turns=0)


def test_only_the_context_is_changed():
    contexts = [["Hello", "you"], ["there"]]
    assert changed_contexts(contexts, upper_case, rng()) == [["HELLO", "YOU"], ["THERE"]]
    assert contexts == [["Hello", "you"], ["there"]]


@pytest.mark.parametrize("seed", range(5))
def test_a_stranger_is_of_another_conversation(seed):
    data = reply_set(talks([9, 5, 6, 7, 9, 9]), per_conversation=3, turns=4, rng=rng(seed))
    others = strangers_contexts(data, rng(seed))
    assert all(f"talk {group} " not in context[0] for group, context in zip(data.groups, others))
    assert sorted(map(tuple, others)) == sorted(map(tuple, data.contexts))
    with pytest.raises(ValueError, match="more than half"):
        strangers_contexts(reply_set(talks([9, 5]), 5, 4), rng())


def test_the_bits_are_of_the_reply_alone(gpt_bot):
    replies, contexts = ["fine you", "ok"], [["how are you"], ["good day", "so it is"]]
    bits = context_bits(gpt_bot, replies, contexts)
    changed = context_bits(gpt_bot, replies, changed_contexts(contexts, upper_case, rng()))
    assert bits.shape == (2,) and (bits > 0).all() and (bits != changed).all()
    longer = context_bits(gpt_bot, ["fine you", "ok"], [["how are you how are you"], []])
    assert longer[1] < 2 * bits[1]  # what was read is not charged for
    with pytest.raises(ValueError, match="have 82 tokens, gpt sees 64: leave it out"):
        context_bits(gpt_bot, ["x"], [["y" * 78]])


def test_what_fits_also_fits_in_capitals(tokenizer):
    from helpers.corpus.tokenizers.bpe import BPETokenizer

    bpe = BPETokenizer.train(["hello there my friend"] * 9, 280)
    short, long = len(bpe.encode("hello there")), len(bpe.encode("HELLO THERE"))
    assert short < long
    for sees, fit in ((3 + long + 1, True), (2 + long + 1, False)):
        bot = Bot(factories.gpt(len(bpe), context=sees), bpe)
        assert fits(bot, "a", ["hello there"]) is fit


def test_the_cost_is_a_ratio_of_sums_with_an_error_between_conversations():
    replies, groups = ["a" * 10, "a" * 30, "é"], np.array([0, 0, 5])
    found = cost(np.array([12.0, 24.0, 3.0]), np.array([10.0, 20.0, 3.0]), replies, groups)
    assert found.cost == pytest.approx(6 / 42)  # a mean of ratios would be another number; é has two bytes
    more, size = np.array([6.0, 0.0]), np.array([40.0, 2.0])
    assert found.error == pytest.approx(np.sqrt(2 / 1 * ((more - found.cost * size) ** 2).sum()) / 42)
    # The same replies ten times in their conversation are no new evidence.
    again = cost(np.tile([12.0, 24, 3], 10), np.tile([10.0, 20, 3], 10), replies * 10, np.tile(groups, 10))
    assert again == pytest.approx(found)


def test_bad_input_is_told():
    with pytest.raises(ValueError, match="2 and 1 bits for 2 replies"):
        cost(np.zeros(2), np.zeros(1), ["a", "b"], [0, 1])
    with pytest.raises(ValueError, match="from one conversation"):
        cost(np.zeros(2), np.zeros(2), ["a", "b"], [3, 3])
    assert isinstance(reply_set(talks([5])), ReplySet)
