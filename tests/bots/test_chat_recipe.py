"""A bot that goes on from another: fine-tuned as a whole, or with LoRA, as a difference that lies beside its base."""

import json
import shutil

import pytest
import torch

from helpers.bots import checkpoints, recipes, train
from helpers.bots.bot import Bot
from helpers.bots.checkpoints import DamagedCheckpoint
from helpers.corpus.conversations import Card, Conversation, Corpus, Turn
from helpers.evaluation import scoreboard
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.lora import add_lora, merge_lora
from helpers.models.utils import set_dropout

IDS = torch.arange(2, 20)[None]


@pytest.fixture
def base(tokenizer, checkpoint_folder):
    """A GPT in the zoo that was never trained, called gpt."""
    torch.manual_seed(0)
    bot = Bot(GPT(GPTConfig.modern(len(tokenizer), width=8, layers=1, heads=2, context=32)).eval(), tokenizer, "gpt")
    checkpoints.save(bot, {}, {})
    return checkpoints.load("gpt")


def with_lora(bot, name="dpo"):
    model = add_lora(checkpoints.load(bot.name).model, rank=2)
    for number, (part, value) in enumerate(model.named_parameters()):
        if part.endswith(".B"):
            value.data += torch.linspace(-1, 1, value.numel()).view_as(value) * (number + 1) / 20
    return Bot(model.eval(), bot.tokenizer, name)


def test_a_difference_is_stored_alone_and_loaded_with_its_base(base):
    bot = with_lora(base)
    scores = bot.model(IDS)[0]
    path = checkpoints.save(bot, {"base": "gpt"}, {})
    assert not torch.allclose(scores, base.model(IDS)[0], atol=1e-3)
    loaded = checkpoints.load("dpo")
    torch.testing.assert_close(loaded.model(IDS)[0], scores, atol=1e-5, rtol=1e-4)
    assert isinstance(loaded.model, GPT) and loaded.model.parameter_count() == base.model.parameter_count()
    own = (path / "model.safetensors").stat().st_size
    assert checkpoints.size("dpo") == own + checkpoints.size("gpt") and checkpoints.card("dpo")["config"] == {
        "base": "gpt"
    }
    checkpoints.verify("dpo")


def test_a_difference_beside_another_base_is_refused(base, tokenizer):
    checkpoints.save(with_lora(base), {"base": "gpt"}, {})
    torch.manual_seed(1)
    other = GPT(GPTConfig.modern(len(tokenizer), width=8, layers=1, heads=2, context=32))
    checkpoints.save(Bot(other, tokenizer, "gpt"), {}, {})
    with pytest.raises(DamagedCheckpoint, match="'dpo' is damaged.*bots train dpo"):
        checkpoints.load("dpo")


def test_a_base_that_is_missing_or_damaged_is_named(base, checkpoint_folder):
    checkpoints.save(with_lora(base), {"base": "gpt"}, {})
    path = checkpoint_folder / "gpt" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedCheckpoint, match="the checkpoint 'gpt' is damaged"):
        checkpoints.load("dpo")
    shutil.rmtree(checkpoint_folder / "gpt")
    with pytest.raises(DamagedCheckpoint, match="'dpo' is damaged.*lies beside 'gpt'"):
        checkpoints.load("dpo")


def test_a_card_without_its_base_is_damaged(base, checkpoint_folder):
    path = checkpoints.save(with_lora(base), {"base": "gpt"}, {}) / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"config": {}}))
    with pytest.raises(DamagedCheckpoint, match="its card.json does not fit"):
        checkpoints.load("dpo")


def test_the_recipe_goes_on_from_its_base(base, checkpoint_folder, monkeypatch, capsys):
    texts = ("hello there my friend", "hello to you too", "how is the soup today", "the soup is fine")
    turns = tuple(Turn("AB"[place % 2], text) for place, text in enumerate(texts))
    talks = [Conversation(f"c{place}", f"c{place}", turns) for place in range(8)]
    corpus = Corpus(talks, talks[:3], talks[:3], Card("made up", "CC0"))
    for where in ("helpers.bots.train.load", "helpers.corpus.load.load"):
        monkeypatch.setattr(where, lambda: corpus)
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
    assert not torch.equal(after.model(IDS)[0], base.model(IDS)[0])


def test_dropout_is_set_everywhere_or_refused():
    model = GPT(GPTConfig.modern(40, width=8, layers=2, heads=2, context=16, dropout=0.1))
    set_dropout(model, 0.25)
    assert {part.p for part in model.modules() if isinstance(part, torch.nn.Dropout)} == {0.25}
    with pytest.raises(ValueError, match="dropout is 1"):
        set_dropout(model, 1)


def test_merging_gives_what_the_two_gave(base):
    bot = with_lora(base)
    scores = bot.model(IDS)[0]
    torch.testing.assert_close(merge_lora(bot.model)(IDS)[0], scores, atol=1e-5, rtol=1e-4)
