"""Notebook 16: every check accepts the solution the notebook shows and names each wrong answer's own mistake.

The wrong answers stand in ``nb16_pictures_wrong``, ``nb16_sequence_wrong``, ``nb16_guidance_wrong`` and ``nb16_exercises_wrong``.
"""

from helpers.checks import nb16
from tests.answers import nb16_exercises_wrong, nb16_guidance_wrong, nb16_pictures_wrong, nb16_sequence_wrong
from tests.answers.common import closing_tests

WRONG = {
    "patches": nb16_pictures_wrong.PATCHES,
    "from_patches": nb16_pictures_wrong.FROM_PATCHES,
    "nearest_code": nb16_pictures_wrong.NEAREST,
    "kmeans_step": nb16_pictures_wrong.KMEANS,
    "caption_first": nb16_sequence_wrong.SEQUENCE,
    "guided": nb16_guidance_wrong.GUIDED,
    "paint": nb16_guidance_wrong.PAINT,
    "contrastive_loss": nb16_guidance_wrong.TOWERS,
    "log_spectrum": nb16_exercises_wrong.SPECTRUM,
    "bayes_reading": nb16_exercises_wrong.BAYES,
    "without_repeats": nb16_exercises_wrong.REPEATS,
    "nearest_mean": nb16_exercises_wrong.MEAN,
}

globals().update(closing_tests(nb16, "16_beyond_words", WRONG))
