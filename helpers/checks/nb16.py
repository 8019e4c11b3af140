"""Checks of notebook 16's build cells and exercises: patches and codes, one sequence, guidance, two towers, fair controls."""

from helpers.checks.nb16_exercises import check_bayes_reading, check_nearest_mean, check_without_repeats
from helpers.checks.nb16_guidance import check_guided, check_paint
from helpers.checks.nb16_pictures import check_from_patches, check_kmeans_step, check_nearest_code, check_patches
from helpers.checks.nb16_sequence import check_caption_first
from helpers.checks.nb16_sound import check_log_spectrum
from helpers.checks.nb16_towers import check_contrastive_loss

__all__ = [
    "check_bayes_reading",
    "check_caption_first",
    "check_contrastive_loss",
    "check_from_patches",
    "check_guided",
    "check_kmeans_step",
    "check_log_spectrum",
    "check_nearest_code",
    "check_nearest_mean",
    "check_paint",
    "check_patches",
    "check_without_repeats",
]
