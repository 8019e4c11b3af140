"""Induction heads: two heads, one behind the other, that copy what once followed (Olsson et al. 2022; notebook 10).

The first attends to the token before, so that each token's vector says what it follows. The second, a layer later, looks for the
tokens that followed the present one earlier, and predicts that they come again: … A B … A → B.
"""

import torch
from torch.nn import functional

from helpers.models.network import Network
from helpers.models.utils import evaluating


def previous_token_score(pattern: torch.Tensor) -> torch.Tensor:
    """Return how much each head attends to the token before, float32 [n_head]: 1 for a head that does nothing else.

    ``pattern`` are attention weights [B, n_head, T, T], the queries in the last dimension but one; the first query, which has
    no token before it, does not count. Raises ValueError for another shape, or fewer than two tokens.
    """
    _check(pattern, 1)
    return pattern.diagonal(-1, dim1=2, dim2=3).float().mean(dim=(0, 2))


def induction_score(pattern: torch.Tensor, period: int) -> torch.Tensor:
    """Return how much each head attends to the token *after* the present one's last occurrence, float32 [n_head].

    ``pattern`` are attention weights [B, n_head, T, T] over rows that repeat after ``period`` tokens: a query t from the
    second time on counts, and its key is t − period + 1. Raises ValueError for another shape, or no token of a second time.
    """
    if period < 2:
        raise ValueError(
            f"the period is {period}: give at least 2, or the token after the last occurrence is the present one"
        )
    _check(pattern, period)
    return pattern.diagonal(1 - period, dim1=2, dim2=3)[..., 1:].float().mean(dim=(0, 2))


@torch.no_grad()
def copying_losses(model: Network, ids: torch.Tensor, period: int) -> tuple[float, float]:
    """Return the mean loss in nats where ``ids`` [B, T + 1] cannot be predicted by copying, and where they can.

    The first is that of the tokens the first time, the second that of all repetitions but the very first token that is
    repeated: before it nothing has come twice. Raises ValueError when no such token is left.
    """
    if not 2 <= period <= ids.shape[1] - 2:
        raise ValueError(f"the rows have {ids.shape[1]} tokens: with a period of {period} there is nothing to copy")
    with evaluating(model):
        logits = model(ids[:, :-1])[0].float()
    nats = functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
    return nats[:, : period - 1].mean().item(), nats[:, period:].mean().item()


@torch.no_grad()
def head_scores(model: Network, ids: torch.Tensor, period: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the previous-token scores and the induction scores of all heads, float32 [n_layer, n_head] each.

    ``ids`` [B, T] are rows that repeat after ``period`` tokens (``helpers.corpus.batches.repeated_sequences``). Raises
    ValueError as ``induction_score`` does.
    """
    names = [f"blocks.{layer}.attention.hook_pattern" for layer in range(len(model.blocks))]
    with evaluating(model):
        _, cache = model.run_with_cache(ids, names=names)
    previous = torch.stack([previous_token_score(cache[name]) for name in names])
    return previous, torch.stack([induction_score(cache[name], period) for name in names])


def _check(pattern: torch.Tensor, distance: int) -> None:
    if pattern.ndim != 4 or pattern.shape[2] != pattern.shape[3]:
        raise ValueError(f"give attention weights [B, n_head, T, T]; these have shape {list(pattern.shape)}")
    if pattern.shape[2] <= distance:
        raise ValueError(f"the rows have {pattern.shape[2]} tokens: none comes {distance} after another")
