"""What happened in a training, step by step (built in notebook 02)."""

import math
from dataclasses import dataclass, field

NAN = float("nan")
COLUMNS = ("step", "tokens", "seconds", "loss", "validation", "learning_rate", "gradient_norm")


@dataclass
class History:
    """The record that ``fit`` keeps and returns.

    ``rows`` has one entry per step, as ``COLUMNS`` names them: losses in nats per token, seconds of training alone,
    ``validation`` NaN where it was not measured. ``stopped`` says in a sentence why training ended early, or is empty.
    """

    rows: list[tuple] = field(default_factory=list)
    stopped: str = ""
    best: float = float("inf")  # lowest validation loss so far
    best_step: int = 0  # the step it was measured after; 0 before the first measurement
    validation_step: int = 0  # the step of the latest measurement

    def add(self, tokens: int, seconds: float, loss: float, learning_rate: float, gradient_norm: float) -> None:
        """Write down a step: how many tokens it read in how many seconds, and what came of it."""
        _, read, spent, *_ = self.rows[-1] if self.rows else (0, 0, 0.0)
        self.rows.append((self.steps + 1, read + tokens, spent + seconds, loss, NAN, learning_rate, gradient_norm))
        for name, number in (("gradient's length", gradient_norm), ("loss", loss)):
            if not math.isfinite(number):
                self.stopped = (
                    f"Stopped at step {self.steps:,}: the {name} was {number}. Lower the learning rate, or clip."
                )

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
        """How many steps were made."""
        return self.rows[-1][0] if self.rows else 0

    @property
    def seconds(self) -> float:
        """Seconds spent in training steps, validation not counted."""
        return self.rows[-1][2] if self.rows else 0.0

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
