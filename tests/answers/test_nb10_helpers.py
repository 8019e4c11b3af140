"""What learners build in notebook 10, in its text and in its exercises, does what the package does."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from helpers.interpretability import (
    ablation,
    attribution,
    induction,
    lens,
    logit_attribution,
    patching,
    probes,
    sparse_features,
    steering,
)
from tests import factories
from tests.answers.solutions import run, solutions
from tests.notebooks import books, definitions

NOTEBOOK = "10_looking_inside"
SOLUTIONS = solutions(NOTEBOOK)
PAIR = torch.tensor([[1, 8, 2, 9, 3], [1, 7, 2, 9, 3]])


def solution(name):
    return run(SOLUTIONS[name], name, NOTEBOOK)


def lifted(name, **names):
    """A definition of the notebook, with what it takes from the cells that were run before."""
    function = definitions.lift(books.paths(["10"])[0], name)
    function.__globals__.update(names)
    return function


@pytest.fixture(scope="module")
def model():
    return factories.gpt(std=0.5, zero_output=False)


@pytest.mark.parametrize("value", [0.0, torch.arange(4.0), torch.ones(2, 5, 4)])
def test_a_head_is_taken_out_as_by_the_package(value):
    z = torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(solution("ablate_head")(2, value)(z), ablation.ablate_head(2, value)(z))


@pytest.mark.parametrize("shape, head", [((2, 5, 4), None), ((2, 3, 5, 4), 0), ((2, 3, 5, 4), 2)])
def test_an_activation_is_patched_as_by_the_package(shape, head):
    x, clean = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(solution("patch_hook")(clean, 3, head)(x), patching.patch_hook(clean, 3, head)(x))


def test_heads_write_what_the_package_says():
    weight, z = torch.randn(12, 12), torch.randn(2, 3, 5, 4)
    torch.testing.assert_close(solution("head_outputs")(weight, z), logit_attribution.head_outputs(weight, z))


def test_together_they_are_torchs_linear_layer():
    weight, z = torch.randn(12, 12), torch.randn(2, 3, 5, 4)
    expected = functional.linear(z.transpose(1, 2).flatten(2), weight)
    torch.testing.assert_close(solution("head_outputs")(weight, z).sum(0), expected)


def test_the_lens_is_the_packages(model):
    stream = torch.randn(2, 5, 16)
    torch.testing.assert_close(solution("logit_lens")(model, stream), lens.logit_lens(model, stream))


@pytest.mark.parametrize("steps", [4, 40])
def test_integrated_gradients_are_the_packages(model, steps):
    baseline = 0.1 * torch.ones(16)
    expected = attribution.integrated_gradients(model, PAIR[0], 5, baseline, steps)
    found = solution("integrated_gradients")(model, PAIR[0], 5, baseline, steps)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed, share", [(0, 0.5), (3, 0.2)])
def test_control_labels_are_the_packages(seed, share):
    ids = torch.randint(50, (200,), generator=torch.Generator().manual_seed(0))
    assert solution("control_labels")(ids, seed, share).equal(probes.control_labels(ids, seed, share))


def test_steering_is_the_packages():
    x, direction = torch.randn(2, 3, 4), torch.randn(4)
    torch.testing.assert_close(solution("steer_hook")(direction, -2.0)(x), steering.steer_hook(direction, -2.0)(x))


@pytest.mark.parametrize("period", [3, 5])
def test_the_induction_score_is_the_packages(period):
    pattern = torch.rand(2, 3, 11, 11).tril().softmax(-1)
    expected = induction.induction_score(pattern, period)
    torch.testing.assert_close(solution("induction_score")(pattern, period), expected)


def test_rollout_is_the_packages():
    patterns = torch.rand(3, 2, 6, 6).tril().softmax(-1)
    torch.testing.assert_close(solution("rollout")(patterns), attribution.rollout(patterns))


def test_the_translator_is_the_least_squares_of_numpy():
    stream, final = np.random.default_rng(0).normal(size=(2, 40, 3))
    matrix, bias = solution("fit_translator")(torch.from_numpy(stream).float(), torch.from_numpy(final).float())
    expected, *_ = np.linalg.lstsq(np.c_[stream, np.ones(40)], final, rcond=None)
    np.testing.assert_allclose(matrix, expected[:-1], atol=1e-5)
    np.testing.assert_allclose(bias, expected[-1], atol=1e-5)


def test_purity_is_the_packages():
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(60, 7, generator=rng).relu() * (torch.arange(7) > 0)
    ids = torch.randint(4, (60,), generator=rng)
    found, expected = solution("token_purity")(features, ids, 8), sparse_features.token_purity(features, ids, 8)
    torch.testing.assert_close(found, expected, equal_nan=True)


def test_the_loss_under_hooks_is_the_packages(model):
    ids = torch.randint(16, (2, 9), generator=torch.Generator().manual_seed(0))
    hooks = {"blocks.0.attention.hook_z": ablation.ablate_head(1, 0.0)}
    losses_of = lifted("losses_of", model=model)
    for hooked in (None, hooks):
        torch.testing.assert_close(losses_of(ids[:, :-1], ids[:, 1:], hooked), ablation.losses(model, ids, hooked))


@pytest.mark.parametrize(
    "name, position, head", [("blocks.0.hook_resid_post", 1, None), ("blocks.1.attention.hook_z", -1, 1)]
)
def test_what_is_restored_is_the_packages(model, name, position, head):
    measure = patching.logit_difference(3, 5)
    restored = lifted("restored", patch_hook=solution("patch_hook"), difference=measure)
    expected = patching.restored(model, PAIR, name, position, head, measure=measure)
    assert restored(model, PAIR, name, position, head, measure=measure) == pytest.approx(expected, abs=1e-5)


def test_the_difference_is_the_packages(model):
    logits = model(PAIR)[0]
    difference = lifted("difference", HE=3, SHE=5)
    torch.testing.assert_close(difference(logits), patching.logit_difference(3, 5)(logits))


def test_the_parts_at_the_end_are_the_packages():
    model = factories.gpt(std=0.5, zero_output=False, n_layer=4)
    points = [f"blocks.{layer}.attention.hook_z" for layer in range(4)]
    found = lifted("parts_at_the_end", model=model, POINTS=points, head_outputs=solution("head_outputs"))(PAIR)
    names, parts = logit_attribution.stream_parts(model, PAIR)
    assert list(found) == names
    torch.testing.assert_close(torch.stack(list(found.values())), parts[:, :, -1])
