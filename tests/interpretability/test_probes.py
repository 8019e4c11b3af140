"""Probes: they find what is there on other texts, the control task shows what they could memorize, and no text is in both."""

import pytest
import torch

from helpers.interpretability.probes import control_labels, probe_task, train_probe
from helpers.interpretability.token_activations import TokenActivations


def activations(number, first_row=0, types=40, seed=0, width=12):
    """Tokens at random; their vectors are the type's own (as an embedding is), and one number of context that no type has."""
    table = torch.randn(types, width - 1, generator=torch.Generator().manual_seed(99))
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(types, (number,), generator=generator)
    context = torch.randint(2, (number,), generator=generator)
    noise = 0.3 * torch.randn(number, width, generator=generator)
    values = torch.cat((table[ids], context[:, None] * 2.0 - 1), dim=1) + noise
    return TokenActivations(values, ids, torch.arange(number) // 20 + first_row, torch.arange(number) % 20), context


def test_it_finds_a_direction_and_is_the_same_each_time():
    acts, labels = activations(400)
    probe, again = train_probe(acts.values, labels), train_probe(acts.values, labels)
    assert torch.equal(probe.weight, again.weight)
    other, truth = activations(400, seed=1)
    assert probe.accuracy(other.values, truth) > 0.98
    assert probe.predict(other.values).dtype == torch.int64


def test_labels_may_be_any_numbers_and_more_than_two():
    values = torch.eye(3).repeat(20, 1) + 0.01 * torch.randn(60, 3)
    labels = torch.tensor([7, 2, 40]).repeat(20)
    probe = train_probe(values, labels)
    assert probe.classes.tolist() == [2, 7, 40] and probe.accuracy(values, labels) == 1
    assert probe.logits(values).shape == (60, 3)


def test_a_stronger_penalty_makes_smaller_weights_and_a_constant_number_does_no_harm():
    acts, labels = activations(200)
    values = torch.cat((acts.values, torch.ones(200, 1)), dim=1)
    weak, strong = train_probe(values, labels, 1e-4), train_probe(values, labels, 1.0)
    assert strong.weight.norm() < 0.5 * weak.weight.norm()
    assert torch.isfinite(weak.logits(values)).all()


def test_the_control_is_one_coin_per_token_type():
    ids = torch.tensor([3, 9, 3, 5, 9, 9])
    labels = control_labels(ids)
    assert labels.dtype == torch.int64 and set(labels.tolist()) <= {0, 1}
    assert labels[0] == labels[2] and labels[1] == labels[4] == labels[5]
    # The coin of a type does not depend on the other types of the text: training and test texts agree.
    assert torch.equal(control_labels(torch.tensor([3, 5])), labels[[0, 3]])
    everyone = torch.arange(3000)
    assert control_labels(everyone, share=0.2).float().mean().item() == pytest.approx(0.2, abs=0.03)
    assert not torch.equal(control_labels(everyone, 0), control_labels(everyone, 1))
    assert control_labels(everyone[:0]).tolist() == []
    with pytest.raises(ValueError, match="share is 1.5"):
        control_labels(ids, share=1.5)


def test_selectivity_tells_context_from_memory():
    (train, context), (test, truth) = activations(600), activations(600, first_row=100, seed=1)
    of_context = probe_task(train, context, test, truth)
    assert of_context.accuracy > 0.98 and 0.4 < of_context.majority < 0.6
    by_type = (train.ids % 2, test.ids % 2)
    memorized = probe_task(train, by_type[0], test, by_type[1])
    # With 40 types and 11 numbers a label per type can be memorized in part: the control does it as well.
    assert abs(memorized.selectivity) < 0.2 < of_context.selectivity
    assert of_context.selectivity == of_context.accuracy - of_context.control
    assert memorized.control > memorized.control_majority + 0.05


def test_a_probe_is_never_scored_on_texts_it_was_trained_on():
    (train, labels), (test, truth) = activations(100), activations(100, first_row=4, seed=1)
    with pytest.raises(ValueError, match="text 4 is in the training and in the test set"):
        probe_task(train, labels, test, truth)


def test_the_score_is_that_of_the_other_texts():
    (train, _), (test, _) = activations(40, width=60), activations(400, first_row=100, seed=1, width=60)
    coins = [torch.randint(2, (number,), generator=torch.Generator().manual_seed(3)) for number in (40, 400)]
    assert (
        train_probe(train.values, coins[0]).accuracy(train.values, coins[0]) == 1
    )  # more numbers than tokens: memorized
    result = probe_task(train, coins[0], test, coins[1])
    assert 0.4 < result.accuracy < 0.6 and 0.4 < result.majority < 0.6


def test_what_cannot_be_learned_is_refused():
    acts, labels = activations(20)
    with pytest.raises(ValueError, match="the same label"):
        train_probe(acts.values, torch.ones_like(labels))
    with pytest.raises(ValueError, match=r"one label \[N\].*\[19\] and \[20, 12\]"):
        train_probe(acts.values, labels[:-1])
    with pytest.raises(ValueError, match="one label"):
        probe_task(acts, labels, activations(20, first_row=9)[0], labels[:3])
