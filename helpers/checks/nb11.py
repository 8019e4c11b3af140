"""Checks of notebook 11, *Robust bots*; they stand in four files: texts, confidence, attack, defense."""

from helpers.checks.nb11_attack import check_embedding_gradient, check_hotflip, check_swap_scores
from helpers.checks.nb11_confidence import (
    check_expected_calibration_error,
    check_fit_temperature,
    check_mean_log_probabilities,
)
from helpers.checks.nb11_defense import check_contains_word, check_gradient_step, check_perturbed_loss
from helpers.checks.nb11_text import (
    check_keyboard_typos,
    check_letters_for_digits,
    check_lower_capitals,
    check_scrambled_words,
)

__all__ = [
    "check_contains_word",
    "check_embedding_gradient",
    "check_expected_calibration_error",
    "check_fit_temperature",
    "check_gradient_step",
    "check_hotflip",
    "check_keyboard_typos",
    "check_letters_for_digits",
    "check_lower_capitals",
    "check_mean_log_probabilities",
    "check_perturbed_loss",
    "check_scrambled_words",
    "check_swap_scores",
]
