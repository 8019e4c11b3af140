"""Early stopping keeps the best loss that was seen before patience ran out."""

import pytest

from helpers.training.early_stopping import early_stopping


@pytest.mark.parametrize(
    ("losses", "patience", "kept"),
    [
        ([3, 2, 2.5, 2.4, 1], 2, 1),  # ends at index 3
        ([3, 2, 2.5, 2.4, 1], 3, 4),
        ([2, 2, 3], 5, 0),  # of equal ones the first
        ([5, 6, 4, 6, 3, 6], 2, 4),  # each new best starts the count again
        ([5, 4, 4.5, 4.4, 4.3], 3, 1),  # falling again, but never below the best
        ([7], 1, 0),
    ],
)
def test_by_hand(losses, patience, kept):
    assert early_stopping(losses, patience) == kept


@pytest.mark.parametrize(("losses", "patience"), [([], 1), ([1.0], 0)])
def test_wrong_input_is_answered(losses, patience):
    with pytest.raises(ValueError, match="at least one loss and a patience of 1"):
        early_stopping(losses, patience)
