"""The LSTM cell: each step adds its gate and its formula, and keeps what came before."""

import pytest
from torch import nn

from helpers.show.drawings.lstm import lstm_cell
from tests.show.legible import texts


@pytest.mark.parametrize(
    ("step", "gates", "sentence"),
    [(1, "", "straight through"), (2, "f", "forget gate"), (3, "fig", "input gate"), (4, "figo", "output gate")],
)
def test_steps_are_cumulative(step, gates, sentence, legible):
    drawing = lstm_cell(step, 100)
    assert sentence in legible(drawing) and "100 numbers each" in drawing.words
    names = [text for text, *_ in texts(drawing.svg)]
    assert [gate for gate in "figo" if f"{gate}t" in names] == list(gates)
    assert ("ht" in names) == (step == 4) and ("xt" in names) == (step > 1)
    assert names.count("σ") == {1: 0, 2: 1, 3: 2, 4: 3}[step]


def test_the_size_is_the_models():
    assert "24 numbers each" in lstm_cell(4, nn.LSTM(3, 24)).words and "[24]" in lstm_cell(4, nn.LSTM(3, 24)).svg


def test_another_step_is_refused():
    with pytest.raises(ValueError, match="step is 5: give 1"):
        lstm_cell(5)
