"""The unrolled RNN: its sizes come from the model, whoever wrote it; the gradient's path has the numbers of its factor."""

import pytest
import torch
from torch import nn

from helpers.show.drawings.recurrent import Sizes, recurrent_sizes, rnn_gradient_path, unrolled_rnn
from tests import factories


class Cell(nn.Module):
    def __init__(self, embedding=6, hidden=8, gates=1):
        super().__init__()
        self.W_xh = nn.Parameter(torch.zeros(embedding, gates * hidden))
        self.W_hh = nn.Parameter(torch.zeros(hidden, gates * hidden))
        self.b = nn.Parameter(torch.zeros(gates * hidden))


class OwnModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.cell, self.head = nn.Embedding(11, 6), Cell(), nn.Linear(8, 11)


@pytest.mark.parametrize(
    ("model", "sizes"),
    [
        (64, Sizes("RNN", 64)),
        (nn.GRU(5, 7, num_layers=2), Sizes("GRU", 7, 5, None, 2)),
        (nn.LSTMCell(5, 7), Sizes("LSTM", 7, 5)),
        (Cell(), Sizes("RNN", 8, 6)),
        (Cell(8, 8), Sizes("RNN", 8, 8)),
        (Cell(gates=4), Sizes("LSTM", 8, 6)),
        (Cell(gates=3), Sizes("GRU", 8, 6)),
        (OwnModel(), Sizes("RNN", 8, 6, 11)),
    ],
)
def test_sizes_are_read_from_the_model(model, sizes):
    assert recurrent_sizes(model) == sizes


def test_the_words_change_with_the_model(legible):
    words = legible(unrolled_rnn(factories.rnn(9, hidden_size=24, kind="rnn"), "hello"))
    assert "An RNN reads “hell”" in words and "“l” → “o”" in words
    assert "Sizes: hidden state [24], embedding [6], vocabulary 9." in words
    other = legible(unrolled_rnn(factories.rnn(10, hidden_size=32, kind="lstm", n_layer=2), "hello"))
    assert "An LSTM reads" in other and "hidden state and cell state [32]" in other and "2 layers" in other
    assert "A GRU reads" in legible(unrolled_rnn(factories.rnn(9, kind="gru"), "ab"))


@pytest.mark.parametrize("text", ["ab", "hello", "a\nb c d e", "unrolled over many more characters", "日本語のテキスト"])
@pytest.mark.parametrize("model", [8, 4096, nn.LSTM(300, 1024)])
def test_any_text_is_legible(text, model, legible):
    words = legible(unrolled_rnn(model, text))
    assert ("Only the first 7 of 33 steps" in words) == (len(text) == 34)


def test_wrong_input_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="at least two characters"):
        unrolled_rnn(8, "a")
    with pytest.raises(ValueError, match="no recurrent layer was found in Linear"):
        unrolled_rnn(nn.Linear(3, 4))
    with pytest.raises(ValueError, match="hidden size is 0"):
        unrolled_rnn(0)
    with pytest.raises(ValueError, match="not str"):
        unrolled_rnn("hello")


@pytest.mark.parametrize(("steps", "factor", "fate"), [(8, 0.7, "vanishes"), (2, 1.4, "explodes"), (12, 1.0, "keeps its size")])
def test_the_gradient_is_a_power_of_its_factor(steps, factor, fate, legible):
    drawing = rnn_gradient_path(steps, factor)
    assert fate in legible(drawing)
    if factor == 0.7:
        assert "7 steps back, 0.082" in drawing.words and ">0.49<" in drawing.svg


def test_a_path_that_cannot_be_drawn_is_refused():
    for steps, factor, sentence in ((1, 0.5, "2 to 12"), (13, 0.5, "2 to 12"), (3, 0, "above 0")):
        with pytest.raises(ValueError, match=sentence):
            rnn_gradient_path(steps, factor)
