"""Whole replies side by side: what an encoder–decoder and a GPT sample, and the form it comes in."""

import math

import pytest
import torch

from helpers.corpus.batches.base import IGNORED, Pair
from helpers.corpus.batches.context_reply_pairs import batch_of
from helpers.corpus.batches.prompts import ContextBatches
from helpers.generation.rollout import generate_replies, sample_replies, sample_rollout
from helpers.training.losses import to_device
from tests import factories
from tests.factories import CONTEXTS
from tests.factories import SPECIAL_IDS as SPECIAL


def seq2seq(seed=0, **changes):
    return factories.seq2seq(seed=seed, scale=3, **changes)


def batch():
    return batch_of([Pair([2, 7, 8, 9], [3, 10, 11, 12, 4]), Pair([2, 6], [4, 13, 2]), Pair([2], [3, 2])], pad=0)


def gpt(seed=0):
    return factories.gpt(seed=seed, zero_output=False, embedding=10)


def rollout(model, seed=0, most=6, **changes):
    rng = torch.Generator().manual_seed(seed)
    return sample_rollout(model, ContextBatches.of(CONTEXTS, 3, 0), most, generator=rng, **{**SPECIAL, **changes})


# --- an encoder–decoder --------------------------------------------------------------------------------------------


def test_samples_have_the_form_of_human_replies():
    one, read = seq2seq(dropout=0.5).train(), batch()
    sampled = sample_replies(one, read, 12, generator=torch.Generator().manual_seed(0))
    assert one.training and torch.equal(sampled.context, read.context)
    assert torch.equal(sampled.inputs[:, 0], read.inputs[:, 0])  # the same speaker replies
    for inputs, targets in zip(sampled.inputs.tolist(), sampled.targets.tolist()):
        reply = [token for token in targets if token != IGNORED]
        assert reply and reply == targets[: len(reply)]  # padding at the end only
        assert inputs[1 : len(reply)] == reply[:-1] and not any(inputs[len(reply) :])
        assert not {2, 3, 4, 5} & set(reply[:-1]) and 0 not in reply
        assert reply[-1] in (2, 3, 4, 5) or len(reply) == 12


def test_samples_are_sampled_without_dropout_and_repeat_with_their_seed(device):
    """What a model with dropout says is what the same model says without: the generator is the only chance."""
    noisy, still = seq2seq(dropout=0.9).train().to(device), seq2seq(dropout=0.0).to(device)
    still.load_state_dict(noisy.state_dict())
    read = to_device(batch(), device)
    first, second, other = (
        sample_replies(one, read, 8, generator=torch.Generator(device).manual_seed(seed)).targets
        for one, seed in ((noisy, 3), (still, 3), (noisy, 4))
    )
    assert first.device.type == device.type and torch.equal(first, second) and not torch.equal(first, other)


def test_samples_follow_the_model_and_its_temperature():
    """The share of each first token among many samples is its probability."""
    one = seq2seq().eval()
    pair = Pair([2, 7, 8], [3, 9, 2])
    many = batch_of([pair] * 4000, pad=0)
    for temperature in (1.0, 0.5):
        sampled = sample_replies(
            one, many, 1, temperature=temperature, forbidden=(1,), generator=torch.Generator().manual_seed(0)
        )
        logits = one.read(batch_of([pair], pad=0))[0, 0].detach()
        logits[[0, 1]] = -math.inf
        expected = (logits / temperature).softmax(-1)
        shares = torch.bincount(sampled.targets[:, 0], minlength=15) / 4000
        assert shares == pytest.approx(expected, abs=0.03)
        assert shares[:2].tolist() == [0, 0]


# --- a GPT ---------------------------------------------------------------------------------------------------------


def test_replies_end_where_they_should_and_the_partners_token_follows():
    replies = rollout(gpt(), forbidden=(9,))
    for pair, row, last, targets in zip(replies.pairs(), replies.ids, replies.last, replies.targets):
        assert list(pair.context) + [pair.reply[0]] in CONTEXTS
        text = pair.reply[1:-1] if pair.reply[-1] in (2, 3, 4, 5) else pair.reply[1:]
        assert text and not {0, 2, 3, 4, 5, 9} & set(text)
        assert row[last] == (4 if pair.reply[0] == 3 else 3) and row[last - 1] == text[-1]
        assert not row[last + 1 :].any()
        assert (targets != IGNORED).sum() == len(pair.reply) - 1
    assert len({len(pair.reply) for pair in replies.pairs()}) > 2  # some ended early, some were cut


def test_the_same_seed_draws_the_same_and_padding_does_not_matter():
    model = gpt()
    assert torch.equal(rollout(model).ids, rollout(model).ids)
    assert not torch.equal(rollout(model).targets, rollout(model, seed=1).targets)
    greedy = {"temperature": 1e-4, "generator": torch.Generator().manual_seed(0), **SPECIAL}
    all_four = sample_rollout(model, ContextBatches.of(CONTEXTS, 1, 0), 6, **greedy).pairs()
    alone = [sample_rollout(model, ContextBatches.of([row], 1, 0), 6, **greedy).pairs()[0] for row in CONTEXTS]
    assert all_four == alone


def test_tokens_are_drawn_as_often_as_the_model_says(device):
    model = gpt().to(device)
    many = to_device(ContextBatches.of([CONTEXTS[0]], 4000, 0), device)
    replies = sample_rollout(model, many, 1, generator=torch.Generator(device).manual_seed(0), **SPECIAL)
    logits = model(torch.tensor([CONTEXTS[0]], device=device))[0][0, -1]
    logits[[0, 2, 3, 4, 5]] = -math.inf
    shares = torch.bincount(replies.targets[:, replies.start], minlength=16) / 4000
    torch.testing.assert_close(shares, logits.softmax(-1), atol=0.03, rtol=0)


def test_what_cannot_be_drawn_is_refused():
    for changes in ({"temperature": 0.0}, {"most": 0}):
        with pytest.raises(ValueError, match="more than 0"):
            rollout(gpt(), **changes)


# --- a list of contexts ----------------------------------------------------------------------------------------------


class Special:
    """What a tokenizer tells about special tokens."""

    pad, end, unknown = 0, 2, 1

    def speaker(self, name):
        return {"A": 3, "B": 4}.get(name, 5)


@pytest.mark.parametrize("model", [gpt, seq2seq])
def test_every_context_gets_its_replies_in_their_order_whatever_is_side_by_side(model, device):
    one = model().eval().to(device)
    replies = generate_replies(one, Special(), CONTEXTS, 3, max_tokens=5, rows=6)
    assert [len(group) for group in replies] == [3] * len(CONTEXTS)
    for context, group in zip(CONTEXTS, replies):
        assert all([*pair.context, pair.reply[0]] == context and len(pair.reply) <= 6 for pair in group)
    assert replies == generate_replies(one, Special(), CONTEXTS, 3, max_tokens=5, rows=6)
    assert replies != generate_replies(one, Special(), CONTEXTS, 3, max_tokens=5, rows=6, seed=1)
    cold = {"max_tokens": 5, "temperature": 1e-4}
    assert generate_replies(one, Special(), CONTEXTS, rows=1, **cold) == generate_replies(
        one, Special(), CONTEXTS, **cold
    )


def test_forbidden_tokens_are_those_of_the_tokenizer():
    many = generate_replies(gpt(), Special(), CONTEXTS[:1], 500, max_tokens=3, temperature=50.0)[0]
    seen = {token for pair in many for token in pair.reply[1:]}
    assert seen == set(range(2, 16))  # never <pad> and never <unknown>
