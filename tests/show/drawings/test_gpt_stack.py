"""The GPT's drawings are those of the model: the course's, the learner's, or a configuration's."""

import pytest
from torch import nn

from helpers.models.gpt import GPTConfig
from helpers.show.drawings.gpt_stack import gpt, gpt_block, residual_stream
from tests import factories


def test_counts_are_the_models(legible):
    model = factories.gpt(vocab_size=50, recipe="gpt2", n_embd=32, n_layer=3, n_head=4)
    words = legible(gpt(model))
    assert f"A GPT with {model.parameter_count():,} parameters" in words and "3 blocks add" in words
    assert "4 heads of 8" in words and "32 → 128 → 32" in words and "tied to the embedding" in words
    assert "a learned vector per position" in words and "50 logits" in words


def test_recipes_differ(legible):
    modern = legible(gpt(factories.gpt(tied=False, n_layer=1)))
    assert "RMSNorm" in modern and "rotary" in modern and "1 block adds" in modern and "of its own" in modern
    block = legible(gpt_block(factories.gpt()))
    assert "ReLU²" in block and "GELU" in legible(gpt_block(factories.gpt(recipe="gpt2")))


def test_a_configuration_is_enough_even_of_the_largest(legible):
    config = GPTConfig(50_257, 2048, n_embd=12_288, n_layer=96, n_head=96)
    words = legible(gpt(config))
    assert "A GPT with 174," in words and "96 blocks" in words
    assert "96 heads of 128" in legible(gpt_block(config))


def test_the_block_of_a_model_and_the_block_alone_are_drawn_alike():
    model = factories.gpt(recipe="gpt2")
    assert gpt_block(model).svg == gpt_block(model.blocks[0]).svg


@pytest.mark.parametrize("n_layer", [1, 4, 5, 12, 96])
def test_the_stream_adds_twice_a_block(n_layer, legible):
    words = legible(residual_stream(n_layer))
    assert f"{2 * n_layer} additions" in words and ("blocks" in words) == (n_layer > 1)


def test_something_else_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="Linear has no embed and no blocks and no head"):
        gpt(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="no attention and no up and no down"):
        gpt_block(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="give a GPT or its GPTConfig, not int"):
        gpt(3)
    with pytest.raises(ValueError, match="0 layers"):
        residual_stream(0)
