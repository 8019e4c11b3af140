"""One process that does everything: what ``fit`` asks a team changes nothing for it."""

import pytest
import torch

from helpers.training import fit
from helpers.training.alone import Alone
from helpers.training.example_task import example_batches, example_model
from helpers.training.history import History

ALONE = Alone()


def test_it_reads_all_batches_in_their_order():
    assert [list(ALONE.numbers(step, 3)) for step in range(2)] == [[0, 1, 2], [3, 4, 5]]
    ALONE.rank, ALONE.size = 1, 2
    assert [list(ALONE.numbers(step, 3)) for step in range(2)] == [[3, 4, 5], [9, 10, 11]]


def test_float16_needs_whole_gradients():
    alone = Alone()
    alone.shard = True
    with pytest.raises(ValueError, match="cannot see whether float16 has overflowed: give torch.bfloat16"):
        fit(example_model(), example_batches(), steps=1, dtype=torch.float16, team=alone, progress=False)


def test_it_agrees_with_itself():
    alone, history = Alone(), History()
    assert alone.agreed(0.25, history) == 0.25
    history.stopped = "enough"
    assert alone.agreed(0.25, history) == 1.0
    assert alone.totals(3, 4) == (3, 4) and alone.divisor == 1 and alone.first and not alone.shard
    value, losses = torch.ones(2), [torch.tensor(1.0)]
    assert alone.whole(value) is value and alone.summed(None, losses, 5) is losses
    assert alone.split({"a": value}, None) == {"a": value} and alone.from_first(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError), alone.watching():
        raise ZeroDivisionError
