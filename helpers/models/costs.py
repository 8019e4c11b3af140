"""What a GPT costs: parameters, floating-point operations, bytes of memory, days on a GPU (built in notebook 06).

Published sizes are those of Radford et al. 2018 and 2019 and of Brown et al. 2020 (arXiv:2005.14165, tables 2.1 and D.1).
Nothing here needs the memory that such a model would need: only shapes are created.
"""

from typing import NamedTuple

import torch

from helpers.models.gpt import GPT, GPTConfig

DAY = 86_400  # seconds
PETAFLOP_DAY = 1e15 * DAY
BYTES_TRAINING = 16  # a parameter: 2 + 2 in 16 bits for itself and its gradient, 3 × 4 for the optimizer's exact copies


class Published(NamedTuple):
    """A GPT that was described in public; None where its makers did not say."""

    name: str
    year: int
    config: GPTConfig
    parameters: float  # as stated
    tokens: float | None  # read in training
    flops: float | None  # spent in training, as stated


PUBLISHED = {
    model.name: model
    for model in (
        Published("GPT-2 small", 2019, GPTConfig(50_257, 1024, n_embd=768, n_layer=12, n_head=12), 124e6, None, None),
        Published("GPT-2", 2019, GPTConfig(50_257, 1024, n_embd=1600, n_layer=48, n_head=25), 1.5e9, None, None),
        Published("GPT-3", 2020, GPTConfig(50_257, 2048, n_embd=12_288, n_layer=96, n_head=96), 175e9, 300e9, 3.14e23),
    )
}


def parameter_count(config: GPTConfig) -> int:
    """Return how many numbers a GPT of this configuration learns, without making room for any of them."""
    with torch.device("meta"):  # tensors with a shape and nothing in them
        return GPT(config).parameter_count()


def training_flops(parameters: float, tokens: float) -> float:
    """Return the additions and multiplications of a training, about 6 · N · D (Kaplan et al. 2020, section 2.1).

    Each parameter is multiplied and added once a token on the way forward (2), and twice that on the way back (4). The
    products of attention itself are left out: for the models here they are a few per cent.
    """
    return 6 * parameters * tokens


def training_bytes(parameters: float) -> float:
    """Return the bytes that parameters, gradients and Adam's two averages fill in mixed precision (Rajbhandari et al. 2019).

    Activations come on top; they depend on the batch.
    """
    return BYTES_TRAINING * parameters


def cache_bytes(config: GPTConfig, tokens: int, bytes_per_number: int = 2) -> int:
    """Return the bytes of keys and values that a GPT keeps of so many tokens: with fewer heads of them, fewer bytes."""
    return 2 * config.n_layer * config.kv_heads * config.head_size * tokens * bytes_per_number


def gpu_days(flops: float, peak: float, used: float = 0.35) -> float:
    """Return the days one processor needs that can do ``peak`` FLOP a second and really does the share ``used`` of it.

    Raises ValueError when ``peak`` is not above 0 or ``used`` is no share.
    """
    if not peak > 0 or not 0 < used <= 1:
        raise ValueError(f"give a peak above 0 and a share from 0 to 1, not {peak} and {used}")
    return flops / (peak * used) / DAY
