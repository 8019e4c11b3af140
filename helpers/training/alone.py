"""What ``fit`` asks a team of processes, answered by one process that does everything (see ``distributed`` for a team)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


class Alone:
    """One process that does everything: what ``fit`` asks when there is no team."""

    rank, size, first, shard = 0, 1, True, False
    divisor = 1  # what the mean of the gradients is divided by without being asked

    def prepare(self, model, loss) -> None:
        """Begin a training of ``model``."""

    def numbers(self, step: int, accumulate: int) -> range:
        """Return which batches this process reads in a step."""
        start = (step * self.size + self.rank) * accumulate
        return range(start, start + accumulate)

    def agreed(self, done: float, history) -> float:
        """Return the share of the training that is done, 1 where it is to end."""
        return 1.0 if history.stopped else done

    def totals(self, *counts: int) -> Sequence[int]:
        """Return each count added up over the team."""
        return counts

    def forwarded(self) -> None:
        """Say that a loss was computed."""

    def summed(self, model, losses: list, most: int) -> list:
        """Add up the gradients of the team; return the losses of all, ``most`` a process."""
        return losses

    def whole(self, value):
        """Return ``value`` with whole tensors, on every process."""
        return value

    def split(self, tensors: dict, model) -> dict:
        """Return whole tensors by name as the parameters of ``model`` are stored."""
        return tensors

    def split_optimizer(self, optimizer) -> None:
        """The same for what an optimizer has loaded, in place."""

    def from_first(self, call: Callable, everywhere: bool = False):
        """Return what ``call()`` gives on the first process."""
        return call()

    def check_same(self, model) -> None:
        """Raise ValueError when the processes no longer have the same weights."""

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Inside, an exception of one process ends the training on all."""
        yield
