"""The chat template marks its targets, LoRA is drawn with the layer's own sizes, transfer has two ways."""

import pytest
import torch
from torch import nn

from helpers.models.lora import LoRALinear
from helpers.show.drawings.tuning import chat_template, lora, transfer


def test_the_targets_are_named(legible):
    words = legible(chat_template(["<A>", "Hi", "<B>", "Yes", "<A>"], [-100, -100, None, 7, 1]))
    assert "5 tokens are read, 2 of them are targets of the loss: “Yes”, “<A>”." in words


@pytest.mark.parametrize("count", [1, 40])
def test_any_row_is_legible(count, legible):
    words = legible(chat_template([" word"] * count, [3] * count))
    assert f"{count} of them are targets" in words
    assert "none" in legible(chat_template(["a"] * count, [-100] * count))


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="2 tokens and 1 label"):
        chat_template(["a", "b"], [1])
    with pytest.raises(ValueError, match="at least one token"):
        chat_template([], [])


def test_lora_has_the_sizes_of_the_layer(legible):
    words = legible(lora(LoRALinear(nn.Linear(256, 768), rank=4)))
    assert "W [768, 256]" in words and "A [4, 256]" in words and "B [768, 4]" in words
    assert "4,096 parameters are trained beside 196,608 frozen ones (2.1%)" in words


def test_lora_reads_a_layer_of_the_learner(legible):
    layer = nn.Module()
    layer.base, layer.A, layer.B = nn.Linear(3, 5), nn.Linear(3, 1, bias=False), nn.Parameter(torch.zeros(5, 1))
    assert "A [1, 3]" in legible(lora(layer))
    with pytest.raises(ValueError, match="Linear has no linear, A and B"):
        lora(nn.Linear(2, 2))


def test_transfer_has_two_ways(legible):
    assert legible(transfer()).startswith("Two ways to the same measurement.")
