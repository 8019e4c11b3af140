"""Runs are read back as they were written, compared in a table, and a damaged file is told from one that was cut off."""

import pytest

from helpers.training import tracker
from helpers.training.tracked_runs import compare_runs, read_run


def new(folder, name, losses, finish=0, **config):
    run = tracker.init("chat", name, config, folder)
    for loss in losses:
        run.log({"loss": loss})
    if finish is not None:
        run.finish(finish)
    tracker.run = None
    return run


def test_runs_stand_side_by_side(tmp_path):
    new(tmp_path, "b", [3.0, 2.0], rate=0.1)
    run = new(tmp_path, "a", [3.0], finish=None, rate=0.2, layers=2)
    run.summary["bits"] = 1.5
    run.log({"accuracy": 0.5})
    new(tmp_path, "c", [], finish=1)
    table = compare_runs("chat", tmp_path)
    assert table.name.tolist() == ["b", "a", "c"]  # in the order of their beginning
    assert table.state.tolist() == ["finished", "running", "failed"] and table.steps.tolist() == [2, 2, 0]
    assert table["config.rate"].tolist()[:2] == [0.1, 0.2] and table["config.layers"][1] == 2
    assert table.loss.tolist()[:2] == [2.0, 3.0] and table.accuracy[1] == 0.5 and table["summary.bits"][1] == 1.5
    assert table.loc[2, ["loss", "accuracy", "summary.bits"]].isna().all()
    with pytest.raises(ValueError, match="there is no run in .*poetry: log one first, with init.project='poetry'"):
        compare_runs("poetry", tmp_path)


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path):
    path = new(tmp_path, "a", [3.0, 2.0], finish=None).path
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[:-9], encoding="utf-8")
    assert read_run(path)[1].loss.tolist() == [3.0] and compare_runs("chat", tmp_path).state.tolist() == ["running"]
    path.write_text(whole.replace('"step": 0', '"step": '), encoding="utf-8")
    with pytest.raises(ValueError, match="damaged in line 2"):
        read_run(path)


@pytest.mark.parametrize("text", ["", '{"kind": "log", "step": 1}\n', "[1, 2]\n", '{"kind": "init", "format": 2}\n'])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "a.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="was not written by this tracker"):
        read_run(path)
