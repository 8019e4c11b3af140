"""How the processes of a team agree before they go on, so that nobody waits for one that does not come (notebook 13).

A process that waits in an all-reduce waits until all have come. So each step begins with an agreement: how much is done, by
one clock; whether anyone has stopped, was interrupted or has failed. One that fails answers the next agreement with what
went wrong, and the others stop as well.
"""

import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed

from helpers.training.losses import NotFinite

TIMEOUT = 600.0  # seconds
FINE, INTERRUPTED, NOT_FINITE, FAILED = range(4)  # what a process says of itself to the others; the highest decides


class TeamFailed(RuntimeError):
    """Another process of the team failed; the message is its traceback."""


class Agreement:
    """What the processes of a team tell each other beside gradients: over gloo, from processor to processor.

    One that does not come is waited for ``timeout`` seconds.
    """

    def __init__(self, timeout: float = TIMEOUT):
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self.first = self.rank == 0
        self._control = distributed.new_group(backend="gloo", timeout=timedelta(seconds=timeout))  # else 30 minutes
        self._over, self._interrupted, self._room = True, False, 0

    def begin(self, room: int) -> None:
        """Begin a training in which up to ``room`` numbers are agreed on at once."""
        self._over, self._interrupted, self._room = False, False, room

    def from_first(self, call: Callable, everywhere: bool = False):
        """Return what ``call()`` gives on the first process, on all; with ``everywhere`` each calls it. Fails on all or none."""
        value = None
        try:
            if self.first or everywhere:
                value = call()
        except BaseException as error:
            self.fail(error)
        self.agree()
        box = [value]
        distributed.broadcast_object_list(box, src=0, group=self._control)
        return box[0]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Inside, an exception of one process, and Ctrl-C, end the training on all, after the same step."""
        in_main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGINT, self._interrupt) if in_main else None
        try:
            yield
        except BaseException as error:
            if self._over:  # the others know, or cannot be reached
                raise
            self.fail(error)
        finally:
            if in_main:
                signal.signal(signal.SIGINT, before)

    def _interrupt(self, number, frame) -> None:
        if self._interrupted:
            raise KeyboardInterrupt  # pressed again: now
        self._interrupted = True

    def agree(self, *numbers: int, error: BaseException | None = None) -> list[int]:
        """Return the sums of whole numbers over the team; raises what ended one of the processes, on all of them.

        Every agreement looks alike, so one that fails can answer whichever the others have come to.
        """
        state = torch.zeros(self.size + self._room, dtype=torch.int64)
        state[self.rank] = _kind(error) if error else INTERRUPTED if self._interrupted else FINE
        state[self.size : self.size + len(numbers)] = torch.tensor(numbers, dtype=torch.int64)
        self._over = True
        distributed.all_reduce(state, group=self._control)
        if kind := int(state[: self.size].max()):
            words = self.gathered("" if error is None else _words(error, kind))
            if error is not None and _kind(error) == kind:
                raise error
            rank = state[: self.size].tolist().index(kind)
            raise {INTERRUPTED: KeyboardInterrupt, NOT_FINITE: NotFinite}.get(kind, TeamFailed)(
                words[rank] if kind < FAILED else f"rank {rank} of {self.size} failed:\n{words[rank]}"
            )
        self._over = False
        return state[self.size :].tolist()

    def fail(self, error: BaseException) -> None:
        """Tell the others that this process cannot go on, and raise ``error``."""
        self.agree(error=error)

    def gathered(self, words: str) -> list[str]:
        """Return the words of every process, in the order of their ranks."""
        texts = [""] * self.size
        distributed.all_gather_object(texts, words, group=self._control)
        return texts


def _kind(error: BaseException) -> int:
    return (
        INTERRUPTED if isinstance(error, KeyboardInterrupt) else NOT_FINITE if isinstance(error, NotFinite) else FAILED
    )


def _words(error: BaseException, kind: int) -> str:
    return str(error) if kind < FAILED else "".join(traceback.format_exception(error)).strip()
