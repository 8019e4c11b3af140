"""What all batches share: every class is asked the same questions, and the orders on which stored results depend stay."""

import hashlib
from typing import NamedTuple

import numpy as np
import pytest
import torch

from helpers.corpus.batches.base import Pair, padded
from helpers.corpus.batches.context_reply_pairs import PairBatches
from helpers.corpus.batches.preferences import PreferenceBatches
from helpers.corpus.batches.prompts import ContextBatches
from helpers.corpus.batches.reply_only_labels import ReplyBatches, Row
from helpers.corpus.batches.token_stream import StreamBatches, WindowBatches
from helpers.corpus.digits import DigitBatches, Digits
from helpers.corpus.implicit_feedback import Preference

PAIRS = [Pair([6 + n] * (1 + n % 7), [3, *[6 + n] * (1 + n % 5)]) for n in range(50)]
ROWS = [Row(np.arange(2 + n % 40), np.arange(2 + n % 40) > 0) for n in range(50)]
IDS = torch.arange(900)


class Case(NamedTuple):
    build: object  # (items, batch_size, seed) -> batches
    items: object
    batches_per_pass: int  # of batches of 4
    expected: str  # fingerprint of the first passes with seed 3; trained checkpoints and notebooks depend on it


CASES = {
    "pairs": Case(lambda items, *rest: PairBatches(items, *rest, pad=0), PAIRS, 13, "028ab528ce21"),
    "replies": Case(lambda items, *rest: ReplyBatches(items, *rest, pad=0), ROWS, 13, "f78e664e7347"),
    "preferences": Case(
        lambda items, *rest: PreferenceBatches(items, *rest, pad=0),
        [Preference(*both) for both in zip(PAIRS[::2], PAIRS[1::2])], 7, "0f8b8e572a44",
    ),
    "contexts": Case(
        lambda items, size, seed=0: ContextBatches(items, size, 2, seed, pad=0),
        [pair.context for pair in PAIRS], 12, "fb45a2f8838f",
    ),
    "stream": Case(lambda items, size, *seed: StreamBatches(items, size, 5, *seed), IDS, 44, "e3763f3c738c"),
    "windows": Case(lambda items, size, *seed: WindowBatches(items, size, 5, *seed), IDS, 44, "d96329e2f850"),
    "digits": Case(DigitBatches, Digits(torch.arange(50.0), torch.arange(50)), 13, "ce61288022dd"),
}  # fmt: skip
every_kind = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def numbers(batch) -> list:
    return [part.tolist() for part in batch if torch.is_tensor(part)]


@every_kind
def test_the_order_is_the_one_that_stored_results_were_trained_in(case):
    batches = case.build(case.items, 4, 3)
    assert len(batches) == case.batches_per_pass
    passes = repr([numbers(batches[number]) for number in range(3 * len(batches))])
    assert hashlib.sha256(passes.encode()).hexdigest()[:12] == case.expected


@every_kind
def test_a_batch_is_the_same_whatever_was_asked_before_and_passes_and_seeds_differ(case):
    batches, again = (case.build(case.items, 4, 3) for _ in range(2))
    late = numbers(batches[1000])
    torch.manual_seed(9), np.random.seed(9)
    for number in (40, 3, 1000):
        assert numbers(again[number]) == numbers(batches[number])
    assert numbers(again[1000]) == late
    first, second = ([numbers(batches[start + n]) for n in range(5)] for start in (0, len(batches)))
    other = case.build(case.items, 4, 4)
    assert first != second and first != [numbers(other[n]) for n in range(5)]


@every_kind
def test_numpy_integers_are_integers(case):
    batches = case.build(case.items, np.int64(4), np.int64(3))
    assert numbers(batches[np.int32(7)]) == numbers(case.build(case.items, 4, 3)[7])


@every_kind
@pytest.mark.parametrize("size", [0, -1, 2.5, None])
def test_sizes_that_make_no_batch_are_refused(case, size):
    with pytest.raises(ValueError, match=f"batch_size is {size}: give a whole number, 1 or more"):
        case.build(case.items, size)


@every_kind
def test_numbers_that_no_batch_has_are_refused(case):
    batches = case.build(case.items, 4)
    with pytest.raises(IndexError, match="numbered from 0"):
        batches[-1]
    with pytest.raises(ValueError, match="number is 1.5: give a whole number"):
        batches[1.5]


@every_kind
def test_no_item_is_refused(case):
    nothing = Digits(*(part[:0] for part in case.items)) if isinstance(case.items, Digits) else case.items[:0]
    with pytest.raises(ValueError, match="nothing to make batches of|0 tokens are too few"):
        case.build(nothing, 4)


@pytest.mark.parametrize("kind", [StreamBatches, WindowBatches])
def test_windows_without_tokens_are_refused(kind):
    with pytest.raises(ValueError, match="context is 0"):
        kind(IDS, 4, 0)


def test_rows_are_filled_up_on_either_side():
    rows = [[1, 2, 3], np.array([4], dtype=np.int32), torch.tensor([5, 6])]
    assert padded(rows, 0).tolist() == [[1, 2, 3], [4, 0, 0], [5, 6, 0]]
    assert padded(iter(rows), -100, side="left").tolist() == [[1, 2, 3], [-100, -100, 4], [-100, 5, 6]]
    assert padded(rows, 0).dtype == torch.int64 and padded([], 0).shape == (0, 0)
