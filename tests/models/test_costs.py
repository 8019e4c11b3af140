"""What a GPT costs: counted from its configuration, held against what was published."""

import pytest

from helpers.models import costs
from helpers.models.gpt import GPT, GPTConfig


def test_the_count_is_that_of_the_model_itself():
    for config in (GPTConfig.gpt2(50, n_embd=16, n_layer=2, n_head=2), GPTConfig.modern(50, n_embd=16, bigram_rows=7)):
        assert costs.parameter_count(config) == GPT(config).parameter_count()


@pytest.mark.parametrize("name, exact", [("GPT-2 small", 124_439_808), ("GPT-2", 1_557_611_200)])
def test_gpt2_has_the_numbers_of_the_published_weights(name, exact):
    assert costs.parameter_count(costs.PUBLISHED[name].config) == exact


@pytest.mark.parametrize("model", costs.PUBLISHED.values(), ids=costs.PUBLISHED)
def test_counts_round_to_what_the_papers_state(model):
    assert costs.parameter_count(model.config) == pytest.approx(model.parameters, rel=0.04)


def test_the_work_of_gpt3_is_that_of_its_papers_table():
    record = costs.PUBLISHED["GPT-3"]
    flops = costs.training_flops(costs.parameter_count(record.config), record.tokens)
    assert flops == pytest.approx(record.flops, rel=0.01)
    assert flops / costs.PETAFLOP_DAY == pytest.approx(3640, rel=0.01)  # as the same table says


def test_memory_is_counted_in_bytes():
    assert costs.training_bytes(1e9) == 16e9
    config = GPTConfig.gpt2(50, n_embd=16, n_layer=3, n_head=2)
    assert costs.cache_bytes(config, tokens=10) == 2 * 3 * 16 * 10 * 2
    assert costs.cache_bytes(config, tokens=10, bytes_per_number=4) == 2 * costs.cache_bytes(config, tokens=10)


def test_what_shares_its_keys_keeps_less_and_learns_less():
    sizes = {"n_embd": 16, "n_layer": 3, "n_head": 4}
    all_heads, one_head = (GPTConfig.gpt2(50, n_kv_head=number, **sizes) for number in (None, 1))
    assert costs.cache_bytes(one_head, 10) * 4 == costs.cache_bytes(all_heads, 10)
    # In each layer 3 of the 4 heads of keys, and as many of values, of 4 numbers each: 24 rows of 16 weights and a bias.
    assert costs.parameter_count(all_heads) - costs.parameter_count(one_head) == 3 * 24 * 17
    gated = GPTConfig.gpt2(50, activation="swiglu", **sizes)  # 40 hidden units instead of 64, in three matrices
    matrices, biases = 3 * 40 - 2 * 64, 2 * 40 - 64
    assert costs.parameter_count(gated) - costs.parameter_count(all_heads) == 3 * (16 * matrices + biases)


def test_days_on_one_processor():
    assert costs.gpu_days(costs.DAY * 50, peak=100, used=0.5) == pytest.approx(1)


@pytest.mark.parametrize("peak, used", [(0, 0.5), (-1, 0.5), (1, 0), (1, 1.5), (1, float("nan"))])
def test_a_processor_that_does_nothing_is_refused(peak, used):
    with pytest.raises(ValueError, match="give a peak above 0 and a share"):
        costs.gpu_days(1e9, peak, used)
