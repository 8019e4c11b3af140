"""Ratings: best first, with the ends of their intervals in words; what is no bot is marked."""

import pytest

from helpers.show import ratings
from tests.show.legible import problems


def listed(n):
    values = [100.0 - 10 * i for i in range(n)]
    return ratings([f"bot {i}" for i in range(n)], values, [v - 5 for v in values], [v + 5 for v in values], "Many")


def test_the_words_are_recorded(parse):
    drawing = ratings(
        ["rnn", "gpt", "a person"],
        [-236.4, 197, -0.3],
        [-290, 140, -60],
        [-180, 240, 55],
        "Who wins?",
        highlight=["a person"],
    )
    parse(drawing.svg)
    assert drawing.words == (
        "Who wins? Ratings in Elo, best first, with 95 % intervals: gpt 197 (140 to 240); a person 0 (−60 to 55); "
        "rnn −236 (−290 to −180)."
    )
    assert "Square: no bot" in drawing.svg and "Square" not in listed(2).svg


def test_without_a_rating_it_stands_last():
    drawing = ratings(
        ["a", "b"], [float("nan"), 0.254], [0, 0.1], [0, 0.3], "Two", unit="nats", decimals=2, reference=None
    )
    assert drawing.words == "Two. Ratings in nats, best first, with 95 % intervals: b 0.25 (0.10 to 0.30); a no rating."


@pytest.mark.parametrize("n", [1, 16, 17, 40, 60])
def test_every_length_is_legible(n, parse):
    drawing = listed(n)
    parse(drawing.svg)
    assert problems(drawing.svg) == []
    assert drawing.words.count(" to ") == (n if n <= 16 else 11)
    assert (f"{n - 11} more; last bot {n - 1}" in drawing.words) == (n > 16)
    assert ("Only the first 40 of 60 ratings are drawn." in drawing.words) == (n > 40)


def test_one_value_without_width_is_drawn(parse):
    for values in ([0.0], [1e-9], [12345.678], [float("nan")]):
        drawing = ratings(["a name that is far too long for its column"], values, values, values, "One")
        parse(drawing.svg)
        assert problems(drawing.svg) == []


def test_a_square_is_drawn_for_what_is_no_bot():
    plain, marked = (ratings(["a", "b"], [1, 2], [0, 1], [2, 3], "Two", highlight=high).svg for high in ((), ("a",)))
    assert (
        marked.count("<circle") == 1 == plain.count("<circle") - 1 and marked.count("<rect") == plain.count("<rect") + 1
    )


def test_what_is_no_interval_is_refused():
    with pytest.raises(ValueError, match="a name, a value and both ends"):
        ratings(["a"], [1, 2], [0], [2], "x")
    with pytest.raises(ValueError, match="at least one"):
        ratings([], [], [], [], "x")
    for low, high in ((2, 1), (0, float("inf")), (float("nan"), 1)):
        with pytest.raises(ValueError, match="the interval of 'a' goes from .* give finite ends, the lower one as low"):
            ratings(["a"], [1], [low], [high], "x")
