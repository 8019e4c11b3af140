"""A GPT that classifies: what it averages, what is trained, and that it learns."""

import pytest
import torch

from helpers.models.gpt_classifier import GPTClassifier, LabeledBatches, class_loss, in_batches
from helpers.training import fit
from tests import factories

ROWS = [[2, 3 + number % 2, *range(6, 7 + number)] for number in range(9)]  # token 3 or 4 at the second position


@pytest.fixture
def model():
    return factories.gpt(n_layer=1, std=0.2)


def test_features_are_the_mean_over_a_row_and_padding_counts_for_nothing(model):
    classifier = GPTClassifier(model)
    rows = [*ROWS[5:], *ROWS[:5]]
    for row, features in zip(rows, in_batches(classifier.features, classifier, rows, pad=0)):
        _, cache = model.run_with_cache(torch.tensor([row]), names=["hook_normalized"])
        assert torch.allclose(cache["hook_normalized"][0].mean(0), features, atol=1e-5)


@pytest.mark.parametrize(("rank", "names"), [(0, {"head.weight", "head.bias"}), (2, None)])
def test_only_lora_and_the_linear_layer_are_trained(model, rank, names):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    classifier = GPTClassifier(model, rank)
    trained = {name for name, value in classifier.named_parameters() if value.requires_grad}
    assert trained == names or all(name.rpartition(".")[2] in "AB" for name in trained - {"head.weight", "head.bias"})
    assert len(trained) > 2 * (rank > 0)
    frozen = {name: value.clone() for name, value in classifier.named_parameters() if name not in trained}
    labels = [number % 2 for number in range(9)]
    fit(classifier, LabeledBatches(ROWS, labels, 3, pad=0), steps=5, learning_rate=0.1, loss=class_loss, progress=False)
    assert all(torch.equal(value, frozen[name]) for name, value in classifier.named_parameters() if name not in trained)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())  # it was copied


def test_it_learns_what_tells_the_rows_apart(model):
    classifier = GPTClassifier(model, rank=2)
    labels = [number % 2 for number in range(9)]
    batches = LabeledBatches(ROWS, labels, 3, pad=0)
    assert class_loss(classifier, batches[0]).item() == pytest.approx(0.6931, abs=1e-4)  # undecided at first: ln 2
    fit(classifier, batches, steps=60, learning_rate=0.02, loss=class_loss, progress=False)
    assert in_batches(classifier, classifier, ROWS, pad=0).argmax(1).tolist() == labels
    batch = batches[1]
    assert [len(row) for row in ROWS if len(row) in batch.lengths.tolist()] and batch.ids.shape[1] == batch.lengths.max()
