"""What a training must not lose: the best parameters so far, and a file to go on from (used by ``fit``)."""

import io
import math
import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from helpers.io import write_bytes
from helpers.models.utils import device_of
from helpers.training.alone import Alone
from helpers.training.history import History
from helpers.training.losses import map_tensors


class Checkpointer:
    """Keeps the parameters with the lowest validation loss, and the resume file if there is one.

    The file holds the model, the ``stateful`` things by name (optimizer, …: what has ``state_dict``), the best parameters, the
    History, the ``state`` of the loss (if it has one) and every random state. Reading it raises ValueError when it is damaged
    or belongs to another model. In a ``team`` the first process alone validates, reads and writes the file: it is the same
    for any number of processes.
    """

    def __init__(self, model, loss, validate: Callable | None, path: str | os.PathLike | None, team=None, **stateful):
        self.model, self.loss, self.call, self.stateful, self.team = model, loss, validate, stateful, team or Alone()
        self.path = None if path is None else Path(path)
        self.history, self.best = History(), None
        if self.path is not None:
            content = self.team.from_first(lambda: self.path.read_bytes() if self.path.exists() else None)
            if content is not None:
                self._load(io.BytesIO(content))

    def validate(self) -> None:
        """Measure the validation loss, if there is one, remember the parameters if it is the lowest; save all."""
        history = self.history
        self.team.check_same(self.model)
        finite = math.isfinite(history.recent_loss(1))
        if self.call is not None and history.validation_step < history.steps:
            self.model.eval()
            loss = self.team.from_first(lambda: self.call(self.model), everywhere=self.team.shard)
            if history.validated(loss):
                self.best = {name: value.clone() for name, value in self.model.state_dict().items()}
            self.model.train()
        # A loss that was no number may have spoilt a state that is carried along: the file before it stays.
        if self.path is not None and finite:
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
            **{name: part.state_dict() for name, part in self.stateful.items()},
            "best": self.best,
            "history": self.history.state_dict(),
            "state": getattr(self.loss, "state", None),
            "random": {name: get() for name, (get, _) in _random_sources().items()},
        }
        content, whole = io.BytesIO(), self.team.whole(record)

        def write() -> None:
            torch.save(whole, content)
            write_bytes(self.path, content.getbuffer())

        self.team.from_first(write)

    def _load(self, content: io.BytesIO) -> None:
        try:
            record = torch.load(content, map_location="cpu", weights_only=True)
            self.model.load_state_dict(self.team.split(record["model"], self.model))
            for name, part in self.stateful.items():
                part.load_state_dict(record[name])
            self.team.split_optimizer(self.stateful.get("optimizer"))
            self.history, self.best = History(**record["history"]), record["best"]
            self.best = self.best and self.team.split(self.best, self.model)
            state = record["state"]
            for name, (_, set_state) in _random_sources().items():
                if name in record["random"]:  # a GPU that was not there before keeps its own state
                    set_state(record["random"][name])
        except (MemoryError, torch.OutOfMemoryError):
            raise  # no fault of the file
        except Exception as error:  # torch raises half a dozen kinds for a damaged file or another model's
            raise ValueError(
                f"cannot go on from {self.path.name}: it is damaged or belongs to another model. "
                "Remove it to begin again, or give another name as `resume`."
            ) from error
        self.history.stopped = ""
        if hasattr(self.loss, "state"):
            self.loss.state = map_tensors(state, lambda part: part.to(device_of(self.model)))


def _random_sources() -> dict[str, tuple[Callable, Callable]]:
    """Return how to get and set the state of each random generator there is here, as ``weights_only`` can load it."""
    sources = {
        "python": (random.getstate, random.setstate),
        "numpy": (lambda: tuple(np.asarray(part).tolist() for part in np.random.get_state()), np.random.set_state),
        "cpu": (torch.get_rng_state, torch.set_rng_state),
    }
    if torch.cuda.is_available():
        count = torch.cuda.device_count()  # perhaps fewer than when the file was written
        sources["cuda"] = (torch.cuda.get_rng_state_all, lambda states: torch.cuda.set_rng_state_all(states[:count]))
    if torch.backends.mps.is_available():
        sources["mps"] = (torch.mps.get_rng_state, torch.mps.set_rng_state)
    return sources
