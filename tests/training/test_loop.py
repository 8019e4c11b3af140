"""The training loop: it learns, repeats itself, limits, stops, and gives back the best it found."""

import math
from typing import NamedTuple

import pytest
import torch

from helpers.corpus.batches.base import Batch
from helpers.corpus.batches.token_stream import StreamBatches
from helpers.training import CarriedState, History, fit, mean_loss, next_token_loss
from helpers.training.schedules import learning_rate_at
from tests.factories import parameter_vector as vector
from tests.factories import rnn, seq2seq

PATTERN = torch.tensor([2, 3, 4, 5, 6, 7, 3] * 13, dtype=torch.int16)
BATCHES = StreamBatches(PATTERN, batch_size=4, context=8)
SAME = {"cpu": 0, "cuda": 1e-5}  # a GPU may add up the same numbers in another order


def new(seed=0, **others):
    return rnn(seed=seed, **others)


def train(model, batches=BATCHES, **settings):
    return fit(model, batches, **{"steps": 10, "learning_rate": 1e-2, "progress": False, **settings})


def interrupt_at(step):
    def callback(history, model):
        if history.steps == step:
            raise KeyboardInterrupt

    return callback


class One:
    """The same batch at every step."""

    def __init__(self, batch):
        self.batch = batch

    def __getitem__(self, step):
        return self.batch


def test_one_batch_can_be_learned_by_heart(device):
    model = new().to(device)
    inputs = torch.randint(8, (2, 9))
    history = train(model, One(Batch(inputs[:, :-1], inputs[:, 1:], True)), steps=150, learning_rate=3e-2)
    assert history.rows[0][3] > 1.5 and history.recent_loss(5) < 0.1
    assert not history.stopped and not model.training


def test_it_learns_from_a_stream_with_carried_memory(device):
    model = new().to(device)
    before = mean_loss(model, BATCHES)
    train(model, steps=80, loss=CarriedState())
    assert mean_loss(model, BATCHES) < before / 2


def test_the_same_seed_gives_the_same_history_and_parameters():
    def once(seed):
        model = new(seed, dropout=0.2)
        frame = train(model).frame.drop(columns="seconds")
        return frame.to_dict("list"), vector(model)

    first, again, other = once(0), once(0), once(1)
    assert str(first[0]) == str(again[0]) and torch.equal(first[1], again[1])
    assert first[0]["loss"] != other[0]["loss"]


def test_the_record_holds_every_step():
    history = train(new(), steps=4, warmup=0.5)
    frame = history.frame
    assert list(frame) == ["step", "tokens", "seconds", "loss", "validation", "learning_rate", "gradient_norm"]
    assert list(frame["step"]) == [1, 2, 3, 4] and list(frame["tokens"]) == [32, 64, 96, 128]
    assert list(frame["learning_rate"]) == [learning_rate_at(step / 4, 1e-2, 0.5) for step in range(4)]
    assert frame["seconds"].is_monotonic_increasing and frame["validation"].isna().all()
    assert (frame["gradient_norm"] > 0).all() and history.steps == 4
    assert frame["loss"][0] == pytest.approx(next_token_loss(new(), BATCHES[0]).item())


@pytest.mark.parametrize(("clip", "factor"), [(0.25, 0.125), (5.0, 1.0), (None, 1.0)])
def test_a_gradient_longer_than_the_limit_is_shortened(monkeypatch, clip, factor):
    """Parameters p with the loss 2 · p₀ have the gradient (2, 0), which a limit of 0.25 makes (0.25, 0)."""
    model = torch.nn.Linear(2, 1, bias=False)
    seen, step = [], torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda self: (seen.append(model.weight.grad.clone()), step(self)))
    history = train(model, loss=lambda model, batch: 2 * model.weight[0, 0], steps=1, clip=clip)
    assert history.rows[0][6] == pytest.approx(2.0)  # the record shows the length before
    torch.testing.assert_close(seen[0], torch.tensor([[2.0 * factor, 0.0]]), atol=1e-5, rtol=0)


def test_the_learning_rate_of_a_step_is_the_one_written_down():
    """AdamW's first step has the length of the learning rate in every parameter with a gradient."""
    model = torch.nn.Linear(3, 1, bias=False)
    before = model.weight.detach().clone()
    history = train(model, loss=lambda model, batch: model.weight.sum(), steps=1, warmup=0.0, learning_rate=0.5)
    assert history.rows[0][5] == 0.5
    torch.testing.assert_close(before - model.weight.detach(), torch.full((1, 3), 0.5))


def test_the_best_parameters_are_kept():
    model, at_step = new(), {}
    losses = iter([5.0, 3.0, 4.0])
    history = train(
        model,
        steps=3,
        validate=lambda model: next(losses),
        validate_every=1,
        callbacks=[lambda history, model: at_step.update({history.steps: vector(model)})],
    )
    assert history.best == 3.0 and history.best_step == 2
    assert torch.equal(vector(model), at_step[2]) and not torch.equal(at_step[2], at_step[3])


def test_validation_every_n_steps_and_at_the_end_in_evaluation_mode():
    model, modes = new(), []

    def validate(model):
        modes.append(model.training)
        return 1.0

    frame = train(model, steps=7, validate=validate, validate_every=3).frame
    assert list(frame.loc[frame["validation"].notna(), "step"]) == [3, 6, 7]
    assert modes == [False] * 3
    modes.clear()
    train(model, steps=6, validate=validate, validate_every=3)
    assert len(modes) == 2  # the end is not measured twice


def test_callbacks_see_every_step_in_training_mode():
    seen = []
    callbacks = [lambda history, model: seen.append((history.steps, model.training))] * 2
    train(new(), steps=5, callbacks=callbacks, validate=lambda model: 1.0, validate_every=2)
    assert seen == [(step, True) for step in (1, 1, 2, 2, 3, 3, 4, 4, 5, 5)]


class Watching:
    """Sees the steps, and the end."""

    def __init__(self):
        self.seen, self.ended = 0, []

    def __call__(self, history, model):
        self.seen += 1

    def finish(self, history, model):
        self.ended.append((history.steps, history.validation_step, model.training))


@pytest.mark.parametrize("stopped", [False, True])
def test_a_callback_is_told_when_training_has_ended(stopped):
    watching, steps = Watching(), 3 if stopped else 5
    train(new(), steps=5, callbacks=[watching, *[interrupt_at(3)] * stopped], validate=lambda model: 1.0)
    assert watching.seen == steps and watching.ended == [(steps, steps, False)]  # measured, and in evaluation mode


def test_an_interrupted_training_keeps_what_it_learned(capsys):
    model, other = new(), new()
    history = train(model, callbacks=[interrupt_at(3)], schedule="constant", warmup=0.0)
    assert history.stopped == "Interrupted after step 3: the model keeps what it has learned."
    assert history.stopped in capsys.readouterr().out and history.stopped in repr(history)
    train(other, steps=3, schedule="constant", warmup=0.0)
    assert history.steps == 3 and torch.equal(vector(model), vector(other)) and not model.training


def test_a_loss_that_is_no_number_ends_it_with_the_last_good_parameters():
    model, other = new(), new()

    def loss(model, batch):
        value = next_token_loss(model, batch)
        return value * float("nan") if len(seen) == 2 else value

    seen = []
    history = train(model, loss=loss, callbacks=[lambda history, model: seen.append(1)], schedule="constant")
    assert history.stopped == "Stopped at step 3: the loss was nan. Lower the learning rate, or clip."
    assert history.steps == 3 and torch.isfinite(vector(model)).all()
    train(other, steps=10, schedule="constant", callbacks=[interrupt_at(2)])
    assert torch.equal(vector(model), vector(other))


@pytest.mark.parametrize("clip", [1.0, None])
def test_a_gradient_without_an_end_is_not_followed(clip):
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(0.0)
    history = train(model, loss=lambda model, batch: model.weight.sqrt().sum(), clip=clip)  # slope 1 / (2 · √0)
    assert history.steps == 1 and "the gradient's length was inf" in history.stopped
    assert model.weight.item() == 0.0


def test_a_clock_ends_it(monkeypatch):
    ticks = iter(range(1000))
    monkeypatch.setattr("helpers.training.loop.time.perf_counter", lambda: next(ticks) / 4)  # half a second a step
    history = train(new(), steps=None, seconds=3)
    assert history.steps == 6 and history.seconds == 3.0
    assert train(new(), steps=4, seconds=30).steps == 4  # whichever ends first
    assert train(new(), steps=40, seconds=2).steps == 4


@pytest.mark.parametrize(
    ("length", "shown"),
    [({"steps": 2}, "2/2"), ({"steps": 2, "seconds": 1000.0}, "100/100")],
)
def test_the_bar_counts_what_ends_the_training(length, shown, capsys):
    fit(new(), BATCHES, learning_rate=1e-2, **length)
    assert shown in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"steps": None}, "how long to train: steps=1000, or seconds=45"),
        ({"steps": 0}, "steps is 0: give a number above 0"),
        ({"steps": -5}, "steps is -5"),
        ({"steps": None, "seconds": 0}, "seconds is 0"),
        ({"schedule": "sine"}, "known are cosine"),
    ],
)
def test_senseless_lengths_and_schedules_are_refused(settings, words):
    model = new()
    before = vector(model)
    with pytest.raises(ValueError, match=words):
        train(model, **settings)
    assert torch.equal(vector(model), before)


def test_bfloat16_learns_and_the_parameters_stay_float32(device):
    model, seen = new().to(device), []
    try:
        with torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
            torch.nn.LSTM(2, 2).to(device)(torch.zeros(1, 1, 2, device=device))
    except RuntimeError as error:  # of torch alone, before anything of ours
        pytest.skip(f"torch has no LSTM in bfloat16 for this processor: {error}"[:120])

    def loss(model, batch):
        seen.append(model(batch.inputs)[0].dtype)
        return next_token_loss(model, batch)

    history = train(model, steps=60, dtype=torch.bfloat16, loss=loss)
    assert set(seen) == {torch.bfloat16}
    assert history.recent_loss(5) < history.rows[0][3] / 2
    assert {value.dtype for value in model.parameters()} == {torch.float32}


def test_weight_decay_shrinks_what_has_no_gradient():
    model = torch.nn.Linear(2, 1, bias=False)
    before = model.weight.detach().clone()
    settings = {"loss": lambda model, batch: model.weight.sum() * 0, "steps": 1, "warmup": 0.0, "learning_rate": 0.1}
    train(model, weight_decay=0.5, **settings)
    torch.testing.assert_close(model.weight.detach(), before * (1 - 0.1 * 0.5))


def test_numbers_near_zero_are_left_alone_afterwards():
    train(new(), steps=1)
    assert (torch.tensor([1e-40]) * 1.0).item() > 0  # a denormal number would have become 0


def test_a_history_in_words():
    history = History()
    assert "has not begun" in repr(history) and math.isnan(history.recent_loss()) and history.steps == 0
    for loss in (4.0, 3.0, 2.0):
        history.add(10, 0.5, loss, 1e-3, 1.0)
    assert history.validated(2.5) and not history.validated(2.5)
    assert history.recent_loss(2) == 2.5 and history.seconds == 1.5
    assert repr(history) == (
        "History of 3 steps: training loss from 4.00 to 3.00 nats per token; lowest validation loss 2.50 after step 3."
    )


# --- optimizers, accumulated gradients, other kinds of batches ----------------------------------------------------------


class Halves:
    """Batches of two rows; two of them make a batch of `Wholes`."""

    def __init__(self, rows=2):
        self.rows = rows

    def __getitem__(self, step):
        ids = torch.randint(8, (8 * 4, 9), generator=torch.Generator().manual_seed(5))
        ids = ids[step * self.rows : (step + 1) * self.rows]
        return Batch(ids[:, :-1], ids[:, 1:], True)


def test_accumulated_gradients_are_those_of_the_large_batch(device):
    parts, whole = new().to(device), new().to(device)
    settings = {"steps": 6, "learning_rate": 1e-2, "progress": False, "loss": next_token_loss}
    a = fit(parts, Halves(2), accumulate=2, **settings)
    b = fit(whole, Halves(4), **settings)
    torch.testing.assert_close(vector(parts), vector(whole), atol=1e-5, rtol=1e-4)
    assert [row[1] for row in a.rows] == [row[1] for row in b.rows] == [32 * n for n in range(1, 7)]  # tokens read
    assert a.rows[-1][3] == pytest.approx(b.rows[-1][3], rel=1e-4)


def uneven():
    """Four batches with 15, 9, 3 and no targets, and all of them as one."""
    ids = torch.randint(8, (8, 9), generator=torch.Generator().manual_seed(5))
    inputs, targets = ids[:, :-1], ids[:, 1:].clone()
    targets.view(4, 16)[torch.arange(16) >= torch.tensor([15, 9, 3, 0])[:, None]] = -100
    parts = [Batch(inputs[row : row + 2], targets[row : row + 2], True) for row in range(0, 8, 2)]
    return parts, Batch(inputs, targets, True)


@pytest.mark.parametrize("loss", [next_token_loss, CarriedState(), CarriedState(0.5)])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 2), (1,)])
def test_accumulated_gradients_weigh_each_target_the_same(loss, order, device):
    """Parts in which few targets count weigh little, those with none nothing: the gradient is that of one large batch."""
    parts, _ = uneven()
    parts = [parts[number] for number in order]
    whole = Batch(*(torch.cat([getattr(part, name) for part in parts]) for name in ("inputs", "targets")), True)
    gradients, losses = [], []
    for batches, accumulate in ((parts, len(parts)), ([whole], 1)):
        model = new().double().to(device)
        history = train(model, batches, accumulate=accumulate, steps=1, clip=None, loss=loss)
        gradients.append(torch.cat([value.grad.flatten() for value in model.parameters()]))
        losses.append(history.rows[0][3])
    torch.testing.assert_close(*gradients, atol=1e-6, rtol=0)
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)


def test_a_loss_over_pairs_weighs_pairs_not_tokens():
    from helpers.training.reward_modeling import pairs_in

    class OverPairs:
        """Like DPO: a mean over pairs of rows, however many tokens they have."""

        terms = staticmethod(pairs_in)

        def __call__(self, model, batch):
            return (model.weight[0] * batch.ids[:, 0]).mean()

    class Pairs(NamedTuple):
        ids: torch.Tensor
        targets: torch.Tensor

    values = torch.arange(1.0, 7.0)[:, None]
    parts = [Pairs(values[:4], torch.full((4, 9), 3)), Pairs(values[4:], torch.full((2, 1), 3))]
    gradients = []
    for batches in (parts, [Pairs(values, torch.full((6, 9), 3))]):
        model = torch.nn.Linear(1, 1, bias=False)
        train(model, batches, accumulate=len(batches), steps=1, clip=None, loss=OverPairs())
        gradients.append(model.weight.grad.item())
    assert gradients[0] == pytest.approx(gradients[1]) == pytest.approx(3.5)


# --- a device that is not waited for ------------------------------------------------------------------------------------


@pytest.fixture
def deferred(monkeypatch):
    """Treat the CPU as a GPU: its numbers are read every ten steps only."""
    monkeypatch.setattr("helpers.training.loop._read_every", lambda device: 10)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_unwaited_steps_are_the_same_steps(monkeypatch, optimizer):
    settings = {
        "steps": 23,
        "optimizer": optimizer,
        "accumulate": 2,
        "validate": lambda model: 1.0,
        "validate_every": 7,
    }
    ends = []
    for every in (1, 10):
        monkeypatch.setattr("helpers.training.loop._read_every", lambda device, every=every: every)
        model = new(dropout=0.2)
        frame = train(model, **settings).frame.drop(columns="seconds")
        ends.append((frame.to_dict("list"), vector(model)))
    assert str(ends[0][0]) == str(ends[1][0]) and torch.equal(ends[0][1], ends[1][1])


def test_numbers_are_fetched_every_ten_steps_or_when_somebody_reads_them(deferred, monkeypatch):
    fetched, real = [], History.fetch

    def fetch(history):
        if history._pending:
            fetched.append(history.steps)
        real(history)

    monkeypatch.setattr(History, "fetch", fetch)
    seen = []
    history = train(new(), steps=25, callbacks=[lambda history, model: seen.append(history.steps)])
    assert fetched == [10, 20, 25] and seen == list(range(1, 26)) and len(history.rows) == 25
    fetched.clear()
    train(new(), steps=4, callbacks=[lambda history, model: seen.append(history.rows[-1][3])])
    assert fetched == [1, 2, 3, 4] and all(math.isfinite(number) for number in seen[-4:])


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("kind", ["loss", "gradient"])
def test_unwaited_steps_after_one_that_is_no_number_change_nothing(deferred, optimizer, kind):
    """The fourth step is spoilt and noticed after the tenth: the weights and the record are those of three steps."""
    model, other, calls = new(), new(), []

    def loss(model, batch):
        calls.append(1)
        value = next_token_loss(model, batch)
        if len(calls) == 4:
            value = value * math.nan if kind == "loss" else value + (model.embed.weight[0, 0] * 0).sqrt()
        return value

    settings = {"optimizer": optimizer, "schedule": "constant"}
    history = train(model, loss=loss, steps=30, **settings)
    name = "loss was nan" if kind == "loss" else "gradient's length was"
    assert history.stopped.startswith(f"Stopped at step 4: the {name}") and history.steps == len(history.rows) == 4
    train(other, steps=30, callbacks=[interrupt_at(3)], **settings)
    assert torch.equal(vector(model), vector(other))


def test_an_interrupted_unwaited_training_keeps_what_it_learned(deferred):
    model, other = new(), new()
    history = train(model, callbacks=[interrupt_at(3)], schedule="constant", warmup=0.0)
    train(other, steps=3, schedule="constant", warmup=0.0)
    assert history.stopped.startswith("Interrupted after step 3") and len(history.rows) == 3
    assert torch.equal(vector(model), vector(other))


def test_the_time_of_the_wait_is_part_of_the_training(monkeypatch):
    """Two steps whose numbers come a second later have taken half a second more each."""
    history, ticks = History(), iter([10.0, 11.0])
    monkeypatch.setattr("helpers.training.history.time.perf_counter", lambda: next(ticks))
    for _ in range(2):
        history.add_later(5, 0.25, [torch.tensor(1.0), torch.tensor(2.0)], 0.1, torch.tensor(4.0))
    assert history.steps == 2 and history.seconds == 0.5
    assert [row[2:4] + row[6:] for row in history.rows] == [(0.75, 3.0, 4.0), (1.5, 3.0, 4.0)]


# --- number types -------------------------------------------------------------------------------------------------------


def test_float16_needs_a_gpu_and_other_types_are_refused():
    model = new()
    before = vector(model)
    with pytest.raises(ValueError, match="float16 needs a CUDA GPU, not cpu: give torch.bfloat16, or no dtype"):
        train(model, dtype=torch.float16)
    for dtype in (torch.float64, torch.int8, "bfloat16"):
        with pytest.raises(ValueError, match="give torch.bfloat16 or torch.float16, or leave it out"):
            train(model, dtype=dtype)
    assert torch.equal(vector(model), before)


gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@gpu
def test_float16_learns_on_a_gpu_and_an_overflow_skips_a_step():
    model, seen = new().cuda(), []

    def loss(model, batch):
        seen.append(model(batch.inputs)[0].dtype)
        return next_token_loss(model, batch)

    history = train(model, steps=80, dtype=torch.float16, loss=loss)
    assert set(seen) == {torch.float16} and not history.stopped
    assert history.recent_loss(5) < history.rows[0][3] / 2
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    # A scaled loss beyond float16's 65,504 overflows at first: these steps are skipped, and the scale falls until one is not.
    weight = torch.nn.Linear(1, 1, bias=False).cuda()
    history = train(weight, steps=20, dtype=torch.float16, loss=lambda model, batch: (model.weight.half() * 100).sum())
    assert not history.stopped and history.rows[0][6] == 0.0 and history.rows[-1][6] == pytest.approx(100)


@gpu
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_step_on_a_gpu_waits_for_nothing(optimizer):
    """``set_sync_debug_mode`` raises at every synchronization; what is read every ten steps is not reached."""
    model = new().cuda()

    def watched(history, model):
        torch.cuda.set_sync_debug_mode("error" if history.steps in range(3, 8) else "default")

    try:
        history = train(model, steps=9, loss=CarriedState(0.2), optimizer=optimizer, callbacks=[watched])
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert history.steps == 9 and not history.stopped


@gpu
def test_tf32_is_allowed_in_training_only():
    before, seen = torch.get_float32_matmul_precision(), []
    train(new().cuda(), steps=1, callbacks=[lambda *_: seen.append(torch.get_float32_matmul_precision())])
    assert seen == ["high"] and torch.get_float32_matmul_precision() == before == "highest"


@pytest.mark.parametrize("accumulate", [0, -1])
def test_senseless_accumulation_is_refused(accumulate):
    with pytest.raises(ValueError, match="accumulate is .*: give a number above 0"):
        train(new(), accumulate=accumulate)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_each_optimizer_learns_and_repeats_itself(optimizer, device):
    first, second = new().to(device), new().to(device)
    settings = {"steps": 80, "optimizer": optimizer, "learning_rate": 2e-2 if optimizer == "adamw" else 1e-1}
    history = train(first, **settings)
    train(second, **settings)
    assert history.recent_loss(3) < history.rows[0][3] / 2
    torch.testing.assert_close(vector(first), vector(second), atol=SAME[device.type], rtol=0)


def test_muon_goes_on_from_a_resume_file_as_if_never_stopped(tmp_path, device):
    settings = {"optimizer": "muon", "steps": 12, "validate_every": 4}
    whole = new().to(device)
    train(whole, **settings)
    stopped = new().to(device)
    train(stopped, resume=tmp_path / "run.pt", callbacks=[interrupt_at(8)], **settings)
    resumed = new(seed=1).to(device)
    train(resumed, resume=tmp_path / "run.pt", **settings)
    torch.testing.assert_close(vector(whole), vector(resumed), atol=SAME[device.type], rtol=0)


def test_targets_of_minus_100_are_not_counted():
    inputs = torch.randint(8, (2, 6))
    targets = inputs.clone()
    targets[:, 4:] = -100
    history = fit(new(), One(Batch(inputs, targets, True)), steps=2, loss=next_token_loss, progress=False)
    assert history.rows[-1][1] == 2 * 8


def test_pairs_are_a_batch_too(device):
    from helpers.corpus.batches.base import Pair
    from helpers.corpus.batches.context_reply_pairs import PairBatches
    from helpers.training import reply_loss

    model = seq2seq(12, hidden_size=16, speakers=(2, 3, 4), end=1).to(device)
    pairs = [Pair([1, 2, 5 + k], [3, 5 + k, 1]) for k in range(6)]  # the answer is the question
    batches = PairBatches(pairs, 3, pad=0)
    history = fit(model, batches, steps=250, learning_rate=1e-2, loss=reply_loss, progress=False)
    assert history.recent_loss(5) < 0.3 < 1 < history.rows[0][3]
    assert mean_loss(model, batches, loss=reply_loss) < 0.3
