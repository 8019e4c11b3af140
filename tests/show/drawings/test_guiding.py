"""Guidance, two towers, reading by Bayes: every number is computed, every size is legible."""

import math

import pytest
import torch
from torch.nn import functional

from helpers.show.drawings.guiding import bayes_reading, guidance, two_towers


def shares(logits):
    return [f"{share:.0%}" for share in torch.tensor(logits).softmax(0).tolist()]


def test_guidance_is_that_of_the_package(legible):
    from helpers.generation.multimodal import guided

    c, u = [2.0, 1.6, 0.2], [2.6, 0.2, 0.4]
    words = legible(guidance(c, u, 2.0, 0.5, ["a", "b", "c"]))
    mixed = (guided(torch.tensor(c), torch.tensor(u), 2.0) / 0.5).tolist()
    rows = list(zip(shares([2 * x for x in u]), shares([2 * x for x in c]), shares(mixed)))
    for name, row in zip("abc", rows):
        assert f"{name} {', '.join(row)}, " in words


def test_the_colder_one_is_as_peaked_as_the_guided_one():
    words = guidance([2.0, 1.6, 0.2], [2.6, 0.2, 0.4], 3.0, 1.0, ["a", "b", "c"]).words
    columns = [row.split("%") for row in words.partition("have: ")[2].partition(". Guidance")[0].split("; ")]
    numbers = [[int(cell.split()[-1]) for cell in row[:4]] for row in columns]
    assert max(row[2] for row in numbers) == max(row[3] for row in numbers)
    assert numbers[1][2] > 90 and numbers[0][3] > 90  # guided to another token than the likeliest


@pytest.mark.parametrize("count", [2, 8])
def test_every_number_of_tokens_is_legible(count, legible):
    for w in (0, 1, 12.5):
        legible(guidance(list(range(count)), [-x for x in range(count)], w, 0.3, ["a name that is long"] * count))
    legible(guidance([0] * count, [0] * count))


@pytest.mark.parametrize("n", [2, 3, 6])
def test_every_batch_is_legible(n, legible):
    rng = torch.Generator().manual_seed(n)
    cosines = torch.rand(n, n, generator=rng) * 2 - 1
    legible(two_towers(cosines, [f"medium right-leaning three {i}" for i in range(n)], 1.0))
    legible(two_towers(torch.eye(n), ["x"] * n))


def test_the_loss_is_the_cross_entropy_both_ways():
    cosines = torch.tensor([[0.9, 0.2, -0.1], [0.3, 0.5, 0.4], [0.0, 0.1, 0.7]])
    right = torch.arange(3)
    loss = (functional.cross_entropy(cosines / 0.2, right) + functional.cross_entropy(cosines.T / 0.2, right)) / 2
    words = two_towers(cosines, ["a", "b", "c"], 0.2).words
    assert f"{loss:.2f} nats; by chance it is 1.10." in words
    assert f"a {(cosines / 0.2).softmax(1)[0, 0]:.0%} and {(cosines / 0.2).softmax(0)[0, 0]:.0%}" in words


def test_equal_captions_are_marked():
    drawing = two_towers(torch.eye(3), ["a", "b", "a"])
    assert (
        "1 pair of equal captions: the loss calls them wrong" in drawing.words and "Red: equal captions" in drawing.svg
    )
    assert "equal captions" not in two_towers(torch.eye(3), ["a", "b", "c"]).svg


def test_the_posterior_is_that_of_bayes(legible):
    words = legible(bayes_reading(["one", "two"], [-10.0, -11.0]))
    assert f"the best is “one” with {1 / (1 + math.exp(-1)):.0%} (−10.0 nats). All captions are equally likely" in words
    words = legible(bayes_reading(["one", "two"], [-10.0, -11.0], [0.1, 0.9]))
    assert f"the best is “two” with {9 / (9 + math.e):.0%} (−11.0 nats). The captions are not equally likely" in words


@pytest.mark.parametrize("n", [2, 12])
def test_every_number_of_captions_is_legible(n, legible):
    legible(bayes_reading(["medium right-leaning three"] * n, [-1234.5] * n))
    legible(bayes_reading(["x"] * n, [-i for i in range(n)], range(1, n + 1)))


def test_what_cannot_be_drawn_is_said():
    for call, sentence in (
        (lambda: guidance([1], [1]), "1 and 1 logits: give as many of both, 2 to 8"),
        (lambda: guidance([1, 2], [1, 2, 3]), "2 and 3 logits"),
        (lambda: guidance([1, 2], [1, 2], temperature=0), "a temperature is positive, not 0"),
        (lambda: guidance([1, 2], [1, 2], names=["a"]), "one name for each of the 2 tokens"),
        (lambda: two_towers(torch.zeros(7, 7), ["x"] * 7), "7 rows cannot be drawn"),
        (lambda: two_towers(torch.zeros(2, 3), ["x"] * 2), "a square table of 2 to 6"),
        (lambda: two_towers(torch.ones(2, 2) * 9, ["x"] * 2), "normalize both vectors first"),
        (lambda: two_towers(torch.eye(2), ["x"]), "one caption for each of the 2 columns"),
        (lambda: two_towers(torch.eye(2), ["x", "y"], -1), "a temperature is positive, not -1"),
        (lambda: bayes_reading(["a"], [1]), "give as many of both, 2 to 12"),
        (lambda: bayes_reading(["a", "b"], [1, 2], [1, 0]), "one positive probability for each of the 2"),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()
