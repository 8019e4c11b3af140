"""What a sparse autoencoder is worth and what its features show: loss recovered, top activations, purity (notebook 10)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch.nn import functional

from helpers.corpus.batches.base import IGNORED, padded
from helpers.corpus.tokenizers.base import Tokenizer
from helpers.interpretability.sparse_autoencoder import SparseAutoencoder, reconstruct_hook
from helpers.interpretability.token_activations import BATCH, TokenActivations
from helpers.models.network import Network
from helpers.models.utils import device_of, evaluating


class LossRecovered(NamedTuple):
    """The loss of a language model in nats per token while an activation is left, rebuilt, or gone."""

    clean: float
    replaced: float  # the autoencoder's reconstruction stands in its place
    ablated: float  # the mean of the activations the autoencoder was trained on stands in its place

    @property
    def share(self) -> float:
        """The share of the loss that the reconstruction recovers: 1 when nothing is lost, 0 for the mean alone."""
        return (self.ablated - self.replaced) / (self.ablated - self.clean)


def loss_recovered(
    model: Network, autoencoder: SparseAutoencoder, name: str, rows: Sequence[Sequence[int]]
) -> LossRecovered:
    """Measure a model on ``rows`` of token ids while hook point ``name`` holds what the autoencoder makes of it.

    Take texts that the autoencoder was not trained on. Raises ValueError for no text, one without a token to predict, and as
    ``model.hooks`` does.
    """
    replacements = ({}, {name: reconstruct_hook(autoencoder)}, {name: lambda x: autoencoder.center.expand_as(x)})
    return LossRecovered(*(torch.cat(token_losses(model, rows, hooks)).mean().item() for hooks in replacements))


@torch.no_grad()
def token_losses(model: Network, rows: Sequence[Sequence[int]], hooks=None) -> list[torch.Tensor]:
    """Return −ln p of every token but the first of each row, a list of float32 [T − 1], on the CPU.

    ``hooks`` are put into the model as ``model.hooks`` does. Raises ValueError for no text and one without a token to predict.
    """
    if not rows or min(map(len, rows)) < 2:
        raise ValueError(
            "give at least one text, and each at least two tokens: the first is read, the others predicted"
        )
    order, losses = sorted(range(len(rows)), key=lambda index: len(rows[index])), {}
    with evaluating(model), model.hooks(hooks or {}):
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            ids = padded([rows[index] for index in chosen], IGNORED).to(device_of(model))
            logits = model(ids[:, :-1].clamp(min=0))[0].float()
            nats = functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none").cpu()
            losses |= {index: line[: len(rows[index]) - 1] for index, line in zip(chosen, nats)}
    return [losses[index] for index in range(len(rows))]


def token_purity(features: torch.Tensor, ids: torch.Tensor, top: int = 20) -> torch.Tensor:
    """Return for each feature which share of its ``top`` strongest tokens are one and the same token type, float32 [F].

    ``features`` are [N, F], ``ids`` [N]. NaN where a feature is above 0 at fewer than ``top`` tokens. A high purity does not
    show that a model has learned something: features of random networks are pure as well. Raises ValueError for a ``top``
    below 1 or above N.
    """
    if not 1 <= top <= len(features):
        raise ValueError(f"top is {top}: give at least 1 and at most the {len(features)} tokens there are")
    values, strongest = features.topk(top, dim=0)  # [top, F]
    types = ids[strongest].sort(dim=0).values
    run = torch.ones_like(types)  # how many of the same type stand in a row, up to here
    for row in range(1, top):
        run[row] = torch.where(types[row] == types[row - 1], run[row - 1] + 1, 1)
    purity = run.max(dim=0).values / top
    return purity.where(values[-1] > 0, torch.nan)


class TopActivation(NamedTuple):
    """A token at which a feature is strong, within its text."""

    value: float
    row: int
    position: int
    before: str
    token: str
    after: str


def top_activations(
    feature: torch.Tensor,
    acts: TokenActivations,
    tokenizer: Tokenizer,
    count: int = 10,
    before: int = 8,
    after: int = 2,
) -> list[TopActivation]:
    """Return the ``count`` tokens at which a feature [N] is strongest, the strongest first, with the tokens around them.

    ``acts`` are the activations [N, D] it was computed from; at most one token of each text is named, and none where it is
    0. Raises ValueError when there is not one value per token.
    """
    if feature.shape != acts.ids.shape:
        raise ValueError(
            f"give one value for each of the {len(acts.ids)} tokens: these have shape {list(feature.shape)}"
        )
    result, seen = [], set()
    for index in feature.argsort(descending=True, stable=True).tolist():
        row, position = int(acts.rows[index]), int(acts.positions[index])
        if len(result) == count or not feature[index] > 0:
            break
        if row in seen:
            continue
        seen.add(row)
        around = (acts.rows == row) & (acts.positions >= position - before) & (acts.positions <= position + after)
        texts = {
            int(place): tokenizer.tokens[int(token)] for place, token in zip(acts.positions[around], acts.ids[around])
        }
        left = "".join(text for place, text in texts.items() if place < position)
        right = "".join(text for place, text in texts.items() if place > position)
        result.append(TopActivation(feature[index].item(), row, position, left, texts[position], right))
    return result
