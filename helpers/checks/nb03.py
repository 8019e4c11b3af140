"""Checks of notebook 03, *Encoder, decoder, attention*; they stand in three files: networks, attention, searches."""

from helpers.checks.nb03_attention import check_Attention, check_decoder_step
from helpers.checks.nb03_networks import check_OneVector
from helpers.checks.nb03_search import check_beam_search, check_mmi_order, check_sibling_penalty

__all__ = [
    "check_Attention",
    "check_OneVector",
    "check_beam_search",
    "check_decoder_step",
    "check_mmi_order",
    "check_sibling_penalty",
]
