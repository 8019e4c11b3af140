"""Normalization: what each step changes and leaves, and that twice is once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.robustness.normalization import (
    drop_invisible,
    fold_width,
    join_spelled,
    lower_capitals,
    normalize_input,
)


def test_shouting_is_lowered_and_nothing_else():
    assert lower_capitals("HELLO THERE. HOW ARE YOU?\nI AM FINE") == "Hello there. How are you?\nI am fine"
    assert lower_capitals("I'M SURE I DO") == "I'm sure I do"
    for text in ("I am from the USA", "Hello", "I", "", "?!", "NASA and the ESA met"):
        assert lower_capitals(text) == text
    assert lower_capitals("OK") == "Ok"


def test_letters_of_other_widths_become_plain():
    assert fold_width("ｂａｄ ｗｏｒｄ ﬁne Ⓑ") == "bad word fine B"
    assert fold_width("café") == "café"


def test_what_nobody_sees_is_dropped():
    assert drop_invisible("b\u200ba\u200dd\ufeff w\u00adord\x00") == "bad word"
    assert drop_invisible("a\tb\nc") == "a b\nc"


def test_spelled_words_are_joined():
    assert join_spelled("you b.a.d dog") == "you bad dog"
    assert join_spelled("b-a-d b*a*d b a d") == "bad bad bad"
    for text in ("e.g. this", "at 5 a.m. or so", "x-ray", "1.2.3", "I a-m", "well-to-do"):
        assert join_spelled(text) == text


def test_all_steps_together():
    assert normalize_input("Ｂ.\u200bＡ.Ｄ") == "Bad"
    assert normalize_input("B\u200bA\u200bD DOG") == "Bad dog"
    assert normalize_input("B.A.D", [join_spelled]) == "BAD"
    with pytest.raises(TypeError, match="give one text, not list"):
        normalize_input(["a"])


@given(st.text(alphabet=st.sampled_from("abIİßÅ .-\n\u200bＡﬁ·?!é1'"), max_size=12))
def test_twice_is_once(text):
    once = normalize_input(text)
    assert normalize_input(once) == once
