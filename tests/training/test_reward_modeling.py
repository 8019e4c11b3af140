"""Training a reward model: the loss of Bradley and Terry by hand, ln 2 at the start, and who is preferred in the end."""

import math

import pytest
import torch

from helpers.corpus.batches.preferences import PreferenceBatches, preference_batch
from helpers.models.reward_model import RewardModel
from helpers.training import fit
from helpers.training.losses import to_device
from helpers.training.reward_modeling import LN2, bradley_terry_loss, reward_loss, train_reward_head
from tests.factories import SPECIAL_IDS, preference_pairs, tuned_gpt


def tensor(*numbers):
    return torch.tensor(numbers, dtype=torch.double)


def test_bradley_terry_by_hand():
    # Differences 1 and −2: σ is 0.7311 and 0.1192.
    expected = -(math.log(1 / (1 + math.exp(-1))) + math.log(1 / (1 + math.exp(2)))) / 2
    assert bradley_terry_loss(tensor(3, 0), tensor(2, 2)).item() == pytest.approx(expected)
    assert bradley_terry_loss(tensor(5), tensor(5)).item() == pytest.approx(0.693147, abs=1e-6)


def test_bradley_terry_survives_a_hopeless_difference():
    chosen = torch.tensor([-200.0], requires_grad=True)
    loss = bradley_terry_loss(chosen, torch.zeros(1))
    loss.backward()
    assert loss.item() == pytest.approx(200) and chosen.grad.item() == pytest.approx(-1)


def test_a_reward_model_starts_at_ln_2_and_learns_who_is_preferred(device):
    pairs = preference_pairs()
    model = RewardModel(tuned_gpt(), 2, **SPECIAL_IDS).to(device)
    batches = PreferenceBatches(pairs, 8, pad=0)
    assert reward_loss(model, to_device(batches[0], device)).item() == pytest.approx(LN2, abs=1e-6)
    history = fit(model, batches, steps=40, learning_rate=0.02, loss=reward_loss, progress=False)
    better, worse = (model.score([pair[side] for pair in pairs]) for side in (0, 1))
    assert history.recent_loss(5) < 0.3 and (better > worse).float().mean() > 0.9


def test_the_reward_loss_reads_where_the_score_reads():
    pairs, model = preference_pairs(6), RewardModel(tuned_gpt(), 2, **SPECIAL_IDS).eval()
    torch.nn.init.normal_(model.head.weight)
    scores = [model.score([pair[side] for pair in pairs]) for side in (0, 1)]
    expected = bradley_terry_loss(*scores).item()
    assert reward_loss(model, preference_batch(pairs, 0)).item() == pytest.approx(expected, abs=1e-5)


def test_a_head_on_frozen_features_finds_the_direction_of_what_is_preferred():
    torch.manual_seed(0)
    pairs, wanted = torch.randn(400, 2, 3), torch.tensor([2.0, -1.0, 0.0])
    order = (pairs @ wanted).argsort(1, descending=True)
    pairs = pairs.gather(1, order[..., None].expand_as(pairs))
    weights = train_reward_head(pairs)
    assert not weights.requires_grad and torch.cosine_similarity(weights, wanted, dim=0) > 0.99
    assert train_reward_head(pairs, steps=0).tolist() == [0, 0, 0]
