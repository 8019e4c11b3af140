"""The sampler's steps have the numbers of the sampler."""

import pytest
import torch

from helpers.generation.sampling import distribution
from helpers.show.drawings.sampling import sampling_pipeline

TOKENS, LOGITS = [" the", " a", " my", " dog", "?"], [3.0, 2.0, 1.0, 0.0, -2.0]


def test_numbers_are_those_of_the_sampler(legible):
    drawing = sampling_pipeline(TOKENS, LOGITS, 0.5, top_k=3, top_p=0.9, chosen=" a")
    words = legible(drawing)
    final = distribution(torch.tensor(LOGITS), 0.5, 3, 0.9)
    kept = int((final > 0).sum())
    assert f"Top-k 3 and top-p 0.9 keeps {kept} of 5 tokens" in words and "Sampled: “a”." in words
    assert f">{final[1]:.2f}<" in drawing.svg and ">6.00<" in drawing.svg and drawing.svg.count(">cut<") == 5 - kept


def test_nothing_is_cut_without_being_asked(legible):
    drawing = sampling_pipeline(TOKENS, torch.tensor(LOGITS))
    assert "keeps" not in legible(drawing) and ">cut<" not in drawing.svg and "Sampled" not in drawing.words


@pytest.mark.parametrize("temperature", [0.01, 1.0, 50.0])
def test_a_whole_vocabulary_is_legible(temperature, legible):
    logits = torch.linspace(-30, 30, 500)
    logits[-1] = -torch.inf
    words = legible(sampling_pipeline([f" longword{i}" for i in range(500)], logits, temperature, chosen=3))
    assert "Only the first 9 of 500 tokens are drawn." in words and "Sampled: “longword3”." in words


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"logits": [1.0]}, "5 tokens and 1 logits"),
        ({"temperature": 0}, "above 0"),
        ({"chosen": "cat"}, "'cat' is not among"),
        ({"chosen": 5}, "no token 5"),
    ],
)
def test_wrong_input_is_refused_with_a_sentence(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        sampling_pipeline(**{"tokens": TOKENS, "logits": LOGITS, **change})
