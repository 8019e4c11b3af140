"""What is done to a forward pass is drawn with the true tokens, and only where it can be done."""

import pytest

from helpers.show.drawings.inside import (
    activation_patching,
    head_ablation,
    induction_head,
    logit_lens,
    sparse_autoencoder,
)

CLEAN = ["<A>", " My", " sister", " is", " here", "<B>", " How", " old", " is"]
CORRUPTED = ["<A>", " My", " brother", " is", " here", "<B>", " How", " old", " is"]


@pytest.mark.parametrize("n_layer", [1, 4, 8])
def test_each_layer_has_its_lens(n_layer, legible):
    drawing = logit_lens(n_layer)
    legible(drawing)
    assert drawing.svg.count(">unembed<") == n_layer + 1
    assert f"lens {n_layer - 1}" in drawing.svg and f"lens {n_layer}" not in drawing.svg


def test_only_the_ablated_head_is_replaced(legible):
    drawing = head_ablation(4, 1)
    assert "Ablation of head 1 of 4." in legible(drawing)
    assert drawing.svg.count(">replacement<") == 1
    legible(head_ablation(1, 0))
    legible(head_ablation(8, 7))


def test_patching_names_what_is_copied_and_where(legible):
    words = legible(activation_patching(CLEAN, CORRUPTED, -1, "head 2.3"))
    assert "The activation head 2.3 at “is” is copied" in words and "sister" in words
    assert (
        activation_patching(CLEAN, CORRUPTED).svg.count('stroke-width="2.4"') == 2
    )  # what differs, underlined in both
    legible(activation_patching(["a"], ["b"], 0))


def test_the_induction_head_copies_what_followed(legible):
    words = legible(induction_head())
    assert words.rstrip().endswith("predicts that one: “D”.")
    assert "“x”" in legible(induction_head(("x", "y", "x", "y"), 2))


def test_the_autoencoder_has_its_sizes(legible):
    assert "256 numbers is encoded as 2,048 features of which about 8" in legible(sparse_autoencoder(256, 2048, 8))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: logit_lens(0), "give 1 to 8"),
        (lambda: head_ablation(4, 4), "no head 4: give 0 to 3"),
        (lambda: head_ablation(9, 0), "give 1 to 8"),
        (lambda: activation_patching(["a"], ["a", "b"]), "1 and 2 tokens: patch texts of equal length"),
        (lambda: activation_patching(["a"], ["b"], 1), "no position 1"),
        (lambda: activation_patching([], []), "give 1 to 12"),
        (lambda: induction_head(("A", "B", "A", "C"), 2), "do not repeat with period 2"),
        (lambda: induction_head(("A",), 1), "more than one period"),
    ],
)
def test_what_cannot_be_drawn_is_said(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
