"""Preferences that a reward model picks from replies: the best against the worst."""

import numpy as np

from helpers.bots.reward_models import best_and_worst
from helpers.corpus.batches.base import Pair
from tests.factories import random_reward_model


def test_the_best_stands_against_the_worst_and_equal_texts_are_left_out(preference_course):
    reward, context = random_reward_model(), [2, 3, 7]
    a, b = reward.speakers[:2]
    group = [Pair(context, [b, token, a]) for token in (9, 10, 11, 12)]
    scores = reward.score(group).tolist()
    (found,) = best_and_worst([group], reward)
    assert found == (group[int(np.argmax(scores))], group[int(np.argmin(scores))])
    assert best_and_worst([[group[0], Pair(context, [b, 9, reward.end])]], reward) == []
    (second,) = best_and_worst([group[:1] * 2, group], reward)  # the second group has its own scores
    assert second == found
