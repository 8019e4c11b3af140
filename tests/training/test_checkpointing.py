"""A training that was interrupted goes on as if nothing had happened; its file is whole, ours, or refused."""

import os
import random

import numpy as np
import pytest
import torch

from helpers.corpus.batches.token_stream import StreamBatches
from helpers.models.rnn import CharRNN
from helpers.runtime import seed_everything
from helpers.training import CarriedState, fit, next_token_loss
from tests.factories import parameter_vector as vector
from tests.factories import rnn

BATCHES = StreamBatches(torch.randint(8, (60,), generator=torch.Generator().manual_seed(5)).short(), 2, 6)

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SOURCES = (  # of chance
    random.random,
    lambda: float(np.random.rand()),
    lambda: torch.rand(()).item(),
    lambda: torch.rand((), device=DEVICE).item(),
)


def new(**others):
    return rnn(**{"hidden_size": 7, "embedding_size": 5, "n_layer": 2, "dropout": 0.3, **others})


def train(model, **settings):
    return fit(model, BATCHES, **{"steps": 11, "learning_rate": 1e-2, "progress": False, **settings})


def interrupt_at(step):
    def callback(history, model):
        if history.steps == step:
            raise KeyboardInterrupt

    return callback


def crash_at(step):
    def callback(history, model):
        if history.steps == step:
            raise RuntimeError("the power went off")

    return callback


def without_seconds(history):
    return str(history.frame.drop(columns=["seconds", "validation"]).to_dict("list"))


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
@pytest.mark.parametrize("loss", [lambda: next_token_loss, CarriedState, lambda: CarriedState(0.5)])
def test_interrupted_and_resumed_is_the_same_as_never_interrupted(tmp_path, kind, loss):
    """Step 3 is amid a pass: memory, dropout, optimizer, learning rate and batches all have to go on."""
    model, file = new(kind=kind), tmp_path / "new folder" / "training.pt"
    expected, uninterrupted = train(model, loss=loss()), vector(model)

    first = new(kind=kind)
    history = train(first, loss=loss(), resume=file, callbacks=[interrupt_at(3)])
    assert history.steps == 3 and not BATCHES[3].first
    torch.manual_seed(12345)  # another process, with another state of chance
    second = CharRNN(**first.config)
    resumed = train(second, loss=loss(), resume=file)

    assert torch.equal(vector(second), uninterrupted)
    assert without_seconds(resumed) == without_seconds(expected)
    assert resumed.steps == 11 and not resumed.stopped


def test_after_a_crash_it_goes_on_from_the_latest_validation(tmp_path):
    model, file = new(), tmp_path / "training.pt"
    expected, uninterrupted = train(model), vector(model)
    with pytest.raises(RuntimeError, match="power"):
        train(new(), resume=file, validate_every=4, callbacks=[crash_at(7)])
    seen, second = [], new()
    resumed = train(second, resume=file, callbacks=[lambda history, model: seen.append(history.steps)])
    assert seen == list(range(5, 12))
    assert torch.equal(vector(second), uninterrupted) and without_seconds(resumed) == without_seconds(expected)


def test_the_best_parameters_survive_an_interruption(tmp_path):
    file, at_step = tmp_path / "training.pt", {}
    losses = iter([3.0, 1.0, 2.0, 5.0, 4.0, 6.0])
    settings = {"validate": lambda model: next(losses), "validate_every": 2, "resume": file, "steps": 8}
    keep = [lambda history, model: at_step.update({history.steps: vector(model)}), interrupt_at(6)]
    first = new()
    history = train(first, callbacks=keep, **settings)
    assert history.best_step == 4 and torch.equal(vector(first), at_step[4])
    second = new()
    history = train(second, **settings)
    assert history.best_step == 4 and history.best == 1.0
    assert torch.equal(vector(second), at_step[4])  # though training went on from the parameters of step 6


def test_a_finished_training_is_not_trained_further(tmp_path):
    file = tmp_path / "training.pt"
    model, other = new(), new()
    train(model, resume=file)
    history = train(other, resume=file, callbacks=[crash_at(12)])
    assert history.steps == 11 and torch.equal(vector(model), vector(other))
    longer = train(other, resume=file, steps=14)
    assert longer.steps == 14 and not torch.equal(vector(model), vector(other))


def damaged(file):
    file.write_bytes(file.read_bytes()[:-200])


def scribbled(file):
    file.write_text("these are no tensors")


def emptied(file):
    file.write_bytes(b"")


def of_another_shape(file):
    file.unlink()
    train(new(hidden_size=9), resume=file)


def of_another_kind(file):
    file.unlink()
    train(new(kind="gru"), resume=file)


def of_another_program(file):
    model = new()
    torch.save({"model": model.state_dict(), "optimizer": torch.optim.AdamW(model.parameters()).state_dict()}, file)


class Harmful:
    """Unpickled, it makes a folder; it could do anything else."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def pickled(file):
    torch.save({"model": Harmful(file.with_name("it ran"))}, file)


@pytest.mark.parametrize(
    "spoil", [damaged, scribbled, emptied, of_another_shape, of_another_kind, of_another_program, pickled]
)
def test_a_file_that_does_not_fit_is_refused_and_left_as_it_is(tmp_path, spoil):
    file = tmp_path / "training.pt"
    train(new(), resume=file, steps=2)
    spoil(file)
    content = file.read_bytes()
    with pytest.raises(ValueError, match="cannot go on from training.pt: .* Remove it to begin again, or give another"):
        train(new(), resume=file)
    assert file.read_bytes() == content and [path.name for path in tmp_path.iterdir()] == ["training.pt"]


def test_a_crash_while_writing_leaves_the_old_file_whole(tmp_path, monkeypatch):
    file = tmp_path / "training.pt"
    train(new(), resume=file, steps=2)
    content = file.read_bytes()

    def fails(source, target):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="no space"):
        train(new(), resume=file, steps=4)
    assert file.read_bytes() == content and [path.name for path in tmp_path.iterdir()] == ["training.pt"]
    monkeypatch.undo()
    assert train(new(), resume=file, steps=4).steps == 4


def test_a_loss_that_is_no_number_does_not_reach_the_file(tmp_path):
    """From the latest good file the training can go on, with a lower learning rate for example."""

    class Spoilt(CarriedState):
        def __call__(self, model, batch):
            value = super().__call__(model, batch)
            self.state = tuple(part * float("nan") for part in self.state)
            return value * float("nan")

    file = tmp_path / "training.pt"
    train(new(), loss=CarriedState(), resume=file, callbacks=[interrupt_at(3)])
    content = file.read_bytes()
    assert "the loss was nan" in train(new(), loss=Spoilt(), resume=file).stopped
    assert file.read_bytes() == content
    history = train(new(), loss=CarriedState(), resume=file)
    assert history.steps == 11 and not history.stopped


def test_resuming_repeats_no_random_numbers(tmp_path):
    """Every random state comes from the file, so what is sampled after it continues the interrupted run's."""
    file = tmp_path / "training.pt"
    seed_everything(5)
    train(new().to(DEVICE), resume=file, steps=3)
    expected = [source() for source in SOURCES]
    seed_everything(777)
    [source() for source in SOURCES]
    train(new().to(DEVICE), resume=file, steps=3)
    assert [source() for source in SOURCES] == expected
    assert {"cpu", "numpy", "python"} <= set(torch.load(file, weights_only=True)["random"])


def test_a_loss_that_uses_every_source_of_chance_goes_on_as_if_never_interrupted(tmp_path):
    def loss(model, batch):
        return next_token_loss(model, batch) * (1 + sum(source() for source in SOURCES))

    file = tmp_path / "training.pt"
    expected, first = new(dropout=0.4).to(DEVICE), new(dropout=0.4).to(DEVICE)
    seed_everything(0)
    train(expected, loss=loss)
    seed_everything(0)
    train(first, loss=loss, resume=file, callbacks=[interrupt_at(4)])
    seed_everything(99)
    second = new(dropout=0.4).to(DEVICE)
    train(second, loss=loss, resume=file)
    assert torch.equal(vector(second), vector(expected))


def test_the_generator_of_a_loss_goes_on_too(tmp_path):
    """As that of `PolicyGradient` does, which samples replies with one of its own."""

    class Noisy:
        def __init__(self):
            self.rng = torch.Generator().manual_seed(0)

        state = property(lambda self: self.rng.get_state(), lambda self, state: self.rng.set_state(state.cpu()))

        def __call__(self, model, batch):
            return next_token_loss(model, batch) * torch.rand((), generator=self.rng).item()

    train(whole := new(), loss=Noisy())
    train(new(), loss=Noisy(), resume=tmp_path / "run.pt", callbacks=[interrupt_at(4)])
    train(second := new(), loss=Noisy(), resume=tmp_path / "run.pt")
    assert torch.equal(vector(whole), vector(second))


def test_too_little_memory_is_no_fault_of_the_file(tmp_path, monkeypatch):
    file, model = tmp_path / "training.pt", new()
    train(new(), resume=file, steps=2)

    def fails(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(model, "load_state_dict", fails)
    with pytest.raises(torch.OutOfMemoryError):
        train(model, resume=file)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_carried_memory_goes_back_to_the_gpu(tmp_path):
    file = tmp_path / "training.pt"
    train(new().cuda(), loss=CarriedState(), resume=file, callbacks=[interrupt_at(3)])
    assert train(new().cuda(), loss=CarriedState(), resume=file).steps == 11
