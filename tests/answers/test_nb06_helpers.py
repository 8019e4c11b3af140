"""What learners build in notebook 06, in its build cells and exercises, does what the package and torch do."""

import pytest
import torch

from helpers.corpus.batches.token_stream import WindowBatches, inputs_and_targets
from helpers.evaluation.power_laws import fit_power_law
from helpers.models import small_gpt
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.gpt_attention import Attention, rotary_table, rotate
from helpers.models.gpt_block import Block
from tests.answers.solutions import run, solutions

NOTEBOOK = "06_gpt_pretraining"
SOLUTIONS = solutions(NOTEBOOK)
CONFIG = GPTConfig.gpt2(40, n_embd=24, n_layer=2, n_head=3, context=12)


def solution(name):
    return run(SOLUTIONS[name], name, NOTEBOOK)


def test_the_attention_is_the_packages():
    ours, theirs = solution("Attention")(CONFIG).double(), Attention(CONFIG).double()
    x = torch.randn(2, 7, 24).double()
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x), theirs(x, None, None, None)[0])


def test_the_block_is_the_packages():
    ours, theirs, x = solution("Block")(CONFIG).double(), Block(CONFIG).double(), torch.randn(2, 7, 24).double()
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x), theirs(x)[0])


def test_the_gpt_is_the_packages_with_the_same_gradients():
    ours, theirs, ids = solution("SmallGPT")(CONFIG).double(), GPT(CONFIG).double(), torch.randint(0, 40, (3, 12))
    ours.load_state_dict(theirs.state_dict())
    logits = [model(ids)[0] for model in (ours, theirs)]
    torch.testing.assert_close(*logits)
    for scores in logits:
        scores.square().sum().backward()
    gradients = [{name: weights.grad for name, weights in model.named_parameters()} for model in (ours, theirs)]
    torch.testing.assert_close(*gradients)


def test_with_the_cache_the_gpt_says_the_same():
    model = small_gpt.initialize(solution("SmallGPT")(CONFIG)).double()
    cached, ids = small_gpt.with_cache(model, solution("CachedAttention")), torch.randint(0, 40, (2, 12))
    first, state = cached(ids[:, :5])
    second, _ = cached(ids[:, 5:], state)
    torch.testing.assert_close(torch.cat((first, second), dim=1), model(ids)[0])


def test_labels_are_the_windows_that_training_reads():
    ids = torch.arange(100)
    inputs, targets = solution("inputs_and_targets")(ids, 8)
    assert torch.equal(inputs + 1, targets) and inputs.shape == (12, 8)
    assert all(map(torch.equal, (inputs, targets), inputs_and_targets(ids, 8)))
    batch = WindowBatches(ids, batch_size=3, context=8)[0]
    assert torch.equal(batch.inputs + 1, batch.targets)  # the same rule, at shuffled positions


@pytest.mark.parametrize("position", [0, 1, 9])
def test_rotated_is_what_the_package_does_to_a_head(position):
    x = torch.randn(8)
    cos, sin = rotary_table(10, 8)
    torch.testing.assert_close(solution("rotated")(x, position), rotate(x, cos[position], sin[position]))


def test_grouped_attention_is_torchs():
    q, k, v = (torch.randn(2, heads, 5, 4, dtype=torch.float64) for heads in (6, 3, 3))
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    torch.testing.assert_close(solution("grouped_attention")(q, k, v), expected)


def test_the_exponent_is_that_of_the_packages_fit():
    sizes, losses = [10, 100, 900, 5000], [3.0, 2.4, 2.1, 1.6]
    assert solution("scaling_exponent")(sizes, losses) == pytest.approx(fit_power_law(sizes, losses).exponent)
