"""Noise: the same seed the same text, what is hit and how often, two generators of typos that differ."""

import numpy as np
import pytest

from helpers.robustness.noise import (
    NEIGHBORS,
    NOISES,
    keyboard_typos,
    noisy,
    random_letters,
    reversed_words,
    upper_case,
    without_spaces,
)
from tests.factories import conversation

TEXT = "Have you ever been to the ocean? I love it, and so does my dog!"


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", NOISES)
def test_the_same_seed_gives_the_same_text_and_no_text_is_emptied(name):
    noise = NOISES[name]
    assert noise(TEXT, rng(3)) == noise(TEXT, rng(3)) != TEXT
    for text in ("a", "?!", "No", " ", "é", "\n"):
        assert noise(text, rng()) and isinstance(noise(text, rng()), str)


def test_keys_stand_beside_each_other_both_ways():
    assert NEIGHBORS["g"] == "tyfhvb" and NEIGHBORS["q"] == "wa" and set(NEIGHBORS["p"]) == set("ol")
    assert all(letter in NEIGHBORS[other] for letter, near in NEIGHBORS.items() for other in near)


def test_as_many_letters_are_hit_as_the_share_says():
    text = "the quick brown fox jumps over the lazy dog " * 200
    changed = random_letters(text, rng(), 0.2)
    letters = sum(letter.isalpha() for letter in text)
    hit = sum(a != b for a, b in zip(text, changed))
    assert len(changed) == len(text) and abs(hit / letters - 0.2) < 0.02
    assert keyboard_typos(text, rng(), 0.0) == random_letters(text, rng(), 0.0) == text
    assert all(a != b for a, b in zip(text, random_letters(text, rng(), 1.0)) if a.isalpha())


def test_a_typo_is_one_of_four_kinds():
    kinds = {keyboard_typos("ab", rng(seed), 0.5) for seed in range(400)}
    assert {"ba", "b", "a", "aab", "abb"} <= kinds and "qb" in kinds and "pb" not in kinds
    assert {keyboard_typos("G", rng(seed), 1.0) for seed in range(100)} == {*NEIGHBORS["g"].upper(), "G", "GG"}


def test_the_two_generators_make_other_typos():
    text = "tomorrow " * 300
    near = sum(b in NEIGHBORS[a] for a, b in zip(text, random_letters(text, rng(), 1.0)) if a.isalpha())
    assert near / (8 * 300) < 0.3  # chance: about 5 of 25
    assert len(keyboard_typos(text, rng(), 1.0)) != len(text) == len(random_letters(text, rng(), 1.0))


def test_what_the_other_noises_do():
    assert upper_case("Are you ok?") == "ARE YOU OK?"
    assert without_spaces("Are you\n ok?") == "Areyouok?"
    assert reversed_words("Are you ok?\nYes.") == "ok? you Are\nYes."


def test_a_share_is_between_0_and_1():
    for noise in (keyboard_typos, random_letters):
        with pytest.raises(ValueError, match="share is 20: give the share of letters"):
            noise(TEXT, rng(), 20)


def test_a_conversation_keeps_its_turns():
    talk = conversation("Hello you", "Hi there", "Fine day")
    changed = noisy(talk, upper_case, rng(), "A")
    assert [turn.text for turn in changed.turns] == ["HELLO YOU", "Hi there", "FINE DAY"]
    assert [turn.text for turn in noisy(talk, upper_case, rng()).turns] == ["HELLO YOU", "HI THERE", "FINE DAY"]
    assert changed.id == talk.id and [turn.speaker for turn in changed.turns] == ["A", "B", "A"]
    with pytest.raises(ValueError, match="speaker 'C' says nothing"):
        noisy(talk, upper_case, rng(), "C")
