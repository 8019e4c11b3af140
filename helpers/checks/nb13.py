"""Checks of notebook 13's build cells and exercises, by section: the ring, steps of a team, cuts, restart, data, costs."""

from helpers.checks.nb13_costs import check_best_interval, check_mfu, check_training_days
from helpers.checks.nb13_cuts import check_gpipe_schedule, check_most_held, check_parallel_mlp, check_sharded_step
from helpers.checks.nb13_data import check_scatter, check_seen_before
from helpers.checks.nb13_restart import check_train
from helpers.checks.nb13_team import check_ring_all_reduce, check_team_gradient, check_team_step

__all__ = [
    "check_best_interval",
    "check_gpipe_schedule",
    "check_mfu",
    "check_most_held",
    "check_parallel_mlp",
    "check_ring_all_reduce",
    "check_scatter",
    "check_seen_before",
    "check_sharded_step",
    "check_team_gradient",
    "check_team_step",
    "check_train",
    "check_training_days",
]
