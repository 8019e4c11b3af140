"""The fields of a GPT: what the two recipes differ in, and what does not go with each other."""

import dataclasses

import pytest

from helpers.models.gpt_config import GPTConfig

SIZES = {"context": 24, "n_embd": 32, "n_layer": 2, "n_head": 4}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"norm": "batch"}, "no norm 'batch'; known are layer, rms"),
        ({"positions": "none"}, "no positions 'none'"),
        ({"n_embd": 30}, "n_embd = 30 cannot be shared by 4 heads"),
        ({"n_embd": 36, "positions": "rotary"}, "9 a head is odd"),
        ({"n_kv_head": 3}, "4 query heads cannot read 3 heads of keys evenly"),
        ({"n_kv_head": 0}, "4 query heads cannot read 0 heads"),
        ({"n_kv_head": 8}, "4 query heads cannot read 8 heads"),
        ({"n_layer": 0}, "n_layer is 0: give at least 1"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        GPTConfig(50, **SIZES | wrong)


def test_the_two_recipes_differ_in_fields_alone():
    one, other = (dataclasses.asdict(recipe(50, **SIZES)) for recipe in (GPTConfig.gpt2, GPTConfig.modern))
    different = {name for name, value in one.items() if value != other[name]}
    assert different == {"norm", "positions", "activation", "qk_norm", "bias", "zero_output", "logit_cap"}


@pytest.mark.parametrize(("n_embd", "hidden"), [(768, 2048), (128, 344), (32, 88), (4, 8)])
def test_a_swiglu_network_has_about_as_many_parameters_as_the_others(n_embd, hidden):
    """Two thirds of the units for three matrices instead of two: 8/3 of 768 is 2,048; others are rounded to a multiple of 8."""
    sizes = SIZES | {"n_embd": n_embd}
    assert GPTConfig(50, activation="swiglu", **sizes).hidden_size == hidden
    assert GPTConfig(50, activation="gelu", **sizes).hidden_size == 4 * n_embd
    assert abs(3 * hidden - 8 * n_embd) <= 12


def test_heads_of_keys_are_as_many_as_of_queries_unless_said_otherwise():
    assert GPTConfig(50, **SIZES).kv_heads == 4 and GPTConfig(50, n_kv_head=2, **SIZES).kv_heads == 2
    assert GPTConfig(50, n_kv_head=2, **SIZES).head_size == 8
