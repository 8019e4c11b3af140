"""What happened in a training, step by step (built in notebook 02)."""

import math
import time

NAN = float("nan")
COLUMNS = ("step", "tokens", "seconds", "loss", "validation", "learning_rate", "gradient_norm")


class History:
    """The record that ``fit`` keeps and returns.

    ``rows`` has one entry per step, as ``COLUMNS`` names them: losses in nats per token, seconds of training alone,
    ``validation`` NaN where it was not measured. ``stopped`` says in a sentence why training ended early, or is empty.
    ``best`` is the lowest validation loss so far, ``best_step`` the step after which it was measured (0: none yet),
    ``validation_step`` that of the latest measurement.

    On a GPU the numbers of the latest steps may still be on their way: reading ``rows`` waits for them, ``steps`` does not.
    """

    def __init__(self, rows=(), stopped="", best=float("inf"), best_step=0, validation_step=0):
        self._rows: list[tuple] = list(rows)
        self._pending: list[tuple] = []  # arguments of ``add``, with tensors that are still being computed
        self.stopped, self.best, self.best_step, self.validation_step = stopped, best, best_step, validation_step

    def add(self, tokens: int, seconds: float, loss: float, learning_rate: float, gradient_norm: float) -> None:
        """Write down a step: how many tokens it read in how many seconds, and what came of it."""
        step, read, spent, *_ = self._rows[-1] if self._rows else (0, 0, 0.0)
        self._rows.append((step + 1, read + tokens, spent + seconds, loss, NAN, learning_rate, gradient_norm))
        for name, number in (("gradient's length", gradient_norm), ("loss", loss)):
            if not math.isfinite(number):
                self.stopped = (
                    f"Stopped at step {self.steps:,}: the {name} was {number}. Lower the learning rate, or clip."
                )

    def add_later(self, tokens: int, seconds: float, losses: list, learning_rate: float, gradient_norm) -> None:
        """The same with tensors, which are fetched when ``rows`` is read: ``losses`` (their sum counts) and the norm."""
        self._pending.append((tokens, seconds, losses, learning_rate, gradient_norm))

    def fetch(self) -> None:
        """Write down what is still on a GPU, all at once.

        What came after a step that was no number has changed nothing (see ``fit``) and is left out.
        """
        if not self._pending:
            return
        import torch

        pending, self._pending, began = self._pending, [], time.perf_counter()
        values = iter(torch.stack([part for _, _, losses, _, norm in pending for part in (*losses, norm)]).tolist())
        waited = (time.perf_counter() - began) / len(pending)
        for tokens, seconds, losses, learning_rate, _ in pending:
            loss, norm = sum(next(values) for _ in losses), next(values)
            self.add(tokens, seconds + waited, loss, learning_rate, norm)
            if not math.isfinite(loss + norm):
                break

    @property
    def rows(self) -> list[tuple]:
        """A tuple for each step, as ``COLUMNS`` names its numbers."""
        self.fetch()
        return self._rows

    def state_dict(self) -> dict:
        """Return all of it, as the arguments of History."""
        names = ("rows", "stopped", "best", "best_step", "validation_step")
        return {name: getattr(self, name) for name in names}

    def validated(self, loss: float) -> bool:
        """Write the validation loss to the latest row; return True if it is the lowest so far."""
        row = list(self.rows[-1])
        row[COLUMNS.index("validation")] = loss
        self.rows[-1] = tuple(row)
        self.validation_step = self.steps
        if loss < self.best:
            self.best, self.best_step = loss, self.steps
            return True
        return False

    @property
    def steps(self) -> int:
        """The number of steps so far."""
        return (self._rows[-1][0] if self._rows else 0) + len(self._pending)

    @property
    def seconds(self) -> float:
        """Seconds spent in training steps, without validation."""
        return (self._rows[-1][2] if self._rows else 0.0) + sum(pending[1] for pending in self._pending)

    @property
    def frame(self):
        """The record as a pandas DataFrame, a row per step."""
        import pandas

        return pandas.DataFrame(self.rows, columns=list(COLUMNS))

    def recent_loss(self, steps: int = 50) -> float:
        """Mean training loss of the latest steps, in nats per token: one step alone is too noisy to compare."""
        latest = [row[3] for row in self.rows[-steps:]]
        return sum(latest) / len(latest) if latest else NAN

    def __repr__(self) -> str:
        if not self.rows:
            return "History of a training that has not begun."
        first, last = self.rows[0][3], self.recent_loss(min(50, len(self.rows)))
        words = f"History of {self.steps:,} steps: training loss from {first:.2f} to {last:.2f} nats per token"
        if self.best_step:
            words += f"; lowest validation loss {self.best:.2f} after step {self.best_step:,}"
        return f"{words}. {self.stopped}".strip()
