"""Whole turns in one row, and a loss on the replies alone: what a GPT is fine-tuned on (used in notebook 07).

In pretraining a window begins and ends anywhere, and every token is a label. Here a row begins where a turn begins, holds as
many turns as fit, and only the replies are labels: what came before them is there to be read.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from helpers.corpus.batches.base import IGNORED, Batch, NumberedBatches, padded
from helpers.corpus.conversations import Conversation


class Row(NamedTuple):
    """Token ids that are read, and which of them are labels."""

    ids: np.ndarray  # int32 [N]: <end>, then whole turns; of a turn that is longer than a row, its beginning
    mask: np.ndarray  # bool [N]: True at labels; the first token never is one


def reply_labels(ids: Sequence[int], own: int, others: Collection[int]) -> list[int]:
    """Return the label of each token of ``ids`` but the first: the token itself where speaker ``own`` chose it, else −100.

    Those are the tokens of its turns, and the one that closes each. ``own`` is the token that opens a turn of this speaker,
    ``others`` are all other tokens that end one: those that open a turn of another speaker, and ``<end>``.
    """
    labels, speaking = [], False
    for token in ids:
        labels.append(token if speaking else IGNORED)
        if token == own or token in others:
            speaking = token == own
    return labels[1:]


def reply_rows(
    conversations: Iterable[Conversation],
    tokenizer,
    context: int = 256,
    speaker: str | None = None,
    labels: Callable[..., list[int]] | None = None,
) -> list[Row]:
    """Return rows of at most ``context + 1`` tokens in which every turn is a label once, with turns before it to read.

    Labels are a turn's text and the token that closes it: the next speaker's, or ``<end>``. With ``speaker`` ("A") only
    that one's turns are labels. A row begins with ``<end>``; where a conversation does not fit into one row, the next one begins
    with earlier turns, at most half of it, that are read again and are no labels. ``labels``, a function with the arguments of
    `reply_labels`, decides instead what of ``speaker`` is a label: that function, and a learner's own, mark the same.
    Raises ValueError when there is no turn to learn from, for a context below 8, and for ``labels`` without a speaker.
    """
    if labels and speaker is None:
        raise ValueError("labels belong to one speaker: give speaker='A' or another")
    if context < 8:
        raise ValueError(f"context is {context}: no room for a turn and its reply; give 8 or more, usually 256")
    rows = []
    for conversation in conversations:
        ids = np.array([tokenizer.end, *tokenizer.encode_conversation(conversation)], dtype=np.int32)
        opens = [
            tokenizer.speaker(turn.speaker) for turn in conversation.turns
        ]  # encode writes these tokens nowhere else
        starts = [*np.flatnonzero(np.isin(ids, opens)).tolist(), len(ids) - 1]  # of each turn, and of the closing <end>
        if labels:
            others = {tokenizer.end, *opens} - {tokenizer.speaker(speaker)}
            targets = labels(ids.tolist(), tokenizer.speaker(speaker), others)
            is_label = np.array([False, *(target != IGNORED for target in targets)])
        else:
            is_label = _labels_of(ids, starts, [speaker in (None, turn.speaker) for turn in conversation.turns])
        rows += _rows(ids, starts, is_label, context)
    rows = [row for row in rows if row.mask.any()]
    if not rows:
        who = "" if speaker is None else f" of speaker {speaker!r}"
        raise ValueError(f"there is no turn{who} to learn from: give conversations that have some")
    return rows


def _labels_of(ids: np.ndarray, starts: list[int], mine: list[bool]) -> np.ndarray:
    """Return which tokens of a conversation are labels, bool [N]: all of ``mine`` turns but the token that opens each."""
    is_label = np.zeros(len(ids), dtype=bool)
    for begin, end, counts in zip(starts, starts[1:], mine):
        is_label[begin + 1 : end + 1] = counts
    return is_label


def _rows(ids: np.ndarray, starts: list[int], is_label: np.ndarray, context: int) -> list[Row]:
    rows, turn, turns = [], 0, len(starts) - 1
    while turn < turns:
        first = turn
        while first and starts[turn] - starts[first - 1] <= context // 2:
            first -= 1  # earlier turns to read, as many as fit into half a row
        last = turn + 1
        while last < turns and 1 + starts[last + 1] + 1 - starts[first] <= context + 1:
            last += 1
        row = np.concatenate((ids[:1], ids[starts[first] : starts[last] + 1]))[: context + 1]
        new = np.arange(starts[first], starts[last] + 1) > starts[turn]  # what no earlier row had as a label
        mask = np.concatenate(([False], is_label[starts[first] : starts[last] + 1] & new))[: len(row)]
        rows.append(Row(row, mask))
        turn = last
    return rows


class ReplyBatches(NumberedBatches):
    """Rows in batches of ``batch_size``, again and again (see NumberedBatches); targets are −100 where the mask is False.

    Rows of similar length come into one batch, at random among the similar. ``pad`` is the tokenizer's. Raises ValueError
    when there is no row, or for a batch_size below 1.
    """

    def __init__(self, rows: Sequence[Row], batch_size: int, seed: int = 0, *, pad: int):
        super().__init__(len(rows), batch_size, seed, lengths=[len(row.ids) for row in rows])
        self.rows, self.pad = rows, pad

    def batch(self, part: np.ndarray, position: int) -> Batch:
        rows = [self.rows[index] for index in part]
        ids = padded([row.ids for row in rows], self.pad)
        targets = padded([np.where(row.mask, row.ids, IGNORED) for row in rows], IGNORED)
        return Batch(ids[:, :-1], targets[:, 1:], first=True)
