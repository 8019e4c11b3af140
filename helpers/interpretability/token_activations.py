"""The activations of a model at every token of many texts, with what each token is and where it stands (notebook 10)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch

from helpers.corpus.batches.base import padded
from helpers.corpus.conversations import Conversation
from helpers.corpus.tokenizers.base import Tokenizer
from helpers.models.network import Network
from helpers.models.utils import device_of, evaluating

BATCH = 32  # texts read side by side


class TokenActivations(NamedTuple):
    """An activation for each of N tokens, on the CPU."""

    values: torch.Tensor  # float32 [N, D]
    ids: torch.Tensor  # int64 [N] the token that has just been read
    rows: torch.Tensor  # int64 [N] which text it is in
    positions: torch.Tensor  # int64 [N] where in that text, from 0

    def where(self, mask: torch.Tensor) -> "TokenActivations":
        """Return the tokens that ``mask`` [N] (bool, or indices) names."""
        return TokenActivations(*(part[mask] for part in self))


def text_rows(tokenizer: Tokenizer, conversations: Iterable[Conversation], length: int = 256) -> list[list[int]]:
    """Return ``<end>`` and the first ``length`` − 1 tokens of each conversation, a list of ids for each."""
    if length < 2:
        raise ValueError(f"length is {length}: give at least 2, a token to begin with and one to read")
    return [[tokenizer.end, *tokenizer.encode_conversation(talk)[: length - 1]] for talk in conversations]


@torch.no_grad()
def token_activations(model: Network, rows: Sequence[Sequence[int]], name: str, first_row: int = 0) -> TokenActivations:
    """Read ``rows`` of token ids, each from its beginning, and return what hook point ``name`` held at every token.

    The hook point gives [B, T, D], such as "blocks.1.hook_resid_post"; of "hook_z" [B, n_head, T, D] the heads stand side by
    side, [N, n_head · D]. Texts are numbered from ``first_row`` on, so that two sets can be told apart. Raises ValueError for
    no text, an empty one, a name that no hook point has, or one that holds no vector per token.
    """
    if not rows or not all(len(row) for row in rows):
        raise ValueError("give at least one text, and each at least one token")
    order, parts = sorted(range(len(rows)), key=lambda index: len(rows[index])), {}
    with evaluating(model):
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            ids = padded([rows[index] for index in chosen], 0).to(
                device_of(model)
            )  # no model looks ahead at the padding
            held = model.run_with_cache(ids, names=[name])[1].get(name)
            parts |= dict(zip(chosen, _vectors(held, ids.shape, name)))
    lengths = torch.tensor([len(row) for row in rows])
    return TokenActivations(
        torch.cat([parts[index][: len(row)] for index, row in enumerate(rows)]),
        torch.cat([torch.as_tensor(row, dtype=torch.int64) for row in rows]),
        torch.arange(len(rows)).repeat_interleave(lengths) + first_row,
        torch.cat([torch.arange(length) for length in lengths.tolist()]),
    )


def _vectors(held: torch.Tensor | None, shape: torch.Size, name: str) -> torch.Tensor:
    """Return the activation as [B, T, D], float32, on the CPU."""
    if held is not None and name.endswith("hook_z"):
        held = held.transpose(1, 2).flatten(2)
    if held is None or held.ndim != 3 or held.shape[:2] != shape:
        raise ValueError(f"{name} does not hold one vector per token: take one such as blocks.0.hook_resid_post")
    return held.float().cpu()
