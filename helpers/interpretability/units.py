"""Does any unit of a model encode a feature that has a name? Built in notebook 02, after Karpathy et al. (2015).

``record`` reads texts and keeps the activation of every unit after every character. The functions in ``LABELS`` (of
``text_features``) say what a person can see at the same moment. ``unit_scores`` compares both, ``best_unit`` searches.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from helpers.corpus.tokenizers.base import CUT, Tokenizer
from helpers.interpretability.text_features import LABELS
from helpers.models.utils import evaluating

__all__ = ["LABELS", "BestUnit", "best_unit", "pieces", "record", "token_ids", "unit_scores"]

WINDOW = 512  # tokens read at once: the outputs of a long text need not fit beside the gates of all its steps
BLOCK = 64  # units ranked at once
LEAST_SHIFT = 0.1  # no shuffle shifts the labels by less than this share of the text: neighbors are too alike


@torch.no_grad()
def record(model, tokenizer: Tokenizer, texts: Iterable) -> tuple[list[str], np.ndarray]:
    """Read texts one after the other and return ``(characters, outputs)``: a list [N] and an array float32 [N, H].

    ``texts`` are conversations, or strings, which are read as a single turn of speaker A. ``characters`` are what the
    model reads: characters (of another tokenizer: its tokens), the speaker tokens ("<A>") and "<end>" after each text ("�"
    for an unknown character). ``outputs[i]`` is the activation of the model's last hidden layer after ``characters[i]``.
    The state is carried over from text to text, as in training. ``model.read`` gives it; see ``CharRNN.read``. Raises
    ValueError for a single string (put it into a list) and when there is nothing to read.
    """
    if isinstance(texts, str):
        raise ValueError("give a list of texts: [text]")
    ids = [number for text in texts for number in token_ids(tokenizer, text)]
    if not ids:
        raise ValueError("there is no text to read")
    rows = torch.tensor([[tokenizer.end, *ids]], device=next(model.parameters()).device)
    outputs, state = [], None
    with evaluating(model):
        for window in rows.split(WINDOW, dim=1):
            hidden, state = model.read(window, state)
            outputs.append(hidden[0].float().cpu())
    outputs = torch.cat(outputs)[1:]  # the first is the "<end>" that stands before every text
    return pieces(tokenizer, ids), outputs.numpy()


def token_ids(tokenizer: Tokenizer, text) -> list[int]:
    """Return a conversation, or a string as one turn of speaker A, as token ids that end with ``<end>``."""
    if isinstance(text, str):
        return [tokenizer.speaker("A"), *tokenizer.encode(text), tokenizer.end]
    return tokenizer.encode_conversation(text)


class BestUnit(NamedTuple):
    """A unit and how well it predicts the label, on the text that was searched and on other text."""

    unit: int
    score: float  # on the text that was searched: the best of all units, so partly luck
    held_out: float  # on other text; negative when the unit goes the other way there
    luck: float  # the score of the best of all units for labels that nothing can predict: the highest of the shuffles


def pieces(tokenizer: Tokenizer, ids: Iterable[int]) -> list[str]:
    """Return each token as it is read by a person: a character, a piece of a word, or a special token such as "<A>".

    An unknown character is "�"; bytes that are no whole character are written as in "\\xf0\\x9f".
    """
    return [CUT if number == tokenizer.unknown else tokenizer.tokens[number] for number in map(int, ids)]


def unit_scores(outputs: np.ndarray, labels: Sequence[float]) -> np.ndarray:
    """Return how well each unit alone predicts the labels, from 0 (not at all) to 1 (perfectly), float64 [H].

    ``outputs`` [N, H] are the activations, ``labels`` [N] what was to be seen. For labels of 0 and 1 the score is
    2 · |AUC − 0.5|, where AUC, the area under the ROC curve, is the chance that the unit is more active at a position
    with 1 than at one with 0 (a tie counts half). For other numbers it is the size of Spearman's rank correlation. Both use the
    order only, so the sign and scale of a unit do not matter. Raises ValueError when lengths differ or all labels agree.
    """
    return np.abs(_signed_scores(outputs, np.asarray(labels)[:, None])[:, 0])


def best_unit(outputs, labels, held_out_outputs, held_out_labels, shuffles: int = 20, seed: int = 0) -> BestUnit:
    """Find the unit with the highest ``unit_scores`` and test it on text that was not searched.

    The best of many units scores well by luck alone. To see how well, the labels are shifted in a circle by a random
    distance, ``shuffles`` times. Labels come in runs (a whole word, a whole turn), and so do a unit's values; a shift
    keeps the runs, while shuffling labels one by one would break them up and make luck look far too small. Raises
    ValueError as ``unit_scores`` does.
    """
    labels = np.asarray(labels)
    rng, size = np.random.default_rng(seed), len(labels)
    least = max(int(LEAST_SHIFT * size), 1)
    shifts = rng.integers(least, max(size - least, least) + 1, shuffles)
    columns = np.stack([labels, *(np.roll(labels, shift) for shift in shifts)], axis=1)
    scores = _signed_scores(outputs, columns)
    unit = int(np.abs(scores[:, 0]).argmax())
    elsewhere = _signed_scores(np.asarray(held_out_outputs)[:, [unit]], np.asarray(held_out_labels)[:, None])[0, 0]
    return BestUnit(
        unit=unit,
        score=float(abs(scores[unit, 0])),
        held_out=float(elsewhere * np.sign(scores[unit, 0])),
        luck=float(np.abs(scores[:, 1:]).max(initial=0)),
    )


def _signed_scores(outputs, labels: np.ndarray) -> np.ndarray:
    """Return the scores with their signs, float64 [H, L], for outputs [N, H] and the columns of labels [N, L]."""
    outputs = np.asarray(outputs)
    if outputs.ndim != 2 or len(outputs) != len(labels):
        raise ValueError(f"give one label for each row of the outputs [N, H]: got {len(labels)} for {outputs.shape}")
    if not len(labels) or (labels[:, 0] == labels[0, 0]).all():
        raise ValueError("the label is the same at every character, so no unit can be compared with it: read more text")
    size, yes_or_no = len(labels), np.isin(labels, (0, 1)).all()
    targets = labels.astype(np.float64) if yes_or_no else _ranks(labels)
    ones = np.count_nonzero(labels[:, 0])
    scores = np.empty((outputs.shape[1], labels.shape[1]))
    for start in range(0, outputs.shape[1], BLOCK):
        ranks = _ranks(outputs[:, start : start + BLOCK])
        if yes_or_no:  # the sum of the ones' ranks is a step away from the AUC (Mann & Whitney 1947)
            scale = np.array(2 / (ones * (size - ones)))
        else:
            length = np.linalg.norm(ranks, axis=0) * np.linalg.norm(targets[:, 0])
            scale = 1 / np.where(length > 0, length, 1)[:, None]
        scores[start : start + BLOCK] = ranks.T @ targets * scale
    return scores


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value in its column, float64 [N, K], ties sharing their mean rank, centered on 0."""
    columns = np.ascontiguousarray(np.asarray(values).T)  # [K, N]: sorted four times as fast as [N, K] by scipy's rankdata
    size = columns.shape[1]
    order = columns.argsort(axis=1)
    ordered = np.take_along_axis(columns, order, axis=1)
    new = np.ones(columns.shape, dtype=bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    starts = np.flatnonzero(new)  # where a group of ties begins; in the next column a new one does
    lengths = np.diff(starts, append=columns.size)
    ranks = np.empty(columns.shape)
    np.put_along_axis(ranks, order, np.repeat(starts % size + (lengths - size) / 2, lengths).reshape(columns.shape), axis=1)
    return ranks.T
