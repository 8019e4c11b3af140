"""What a training must not lose: the best parameters so far, and a file to go on from (used by ``fit``)."""

import math
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from helpers.training.history import History
from helpers.training.losses import each


class Checkpointer:
    """Keeps the parameters with the lowest validation loss, and the resume file if there is one."""

    def __init__(self, model, optimizer, loss, validate: Callable | None, path: str | os.PathLike | None):
        self.model, self.optimizer, self.loss, self.call = model, optimizer, loss, validate
        self.path = None if path is None else Path(path)
        self.history, self.best = History(), None
        if self.path is not None and self.path.exists():
            self._load()

    def validate(self) -> None:
        """Measure the validation loss, if there is one, remember the parameters if it is the lowest; save all."""
        history = self.history
        if self.call is not None and history.validation_step < history.steps:
            self.model.eval()
            if history.validated(self.call(self.model)):
                self.best = {name: value.clone() for name, value in self.model.state_dict().items()}
            self.model.train()
        # A loss that was no number may have spoilt a memory that is carried along: the file before it stays.
        if self.path is not None and math.isfinite(history.recent_loss(1)):
            self._save()

    def finish(self) -> None:
        """Validate once more and give the model its best parameters."""
        if self.history.steps:
            self.validate()
        if self.best is not None:
            self.model.load_state_dict(self.best)

    def _save(self) -> None:
        record = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "history": vars(self.history),
            "state": getattr(self.loss, "state", None),
            "random": torch.get_rng_state(),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        os.close(handle)
        try:
            torch.save(record, temporary)
            os.replace(temporary, self.path)
        finally:
            Path(temporary).unlink(missing_ok=True)

    def _load(self) -> None:
        try:
            record = torch.load(self.path, map_location="cpu", weights_only=True)
            self.model.load_state_dict(record["model"])
            self.optimizer.load_state_dict(record["optimizer"])
            self.history, self.best = History(**record["history"]), record["best"]
            state, random = record["state"], record["random"]
        except Exception as error:  # torch raises half a dozen kinds for a damaged file or another model's
            raise ValueError(
                f"cannot go on from {self.path.name}: it is damaged or belongs to another model. "
                "Remove it to begin again, or give another name as `resume`."
            ) from error
        self.history.stopped = ""
        if hasattr(self.loss, "state"):
            device = next(self.model.parameters()).device
            self.loss.state = each(state, lambda part: part.to(device))
        torch.set_rng_state(random)
