"""Calibration: bins, their error, a temperature that is the best, and logits of the right tokens."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from helpers.bots.bot import Bot
from helpers.robustness.calibration import (
    Bin,
    calibrated_floor,
    confidences,
    expected_calibration_error,
    fit_temperature,
    held_out_logits,
    reliability,
)
from tests import factories


def overconfident(number, factor, seed=0, classes=5):
    """Return logits that are ``factor`` times too large for the targets sampled from their softmax, and the targets."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(number, classes, generator=generator, dtype=torch.float64)
    return factor * logits, torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]


def test_the_bins_by_hand():
    table = reliability([0.05, 0.1, 0.11, 0.95, 1.0, 0.0], [0, 1, 1, 1, 0, 0])
    assert [(part.low, part.count, part.accuracy) for part in table] == [
        (0.0, 3, pytest.approx(1 / 3)),
        (0.1, 1, 1),
        (0.9, 2, 0.5),
    ]
    assert table[2] == Bin(0.9, 1.0, 2, pytest.approx(0.975), 0.5)
    error = (3 * abs(1 / 3 - 0.05) + 1 * (1 - 0.11) + 2 * abs(0.5 - 0.975)) / 6
    assert expected_calibration_error([0.05, 0.1, 0.11, 0.95, 1.0, 0.0], [0, 1, 1, 1, 0, 0]) == pytest.approx(error)
    # Weighed by how many are in a bin: a rare bin that is far off counts little.
    rare = expected_calibration_error([0.95] * 99 + [0.15], [1] * 94 + [0] * 5 + [1])
    assert rare == pytest.approx((99 * abs(94 / 99 - 0.95) + 0.85) / 100)


def test_what_is_calibrated_has_no_error():
    rng = np.random.default_rng(0)
    confidence = rng.random(40_000)
    right = rng.random(40_000) < confidence
    assert expected_calibration_error(confidence, right) < 0.01
    assert expected_calibration_error(confidence, rng.random(40_000) < confidence**2) > 0.1


def test_the_floor_is_what_chance_alone_shows():
    rng = np.random.default_rng(1)
    few, many = rng.random(100), rng.random(10_000)
    assert 0.05 < calibrated_floor(few) < 0.15 and calibrated_floor(many) < 0.02
    measured = [expected_calibration_error(few, rng.random(100) < few) for _ in range(200)]
    assert calibrated_floor(few, samples=200) == pytest.approx(np.mean(measured), rel=0.1)
    assert calibrated_floor(few) == calibrated_floor(few) != calibrated_floor(few, seed=1)
    assert calibrated_floor([1.0, 0.0]) == 0


def test_a_temperature_changes_the_confidence_and_never_the_answer():
    logits, targets = overconfident(2000, 3.0)
    (sure, right), (less, same) = (confidences(logits, targets, t) for t in (1.0, 3.0))
    assert (right == same).all() and (sure > less).all()
    assert sure[0] == pytest.approx(float(logits[0].softmax(-1).max()))
    assert expected_calibration_error(less, same) < 0.05 < expected_calibration_error(sure, right)


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_the_fitted_temperature_is_the_best(factor):
    logits, targets = overconfident(4000, factor)
    found = fit_temperature(logits, targets)
    assert found == pytest.approx(factor, rel=0.1)
    losses = [float(functional.cross_entropy(logits / t, targets)) for t in (found, found * 0.98, found * 1.02)]
    assert losses[0] < min(losses[1:])


def test_a_temperature_of_test_data_reports_its_own_fit():
    # Twenty test answers: the temperature fitted on them is too good on them, the validation's is not.
    gains = []
    for seed in range(30):
        test, validation = overconfident(20, 1.0, seed), overconfident(4000, 1.0, 1000 + seed)
        own, other = (
            functional.cross_entropy(test[0] / fit_temperature(*data), test[1]) for data in (test, validation)
        )
        gains.append(float(other - own))
    assert min(gains) >= -1e-6 and np.mean(gains) > 0.01


def test_the_logits_are_those_before_each_target(tokenizer):
    bot = Bot(factories.gpt(len(tokenizer), std=0.3, context=24), tokenizer)
    talks = [
        factories.conversation("hello there", "hi"),
        factories.conversation("a soup that is much too long to be read"),
    ]
    logits, targets = held_out_logits(bot, talks, most=1000, batch_size=2)
    rows = [[tokenizer.end, *tokenizer.encode_conversation(talk)][:25] for talk in talks]
    assert (
        sorted(targets.tolist()) == sorted(token for row in rows for token in row[1:]) and logits.dtype == torch.float32
    )
    with torch.no_grad():
        whole = [bot.model(torch.tensor([row[:-1]]))[0][0] for row in sorted(rows, key=len)]
    torch.testing.assert_close(logits, torch.cat(whole), atol=1e-4, rtol=1e-4)
    some, few = held_out_logits(bot, talks, most=7)
    assert some.shape == (7, len(tokenizer)) and few.shape == (7,)
    assert not torch.equal(held_out_logits(bot, talks, most=7, seed=1)[0], some)


def test_bad_input_is_told(tokenizer):
    with pytest.raises(ValueError, match="give one conversation at least"):
        held_out_logits(Bot(factories.gpt(len(tokenizer)), tokenizer), [])
    with pytest.raises(ValueError, match="give probabilities, not logits"):
        reliability([1.5], [True])
    with pytest.raises(ValueError, match="2 confidences, 1 answers"):
        expected_calibration_error([0.5, 0.5], [1])
    with pytest.raises(ValueError, match="0 confidences"):
        reliability([], [])
    for temperature in (0, -1, math.nan):
        with pytest.raises(ValueError, match="temperature is"):
            confidences(torch.zeros(1, 2), torch.zeros(1), temperature)
    with pytest.raises(ValueError, match="2 rows of logits and 1 targets"):
        fit_temperature(torch.zeros(2, 3), torch.zeros(1, dtype=torch.long))
