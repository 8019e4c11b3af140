"""Whose gradient counts how much: the mean over all tokens, and what goes wrong without a sound."""

import pytest
import torch

from helpers.corpus.batches.base import IGNORED, Batch
from helpers.training import fit, next_token_loss
from helpers.training.data_parallel import average_gradients, clipped, gradient, relative_error
from helpers.training.example_task import example_batches, example_model
from helpers.training.team_equalities import one_batch
from tests.factories import parameter_vector as vector

EVEN, UNEVEN = example_batches(), example_batches(uneven=True)


def parts(batches, numbers=(0, 1)):
    found = [gradient(example_model(), batches[number]) for number in numbers]
    return [part for part, _, _ in found], [weight for _, weight, _ in found]


def whole(batches):
    return gradient(example_model(), one_batch(batches, range(2)))[0]


@pytest.mark.parametrize("batches", [EVEN, UNEVEN], ids=["even", "uneven"])
def test_the_weighted_mean_is_the_gradient_of_the_one_large_batch(batches):
    gradients, weights = parts(batches)
    found = average_gradients(gradients, weights)
    torch.testing.assert_close(found, whole(batches), atol=1e-6, rtol=0)


def test_a_worker_without_a_token_weighs_nothing():
    batch = EVEN[1]
    nothing = Batch(batch.inputs, torch.full_like(batch.targets, IGNORED), True)
    spoilt, weight, loss = gradient(example_model(), nothing)
    assert weight == 0 and loss != loss
    gradients, weights = parts(EVEN, (0,))
    assert torch.equal(average_gradients([*gradients, spoilt * float("nan")], [*weights, 0]), gradients[0])
    with pytest.raises(ValueError, match="no token counts in any of the batches"):
        average_gradients([spoilt], [0])
    with pytest.raises(ValueError, match="2 gradients and 1 weights: give one weight for each"):
        average_gradients([spoilt, spoilt], [4])


# --- silent mistakes: nothing fails, only the number is wrong ------------------------------------------------------------


def test_the_mean_of_means_is_wrong_where_tokens_are_uneven():
    gradients, _ = parts(UNEVEN)  # 64 tokens and 4
    assert relative_error(sum(gradients) / 2, whole(UNEVEN)) > 0.5
    gradients, _ = parts(EVEN)
    assert relative_error(sum(gradients) / 2, whole(EVEN)) < 1e-5  # which is why nobody sees it


def test_the_same_batch_on_every_process_learns_from_half_of_the_text():
    same, weights = parts(EVEN, (0, 0))
    assert relative_error(average_gradients(same, weights), whole(EVEN)) > 0.5


def scaled_training(factor, optimizer, clip=None):
    """Return the weights after 20 steps in which every gradient was multiplied by ``factor``."""
    model = example_model()
    loss = lambda model, batch: next_token_loss(model, batch) * factor  # noqa: E731
    settings = {"steps": 20, "learning_rate": 0.01, "optimizer": optimizer, "clip": clip, "progress": False}
    fit(model, EVEN, loss=loss, **settings)
    return vector(model)


def test_the_sum_for_the_mean_shows_with_sgd_and_hides_behind_adamw():
    begin = vector(example_model())
    moved = {name: [scaled_training(factor, name) - begin for factor in (1, 2)] for name in ("sgd", "adamw")}
    assert relative_error(moved["sgd"][1], moved["sgd"][0]) > 0.5
    assert relative_error(moved["adamw"][1], moved["adamw"][0]) < 0.05


def test_clipping_before_the_average_gives_another_direction():
    gradients, weights = parts(UNEVEN)
    right = clipped(average_gradients(gradients, weights), 0.1)
    wrong = average_gradients([clipped(part, 0.1) for part in gradients], weights)
    assert relative_error(wrong, right) > 0.05 and right.norm().item() == pytest.approx(0.1)
    assert clipped(right, 1.0) is not None and torch.equal(clipped(right, 1.0), right)
