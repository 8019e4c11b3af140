"""Checks of notebook 15's build cells and exercises: votes, ratings, intervals, style, and a program that votes."""

from helpers.checks.nb15_exercises import check_difference, check_elo_in_order, check_self_preference
from helpers.checks.nb15_likelihood import check_token_nats
from helpers.checks.nb15_ratings import check_bradley_terry, check_mm_step
from helpers.checks.nb15_style import check_design_matrix, check_fit_logistic
from helpers.checks.nb15_votes import check_count_wins, check_resample

__all__ = [
    "check_bradley_terry",
    "check_count_wins",
    "check_design_matrix",
    "check_difference",
    "check_elo_in_order",
    "check_fit_logistic",
    "check_mm_step",
    "check_resample",
    "check_self_preference",
    "check_token_nats",
]
