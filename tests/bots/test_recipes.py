"""Recipes: from text to a checkpoint, its measurements and its row on the scoreboard, on a course of one idea."""

import shutil

import pytest

import helpers
from helpers.__main__ import main
from helpers.bots import checkpoints, recipes, train
from helpers.corpus.conversations import Card, Conversation, Corpus, Turn
from helpers.evaluation import scoreboard


def talks(number):
    texts = ("hello there my friend", "hello to you too", "how is the soup today", "the soup is fine, thank you")
    turns = tuple(Turn("AB"[place % 2], text) for place, text in enumerate(texts))
    return [Conversation(f"c{place}", f"c{place}", turns) for place in range(number)]


@pytest.fixture
def course(checkpoint_folder, monkeypatch):
    """A course of one idea: little text, short training, and a scoreboard of its own."""
    small = recipes.RNNRecipe(width=8, embedding=4, batch_size=2, context=16, steps=3)
    monkeypatch.setattr(train, "RECIPES", {"n-gram": recipes.NGramRecipe(order=3), "rnn": small})
    corpus = Corpus(talks(20), talks(48), talks(3), Card("invented", "CC0"))
    for where in ("helpers.bots.train.load", "helpers.corpus.load.load"):
        monkeypatch.setattr(where, lambda: corpus)
    monkeypatch.setattr(scoreboard, "data_path", checkpoint_folder.parent.joinpath)
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    return checkpoint_folder


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


@pytest.fixture
def later(course, monkeypatch):
    """The same course with bots of 2015 to 2018, as small and as short as can be."""
    pair = {"width": 8, "batch_size": 4, "context_tokens": 12, "reply_tokens": 8, "seconds": 0.2}
    small = {
        "seq2seq": recipes.PairRecipe("Seq2Seq", more=(("embedding", 6),), **pair),
        "transformer": recipes.PairRecipe("Transformer", more=(("layers", 1), ("heads", 2)), **pair),
        "gpt": recipes.GPTRecipe(width=8, layers=1, heads=2, context=24, pair_rows=13, batch_size=2, steps=3),
    }
    monkeypatch.setattr(train, "RECIPES", small)
    made = train.BPETokenizer.train
    monkeypatch.setattr(train.BPETokenizer, "train", lambda texts: made(texts, 270))
    return course


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
    assert "Interrupted after step 2" in (words := capsys.readouterr().err) and "the same command goes on" in words
    assert checkpoints.names() == [] and list(course.parent.parent.rglob("rnn.pt"))
    assert main(["bots", "train", "rnn"]) == 0
    assert checkpoints.card("rnn")["sha256"] == whole and not list(course.parent.parent.rglob("rnn.pt"))


def test_variety_is_judged_on_equally_many_words():
    from helpers.bots.measure import first_words

    replies = [["a", "b"], [], ["c", "d", "e"], ["f"]]
    assert first_words(replies, 4) == [["a", "b"], [], ["c", "d"]]
    assert first_words(replies, 2) == [["a", "b"]] and first_words(replies, 100) == replies


def test_training_an_unknown_bot_is_refused_before_anything_is_trained(checkpoint_folder, monkeypatch, capsys):
    for where in ("helpers.bots.train.load", "helpers.corpus.load.load"):
        monkeypatch.setattr(where, lambda: pytest.fail("it began"))
    assert main(["bots", "train", "rnn", "skynet"]) == 1
    assert "there is no recipe for 'skynet'; known are n-gram, rnn" in capsys.readouterr().err
    assert not checkpoint_folder.exists()
