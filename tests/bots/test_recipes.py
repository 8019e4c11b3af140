"""Recipes: from text to a checkpoint, its measurements and its row on the scoreboard, on a course of one idea."""

import json
from dataclasses import asdict, replace

import pytest
import torch

import helpers
from helpers.__main__ import main
from helpers.bots import checkpoints, recipes, train
from helpers.evaluation import scoreboard
from tests import factories


def test_a_recipe_trains_saves_measures_and_writes_its_row(course, capsys):
    real = (helpers.data_path() / "scoreboard.csv").read_bytes()
    assert main(["bots", "train"]) == 0, capsys.readouterr().err
    assert "rnn: " in capsys.readouterr().out
    table = scoreboard.read()
    assert list(table[table["status"] == "trained"].index) == ["n-gram", "rnn"] == checkpoints.names()
    for name in checkpoints.names():
        checkpoints.verify(name)
        card = checkpoints.card(name)
        assert set(card["metrics"]) == set(scoreboard.COLUMNS)
        assert card["metrics"]["parameters"] == checkpoints.load(name).model.parameter_count()
        assert card["metrics"]["bytes"] == checkpoints.size(name)
        assert float(table.loc[name, "bits per byte"]) == pytest.approx(card["metrics"]["bits per byte"], rel=1e-3)
    assert (
        checkpoints.card("rnn")["recipe"]["recipe"] == "RNNRecipe" and checkpoints.card("rnn")["recipe"]["steps"] == 3
    )
    assert "the CPU" in checkpoints.card("rnn")["metrics"]["device"]
    # Counting learns this text by heart; three steps learn next to nothing.
    bits = {name: checkpoints.card(name)["metrics"]["bits per byte"] for name in checkpoints.names()}
    assert bits["n-gram"] < 1 < bits["rnn"] < 8
    assert not list(course.parent.parent.rglob("*.pt"))  # the resume files are gone
    assert (helpers.data_path() / "scoreboard.csv").read_bytes() == real


def test_bots_that_read_word_pieces_are_trained_saved_and_measured(later, capsys):
    train.train()
    assert checkpoints.names() == ["seq2seq", "transformer", "gpt"]
    tokenizers = {checkpoints.load(name).tokenizer.merges for name in checkpoints.names()}
    assert len(tokenizers) == 1  # all three read the same pieces
    for name in checkpoints.names():
        bot, card = checkpoints.load(name), checkpoints.card(name)
        assert type(bot.model).__name__ == card["kind"] and 1 < card["metrics"]["bits per byte"] < 12
        assert isinstance(bot.reply(["hello"], seed=0), str)
    assert list(scoreboard.read().query("status == 'trained'").index) == checkpoints.names()


def test_the_cards_of_the_course_are_those_of_its_recipes():
    for name, recipe in recipes.RECIPES.items():
        written = json.loads(json.dumps({"recipe": type(recipe).__name__, **asdict(recipe)}))
        assert checkpoints.card(name)["recipe"] == written, name


def test_the_recipe_of_fine_tuning_goes_on_from_its_base(base, checkpoint_folder, monkeypatch, capsys):
    talks = factories.conversations(8)
    factories.use_corpus(monkeypatch, factories.corpus(talks, talks[:3], talks[:3]))
    monkeypatch.setattr(scoreboard, "data_path", checkpoint_folder.parent.joinpath)
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    monkeypatch.setattr(train, "make_tokenizer", lambda tokens, corpus: pytest.fail("the base has its tokenizer"))
    small = recipes.ChatRecipe(context=24, batch_size=2, steps=30, learning_rate=0.02)
    monkeypatch.setattr(train, "RECIPES", {"gpt-chat": small})
    train.train(["gpt-chat"])
    after = checkpoints.load("gpt-chat")
    assert after.tokenizer.tokens == base.tokenizer.tokens and checkpoints.card("gpt-chat")["recipe"]["base"] == "gpt"
    figures = checkpoints.card("gpt-chat")["metrics"]
    train.measure_again(["gpt-chat"])
    assert figures["bits per byte"] < 6 == round(6.4)  # it has learned: untrained it is at log2 of the vocabulary
    ids = torch.arange(2, 20)[None]
    assert not torch.equal(after.model(ids)[0], base.model(ids)[0])


def test_a_student_is_distilled_from_its_teacher(base, checkpoint_folder, tmp_path, monkeypatch):
    talks = factories.conversations(8)
    factories.use_corpus(monkeypatch, factories.corpus(talks, talks, talks[:3]))
    monkeypatch.setattr(scoreboard, "data_path", checkpoint_folder.parent.joinpath)
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    monkeypatch.setattr(train, "make_tokenizer", lambda tokens, corpus: pytest.fail("the teacher has its tokenizer"))
    monkeypatch.chdir(tmp_path)  # the resume file is kept in the folder the command runs in
    sizes = {"n_embd": 8, "n_layer": 1, "n_head": 2, "context": 16, "bigram_rows": 13}
    small = recipes.DistilledRecipe(**sizes, batch_size=2, steps=30)
    monkeypatch.setattr(train, "RECIPES", {"gpt-small": small})
    train.train(["gpt-small"])
    student, ids = checkpoints.load("gpt-small"), torch.arange(2, 12)[None]
    assert student.tokenizer.tokens == base.tokenizer.tokens and student.model.settings.n_embd == 8
    assert checkpoints.card("gpt-small")["recipe"]["teacher"] == "gpt"
    assert list(scoreboard.read().query("status == 'trained'").index) == ["gpt-small"]
    untrained = factories.gpt(len(base.tokenizer), recipe="modern", **sizes)
    wanted = base.model(ids)[0].softmax(-1)
    distances = [(model(ids)[0].softmax(-1) - wanted).abs().sum() for model in (student.model, untrained)]
    assert distances[0] < distances[1]  # it says what the teacher says, not what the text says


def test_few_bits_are_made_from_a_bot_by_the_command(base, checkpoint_folder, tmp_path, monkeypatch, capsys):
    talks = factories.conversations(8)
    factories.use_corpus(monkeypatch, factories.corpus(talks, talks, talks[:3]))
    monkeypatch.setattr(scoreboard, "data_path", checkpoint_folder.parent.joinpath)
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    monkeypatch.chdir(tmp_path)
    for name, group in (("gpt-int8", "row"), ("gpt-int4", 8)):
        recipe = recipes.RECIPES[name]
        monkeypatch.setitem(recipes.RECIPES, name, replace(recipe, group=group))
    assert main(["bots", "train", "gpt-int8", "gpt-int4"]) == 0, capsys.readouterr().err
    table = scoreboard.read(("bytes", "training seconds"))
    assert list(table[table["status"] == "trained"].index) == ["gpt-int8", "gpt-int4"]
    cards = [checkpoints.card(name) for name in ("gpt-int8", "gpt-int4")]
    assert [card["kind"] for card in cards] == ["Packed"] * 2 and [card["recipe"]["bits"] for card in cards] == [8, 4]
    assert (
        cards[0]["metrics"]["bytes"] > cards[1]["metrics"]["bytes"] and 0 < cards[1]["metrics"]["training seconds"] < 10
    )
    ids = torch.arange(2, 12)[None]
    close = [(checkpoints.load(f"gpt-int{bits}").model(ids)[0] - base.model(ids)[0]).abs().mean() for bits in (8, 4)]
    assert 0 < close[0] < close[1]
