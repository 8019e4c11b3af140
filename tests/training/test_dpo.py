"""Direct preference optimization: its loss by hand, ln 2 at the start whatever the dropout, and what it learns."""

import math

import pytest
import torch

from helpers.corpus.batches.preferences import PreferenceBatches, preference_batch
from helpers.models.lora import add_lora
from helpers.training import fit
from helpers.training.dpo import DPO, dpo_loss, reference_log_probabilities, reply_log_probability
from helpers.training.losses import to_device
from helpers.training.reward_modeling import LN2
from tests.factories import preference_pairs, tuned_gpt


def tensor(*numbers):
    return torch.tensor(numbers, dtype=torch.double)


# --- losses ------------------------------------------------------------------------------------------------------------


def test_dpo_by_hand():
    # By 2 nats likelier, by 1 nat less likely: a margin of 3, times β of 0.5.
    loss = dpo_loss(tensor(-10), tensor(-21), tensor(-12), tensor(-20), beta=0.5)
    assert loss.item() == pytest.approx(-math.log(1 / (1 + math.exp(-1.5))))


def test_the_log_probability_of_a_reply_is_the_sum_over_its_tokens():
    logits = torch.tensor([[[0.0, 0.0], [0.0, math.log(3)], [5.0, 9.0]]])
    assert reply_log_probability(logits, torch.tensor([[0, 1, -100]])).item() == pytest.approx(math.log(0.5 * 0.75))


@pytest.mark.parametrize("beta", [0.05, 0.1, 2.0])
def test_dpo_at_the_reference_is_ln_2(beta):
    same = tensor(-31.7, -8.2)
    assert dpo_loss(same, same - 5, same, same - 5, beta).item() == pytest.approx(0.693147, abs=5e-7)


def test_dpo_of_a_policy_with_lora_starts_at_ln_2_even_with_dropout(device):
    model, pairs = tuned_gpt(dropout=0.4).to(device), preference_pairs()
    reference = reference_log_probabilities(model, pairs, 0)
    policy = add_lora(model, 2).train()
    loss = DPO(0.1)
    for number in range(3):
        batch = PreferenceBatches(pairs, 8, pad=0, reference=reference)[number]
        assert loss(policy, to_device(batch, device)).item() == pytest.approx(0.693147, abs=1e-6)
    assert policy.training and all(abs(row["chosen"]) + abs(row["rejected"]) < 1e-4 for row in loss.records)


@pytest.mark.parametrize("beta", [0, -1, float("nan")])
def test_dpo_refuses_a_beta_that_pulls_the_wrong_way(beta):
    with pytest.raises(ValueError, match="beta is"):
        DPO(beta)


# --- training ----------------------------------------------------------------------------------------------------------


def test_dpo_learns_and_notes_both_terms(device):
    model, pairs = tuned_gpt().to(device), preference_pairs()
    reference = reference_log_probabilities(model, pairs, 0)
    loss = DPO(0.5)
    batches = PreferenceBatches(pairs, 8, pad=0, reference=reference)
    history = fit(add_lora(model, 4), batches, steps=60, learning_rate=0.03, loss=loss, progress=False)
    assert history.rows[0][3] == pytest.approx(LN2, abs=1e-6)
    last = loss.records[-1]
    assert last["loss"] < 0.4 and last["accuracy"] == 1 and last["chosen"] > last["rejected"]
    now = reference_log_probabilities(model, pairs, 0) - reference
    assert now[:, 0].mean() > now[:, 1].mean() + 1


def test_batches_move_to_a_device_as_they_are():
    batch = to_device(preference_batch(preference_pairs(2), 0), "cpu")
    assert batch.first is True and batch.reference.shape == (4,)
