"""Checks of notebook 12's build cells and exercises, by section: bits, GPTQ, fewer weights, a small student, a draft."""

from helpers.checks.nb12_bits import check_pack_nibbles, check_quantize, check_scale_and_zero
from helpers.checks.nb12_draft import check_accept, check_best_look_ahead, check_residual
from helpers.checks.nb12_exercises import check_clipped_scale, check_quantize_vectors
from helpers.checks.nb12_gptq import check_gptq
from helpers.checks.nb12_weights import check_distillation_loss, check_KeepPruned, check_magnitude_mask

__all__ = [
    "check_accept",
    "check_best_look_ahead",
    "check_clipped_scale",
    "check_distillation_loss",
    "check_gptq",
    "check_KeepPruned",
    "check_magnitude_mask",
    "check_pack_nibbles",
    "check_quantize",
    "check_quantize_vectors",
    "check_residual",
    "check_scale_and_zero",
]
