"""Whole turns in one row, and a loss on the replies alone: what a GPT is fine-tuned on (used in notebook 07).

In pretraining a window begins and ends anywhere, and every token is a label. Here a row begins where a turn begins, holds as
many turns as fit, and only what somebody *replies* is a label: what was said before is there to be read.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from helpers.corpus.batches.base import IGNORED, Batch, NumberedBatches
from helpers.corpus.conversations import Conversation

SAME_LENGTH = 16  # rows whose lengths differ by less count as equally long


class Row(NamedTuple):
    """Token numbers that are read, and which of them are labels."""

    ids: np.ndarray  # int32 [N]: <end>, then whole turns; of a turn that is longer than a row, its beginning
    counted: np.ndarray  # bool [N]: a label; the first token never is


def reply_rows(
    conversations: Iterable[Conversation], tokenizer, context: int = 256, speaker: str | None = None
) -> list[Row]:
    """Return rows of at most ``context + 1`` tokens in which every turn is a label once, with turns before it to read.

    Counted are a turn's text and the token that closes it: the next speaker's, or ``<end>``. With ``speaker`` ("A") only
    that one's turns count. A row begins with ``<end>``; where a conversation does not fit into one row, the next one begins
    with earlier turns, at most half of it, that are read again and not counted. Raises ValueError when there is no turn
    to count, or for a context below 8.
    """
    if context < 8:
        raise ValueError(
            f"context is {context}: there is no room for a turn and its reply; give 8 or more, usually 256"
        )
    made = []
    for conversation in conversations:
        ids = np.array([tokenizer.end, *tokenizer.encode_conversation(conversation)], dtype=np.int32)
        opens = [tokenizer.speaker(turn.speaker) for turn in conversation.turns]
        starts = _starts(ids, opens)
        mine = [speaker is None or turn.speaker == speaker for turn in conversation.turns]
        made += _rows(ids, starts, mine, context)
    made = [row for row in made if row.counted.any()]
    if not made:
        who = "" if speaker is None else f" of speaker {speaker!r}"
        raise ValueError(f"there is no turn{who} to learn from: give conversations that have some")
    return made


def _starts(ids: np.ndarray, opens: Sequence[int]) -> list[int]:
    """Return where each turn begins, and last the place of the closing ``<end>``."""
    # Speakers' tokens never come out of a text: encode writes them nowhere else.
    starts = np.flatnonzero(np.isin(ids, opens)).tolist() if len(opens) else []
    return [*starts, len(ids) - 1]


def _rows(ids: np.ndarray, starts: list[int], mine: list[bool], context: int) -> list[Row]:
    made, turn, turns = [], 0, len(starts) - 1
    while turn < turns:
        first = turn
        while first and starts[turn] - starts[first - 1] <= context // 2:
            first -= 1  # earlier turns to read, as many as fit into half a row
        last = turn + 1
        while last < turns and 1 + starts[last + 1] + 1 - starts[first] <= context + 1:
            last += 1
        row = np.concatenate((ids[:1], ids[starts[first] : starts[last] + 1]))[: context + 1]
        counted = np.zeros(len(row), dtype=bool)
        for number in range(turn, last):
            begin, end = (1 + starts[place] - starts[first] for place in (number, number + 1))
            counted[begin + 1 : end + 1] = mine[number]
        made.append(Row(row, counted))
        turn = last
    return made


class ReplyBatches(NumberedBatches):
    """Rows in batches of ``batch_size``, again and again (see NumberedBatches); targets are −100 where not counted.

    Rows of similar length come together, by lot among the similar. ``pad`` is the tokenizer's. Raises ValueError when there
    is no row, or for a batch_size below 1.
    """

    def __init__(self, rows: Sequence[Row], batch_size: int, seed: int = 0, *, pad: int):
        super().__init__(rows, batch_size, seed)
        self.pad = pad
        self._lengths = np.array([len(row.ids) for row in rows])

    def order(self, random: np.random.Generator) -> np.ndarray:
        order = random.permutation(len(self.items))
        return order[np.argsort(self._lengths[order] // SAME_LENGTH, kind="stable")]

    def batch_of(self, items: list) -> Batch:
        longest = max(len(row.ids) for row in items)
        ids = np.full((len(items), longest), self.pad, dtype=np.int64)
        targets = np.full((len(items), longest), IGNORED, dtype=np.int64)
        for read, said, row in zip(ids, targets, items):
            read[: len(row.ids)] = row.ids
            said[: len(row.ids)] = np.where(row.counted, row.ids, IGNORED)
        return Batch(torch.from_numpy(ids[:, :-1]), torch.from_numpy(targets[:, 1:]), first=True)
