"""Each way says where the gradient goes; the dialogue game has its four steps in order."""

import pytest

from helpers.show.drawings.through_tokens import dialogue_game, sampled_token


@pytest.mark.parametrize(("how", "says"), [("argmax", "and stops"), ("straight-through", "biased gradient"),
                                           ("reinforce", "through the log-probability")])  # fmt: skip
def test_each_way_is_said(how, says, legible):
    drawing = sampled_token(how)
    assert says in legible(drawing)
    assert ("stops here" in drawing.svg) == (how == "argmax")


def test_another_way_is_answered_with_those_that_exist():
    with pytest.raises(ValueError, match="'argmax', 'straight-through', 'reinforce'"):
        sampled_token("magic")


def test_the_steps_of_the_game_are_in_order(legible):
    words = legible(dialogue_game())
    order = [words.index(step) for step in ("generate", "score", "advantages", "update")]
    assert order == sorted(order)
