"""Preference pairs in batches: the replies alone are labels, and the reference stays beside its pair."""

import pytest
import torch

from helpers.corpus.batches.base import IGNORED, Pair
from helpers.corpus.batches.preferences import PreferenceBatches, preference_batch
from helpers.corpus.implicit_feedback import Preference


def preference(number, length=3):
    """A preference in which every token says which one it belongs to."""
    token = 6 + number
    return Preference(Pair([2] * length, [3, token, 4]), Pair([2], [3, token, token, 4]))


PREFERENCES = [preference(number, length=1 + number % 5) for number in range(10)]


def test_a_batch_by_hand_has_labels_in_the_replies_alone():
    batch = preference_batch([Preference(Pair([2, 6], [3, 7, 8, 4]), Pair([2], [4, 9]))], pad=0)
    assert batch.ids.tolist() == [[2, 6, 3, 7, 8, 4], [2, 4, 9, 0, 0, 0]]
    none = IGNORED
    assert batch.targets.tolist() == [[none, none, 7, 8, 4], [none, 9, none, none, none]]
    assert batch.reference.tolist() == [0, 0] and batch.first is True


def test_every_pass_holds_every_preference_once_with_the_chosen_replies_first():
    batches = PreferenceBatches(PREFERENCES, 4, seed=1, pad=0)
    chosen, rejected = [], []
    for number in range(3, 6):
        first, second = batches[number].targets.max(1).values.chunk(2)
        chosen += first.tolist()
        rejected += second.tolist()
    assert chosen == rejected and sorted(chosen) == [6 + number for number in range(10)]


def test_the_reference_stands_beside_its_pair():
    reference = torch.tensor([[6.0 + number, -6.0 - number] for number in range(10)])
    batches = PreferenceBatches(PREFERENCES, 3, seed=2, pad=0, reference=reference)
    for number in range(8):
        chosen, rejected = batches[number].reference.chunk(2)
        token = batches[number].targets.max(1).values[: len(chosen)].float()
        assert torch.equal(chosen, token) and torch.equal(rejected, -token)


def test_what_teaches_nothing_is_refused():
    good, chosen = [preference(0), preference(1)], preference(2).chosen
    with pytest.raises(ValueError, match="pair 1 has no preferred side"):
        PreferenceBatches([good[0], Preference(chosen, chosen)], 2, pad=0)
    with pytest.raises(ValueError, match="rejected reply of pair 1 or its context is empty"):
        PreferenceBatches([good[0], Preference(chosen, Pair([2], [3]))], 2, pad=0)
    with pytest.raises(ValueError, match="two numbers per preference"):
        PreferenceBatches(good, 2, pad=0, reference=torch.zeros(2))
    with pytest.raises(ValueError, match="pair 1 is no number"):
        PreferenceBatches(good, 2, pad=0, reference=torch.tensor([[0.0, 0.0], [0.0, float("nan")]]))
