"""An attack is drawn letter by letter; steps, training and filters say what they are."""

import pytest

from helpers.show.drawings.attacks import adversarial_training, filter_walls, gradient_step, hotflip


def test_the_swapped_letters_are_named(legible):
    words = legible(hotflip("how are you", "how arn you"))
    assert "Replaced: “e” at 6 by “n”. Now: “how arn you”." in words
    assert "Replaced: nothing" in legible(hotflip("a", "a"))
    legible(hotflip("x" * 40, "y" * 40))


def test_texts_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="equal length"):
        hotflip("ab", "a")
    with pytest.raises(ValueError, match="equal length"):
        hotflip("", "")


def test_only_the_step_along_the_gradient_crosses_the_line(legible):
    assert "the two random steps stay on their side" in legible(gradient_step())


def test_adversarial_training_learns_from_both_batches(legible):
    assert "the loss of the clean and the worse batch together" in legible(adversarial_training())
    with pytest.raises(ValueError, match="give five names, not 1"):
        adversarial_training(["batch"])


def test_there_is_a_filter_before_the_bot_and_one_after_it(legible):
    drawing = filter_walls()
    legible(drawing)
    assert drawing.svg.count(">filter<") == drawing.svg.count(">normalize<") == drawing.svg.count(">refused<") == 2
