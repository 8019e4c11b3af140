"""What learners build in notebook 11, in its text and in its exercises, does what the package does."""

from collections import Counter

import numpy as np
import pytest
import torch

from helpers.models.gpt_classifier import LabeledBatch
from helpers.robustness import adversarial_training, calibration, ensembles, filters, hotflip, noise, normalization
from helpers.robustness.letter_classifier import LetterClassifier, encode_letters
from tests.answers.solutions import run, solutions

NOTEBOOK = "11_robust_bots"
SOLUTIONS = solutions(NOTEBOOK)
TEXTS = ["do you like it", "we had 12 red cats at home", "no", "4 7"]


def solution(name):
    return run(SOLUTIONS[name], name, NOTEBOOK)


@pytest.fixture(scope="module")
def model():
    """A classifier with random weights that is unsure about TEXTS, so that a few letters decide."""
    torch.manual_seed(0)
    model = LetterClassifier(n_embd=6, channels=12, width=3).eval()
    with torch.no_grad():
        model.head.weight.mul_(20)
        model.head.bias -= model(encode_letters(TEXTS)).mean(0)
    return model


def test_typos_come_as_often_as_the_packages():
    counts = []
    for function in (solution("keyboard_typos"), noise.keyboard_typos):
        texts = [function("go to a park", np.random.default_rng(seed), 0.2) for seed in range(3000)]
        counts.append(Counter(len(text) for text in texts) + Counter({"as it was": texts.count("go to a park")}))
    for key in ("as it was", 11, 12, 13):
        assert counts[0][key] == pytest.approx(counts[1][key], abs=4.5 * counts[1][key] ** 0.5), key


@pytest.mark.parametrize(
    "text", ["HOW ARE YOU? I'M FINE.\nAND YOU", "I like NYC. OK?", "ÄRGER IST DA", "", "A", "NO!!! 100 %", "ABcd", "OK"]
)
def test_the_rule_against_shouting_is_the_packages(text):
    assert solution("lower_capitals")(text) == normalization.lower_capitals(text)


@pytest.mark.parametrize("bins", [1, 7, 10])
def test_the_calibration_error_is_the_packages(bins):
    rng = np.random.default_rng(0)
    confidence = np.concatenate([rng.random(200), [1.0, 1.0, 0.5]])
    right = rng.random(203) < 0.6
    expected = calibration.expected_calibration_error(confidence, right, bins)
    assert solution("expected_calibration_error")(confidence, right, bins) == pytest.approx(expected)


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_temperature_is_the_packages(scale):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(800, 5, generator=generator)
    targets = torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]
    expected = calibration.fit_temperature(scale * logits, targets)
    assert solution("fit_temperature")(scale * logits, targets) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("text", ["What the HELL, damn", "hello", "d.a.m.n", "", "ＤＡＭＮ"])
def test_the_filter_is_the_packages(text):
    words = ["damn", "hell"]
    assert solution("contains_word")(text, words) == filters.contains_word(text, words)
    assert solution("contains_word")(text, words, str) == filters.contains_word(text, words, str)


def test_the_gradient_of_the_input_is_the_packages(model):
    ids, targets = encode_letters(TEXTS), torch.tensor([0, 1, 1, 0])
    expected = hotflip.embedding_gradient(model, ids, targets)
    torch.testing.assert_close(solution("embedding_gradient")(model, ids, targets), expected)


def test_the_scores_of_swaps_are_the_packages(model):
    ids, gradient = encode_letters(TEXTS)[0], torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
    table = model.embed.weight.detach()
    torch.testing.assert_close(solution("swap_scores")(gradient, table, ids), hotflip.swap_scores(gradient, table, ids))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("flips", [0, 1, 3, 20])
def test_the_attack_is_the_packages(model, text, flips):
    for label in (0, 1):
        assert solution("hotflip")(model, text, label, flips) == hotflip.hotflip(model, text, label, flips)


def test_step_and_loss_are_the_packages(model):
    ids, targets = encode_letters(TEXTS), torch.tensor([0, 1, 1, 0])
    gradient = hotflip.embedding_gradient(model, ids, targets)
    step = solution("gradient_step")(gradient, 0.3, ids != 0)
    torch.testing.assert_close(step, adversarial_training.gradient_step(gradient, 0.3, ids != 0))
    batch = LabeledBatch(ids, (ids != 0).sum(1), targets)
    expected = adversarial_training.perturbed_loss(model, batch, step)
    torch.testing.assert_close(solution("perturbed_loss")(model, batch, step), expected)


def test_the_mean_of_models_is_the_packages():
    log_p = torch.randn(3, 2, 5, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    expected = ensembles.mean_log_probabilities(log_p)
    torch.testing.assert_close(solution("mean_log_probabilities")(log_p), expected)


def test_scrambling_keeps_first_and_last_letters():
    assert solution("scrambled_words")("Word, of 12 wordy!", np.random.default_rng(1)) in (
        "Word, of 12 wordy!", "Wrod, of 12 wordy!", *(f"{a}, of 12 {b}!" for a in ("Word", "Wrod") for b in
        ("wrody", "wdory", "wodry", "wrdoy", "wdroy")),
    )  # fmt: skip


def test_digits_in_words_become_letters():
    assert solution("letters_for_digits")("h3ll0, B4D, 2nd mp3 a10b d4mn") == "hell0, BAD, 2nd mp3 a10b damn"
