"""The matrices of a GPT by part, and copies with other numbers: what is shared stays shared, what is given stays as it was."""

import pytest
import torch

from helpers.compression.matrices import PARTS, matrices, part_of, with_weights
from helpers.compression.quantization import quantize
from tests.factories import gpt, rnn

IDS = torch.arange(2, 14)[None]


def test_every_matrix_belongs_to_one_part_and_a_tied_table_stands_once():
    model = gpt(std=0.3, bigram_rows=13)
    names = {part: list(matrices(model, (part,))) for part in PARTS}
    assert names["embedding"] == ["embed.weight"] and names["pair table"] == ["bigrams.weight"]
    assert names["attention"][:2] == ["blocks.0.attention.qkv.weight", "blocks.0.attention.output.weight"]
    assert names["MLP"] == [f"blocks.{layer}.{part}.weight" for layer in (0, 1) for part in ("up", "down")]
    assert sum(names.values(), []) == sorted(matrices(model), key=sum(names.values(), []).index)
    assert sum(weight.numel() for weight in matrices(model).values()) == model.parameter_count()


def test_vectors_and_a_head_of_its_own():
    model = gpt(recipe="gpt2", tied=False)
    assert part_of("blocks.0.norm_1.weight") is None and part_of("blocks.0.up.bias") is None
    assert list(matrices(model, "embedding")) == ["embed.weight", "positions.weight", "head.weight"]


def test_a_copy_is_changed_and_the_model_is_not():
    model = gpt(std=0.3)
    before, name = model(IDS)[0], "blocks.0.up.weight"
    changed = with_weights(model, {name: torch.zeros_like(matrices(model)[name])})
    assert not changed(IDS)[0].equal(before) and model(IDS)[0].equal(before)
    assert with_weights(model, {"embed.weight": 2 * model.embed.weight}).head.weight.equal(2 * model.embed.weight)


def test_what_is_packed_is_remembered_until_it_is_replaced():
    model = gpt(std=0.3)
    weight = matrices(model)["blocks.0.up.weight"]
    changed = with_weights(model, {"blocks.0.up.weight": quantize(weight, 4)})
    again = with_weights(changed, {"blocks.0.down.weight": quantize(weight.T, 4)})
    assert (
        list(again.packed) == ["blocks.0.up.weight", "blocks.0.down.weight"]
        and list(changed.packed) == list(again.packed)[:1]
    )
    assert with_weights(again, {"blocks.0.up.weight": weight}).packed.keys() == {"blocks.0.down.weight"}


def test_what_is_not_there_is_said():
    model = gpt()
    for parts in ("head", ("attention", "heads")):
        with pytest.raises(ValueError, match="there is no part 'head.*known are embedding, pair table"):
            matrices(model, parts)
    with pytest.raises(ValueError, match="no part was named"):
        matrices(model, ())
    with pytest.raises(ValueError, match="has no matrix of the attention: give a GPT"):
        matrices(rnn(), "attention")
    with pytest.raises(ValueError, match="no parameter 'up'"):
        with_weights(model, {"up": torch.zeros(2)})
    with pytest.raises(ValueError, match=r"embed.weight is \[16, 16\], and \[2, 2\]"):
        with_weights(model, {"embed.weight": torch.zeros(2, 2)})
