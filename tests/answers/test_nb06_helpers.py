"""What learners build in notebook 06, in its text and in its exercises, does what the package and torch do."""

import pytest
import torch

from helpers.corpus.batches.token_stream import WindowBatches
from helpers.evaluation.power_laws import fit_power_law
from helpers.models.gpt import GPT, Block, GPTConfig, rotary_table, rotate
from helpers.models.gpt import Attention as PackageAttention
from tests.answers.solutions import run, solutions
from tests.notebooks import books, definitions

NOTEBOOK = "06_gpt_pretraining"
SOLUTIONS = solutions(NOTEBOOK)
CONFIG = GPTConfig.gpt2(40, n_embd=24, n_layer=2, n_head=3, context=12)


def solution(name):
    return run(SOLUTIONS[name], name)


def lifted(name):
    return definitions.lift(books.paths(["06"])[0], name)


def test_the_notebooks_attention_is_the_packages():
    ours, theirs, x = (
        lifted("Attention")(CONFIG).double(),
        PackageAttention(CONFIG).double(),
        torch.randn(2, 7, 24).double(),
    )
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x), theirs(x, None, None, None)[0])


def test_the_notebooks_block_is_the_packages():
    ours, theirs, x = lifted("Block")(CONFIG).double(), Block(CONFIG).double(), torch.randn(2, 7, 24).double()
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x), theirs(x)[0])


def test_the_notebooks_gpt_is_the_packages_with_the_same_gradients():
    ours, theirs, ids = lifted("SmallGPT")(CONFIG).double(), GPT(CONFIG).double(), torch.randint(0, 40, (3, 12))
    ours.load_state_dict(theirs.state_dict())
    scores = [model(ids)[0] for model in (ours, theirs)]
    torch.testing.assert_close(*scores)
    for logits in scores:
        logits.square().sum().backward()
    gradients = [{name: weights.grad for name, weights in model.named_parameters()} for model in (ours, theirs)]
    torch.testing.assert_close(*gradients)


def test_labels_are_the_windows_that_training_reads():
    ids = torch.arange(100)
    inputs, targets = solution("inputs_and_targets")(ids, 8)
    assert torch.equal(inputs + 1, targets) and inputs.shape == (12, 8)
    batch = WindowBatches(ids, batch_size=3, context=8)[0]
    assert torch.equal(batch.inputs + 1, batch.targets)  # the same rule, at shuffled places


def test_rms_norm_is_torchs():
    x = torch.randn(3, 4, 10, dtype=torch.float64)
    expected = torch.nn.functional.rms_norm(x, (10,), eps=1e-6)
    torch.testing.assert_close(solution("rms_norm")(x), expected)


@pytest.mark.parametrize("place", [0, 1, 9])
def test_rotated_is_what_the_package_does_to_a_head(place):
    x = torch.randn(8)
    cos, sin = rotary_table(10, 8)
    torch.testing.assert_close(solution("rotated")(x, place), rotate(x, cos[place], sin[place]))


def test_steps_with_a_cache_are_attention_with_the_mask():
    q, k, v = torch.randn(3, 6, 4, dtype=torch.float64)
    expected = torch.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
    keys = values = torch.zeros(0, 4, dtype=torch.float64)
    for place in range(6):
        output, keys, values = solution("cached_step")(q[place], k[place], v[place], keys, values)
        torch.testing.assert_close(output, expected[place])
    assert torch.equal(keys, k) and torch.equal(values, v)


def test_the_exponent_is_that_of_the_packages_fit():
    sizes, losses = [10, 100, 900, 5000], [3.0, 2.4, 2.1, 1.6]
    assert solution("scaling_exponent")(sizes, losses) == pytest.approx(fit_power_law(sizes, losses).exponent)
