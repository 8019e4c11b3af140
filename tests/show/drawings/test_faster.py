"""Student and teacher have their sizes; a round of speculative decoding adds up."""

import pytest
from torch import nn

from helpers.show.drawings.faster import distillation, speculative_decoding


def test_the_sizes_are_those_of_the_models(legible):
    drawing = distillation(nn.Linear(4, 3), nn.Linear(2, 1))
    legible(drawing)
    assert "15 parameters" in drawing.svg and "3 parameters" in drawing.svg
    assert "Only the student learns" in legible(distillation())


@pytest.mark.parametrize("accepted", [0, 2, 4])
def test_what_is_accepted_stays_and_one_token_is_the_targets(accepted, legible):
    drawing = speculative_decoding([" I", " like", " it", " very"], accepted, " them")
    words = legible(drawing)
    tokens = "token" if accepted == 0 else "tokens"
    assert f"{accepted} accepted" in words and f"So {accepted + 1} new {tokens} for one call." in words
    assert drawing.svg.count(">accept<") == accepted and drawing.svg.count(">reject<") == (accepted < 4)
    assert drawing.svg.count(">free<") == (accepted == 4)


def test_any_round_is_legible(legible):
    legible(speculative_decoding(["a"], 1, "b"))
    legible(speculative_decoding([" understanding"] * 8, 3, " understanding"))


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="3 of 2 draft tokens"):
        speculative_decoding(["a", "b"], 3, "c")
    with pytest.raises(ValueError, match="give 1 to 8"):
        speculative_decoding([], 0, "c")
