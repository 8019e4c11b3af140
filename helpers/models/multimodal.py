"""One sequence for words and pictures, or words and sounds, and the GPT that reads both (notebook 16).

A caption and the codes of its picture stand in one row, in either order, so one GPT learns to write a caption for a picture and
to draw a picture for a caption: DALL·E's idea (Ramesh et al. 2021, 2102.12092) in both directions, as in Gato (Reed et al.
2022, 2205.06175). What stands first in the picture-first rows is a picture without a caption: guidance needs that.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from helpers.corpus.batches.base import Batch, NumberedBatches
from helpers.corpus.tokenizers.words_and_codes import WordsAndCodes
from helpers.models.gpt import GPT, GPTConfig


def caption_first(tokenizer: WordsAndCodes, captions: Sequence[str], codes: torch.Tensor) -> torch.Tensor:
    """Return ids [N, T]: ``<caption>`` words ``<media>`` codes ``<end>``, for N captions and their codes [N, L].

    T is the words of a caption + L + 3. Raises ValueError when there are not as many captions as pictures, or the captions
    have not as many words each.
    """
    return _rows(tokenizer, _caption(tokenizer, captions), _media(tokenizer, captions, codes))


def picture_first(tokenizer: WordsAndCodes, captions: Sequence[str], codes: torch.Tensor) -> torch.Tensor:
    """Return ids [N, T]: ``<media>`` codes ``<caption>`` words ``<end>``. Errors as in ``caption_first``."""
    return _rows(tokenizer, _media(tokenizer, captions, codes), _caption(tokenizer, captions))


def _rows(tokenizer: WordsAndCodes, *parts: torch.Tensor) -> torch.Tensor:
    return torch.cat((*parts, torch.full((len(parts[0]), 1), tokenizer.end)), dim=1)


def _caption(tokenizer: WordsAndCodes, captions: Sequence[str]) -> torch.Tensor:
    return torch.cat((torch.full((len(captions), 1), tokenizer.caption), tokenizer.captions(captions)), dim=1)


def _media(tokenizer: WordsAndCodes, captions: Sequence[str], codes: torch.Tensor) -> torch.Tensor:
    if len(captions) != len(codes):
        raise ValueError(f"{len(captions)} captions and {len(codes)} pictures: give one caption for each")
    return torch.cat((torch.full((len(codes), 1), tokenizer.media), tokenizer.encode_codes(codes)), dim=1)


class RowBatches(NumberedBatches):
    """Batches for ``fit`` from tables of rows, int64 [N, T] each: as many rows from each table, sampled with replacement.

    ``batches[t]`` is a Batch of inputs [B, T − 1] and targets one token later. In a batch from the two orders no picture is
    seen twice. Raises ValueError for tables that differ in shape, and a batch_size that is no multiple of their number.
    """

    def __init__(self, *tables: torch.Tensor, batch_size: int = 64, seed: int = 0):
        if not tables or len({table.shape for table in tables}) > 1 or tables[0].ndim != 2:
            shapes = ", ".join(str(list(table.shape)) for table in tables) or "none"
            raise ValueError(f"give tables of rows [N, T], all of the same shape; got {shapes}")
        super().__init__(len(tables[0]), batch_size, seed)
        if self.batch_size % len(tables) or self.batch_size > self.size:
            raise ValueError(
                f"batch_size is {batch_size}: give a multiple of {len(tables)}, the number of tables, and at most {self.size}"
            )
        self.tables = tables

    def plan(self, pass_number: int) -> list[torch.Tensor]:
        numbers = range(pass_number * len(self), (pass_number + 1) * len(self))
        return [torch.randperm(self.size, generator=self.torch_rng(number))[: self.batch_size] for number in numbers]

    def batch(self, part: torch.Tensor, position: int) -> Batch:
        shares = part.chunk(len(self.tables))
        rows = torch.cat([table[share] for table, share in zip(self.tables, shares)])
        return Batch(rows[:, :-1], rows[:, 1:], first=True)


def picture_gpt(
    tokenizer: WordsAndCodes, length: int, n_embd: int = 64, n_layer: int = 3, n_head: int = 4, dropout: float = 0.1
) -> GPT:
    """Return an untrained GPT for rows of ``length`` ids: the class of notebook 06, with learned positions.

    In a picture the position counts, not the distance: the fifth code is always the left end of the second row.
    """
    parts = {"norm": "rms", "activation": "relu2", "bias": False, "dropout": dropout}
    sizes = {"context": length, "n_embd": n_embd, "n_layer": n_layer, "n_head": n_head}
    return GPT(GPTConfig(len(tokenizer), **sizes, **parts))
