"""Notebook 12: every check accepts the solution the notebook shows and names each wrong answer's own mistake.

The wrong answers stand in ``nb12_bits_wrong`` and ``nb12_smaller_wrong``.
"""

from helpers.checks import nb12
from tests.answers import nb12_bits_wrong, nb12_smaller_wrong
from tests.answers.common import closing_tests

WRONG = {
    "scale_and_zero": nb12_bits_wrong.SCALES,
    "quantize": nb12_bits_wrong.MATRIX,
    "pack_nibbles": nb12_bits_wrong.NIBBLES,
    "gptq": nb12_bits_wrong.GPTQ,
    "magnitude_mask": nb12_smaller_wrong.MASK,
    "KeepPruned": nb12_smaller_wrong.KEEP,
    "distillation_loss": nb12_smaller_wrong.DISTILL,
    "residual": nb12_smaller_wrong.RESIDUAL,
    "accept": nb12_smaller_wrong.ACCEPT,
    "clipped_scale": nb12_smaller_wrong.CLIPPED,
    "quantize_vectors": nb12_smaller_wrong.CACHE,
    "best_look_ahead": nb12_smaller_wrong.LOOK_AHEAD,
}

globals().update(closing_tests(nb12, "12_smaller_and_faster", WRONG))
