"""Repeated sequences: every row repeats with a period of its own, the same batch whenever it is asked for, and nothing else."""

import pytest
import torch

from helpers.corpus.batches.repeated_sequences import RepeatedSequences, repeated_ids


def period_of(row):
    return next(period for period in range(1, len(row)) if torch.equal(row[period:], row[:-period]))


def test_rows_repeat_with_periods_of_their_own():
    batches = RepeatedSequences(batch_size=200)
    inputs, targets, first = batches[0]
    assert inputs.shape == targets.shape == (200, 64) and inputs.dtype == torch.int64 and first
    assert torch.equal(inputs[:, 1:], targets[:, :-1])
    periods = [period_of(row) for row in torch.cat((inputs, targets[:, -1:]), dim=1)]
    assert set(periods) == set(range(8, 33))
    assert set(inputs.flatten().tolist()) == set(range(64))
    assert torch.equal(batches[3].inputs, RepeatedSequences(batch_size=200)[3].inputs)
    assert not torch.equal(batches[3].inputs, batches[4].inputs)
    assert not torch.equal(batches[3].inputs, RepeatedSequences(batch_size=200, seed=1)[3].inputs)


def test_one_period_for_all():
    ids = repeated_ids(64, 20, 5, 50)
    assert ids.shape == (5, 51) and [period_of(row) for row in ids] == [20] * 5
    assert torch.equal(ids, repeated_ids(64, 20, 5, 50)) and not torch.equal(ids, repeated_ids(64, 20, 5, 50, seed=1))
    assert {period_of(row) for row in RepeatedSequences(periods=(12, 12))[0].inputs} == {12}


def test_periods_that_cannot_be_are_refused():
    for periods in ((1, 8), (9, 8), (8, 65)):
        with pytest.raises(ValueError, match=f"periods are {periods[0]} to {periods[1]}: give two numbers from 2"):
            RepeatedSequences(periods=periods)
    with pytest.raises(ValueError, match="batch_size"):
        RepeatedSequences(batch_size=0)
    for period in (1, 65):
        with pytest.raises(ValueError, match=f"the period is {period}"):
            repeated_ids(period=period)
