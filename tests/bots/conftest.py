"""The shared fixtures of ``tests.factories``, and courses of bots that are trained in a moment."""

import pytest

from tests import factories
from tests.factories import bot, checkpoint_folder, preference_course, tokenizer  # noqa: F401


@pytest.fixture
def course(checkpoint_folder, tmp_path, monkeypatch):  # noqa: F811
    """A course of one idea: little text, short training, and a scoreboard of its own."""
    from helpers.bots import recipes, train
    from helpers.evaluation import scoreboard

    small = recipes.RNNRecipe(hidden_size=8, embedding_size=4, batch_size=2, context=16, steps=3)
    monkeypatch.setattr(train, "RECIPES", {"n-gram": recipes.NGramRecipe(order=3), "rnn": small})
    talks = factories.conversations
    factories.use_corpus(monkeypatch, factories.corpus(talks(20), talks(48), talks(3)))
    monkeypatch.setattr(scoreboard, "data_path", checkpoint_folder.parent.joinpath)
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return checkpoint_folder


@pytest.fixture
def later(course, monkeypatch):
    """The same course with bots of 2015 to 2018, as small and as short as can be."""
    from helpers.bots import recipes, train

    pair = {"batch_size": 4, "context_tokens": 12, "reply_tokens": 8, "seconds": 0.2}
    small = {
        "seq2seq": recipes.PairRecipe("Seq2Seq", sizes=(("hidden_size", 8), ("embedding_size", 6)), **pair),
        "transformer": recipes.PairRecipe("Transformer", sizes=(("d_model", 8), ("n_layer", 1), ("n_head", 2)), **pair),
        "gpt": recipes.GPTRecipe(n_embd=8, n_layer=1, n_head=2, context=24, bigram_rows=13, batch_size=2, steps=3),
    }
    monkeypatch.setattr(train, "RECIPES", small)
    train_tokenizer = train.BPETokenizer.train
    monkeypatch.setattr(train.BPETokenizer, "train", lambda texts: train_tokenizer(texts, 270))
    return course


@pytest.fixture
def base(tokenizer, checkpoint_folder):  # noqa: F811
    """A checkpoint of a GPT that was never trained, called gpt."""
    from helpers.bots import checkpoints
    from helpers.bots.bot import Bot

    checkpoints.save(Bot(factories.gpt(len(tokenizer), n_layer=1), tokenizer, "gpt"), {}, {})
    return checkpoints.load("gpt")
