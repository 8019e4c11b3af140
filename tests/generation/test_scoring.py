"""Log-probabilities of given replies: against adding up every token, for every kind of model and batch."""

import math

import pytest
import torch

from helpers.corpus.batches.base import IGNORED, Batch, Pair
from helpers.corpus.batches.context_reply_pairs import batch_of
from helpers.corpus.batches.preferences import preference_batch
from helpers.corpus.implicit_feedback import Preference
from helpers.generation.scoring import log_probabilities_of, reply_log_probabilities, token_log_probabilities
from helpers.models.utils import device_of
from tests.factories import LANGUAGE_MODELS, language_model

PAIRS = [Pair([2, 7, 8, 9], [3, 10, 11, 12]), Pair([2, 6], [4, 13]), Pair([2, 8], [3, 10, 6])]


@pytest.fixture(params=LANGUAGE_MODELS)
def model(request, device):
    """One of each kind, networks with dropout."""
    if request.param == "n-gram":
        return language_model("n-gram")
    return language_model(request.param, dropout=0.4).to(device)


@torch.no_grad()
def one_by_one(model, pair, stop=()):
    """Return log p of a reply, token by token as a sampler meets them."""
    if isinstance(model, torch.nn.Module):
        model.eval()
    total = 0.0
    for size, token in enumerate(pair.reply[1:], 1):
        ids = torch.tensor([[*pair.context, *pair.reply[:size]]], device=device_of(model))
        log_p = model(ids)[0][0, -1].double().log_softmax(-1)
        total += float(log_p[token])
    ids = torch.tensor([[*pair.context, *pair.reply]], device=device_of(model))
    log_p = model(ids)[0][0, -1].double().log_softmax(-1)
    return total + (float(log_p[list(stop)].exp().sum().log()) if stop else 0.0)


@pytest.mark.parametrize("stop", [(), (2,), (5, 2, 3, 4)])
def test_log_probabilities_are_those_of_each_token_and_of_any_end(model, stop):
    """Some pairs of unequal length side by side, two at once, in a model that trains: no padding, no dropout counts."""
    if isinstance(model, torch.nn.Module):
        model.train()
    totals = reply_log_probabilities(model, PAIRS, 0, stop, rows=2)
    assert not isinstance(model, torch.nn.Module) or model.training
    assert totals.tolist() == pytest.approx([one_by_one(model, pair, stop) for pair in PAIRS], abs=1e-5)


def test_a_context_too_long_for_an_encoder_is_cut_as_in_chat():
    model = language_model("seq2seq", context_tokens=3)
    (long,), (short,) = (
        reply_log_probabilities(model, [Pair(context, [3, 10, 6])], 0) for context in ([2, 9, 8, 7, 6], [8, 7, 6])
    )
    assert long == short


def test_nothing_to_score_is_refused():
    with pytest.raises(ValueError, match="no replies to score"):
        reply_log_probabilities(language_model("RNN"), [], 0)


def test_log_probabilities_stay_finite_where_a_softmax_rounds_to_zero():
    logits = torch.tensor([[[0.0, 200.0]]], requires_grad=True)
    log_p, mask = token_log_probabilities(logits, torch.tensor([[0]]))
    assert log_p.item() == pytest.approx(-200) and mask.all()
    log_p.sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_log_probabilities_of_each_kind_of_batch():
    one, batch = language_model("seq2seq").float(), batch_of(PAIRS, 0)
    log_p, mask = log_probabilities_of(one, batch)
    assert torch.equal(mask, batch.targets != IGNORED) and not log_p[~mask].any()
    logits = one.read(batch)
    assert log_p[0, 2].item() == pytest.approx(logits[0, 2].log_softmax(-1)[12].item(), abs=1e-5)
    log_p.sum().backward()
    assert one.head.weight.grad.any()
    rows_ = Batch(torch.tensor([[1, 2]]), torch.tensor([[IGNORED, 0]]), True)
    log_p, mask = log_probabilities_of(lambda ids: (torch.zeros(1, 2, 4), None), rows_)
    assert log_p.tolist() == [[0.0, pytest.approx(-math.log(4))]] and mask.tolist() == [[False, True]]
    model = language_model("GPT")
    pair = Preference(PAIRS[0], PAIRS[1])
    log_p, mask = log_probabilities_of(model, preference_batch([pair], 0))
    assert mask.sum(1).tolist() == [3, 1]
    assert log_p.sum(1).tolist() == pytest.approx(reply_log_probabilities(model, list(pair), 0).tolist())
