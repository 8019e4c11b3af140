"""TensorBoard's event files: what a training writes down while it runs, for a page that draws it (notebook 10).

    with EventFile("runs/first") as log:
        fit(model, batches, steps=500, callbacks=[log])

Then ``tensorboard --logdir runs`` in a terminal, or ``%load_ext tensorboard`` and ``%tensorboard --logdir runs`` in a notebook,
shows the page. The files are those that TensorFlow writes; PyTorch's writer (``torch.utils.tensorboard``) makes the same. Both
need the package tensorboard, which is in the extra [track].
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from helpers.extras import missing
from helpers.io import clear_disk_errors
from helpers.training.history import COLUMNS, History

SHOWN = (
    "loss",
    "learning_rate",
    "gradient_norm",
    "tokens",
)  # of a history's columns, as scalars; validation where measured


class EventFile:
    """A callback for ``fit`` that writes a TensorBoard event file into ``folder``; a context manager, which closes it.

    Scalars every ``every`` steps: "loss" (nats), "learning_rate", "gradient_norm", "tokens", and "validation" where it was
    measured. With ``histograms`` above 0 every so many steps a histogram of each parameter, too. Raises ValueError without
    the package tensorboard and for intervals that are no whole numbers of steps, OSError in a sentence when the folder cannot
    be written.
    """

    def __init__(self, folder: str | os.PathLike, every: int = 1, histograms: int = 0):
        if every < 1 or histograms < 0:
            raise ValueError(
                f"every = {every}, histograms = {histograms}: give at least 1 step, and 0 for no histograms"
            )
        require_tensorboard()
        self.folder, self.every, self.histograms = writable(folder), every, histograms
        self._history: History | None = None
        self._validated = 0  # the latest step whose validation loss is written
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(self.folder))

    def __call__(self, history: History, model) -> None:
        self._history = history
        self._write_validation()
        if history.steps % self.every == 0:
            row = dict(zip(COLUMNS, history.rows[-1]))
            for name in SHOWN:
                self.scalar(name, row[name], row["step"])
        if self.histograms and history.steps % self.histograms == 0:
            for name, parameter in model.named_parameters():
                self._writer.add_histogram(name, parameter.detach().float().cpu(), history.steps)

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Write one number: a point of the curve called ``tag``; a slash in the tag makes groups ("heads/induction")."""
        self._writer.add_scalar(tag, value, step)

    def embedding(self, vectors, labels, tag: str = "tokens") -> None:
        """Write vectors [N, D] with a text for each, for the page's Projector. Raises ValueError for another number of texts."""
        labels = [str(label).replace("\t", " ").replace("\n", " ") or " " for label in labels]
        if len(labels) != len(vectors):
            raise ValueError(f"give a text for each vector: got {len(labels)} for {len(vectors)}")
        self._writer.add_embedding(vectors, labels, tag=tag)

    def close(self) -> None:
        """Write what is left, the last validation loss included, and close the file."""
        self._write_validation()
        self._writer.close()

    def _write_validation(self) -> None:
        """Write the latest validation loss: ``fit`` measures it after its callbacks, so it is seen one step later."""
        history = self._history
        if history is not None and history.validation_step > self._validated:
            self._validated = history.validation_step
            row = history.rows[self._validated - history.rows[0][0]]
            self.scalar("validation", row[COLUMNS.index("validation")], self._validated)

    def __enter__(self) -> EventFile:
        return self

    def __exit__(self, *error) -> None:
        self.close()


def read_scalars(folder: str | os.PathLike):
    """Return all scalars of the event files in ``folder``, a DataFrame with the columns tag, step, value and time (seconds
    since 1970), a row per point.

    Read by TensorBoard's own EventAccumulator. Raises ValueError without the package tensorboard, and when the folder holds
    no event file.
    """
    import pandas

    require_tensorboard()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    if not any(Path(folder).glob("events.out.tfevents.*")):
        raise ValueError(f"there is no event file in {folder}: give the folder that an EventFile wrote")
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})  # 0: every point, not a sample of them
    events.Reload()
    rows = [
        (tag, point.step, point.value, point.wall_time)
        for tag in events.Tags()["scalars"]
        for point in events.Scalars(tag)
    ]
    return pandas.DataFrame(rows, columns=["tag", "step", "value", "time"])


def require_tensorboard() -> None:
    """Raise ValueError, with the command that gets it, when the package tensorboard is not installed."""
    if sentence := missing("tensorboard"):
        raise ValueError(sentence)


def writable(folder: str | os.PathLike) -> Path:
    """Return ``folder`` as a path, created where it was missing. Raises OSError in a sentence when we cannot write there.

    Asked before TensorBoard's writer is: that one writes in a thread of its own, where an error would be lost.
    """
    folder = Path(os.path.expanduser(folder))
    with clear_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    return folder
