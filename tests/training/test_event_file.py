"""Event files: what TensorBoard's own reader finds in them is what happened; without the package, or the folder, a sentence."""

import math
import os

import pytest
import torch

from helpers.corpus.batches.token_stream import StreamBatches
from helpers.training import event_file, fit
from helpers.training.event_file import EventFile, read_scalars, writable
from helpers.training.history import COLUMNS
from tests.factories import rnn

BATCHES = StreamBatches(torch.tensor([2, 3, 4, 5, 6, 7, 3] * 13, dtype=torch.int16), batch_size=4, context=8)


def train(callbacks, steps=7, **settings):
    return fit(rnn(), BATCHES, steps=steps, callbacks=callbacks, progress=False, **settings)


def test_the_events_are_the_history(tmp_path):
    pytest.importorskip("tensorboard")
    losses = iter([3.0, 2.0, 1.0])
    with EventFile(tmp_path / "new" / "run") as log:
        history = train([log], validate=lambda model: next(losses), validate_every=3)
    frame = read_scalars(tmp_path / "new" / "run")
    for name in ("loss", "learning_rate", "gradient_norm", "tokens"):
        points = frame[frame.tag == name]
        assert points.step.tolist() == list(range(1, 8))
        assert points.value.tolist() == pytest.approx([row[COLUMNS.index(name)] for row in history.rows], rel=1e-6)
    validation = frame[frame.tag == "validation"]
    assert list(zip(validation.step, validation.value)) == [(3, 3.0), (6, 2.0), (7, 1.0)]  # the last one as well
    assert list(frame.columns) == ["tag", "step", "value", "time"]


def test_every_so_many_steps_and_histograms_of_the_parameters(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with EventFile(tmp_path, every=3, histograms=4) as log:
        train([log])
        log.scalar("heads/induction", 0.5, 7)
        log.embedding(torch.eye(3), ["a", "two\nlines", ""])
        with pytest.raises(ValueError, match="a text for each vector: got 2 for 3"):
            log.embedding(torch.eye(3), ["a", "b"])
    frame = read_scalars(tmp_path)
    assert frame[frame.tag == "loss"].step.tolist() == [3, 6]
    assert frame[frame.tag == "heads/induction"].value.tolist() == [0.5]
    events = EventAccumulator(str(tmp_path)).Reload()
    assert events.Tags()["histograms"] == [name for name, _ in rnn().named_parameters()]
    assert [point.step for point in events.Histograms("embed.weight")] == [4]
    (labels,) = tmp_path.rglob("metadata.tsv")
    assert labels.read_text(encoding="utf-8").splitlines() == ["a", "two lines", " "]


def test_all_points_of_a_long_run_are_read(tmp_path):
    pytest.importorskip("tensorboard")
    with EventFile(tmp_path) as log:
        for step in range(12_000):  # TensorBoard shows a sample of 10,000 unless it is asked for all
            log.scalar("loss", math.sqrt(step), step)
    assert len(read_scalars(tmp_path)) == 12_000


def test_without_the_package_a_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(event_file, "missing", lambda name: f"{name} is not installed. To get it: make extras")
    for use in (EventFile, read_scalars):
        with pytest.raises(ValueError, match="tensorboard is not installed. To get it"):
            use(tmp_path / "run")
    assert not os.listdir(tmp_path)


def test_a_folder_that_cannot_be_written_is_told_before_the_training(tmp_path, monkeypatch):
    monkeypatch.setattr(event_file, "missing", lambda name: "")
    (tmp_path / "file").write_text("not a folder")
    for where in ("file", "file/run"):
        with pytest.raises(OSError, match="cannot write .*: part of this path is a file"):
            EventFile(tmp_path / where)
    refused = PermissionError(13, "Permission denied")

    def refuse(*arguments, **settings):
        raise refused

    monkeypatch.setattr(event_file.tempfile, "TemporaryFile", refuse)
    with pytest.raises(PermissionError, match="you may not write there: choose another folder"):
        EventFile(tmp_path)


def test_a_folder_that_can_be_written_is_made_and_left_empty(tmp_path):
    assert writable(tmp_path / "a" / "b") == tmp_path / "a" / "b" and not os.listdir(tmp_path / "a" / "b")


def test_other_intervals_and_folders_without_events_are_refused(tmp_path):
    for settings in ({"every": 0}, {"histograms": -1}):
        with pytest.raises(ValueError, match="give at least 1 step"):
            EventFile(tmp_path, **settings)
    pytest.importorskip("tensorboard")
    with pytest.raises(ValueError, match="there is no event file in"):
        read_scalars(tmp_path / "nowhere")
