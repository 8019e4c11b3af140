"""Attention in drawings: real numbers, real shapes, and the triangle of the mask."""

import math
import re

import pytest
import torch

from helpers.models.attention import attention
from helpers.show.drawings.attention import attention_step, causal_mask, dot_product_attention
from helpers.show.theme import GRID

WORDS = ["my", "dog", "ate"]


def test_the_sum_is_that_of_attention(legible):
    q, k = torch.tensor([[0.5, 0.5]]), torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.5, 0.5]])
    output, weights = attention(q, k, k)
    scores = (q @ k.T / math.sqrt(2))[0].tolist()
    drawing = attention_step(WORDS, weights[0].tolist(), "ate", scores=scores, values=k.tolist())
    words = legible(drawing)
    assert f"most weight on “dog” {weights[0, 1]:.2f}" in words
    assert f"The weighted sum of the values is ({output[0, 0]:.2f}, {output[0, 1]:.2f})." in words
    assert f"The scores run from {min(scores):.2f} to {max(scores):.2f}" in words and f">{scores[1]:.2f}<" in drawing.svg
    assert ">(0.00, 2.00)<" in drawing.svg


def test_steps_without_scores_are_numbered_anew(legible):
    drawing = attention_step(WORDS, torch.tensor([0.2, 0.3, 0.5]), "ate", values=torch.ones(3, 8))
    legible(drawing)
    assert ">1 · softmax<" in drawing.svg and ">2 · values<" in drawing.svg and "scores" not in drawing.words


@pytest.mark.parametrize("count", [1, 10])
def test_any_number_of_words_is_legible(count, legible):
    words = ["internationalization"] * count
    scores, values = [-math.inf] * count, [[-10.5, 0.0, 100.25]] * count
    legible(attention_step(words, [1 / count] * count, words[0], scores, values))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([], [], "q"), "0 words"),
        ((WORDS, [1.0], "q"), "1 weights for 3 words"),
        ((WORDS, [1.0] * 3, "q"), "sum to 3.00"),
        ((WORDS, [0.2, 0.3, 0.5], "q", [1.0]), "one score for each"),
        ((WORDS, [0.2, 0.3, 0.5], "q", None, [[1.0]]), "one value vector"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        attention_step(*arguments)


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ((6, 64), ["6 queries of 64 numbers", "6 × 6 = 36 scores", "√64 = 8", "hides 15", "an output [6, 64]"]),
        ((5, 32, 16, 12, False), ["12 keys", "5 × 12 = 60 scores", "values [12, 16]", "an output [5, 16]"]),
        ((1024, 64), ["1,024 × 1,024 = 1,048,576", "hides 523,776"]),
        ((1, 1), ["1 query of 1 number", "hides 0"]),
        ((20_000, 12_288, 12_288), ["an output [20,000, 12,288]"]),
    ],
)
def test_shapes_are_said(sizes, sentence, legible):
    words = legible(dot_product_attention(*sizes))
    assert all(part in words for part in sentence)


def test_a_mask_needs_as_many_keys_as_queries():
    with pytest.raises(ValueError, match="causal=False"):
        dot_product_attention(5, 8, source_len=6)
    with pytest.raises(ValueError, match="at least 1"):
        dot_product_attention(0, 8)


@pytest.mark.parametrize("count", [2, 5, 12])
def test_half_of_the_mask_is_gray(count, legible):
    drawing = causal_mask([f" token{i}" for i in range(count)])
    words = legible(drawing)
    pairs = count * (count + 1) // 2
    assert f"of the {count**2} pairs of query and key {pairs} are allowed and {count**2 - pairs} masked" in words
    assert drawing.svg.count(">✓<") == pairs
    assert len(re.findall(f'fill="{GRID}"', drawing.svg)) == count**2 - pairs + 1  # and the one of the legend


def test_too_many_tokens_are_refused():
    with pytest.raises(ValueError, match="13 tokens: give 2 to 12"):
        causal_mask("abcdefghijklm")
