"""Notebook 15: every check accepts the solution the notebook shows and names each wrong answer's own mistake.

The wrong answers stand in ``nb15_votes_wrong``, ``nb15_ratings_wrong``, ``nb15_style_wrong`` and ``nb15_exercises_wrong``.
"""

import pytest

from helpers.checks import nb15
from tests.answers import nb15_exercises_wrong, nb15_ratings_wrong, nb15_style_wrong, nb15_votes_wrong
from tests.answers.common import closing_tests

WRONG = {
    "count_wins": nb15_votes_wrong.COUNT,
    "mm_step": nb15_ratings_wrong.STEP,
    "bradley_terry": nb15_ratings_wrong.RATINGS,
    "resample": nb15_votes_wrong.RESAMPLE,
    "design_matrix": nb15_style_wrong.DESIGN,
    "fit_logistic": nb15_style_wrong.FIT,
    "token_nats": nb15_style_wrong.NATS,
    "difference": nb15_exercises_wrong.DIFFERENCE,
    "self_preference": nb15_exercises_wrong.PREFERENCE,
    "elo_in_order": nb15_exercises_wrong.ELO,
}


@pytest.mark.parametrize("answer", nb15_votes_wrong.ALSO)
def test_drawing_without_replacement_is_noticed_in_other_forms(answer, capsys):
    nb15.check_resample(answer)
    assert nb15_votes_wrong.ALSO[answer] in capsys.readouterr().out


def test_a_fit_without_pinv_whose_ratings_have_the_mean_0_is_right(capsys):
    import numpy as np

    def with_a_row_of_ones(X, y):  # noqa: N803
        return nb15_style_wrong.newton(np.vstack([X, [1, 1, 1, 1, 0]]), np.append(y, 0.5))

    nb15.check_fit_logistic(with_a_row_of_ones)
    assert capsys.readouterr().out.startswith("✔ ")


globals().update(closing_tests(nb15, "15_the_arena", WRONG))
