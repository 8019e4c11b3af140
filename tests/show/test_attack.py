"""Attacking a classifier with a message of one's own: the words say what happened, and every control works."""

import pytest
import torch

from helpers.robustness.hotflip import hotflip
from helpers.robustness.letter_classifier import LetterClassifier, encode_letters, predictions
from helpers.show import explore_attack
from helpers.show.attack import MOST_FLIPS, attacked_message

MESSAGE = "Do you like it?"


@pytest.fixture(scope="module")
def models():
    """Two classifiers with random weights; the first is unsure about MESSAGE, so that a few letters decide."""
    result = []
    for seed in (3, 4):
        torch.manual_seed(seed)
        model = LetterClassifier(n_embd=6, channels=12, width=3).eval()
        with torch.no_grad():
            logits = model(encode_letters([MESSAGE]))[0]
            model.head.bias -= logits - torch.tensor([0.0, 0.02])
        result.append(model)
    return {"none": result[0], "other": result[1]}


def test_the_words_say_what_happened(models):
    text = hotflip(models["none"], "do you like it", 1, 2)
    drawing = attacked_message(models["none"], MESSAGE, 2)
    assert text != "do you like it" and predictions(models["none"], [text])[0] < 0.5
    # One decimal: on another computer the same training ends with another percentage.
    words = drawing.words
    assert "“do you like it”: “question”, P(question) 0.5. 1" in words and f"“{text}”: “no question”" in words
    assert "the answer changes" in drawing.title and "its gradient" in drawing.title


def test_without_flips_nothing_happens(models):
    drawing = attacked_message(models["none"], MESSAGE, 0)
    assert "Nothing was swapped." in drawing.words and "the answer stays" in drawing.title


def test_chance_swaps_other_letters_by_its_seed(models):
    words = [attacked_message(models["none"], MESSAGE, 3, "chance", seed=seed).words for seed in (0, 0, 1)]
    assert words[0] == words[1] != words[2] and "by chance" in words[0]


def test_the_learners_own_attack_is_used(models):
    drawing = attacked_message(models["none"], MESSAGE, 1, attack=lambda model, text, label, flips: "z" + text[1:])
    assert "“zo you like it”" in drawing.words and "1 letter swapped" in drawing.words


def test_swapped_letters_are_marked(models, parse):
    drawing = attacked_message(models["none"], MESSAGE, 1, attack=lambda model, text, label, flips: "z" + text[1:])
    titles = [title for title, _ in parse(drawing.svg)]
    assert titles[0] == "letter 1: d becomes z" and len(titles) == 3  # and two bars


@pytest.mark.parametrize("message", ["", "   ", "😀 ?!", "日本"])
def test_a_message_without_letters_is_no_error(models, message, parse):
    drawing = attacked_message(models["none"], message)
    assert "write a message" in drawing.words
    parse(drawing.svg)


def test_a_long_message_is_cut_with_a_notice(models, parse):
    drawing = attacked_message(models["none"], "do you like it " * 10)
    assert "Only the first 64 letters are read." in drawing.svg
    parse(drawing.svg)


def test_bad_settings_get_a_sentence(models):
    with pytest.raises(ValueError, match="gradient or by chance, not by 'luck'"):
        attacked_message(models["none"], MESSAGE, chosen_by="luck")
    with pytest.raises(ValueError, match="0 or more"):
        attacked_message(models["none"], MESSAGE, -1)
    with pytest.raises(ValueError, match="no classifier to attack"):
        explore_attack({}, MESSAGE)


def test_every_setting_of_the_controls_draws(models, parse):
    explore = explore_attack(models, MESSAGE)
    assert set(explore.settings) == {"message", "flips", "chosen_by", "defense"}
    assert explore.settings["flips"] == 2 and explore.controls["flips"].max == MOST_FLIPS
    assert explore.words == attacked_message(models["none"], MESSAGE, 2).words
    words = set()
    for settings in explore.extremes():
        assert explore.error is None, settings
        parse(explore._picture.value)
        words.add(explore.words)
    assert len(words) >= 6  # texts, flips, choices and the two classifiers
