"""Notebook 13: every check accepts the solution the notebook shows and names each wrong answer's own mistake.

The wrong answers stand in ``nb13_team_wrong``, ``nb13_cuts_wrong`` and ``nb13_data_wrong``.
"""

from helpers.checks import nb13
from tests.answers import nb13_cuts_wrong, nb13_data_wrong, nb13_team_wrong
from tests.answers.common import closing_tests

WRONG = {
    "training_days": nb13_data_wrong.DAYS,
    "ring_all_reduce": nb13_team_wrong.RING,
    "team_gradient": nb13_team_wrong.GRADIENT,
    "team_step": nb13_team_wrong.STEP,
    "sharded_step": nb13_cuts_wrong.SHARDED,
    "parallel_mlp": nb13_cuts_wrong.PARALLEL,
    "gpipe_schedule": nb13_cuts_wrong.SCHEDULE,
    "train": nb13_cuts_wrong.TRAIN,
    "scatter": nb13_data_wrong.SCATTER,
    "seen_before": nb13_data_wrong.SEEN,
    "mfu": nb13_data_wrong.MFU,
    "best_interval": nb13_data_wrong.INTERVAL,
    "most_held": nb13_cuts_wrong.HELD,
}

globals().update(closing_tests(nb13, "13_more_than_one_machine", WRONG))
