"""Training from the command line: the same file again, an interrupted training that goes on, unknown names refused."""

import shutil
from pathlib import Path

import pytest

from helpers.__main__ import main
from helpers.bots import checkpoints, recipes, train
from helpers.training.alone import Alone


def test_measuring_again_rewrites_the_figures_and_not_the_training(later, monkeypatch, capsys):
    train.train(["gpt"])
    before = checkpoints.card("gpt")
    monkeypatch.setattr(train, "measure", lambda bot, test: {**before["metrics"], "seconds per reply": 0.125})
    monkeypatch.setattr(train, "describe", lambda name: pytest.fail("the device was asked for"))
    assert main(["bots", "measure", "gpt"]) == 0
    after = checkpoints.card("gpt")
    assert after["metrics"] == before["metrics"] | {"seconds per reply": 0.125} and after["sha256"] == before["sha256"]
    assert main(["bots", "measure", "skynet"]) == 1 and "known are gpt" in capsys.readouterr().err


def test_training_again_gives_the_same_file(course, capsys):
    train.train(["rnn"])
    first = checkpoints.card("rnn")["sha256"]
    train.train(["rnn"])
    assert checkpoints.card("rnn")["sha256"] == first and checkpoints.names() == ["rnn"]


def test_an_interrupted_training_saves_no_bot_and_goes_on_later(course, monkeypatch, capsys):
    train.train(["rnn"])
    whole = checkpoints.card("rnn")["sha256"]
    shutil.rmtree(course)

    import helpers.corpus.batches.token_stream as batches

    read = batches.StreamBatches.__getitem__

    def interrupted(self, number):
        if number == 2 and self.batch_size == 2:
            raise KeyboardInterrupt
        return read(self, number)

    with monkeypatch.context() as patch:
        patch.setattr(batches.StreamBatches, "__getitem__", interrupted)
        assert main(["bots", "train", "rnn"]) == 1
    # Not beside the data: of an installed copy that is among the computer's packages.
    resume = Path.cwd() / "build" / "training" / "rnn.pt"
    assert "Interrupted after step 2" in (words := capsys.readouterr().err)
    assert f"the same command goes on from {resume}" in words
    assert checkpoints.names() == [] and list(course.parent.parent.rglob("*.pt")) == [resume]
    assert main(["bots", "train", "rnn"]) == 0
    assert checkpoints.card("rnn")["sha256"] == whole and not list(course.parent.parent.rglob("rnn.pt"))


def test_training_an_unknown_bot_is_refused_before_anything_is_trained(checkpoint_folder, monkeypatch, capsys):
    for where in ("helpers.bots.train.load", "helpers.corpus.load.load"):
        monkeypatch.setattr(where, lambda: pytest.fail("it began"))
    assert main(["bots", "train", "rnn", "skynet"]) == 1
    assert "there is no recipe for 'skynet'; known are n-gram, rnn" in capsys.readouterr().err
    assert not checkpoint_folder.exists()


# --- by a team of processes ---------------------------------------------------------------------------------------------


def test_processes_are_for_recipes_that_can_be_shared(later, monkeypatch, capsys):
    called = []
    monkeypatch.setattr(train, "stream_processes", lambda *how, **more: called.append((*how, more)))
    assert main(["bots", "train", "gpt", "--processes", "2"]) == 0
    assert called == [("helpers.bots.train_team", 2, {"arguments": ["gpt"]})]
    for command, words in (
        (["train", "skynet"], "there is no recipe for 'skynet'"),
        (["measure", "gpt"], "--processes is for training"),
    ):
        assert main(["bots", *command, "--processes", "2"]) == 1 and words in capsys.readouterr().err
    monkeypatch.setattr(train, "RECIPES", train.RECIPES | {"n-gram": recipes.NGramRecipe()})
    assert main(["bots", "train", "n-gram", "--processes", "2"]) == 1
    assert "the recipe of n-gram is for one process; several can train seq2seq, transformer, gpt" in capsys.readouterr().err
    assert len(called) == 1


def test_a_batch_is_shared_evenly_or_not_at_all():
    team = Alone()
    team.size = 3
    assert recipes.rows_each(12, None) == 12 and recipes.rows_each(12, team) == 4
    with pytest.raises(ValueError, match="a batch has 16 rows, which 3 processes cannot share: take a divisor"):
        recipes.rows_each(16, team)
