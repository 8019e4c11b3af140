"""A reward model: a GPT that no longer says what comes next, but how good it was (built in notebook 09).

It reads a context and a reply and gives one number, read at the token where the partner is about to answer: there the GPT
has all of the reply in one vector (Stiennon et al. 2020 read at the last token, too).
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers.corpus.batches.context_reply_pairs import Pair
from helpers.models.gpt import GPT
from helpers.models.lora import LoRALinear, add_lora
from helpers.models.utils import device_of, evaluating

BATCH = 128  # replies scored side by side
TRAINED = ("A", "B", "head.weight", "mean", "spread")  # the last parts of the names that a file holds


class RewardModel(nn.Module):
    """A copy of a GPT with thin matrices beside it (LoRA) and, in place of the scores for tokens, one for the reply.

    ``model`` is copied and stays as it is. ``rank`` and ``alpha`` are LoRA's; rank 0 trains the score alone. ``speakers``,
    ``pad`` and ``end`` are the tokenizer's numbers (``helpers.models.encoder_decoder.marks``). The score begins as 0 for
    everything; a difference of d says that the better reply wins with probability σ(d) (Bradley & Terry 1952), until
    ``standardize`` gives it the unit "spreads of the scores of these replies".
    """

    def __init__(self, model: GPT, rank: int = 8, alpha: float = 16.0, *, speakers, pad: int, end: int):
        super().__init__()
        self.speakers, self.pad, self.end = tuple(speakers), pad, end
        self.rank, self.alpha = rank, alpha
        self.reader = copy.deepcopy(model).requires_grad_(False)
        # What the words would be chosen from, as it is: no scores for words, and nothing squeezed.
        self.reader.settings = replace(model.settings, logit_cap=0.0, tied=False)
        self.reader.head = nn.Identity()
        if rank:
            add_lora(self.reader, rank, alpha)
        self.head = nn.Linear(model.settings.width, 1, bias=False)
        nn.init.zeros_(self.head.weight)
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("spread", torch.ones(()))
        self.to(device_of(model))

    def features(self, ids: torch.Tensor, last: torch.Tensor, padding: torch.Tensor | None = None) -> torch.Tensor:
        """Return what the GPT has after token ``last[b]`` of each row ``ids`` [B, T]: [B, width].

        ``padding`` [B] counts the padding at the rows' beginnings; what comes after ``last`` changes nothing.
        """
        shown, _ = self.reader(ids, None, padding)
        return shown[torch.arange(len(ids), device=ids.device), last]

    def forward(self, ids: torch.Tensor, last: torch.Tensor, padding: torch.Tensor | None = None) -> torch.Tensor:
        """Return the scores [B] of the rows ``ids`` [B, T], read after token ``last[b]``."""
        return (self.head(self.features(ids, last, padding))[:, 0].float() - self.mean) / self.spread

    def rows(self, pairs: Sequence[Pair]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the pairs as rows: ids int64 [B, T], padded at the end, and the place of each one's last token [B].

        See ``closed``. Raises ValueError for a reply without any text.
        """
        self._check(pairs)
        rows = [self.closed(pair) for pair in pairs]
        ids = torch.full((len(rows), max(map(len, rows), default=1)), self.pad)
        for line, row in zip(ids, rows):
            line[: len(row)] = torch.tensor(row)
        device = self.head.weight.device
        return ids.to(device), torch.tensor([len(row) - 1 for row in rows], device=device)

    def closed(self, pair: Pair) -> list[int]:
        """Return context and reply as one list that ends with the partner's token, whatever the reply ended with.

        The score is asked for when it is the partner's turn; a partner could go on from here. A's partner is B, everybody
        else's is A.
        """
        said = list(pair.reply)
        if len(said) > 1 and said[-1] in (*self.speakers, self.end):
            said.pop()
        return [*pair.context, *said, self.speakers[1] if said[0] == self.speakers[0] else self.speakers[0]]

    def _check(self, pairs: Sequence[Pair]) -> None:
        for place, pair in enumerate(pairs):
            if len(self.closed(pair)) < len(pair.context) + 3:  # the speaker's token, some text, the partner's token
                raise ValueError(f"reply {place} is empty: there is nothing in it to score")

    @torch.no_grad()
    def score(self, pairs: Sequence[Pair]) -> torch.Tensor:
        """Return the scores of replies, float32 [N] on the CPU, without dropout. Raises ValueError for an empty reply."""
        return self._each(pairs, self.forward, (0,))

    @torch.no_grad()
    def read(self, pairs: Sequence[Pair]) -> torch.Tensor:
        """Return the features of replies, float32 [N, width] on the CPU: all that a head on frozen features can see."""
        return self._each(pairs, self.features, (0, self.head.in_features))

    def _each(self, pairs, what, shape) -> torch.Tensor:
        self._check(pairs)
        order = sorted(range(len(pairs)), key=lambda place: len(pairs[place].context) + len(pairs[place].reply))
        found = []
        with evaluating(self):
            for start in range(0, len(order), BATCH):
                ids, last = self.rows([pairs[place] for place in order[start : start + BATCH]])
                found.append(what(ids, last).float().cpu())
        result = torch.cat(found) if found else torch.zeros(shape)
        return result[torch.tensor(order).argsort()] if found else result

    def standardize(self, pairs: Sequence[Pair]) -> RewardModel:
        """Make the scores of these replies 0 on average, with a spread of 1, in place; two of them at least."""
        with torch.no_grad():
            self.mean.zero_(), self.spread.fill_(1.0)
            scores = self.score(pairs)
            self.mean.copy_(scores.mean()), self.spread.copy_(scores.std().clamp(min=1e-6))
        return self

    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())

    # --- a small file: what was trained, and a fingerprint of what it lies beside ------------------------------------

    def save(self, path: str | os.PathLike) -> Path:
        """Write what was trained, in 16 bits, to a safetensors file and return its path: a difference, not a model."""
        from safetensors.numpy import save

        arrays = {name: value.detach().cpu().numpy() for name, value in self._trained().items()}
        arrays = {name: array.astype(np.float16 if array.ndim else np.float32) for name, array in arrays.items()}
        about = {"rank": self.rank, "alpha": self.alpha, "beside": self._beside(), "sha256": _hash(arrays)}
        path, fresh = Path(path), Path(path).with_name(f".{Path(path).name}.new")
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(save(arrays, {"reward": json.dumps(about)}))
        return fresh.replace(path)

    @classmethod
    def load(cls, path: str | os.PathLike, model: GPT, **marks) -> RewardModel:
        """Return the reward model of a file that ``save`` wrote, beside ``model``; ``marks`` as for the class.

        Raises ValueError when the file is missing, damaged, or was trained beside another model.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="np") as file:
                about = json.loads((file.metadata() or {})["reward"])
                arrays = {name: file.get_tensor(name) for name in file.keys()}
            if about["sha256"] != _hash(arrays):
                raise ValueError("its numbers are not the ones that were saved")
            made = cls(model, about["rank"], about["alpha"], **marks)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{Path(path).name} is no file of a reward model, or damaged: {error}") from None
        parts = made._trained()
        if made._beside() != about["beside"] or set(parts) != set(arrays):
            raise ValueError(f"{Path(path).name} was trained beside another model: give it the one it was made for")
        with torch.no_grad():
            for name, part in parts.items():
                part.copy_(torch.from_numpy(arrays[name].astype(np.float32)))
        return made.eval()

    def _trained(self) -> dict[str, torch.Tensor]:
        return {name: value for name, value in self.state_dict().items()
                if name.endswith(tuple(f".{part}" for part in TRAINED)) or name in TRAINED}  # fmt: skip

    def _beside(self) -> str:
        """Return a fingerprint of all that is frozen, in 16 bits as checkpoints store it."""
        known = hashlib.sha256()
        plain = {part.linear.weight.data_ptr() for part in self.reader.modules() if isinstance(part, LoRALinear)}
        for name, value in sorted(self.reader.named_parameters(), key=lambda item: item[0].replace(".linear.", ".")):
            if value.data_ptr() in plain or not name.endswith((".A", ".B")):
                known.update(value.detach().cpu().half().numpy().tobytes())
        return known.hexdigest()


def _hash(arrays: dict[str, np.ndarray]) -> str:
    known = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        known.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return known.hexdigest()
