"""Reward model, best of n, RLHF and DPO: what is drawn is what the words say."""

import pytest
from torch import nn

from helpers.show.drawings.preferences import best_of_n, reward_model, rlhf_and_dpo, rlhf_loop


def test_the_loss_of_the_reward_model(legible):
    assert "−log σ(r_c − r_r)" in legible(reward_model())
    assert "12 parameters" in reward_model(nn.Linear(3, 3)).svg


@pytest.mark.parametrize("scores", [[1.0], [0.3, -1.2, 1.8], [0.1] * 40 + [2.0], [2.0, 2.0]])
def test_the_best_is_kept(scores, legible):
    drawing = best_of_n(scores)
    assert f"reply {scores.index(max(scores)) + 1} is kept" in legible(drawing)
    assert drawing.svg.count("kept") >= 1 and f"{len(scores)} repl" in drawing.words


def test_no_scores_are_refused():
    with pytest.raises(ValueError, match="at least one score"):
        best_of_n([])


def test_the_loop_penalizes_the_distance(legible):
    assert "(score − baseline) − β · KL" in legible(rlhf_loop())


def test_both_ways_lead_to_the_same_bot(legible):
    assert "both lead to π ∝ π_ref · e^(r/β)" in legible(rlhf_and_dpo())
