"""Ensembles: the mean of several models' probabilities (Hansen & Salamon 1990; Lakshminarayanan et al. 2016; notebook 11).

By Jensen's inequality the mean of probabilities is never worse than the models are on average: −log of a mean is at most the
mean of −log. Averaging the *parameters* of models from different seeds is something else, and gives noise.
"""

import math
from collections.abc import Sequence

import torch
from torch import nn

from helpers.models.utils import evaluating


def mean_log_probabilities(log_p: torch.Tensor) -> torch.Tensor:
    """Return the log of the mean probability over the first axis: [M, ..., V] → [..., V]; each row still sums to 1.

    By logsumexp, because probabilities below 1e-45 would be 0 in float32. Raises ValueError when there is no model.
    """
    if not len(log_p):
        raise ValueError("there is no model to average: give one at least")
    return torch.logsumexp(log_p, dim=0) - math.log(len(log_p))


class Ensemble(nn.Module):
    """Several language models with one vocabulary, as one: ``model(ids [B, T]) -> (log p [B, T, V], None)``.

    Log-probabilities serve as logits wherever logits are asked for. It keeps no state: each call reads everything. Raises
    ValueError for no model.
    """

    ignores_left_padding = False

    def __init__(self, models: Sequence[nn.Module]):
        super().__init__()
        if not models:
            raise ValueError("there is no model to average: give one at least")
        self.models = nn.ModuleList(models)
        self.context = min((each.context for each in models if getattr(each, "context", None)), default=None)

    def forward(self, ids: torch.Tensor, state=None) -> tuple[torch.Tensor, None]:
        """Return log p [B, T, V] of the token after each, and no state."""
        parts = [model(ids)[0].float().log_softmax(-1) for model in self.models]
        sizes = {part.shape[-1] for part in parts}
        if len(sizes) > 1:
            raise ValueError(f"the models have {sorted(sizes)} tokens: only models with one vocabulary can be averaged")
        return mean_log_probabilities(torch.stack(parts)), None


@torch.no_grad()
def dropout_passes(model: nn.Module, ids: torch.Tensor, passes: int, generator_seed: int = 0) -> torch.Tensor:
    """Return log of the mean probability over passes with dropout left on, [B, T, V] (Gal & Ghahramani 2016).

    Each pass drops other units; the model's modes and torch's random state are left as they were. Raises ValueError for no
    pass, and for a model without dropout: all passes would be one.
    """
    drops = [part for part in model.modules() if isinstance(part, nn.Dropout) and part.p > 0]
    if passes < 1 or not drops:
        raise ValueError(f"{passes} passes, {len(drops)} parts that drop units: give one pass, and dropout above 0")
    with torch.random.fork_rng(), evaluating(model):
        torch.manual_seed(generator_seed)
        for part in drops:
            part.training = True
        try:
            return mean_log_probabilities(torch.stack([model(ids)[0].float().log_softmax(-1) for _ in range(passes)]))
        finally:
            for part in drops:
                part.training = False
