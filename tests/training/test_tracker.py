"""The tracker: Weights & Biases' calls, a line of JSON each; what goes back in time, or nowhere, is refused in a sentence."""

import json
import math
import types

import numpy as np
import pytest
import torch

from helpers.corpus.batches.token_stream import StreamBatches
from helpers.training import fit, tracker
from helpers.training.history import COLUMNS
from helpers.training.tracked_runs import read_run
from helpers.training.tracker import log_to
from tests.factories import rnn

BATCHES = StreamBatches(torch.tensor([2, 3, 4, 5, 6, 7, 3] * 13, dtype=torch.int16), batch_size=4, context=8)


@pytest.fixture(autouse=True)
def _no_run():
    yield
    tracker.finish()


def lines(run):
    return [json.loads(line) for line in run.path.read_text(encoding="utf-8").splitlines()]


def test_the_calls_of_weights_and_biases(tmp_path):
    wandb = tracker
    run = wandb.init(project="chat", name="first", config={"rate": 0.1}, dir=tmp_path, mode="offline")
    assert wandb.run is run and run.path == tmp_path / "chat" / "first.jsonl"
    wandb.log({"loss": 2.5})
    run.log({"loss": 2.0, "accuracy": 0.5}, step=4)
    wandb.log({"loss": 1.5})
    wandb.config.update({"layers": 2}, heads=4)
    wandb.config.seed = 7
    wandb.summary["bits"] = 1.4
    assert wandb.config.rate == run.config["rate"] == 0.1 and dict(run.config)["heads"] == 4
    wandb.finish()
    assert wandb.run is None and [line["kind"] for line in lines(run)] == [
        "init", "log", "log", "log", "config", "config", "summary", "finish"
    ]  # fmt: skip
    config, frame, summary = read_run(run.path)
    assert config == {"rate": 0.1, "layers": 2, "heads": 4, "seed": 7} and summary == {"bits": 1.4}
    assert frame.step.tolist() == [0, 4, 5] and frame.loss.tolist() == [2.5, 2.0, 1.5]
    assert frame.accuracy.isna().tolist() == [True, False, True]


def test_a_line_is_written_at_once(tmp_path):
    run = tracker.init(dir=tmp_path)
    run.log({"loss": 1.0})
    assert lines(run)[-1]["values"] == {"loss": 1.0} and run.path.name == "run-1.jsonl"
    assert all(one["seconds"] <= two["seconds"] for one, two in zip(lines(run), lines(run)[1:]))


def test_numbers_of_numpy_and_torch_and_numbers_that_are_none(tmp_path):
    run = tracker.init(config={"sizes": (2, 3), "device": torch.device("cpu")}, dir=tmp_path)
    values = {"a": np.float32(0.5), "b": torch.tensor(3), "c": math.nan, "d": -math.inf, "e": np.arange(2)}
    run.log(values)
    assert "NaN" in run.path.read_text(encoding="utf-8") and lines(run)[1]["values"]["e"] == [0, 1]
    config, frame, _ = read_run(run.path)
    assert config == {"sizes": [2, 3], "device": "cpu"}
    assert frame.loc[0, ["a", "b", "d"]].tolist() == [0.5, 3, -math.inf] and math.isnan(frame.c[0])


def test_a_new_run_finishes_the_one_before_and_gets_a_free_number(tmp_path):
    first, second = tracker.init(dir=tmp_path), tracker.init(dir=tmp_path)
    assert (first.name, second.name) == ("run-1", "run-2") and tracker.run is second
    assert lines(first)[-1]["kind"] == "finish" and lines(second)[-1]["kind"] == "init"
    first.finish()
    assert tracker.run is second and len(lines(first)) == 2  # a second time nothing happens


def test_an_error_inside_the_run_is_recorded(tmp_path):
    with pytest.raises(RuntimeError), tracker.init(dir=tmp_path) as run:
        raise RuntimeError("the power went out")
    assert lines(run)[-1]["exit_code"] == 1
    with tracker.init(dir=tmp_path) as run:
        pass
    assert lines(run)[-1]["exit_code"] == 0


def test_a_callback_logs_a_training(tmp_path):
    losses = iter([3.0, 2.0, 1.0])
    with tracker.init(dir=tmp_path) as run:
        settings = {"validate": lambda model: next(losses), "validate_every": 3}
        history = fit(
            rnn(), BATCHES, steps=8, callbacks=[log_to(run, every=2, prefix="train/")], progress=False, **settings
        )
    _, frame, _ = read_run(run.path)
    assert frame.step.tolist() == [2, 4, 6, 8]
    assert frame["train/loss"].tolist() == pytest.approx([row[COLUMNS.index("loss")] for row in history.rows[1::2]])
    assert frame["train/validation"].dropna().tolist() == [3.0, 2.0]  # each at the next step that is logged
    with pytest.raises(ValueError, match="every is 0"):
        log_to(run, every=0)


def test_the_callback_takes_any_run_that_logs():
    seen = []
    other = types.SimpleNamespace(
        log=lambda values, step: seen.append((step, sorted(values)))
    )  # as wandb and trackio do
    fit(rnn(), BATCHES, steps=2, callbacks=[log_to(other)], progress=False)
    assert seen == [(step, ["gradient_norm", "learning_rate", "loss", "tokens"]) for step in (1, 2)]


def test_steps_do_not_go_back_but_may_be_added_to(tmp_path):
    run = tracker.init(dir=tmp_path)
    run.log({"loss": 1.0}, step=5)
    run.log({"accuracy": 0.5}, step=5)
    _, frame, _ = read_run(run.path)
    assert frame[["step", "loss", "accuracy"]].values.tolist() == [[5, 1.0, 0.5]]
    with pytest.raises(ValueError, match="step 4 comes after step 5"):
        run.log({"loss": 1.0}, step=4)


def test_what_is_not_there_is_said(tmp_path):
    for use in (lambda: tracker.log({"loss": 1}), lambda: tracker.config, lambda: tracker.summary):
        with pytest.raises(ValueError, match="there is no run: begin one with init"):
            use()
    with pytest.raises(AttributeError, match="has no attribute 'watch'"):
        tracker.watch  # noqa: B018
    run = tracker.init(config={"rate": 1}, dir=tmp_path)
    with pytest.raises(AttributeError, match="'seed' is written; known are rate"):
        run.config.seed  # noqa: B018
    with pytest.raises(TypeError, match="nothing is taken away"):
        del run.config["rate"]
    run.finish()
    with pytest.raises(ValueError, match="'run-1' has finished"):
        run.log({"loss": 1.0})


def test_names_that_are_taken_or_no_file_are_refused(tmp_path):
    tracker.init(name="a", dir=tmp_path)
    with pytest.raises(ValueError, match="has a run 'a' already"):
        tracker.init(name="a", dir=tmp_path)
    for settings in ({"name": "../a"}, {"project": "a/b"}, {"name": ""}):
        with pytest.raises(ValueError, match="cannot be the name of a file"):
            tracker.init(dir=tmp_path, **settings)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="cannot write .*: part of this path is a file"):
        tracker.init(dir=tmp_path / "file")
    assert tracker.run.name == "a"  # a run that could not begin ends no other
