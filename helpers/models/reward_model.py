"""A reward model: a GPT that no longer predicts what comes next, but scores how good a reply was (built in notebook 09).

It reads a context and a reply and gives one number, read at the token where the partner is about to answer: there the GPT
has all of the reply in one vector (Stiennon et al. 2020 read at the last token, too).
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from helpers.corpus.batches.base import Pair, padded
from helpers.models.gpt import GPT
from helpers.models.lora import add_lora, fingerprint, read_adapter, write_adapter
from helpers.models.network import Network
from helpers.models.utils import device_of, evaluating

BATCH = 128  # replies scored side by side
TRAINED = (".A", ".B")  # the last parts of LoRA's names
OWN = ("head.weight", "mean", "std")


class RewardModel(Network):
    """A copy of a GPT with thin matrices beside it (LoRA) and, in place of the scores for tokens, one for the reply.

    ``model`` is copied and stays as it is. ``rank`` and ``alpha`` are LoRA's; rank 0 trains the head alone. ``speakers``,
    ``pad`` and ``end`` are the tokenizer's numbers (``special_token_ids``). The score begins as 0 for
    everything; a difference of d says that the better reply wins with probability σ(d) (Bradley & Terry 1952), until
    ``standardize`` gives it the unit "standard deviations of the scores of these replies".
    """

    def __init__(self, model: GPT, rank: int = 8, alpha: float = 16.0, *, speakers, pad: int, end: int):
        super().__init__()
        self.speakers, self.pad, self.end = tuple(speakers), pad, end
        self.rank, self.alpha = rank, alpha
        self.backbone = copy.deepcopy(model).requires_grad_(False)
        # The features that words would be chosen from, as they are: no scores for words, and nothing squeezed.
        self.backbone.settings = replace(model.settings, logit_cap=0.0, tied=False)
        self.backbone.head = nn.Identity()
        self.base = fingerprint(self.backbone.named_parameters())
        if rank:
            add_lora(self.backbone, rank, alpha)
        self.head = nn.Linear(model.settings.n_embd, 1, bias=False)
        nn.init.zeros_(self.head.weight)
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("std", torch.ones(()))
        self.to(device_of(model))

    def features(self, ids: torch.Tensor, last: torch.Tensor, padding: torch.Tensor | None = None) -> torch.Tensor:
        """Return the GPT's features after token ``last[b]`` of each row ``ids`` [B, T]: [B, n_embd].

        ``padding`` [B] counts the padding at the rows' beginnings; what comes after ``last`` changes nothing.
        """
        features, _ = self.backbone(ids, None, padding)
        return features[torch.arange(len(ids), device=ids.device), last]

    def forward(self, ids: torch.Tensor, last: torch.Tensor, padding: torch.Tensor | None = None) -> torch.Tensor:
        """Return the scores [B] of the rows ``ids`` [B, T], read after token ``last[b]``."""
        return (self.head(self.features(ids, last, padding))[:, 0].float() - self.mean) / self.std

    def rows(self, pairs: Sequence[Pair]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the pairs as rows: ids int64 [B, T], padded at the end, and the position of each one's last token [B].

        See ``with_closing_token``. Raises ValueError for a reply without any text.
        """
        rows = self._closed(pairs)
        device = self.head.weight.device
        return padded(rows, self.pad).to(device), torch.tensor([len(row) - 1 for row in rows], device=device)

    def with_closing_token(self, pair: Pair) -> list[int]:
        """Return context and reply as one list that ends with the partner's token, whatever the reply ended with.

        The score is asked for when it is the partner's turn; a partner could go on from here. A's partner is B, that of all
        others is A.
        """
        reply = list(pair.reply)
        if len(reply) > 1 and reply[-1] in (*self.speakers, self.end):
            reply.pop()
        return [*pair.context, *reply, self.speakers[1] if reply[0] == self.speakers[0] else self.speakers[0]]

    def _closed(self, pairs: Sequence[Pair]) -> list[list[int]]:
        rows = [self.with_closing_token(pair) for pair in pairs]
        for number, (pair, row) in enumerate(zip(pairs, rows)):
            if len(row) < len(pair.context) + 3:  # the speaker's token, some text, the partner's token
                raise ValueError(f"reply {number} is empty: there is nothing in it to score")
        return rows

    @torch.no_grad()
    def score(self, pairs: Sequence[Pair]) -> torch.Tensor:
        """Return the scores of replies, float32 [N] on the CPU, without dropout. Raises ValueError for an empty reply."""
        return self._each(pairs, self.forward, (0,))

    @torch.no_grad()
    def read(self, pairs: Sequence[Pair]) -> torch.Tensor:
        """Return the features of replies, float32 [N, n_embd] on the CPU: all that a head on frozen features can see."""
        return self._each(pairs, self.features, (0, self.head.in_features))

    def _each(self, pairs: Sequence[Pair], function: Callable, empty: tuple[int, ...]) -> torch.Tensor:
        """Return what ``function`` gives for each pair, in batches of similar length; zeros of shape ``empty`` for none."""
        self._closed(pairs)
        lengths = torch.tensor([len(pair.context) + len(pair.reply) for pair in pairs])
        order, results = lengths.argsort(stable=True), [torch.zeros(empty)]
        with evaluating(self):
            for part in order.split(BATCH):
                results.append(function(*self.rows([pairs[index] for index in part.tolist()])).float().cpu())
        return torch.cat(results)[order.argsort()]

    def standardize(self, pairs: Sequence[Pair]) -> RewardModel:
        """Give the scores of these replies mean 0 and standard deviation 1, in place; two of them at least."""
        with torch.no_grad():
            self.mean.zero_(), self.std.fill_(1.0)
            scores = self.score(pairs)
            self.mean.copy_(scores.mean()), self.std.copy_(scores.std().clamp(min=1e-6))
        return self

    # --- a small file: what was trained, and a fingerprint of the frozen model it belongs to -----------------------------

    def save(self, path: str | os.PathLike) -> Path:
        """Write what was trained, in 16 bits, to a safetensors file and return its path: a difference, not a model."""
        tensors = {name: value.half() if value.ndim else value.float() for name, value in self._trained().items()}
        return write_adapter(path, tensors, {"r": self.rank, "lora_alpha": self.alpha, "base": self.base})

    @classmethod
    def load(cls, path: str | os.PathLike, model: GPT, **special_token_ids) -> RewardModel:
        """Return the reward model of a file that ``save`` wrote, beside ``model``; ``special_token_ids`` as for the class.

        Raises ValueError when the file is missing, damaged, or was trained beside another model.
        """
        tensors, config = read_adapter(path, "a reward model", ("r", "lora_alpha", "base"))
        loaded = cls(model, config["r"], config["lora_alpha"], **special_token_ids)
        parts = loaded._trained()
        if loaded.base != config["base"] or set(parts) != set(tensors):
            raise ValueError(f"{Path(path).name} was trained beside another model: give it the one it belongs to")
        for name, part in parts.items():
            part.copy_(tensors[name])
        return loaded.eval()

    def _trained(self) -> dict[str, torch.Tensor]:
        return {name: value for name, value in self.state_dict().items() if name.endswith(TRAINED) or name in OWN}
