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
