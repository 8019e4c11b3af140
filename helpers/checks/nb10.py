"""Checks of notebook 10, *Looking inside*; they stand in three files: heads, the methods of the second lesson, exercises."""

from helpers.checks.nb10_exercises import check_fit_translator, check_rollout, check_token_purity
from helpers.checks.nb10_heads import check_ablate_head, check_head_outputs, check_logit_lens, check_patch_hook
from helpers.checks.nb10_methods import (
    check_control_labels,
    check_induction_score,
    check_integrated_gradients,
    check_steer_hook,
)

__all__ = [
    "check_ablate_head",
    "check_control_labels",
    "check_fit_translator",
    "check_head_outputs",
    "check_induction_score",
    "check_integrated_gradients",
    "check_logit_lens",
    "check_patch_hook",
    "check_rollout",
    "check_steer_hook",
    "check_token_purity",
]
