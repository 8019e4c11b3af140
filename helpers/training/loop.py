"""The one training loop of the course (built in notebook 02): forward, backward, clip, step; the rest is book-keeping."""

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch

from helpers.corpus.batches.base import IGNORED
from helpers.training.alone import Alone
from helpers.training.checkpointing import Checkpointer
from helpers.training.history import NAN, History
from helpers.training.losses import NotFinite, next_token_loss, terms, to_device
from helpers.training.optimizers import make_optimizer, step_where
from helpers.training.schedules import learning_rate_at

READ_EVERY = 10  # steps after which a GPU is asked for its numbers: asking at each would make it wait
MIXED = (torch.bfloat16, torch.float16)


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
    team: Alone | None = None,
) -> History:
    """Train ``model`` in place and return the History: for ``steps`` steps, or for ``seconds``, whichever ends first.

    batches         ``batches[t]`` is the batch of step t, for every t (``helpers.corpus.batches.token_stream``)
    loss            called as ``loss(model, batch)``: mean nats per token, a scalar tensor
    learning_rate   the highest; ``warmup`` (a share of the training) and ``schedule`` say how it is reached and left
    optimizer       "adamw", "muon" for the matrices with AdamW for the rest, or "sgd" (``helpers.training.optimizers``)
    clip            longest gradient allowed, over all parameters; None for no limit
    accumulate      how many batches make one step, with the gradient of one large batch: each weighs as much as it has
                    targets (``helpers.training.losses.terms``); memory is needed for one alone
    validate        called as ``validate(model)`` every ``validate_every`` steps and at the end: the model is left with
                    the parameters that gave the lowest value
    callbacks       each called as ``callback(history, model)`` after every step, for a live curve or samples; where one has a
                    method ``finish``, it is called in the same way when training has ended
    resume          a file: training goes on from it if it exists, and keeps it up to date at every validation
    dtype           torch.bfloat16 computes the large products in it; torch.float16 too, on a CUDA GPU only, with a loss that
                    is scaled up so that small gradients are not lost; the parameters stay float32
    compile         torch.compile the model first: pays on a GPU and in long runs, costs up to a minute at the start
    team            a Team of processes (``helpers.training.distributed.join``): each reads its share of the batches, a step is
                    that of ``accumulate`` × as many batches as processes; the first one alone has the bar, the callbacks (but
                    those with ``on_every_process``), the clock, the validation and the resume file

    Interrupting it (Ctrl-C, the stop button of a notebook) and a loss or gradient that is no number end the training early:
    the model keeps what it learned, ``history.stopped`` says why. A GPU is not waited for at each step: its numbers are
    fetched every 10 steps, or when a callback reads ``history.rows``; steps after one that was no number change nothing. On
    CUDA float32 products are computed in TF32. Raises ValueError without steps and seconds, when one of them or
    ``accumulate`` is not above 0, for an unknown optimizer or dtype, for float16 without CUDA, for a resume file that is
    damaged or belongs to another model, and for what a ``team`` cannot share (``Team.prepare``).
    """
    if steps is None and seconds is None:
        raise ValueError("say how long to train: steps=1000, or seconds=45")
    for name, length in (("steps", steps), ("seconds", seconds), ("accumulate", accumulate)):
        if length is not None and not length > 0:
            raise ValueError(f"{name} is {length}: give a number above 0, such as steps=1000 or seconds=45")
    team = team or Alone()
    team.prepare(model, loss)
    maker = make_optimizer(optimizer, model, learning_rate, weight_decay)
    stepper = _Stepper(model, loss, maker, clip, dtype, compile, team)
    stateful = {"optimizer": stepper.optimizer, "scaler": stepper.scaler}
    checkpointer = Checkpointer(model, loss, validate, resume, team, **stateful)
    history = checkpointer.history
    bar = _Bar(steps, seconds, history, progress and team.first)
    callbacks = [each for each in callbacks if team.first or getattr(each, "on_every_process", False)]
    model.train()
    try:
        with _fast_numbers(stepper.device), team.watching():
            while (done := team.agreed(_share_done(history, steps, seconds), history)) < 1:
                rate = learning_rate_at(done, 1.0, warmup, schedule)
                stepper.step(history, batches, accumulate, rate, learning_rate)
                for callback in callbacks:
                    callback(history, model)
                bar.update()
                if history.steps % validate_every == 0:
                    checkpointer.validate()
    except NotFinite as error:
        history.fetch()
        if not history.stopped:
            history.add(0, 0.0, NAN, 0.0, NAN)
            history.stopped = f"Stopped at step {history.steps:,}: {error}. The model keeps the weights from before it."
    except KeyboardInterrupt:
        history.fetch()
        history.stopped = history.stopped or (
            f"Interrupted after step {history.steps:,}: the model keeps what it has learned."
        )
        if team.first:
            print(history.stopped)
    finally:
        bar.bar.close()
    checkpointer.finish()
    model.eval()
    for callback in callbacks:
        if hasattr(callback, "finish"):
            callback.finish(history, model)
    return history


class _Stepper:
    """The steps of ``fit``: gradients, clipped, and what the optimizer makes of them."""

    def __init__(
        self, model, loss: Callable, optimizer, clip: float | None, dtype: torch.dtype | None, compile: bool, team
    ):
        self.device = device = next(model.parameters()).device
        if dtype not in (None, torch.float32, *MIXED):
            raise ValueError(f"dtype is {dtype}: give torch.bfloat16 or torch.float16, or leave it out for float32")
        if dtype == torch.float16 and team.shard:
            raise ValueError(
                "a process that holds a part cannot see whether float16 has overflowed: give torch.bfloat16"
            )
        if dtype == torch.float16 and device.type != "cuda":
            raise ValueError(
                f"dtype=torch.float16 needs a CUDA GPU, not {device.type}: give torch.bfloat16, or no dtype"
            )
        self.model, self.loss, self.optimizer, self.clip, self.team = model, loss, optimizer, clip or math.inf, team
        self.trained = torch.compile(model) if compile else model
        self.mixed = torch.autocast(device.type, dtype if dtype in MIXED else torch.bfloat16, enabled=dtype in MIXED)
        self.scaler = torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)
        self.read_every = 1 if self.scaler.is_enabled() else _read_every(device)
        self.finite = torch.ones((), dtype=torch.bool, device=device)  # every number so far

    def step(self, history: History, batches, accumulate: int, rate: float, peak: float) -> None:
        """Make a step along the gradient of the next batches, at ``rate`` of the highest learning rate, and record it."""
        began = time.perf_counter()
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["peak"]
        losses, tokens = self._backward([batches[number] for number in self.team.numbers(history.steps, accumulate)])
        self.scaler.unscale_(self.optimizer)
        norm = self.team.whole(torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip))
        if self.scaler.is_enabled():
            # The scaler makes no step where float16 has overflowed: then its scale falls, and training goes on.
            self.scaler.step(self.optimizer)
            self.scaler.update()
            norm = norm.nan_to_num(0.0, 0.0, 0.0)
        else:
            self.finite = self.finite & torch.isfinite(norm) & torch.isfinite(torch.stack(losses)).all()
            step_where(self.optimizer, self.finite)
        history.add_later(tokens, time.perf_counter() - began, losses, rate * peak, norm)
        if history.steps % self.read_every == 0:
            history.fetch()

    def _backward(self, parts: list) -> tuple[list[torch.Tensor], int]:
        """Fill the gradients; return what each part adds to the loss, and how many tokens were to be predicted."""
        self.optimizer.zero_grad()
        weights, losses = [terms(self.loss, batch) for batch in parts], []
        tokens = sum(int((batch.targets != IGNORED).sum()) for batch in parts)
        total, tokens = self.team.totals(sum(weights), tokens)
        for batch, weight in zip(parts, weights):
            if weight or not total or self.team.shard:  # the mean over no target is no number
                with self.mixed:
                    value = self.loss(self.trained, to_device(batch, self.device))
                    value = value / (total / weight) if weight else value.nan_to_num() * 0 if total else value
                self.team.forwarded()
                (self.scaler.scale(value) * self.team.divisor).backward()
                losses.append(value.detach())
        return self.team.summed(self.model, losses, len(parts)), tokens


def _read_every(device: torch.device) -> int:
    """Return after how many steps the numbers are read: a CPU has computed them by then, a GPU would be waited for."""
    return 1 if device.type == "cpu" else READ_EVERY


@contextmanager
def _fast_numbers(device: torch.device) -> Iterator[None]:
    """Inside, products are computed as fast as training allows; afterwards as before."""
    precision = torch.get_float32_matmul_precision()
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32: the range of float32, ten bits of its digits
    # Gradients that vanish become numbers of a size that processors compute with tenfold slower: they count as 0.
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)  # for the whole process: NumPy would warn about it
        torch.set_float32_matmul_precision(precision)


def _share_done(history: History, steps: int | None, seconds: float | None) -> float:
    return max(history.steps / (steps or math.inf), history.seconds / (seconds or math.inf))


class _Bar:
    """A progress bar of steps, of seconds where the clock ends the training, or of % where either may, with the loss."""

    def __init__(self, steps: int | None, seconds: float | None, history: History, shown: bool):
        from tqdm.auto import tqdm

        self.history, self.steps, self.seconds = history, steps, seconds
        total, unit = (100, "%") if steps and seconds else (steps, "step") if steps else (round(seconds), "s")
        settings = {"total": total, "unit": unit, "initial": self._done()}
        self.bar = tqdm(disable=not shown, mininterval=0.5, **settings)

    def _done(self) -> int:
        if self.steps and self.seconds:
            return int(100 * min(1, _share_done(self.history, self.steps, self.seconds)))
        return self.history.steps if self.steps else int(self.history.seconds)

    def update(self) -> None:
        if self.history.steps % READ_EVERY == 0:
            self.bar.set_postfix_str(f"loss {self.history.recent_loss(20):.3f} nats", refresh=False)
        self.bar.update(min(self._done(), self.bar.total) - self.bar.n)
