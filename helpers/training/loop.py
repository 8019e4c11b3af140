"""The one training loop of the course (built in notebook 02): forward, backward, clip, step; the rest is book-keeping."""

import math
import os
import time
from collections.abc import Callable, Iterable

import torch

from helpers.training.checkpointing import Checkpointer
from helpers.training.history import History
from helpers.training.losses import next_token_loss, on
from helpers.training.optimizers import make_optimizer
from helpers.training.schedules import learning_rate_at


def fit(
    model: torch.nn.Module,
    batches,
    *,
    steps: int | None = None,
    seconds: float | None = None,
    learning_rate: float = 2e-3,
    optimizer: str = "adamw",
    loss: Callable = next_token_loss,
    warmup: float = 0.02,
    schedule: str = "cosine",
    clip: float | None = 1.0,
    weight_decay: float = 0.0,
    accumulate: int = 1,
    validate: Callable | None = None,
    validate_every: int = 500,
    callbacks: Iterable[Callable] = (),
    resume: str | os.PathLike | None = None,
    dtype: torch.dtype | None = None,
    compile: bool = False,
    progress: bool = True,
) -> History:
    """Train ``model`` in place and return the History: for ``steps`` steps, or for ``seconds``, whichever ends first.

    batches         ``batches[t]`` is the batch of step t, for every t (``helpers.corpus.batches.token_stream``)
    loss            called as ``loss(model, batch)``: mean nats per token, a scalar tensor
    learning_rate   the highest; ``warmup`` (a share of the training) and ``schedule`` say how it is reached and left
    optimizer       "adamw", or "muon" for the matrices with AdamW for the rest (``helpers.training.optimizers``)
    clip            longest gradient allowed, over all parameters together; None for no limit
    accumulate      how many batches make one step: their gradients are averaged, memory is needed for one alone
    validate        called as ``validate(model)`` every ``validate_every`` steps and at the end: the model is left with
                    the parameters that gave the lowest value
    callbacks       each called as ``callback(history, model)`` after every step, for a live curve or samples
    resume          a file: training goes on from it if it exists, and keeps it up to date at every validation
    dtype           torch.bfloat16 computes the large products in it; the parameters stay float32
    compile         torch.compile the model first: pays on a GPU and in long runs, costs up to a minute at the start

    Interrupting it (Ctrl-C, the stop button of a
    notebook) and a loss or gradient that is no number end the training early: the model keeps what it learned,
    ``history.stopped`` says why. Raises ValueError without steps and seconds, when one of them or ``accumulate``
    is not above 0, for an unknown optimizer, or for a resume file that is damaged or belongs to another model.
    """
    if steps is None and seconds is None:
        raise ValueError("say how long to train: steps=1000, or seconds=45")
    for name, length in (("steps", steps), ("seconds", seconds), ("accumulate", accumulate)):
        if length is not None and not length > 0:
            raise ValueError(f"{name} is {length}: give a number above 0, such as steps=1000 or seconds=45")
    optimizer = make_optimizer(optimizer, model, learning_rate, weight_decay)
    keeper = Checkpointer(model, optimizer, loss, validate, resume)
    history, device = keeper.history, next(model.parameters()).device
    mixed = torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16)
    trained = torch.compile(model) if compile else model
    bar = _Bar(steps, seconds, history, progress)
    # Gradients that vanish become numbers of a size that processors compute with tenfold slower: they count as 0.
    torch.set_flush_denormal(True)
    model.train()
    try:
        while not history.stopped and (done := _share_done(history, steps, seconds)) < 1:
            began = time.perf_counter()
            rate = learning_rate_at(done, 1.0, warmup, schedule)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["peak"]
            optimizer.zero_grad()
            value, tokens = 0.0, 0
            for number in range(history.steps * accumulate, (history.steps + 1) * accumulate):
                batch = on(batches[number], device)
                with mixed:
                    part = loss(trained, batch) / accumulate
                part.backward()
                value, tokens = value + part.item(), tokens + int((batch.targets >= 0).sum())
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip or math.inf)
            if math.isfinite(value) and math.isfinite(norm.item()):  # scaling an infinite gradient gives NaN
                optimizer.step()
            history.add(tokens, time.perf_counter() - began, value, rate * learning_rate, norm.item())
            for callback in callbacks:
                callback(history, model)
            bar.update()
            if history.steps % validate_every == 0:
                keeper.validate()
    except KeyboardInterrupt:
        history.stopped = f"Interrupted after step {history.steps:,}: the model keeps what it has learned."
        print(history.stopped)
    finally:
        bar.close()
        torch.set_flush_denormal(False)  # for the whole process: NumPy would warn about it
    keeper.finish()
    model.eval()
    return history


def _share_done(history: History, steps: int | None, seconds: float | None) -> float:
    shares = [history.steps / steps] if steps is not None else []
    return max(shares + ([history.seconds / seconds] if seconds is not None else []))


class _Bar:
    """A progress bar of steps, or of seconds where the clock ends the training, with the loss beside it."""

    def __init__(self, steps, seconds, history: History, shown: bool):
        from tqdm.auto import tqdm

        self.history, self.in_steps = history, steps is not None
        total = steps if self.in_steps else round(seconds)
        unit = "step" if self.in_steps else "s"
        self.bar = tqdm(total=total, initial=self._done(), unit=unit, disable=not shown, mininterval=0.5)

    def _done(self) -> int:
        return self.history.steps if self.in_steps else int(self.history.seconds)

    def update(self) -> None:
        if self.history.steps % 10 == 0:
            self.bar.set_postfix_str(f"loss {self.history.recent_loss(20):.3f} nats", refresh=False)
        self.bar.update(min(self._done(), self.bar.total) - self.bar.n)

    def close(self) -> None:
        self.bar.close()
