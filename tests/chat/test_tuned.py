"""A bot that goes on from another: fine-tuned as a whole, or with LoRA, as a difference that lies beside its base."""

import json
import shutil

import pytest
import torch

from helpers.chat import recipes, tuned, zoo
from helpers.chat.bots import Bot
from helpers.chat.zoo import DamagedCheckpoint
from helpers.corpus.conversations import Card, Conversation, Corpus, Turn
from helpers.evaluation import scoreboard
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.lora import add_lora, merge_lora

IDS = torch.arange(2, 20)[None]


@pytest.fixture
def base(tokenizer, checkpoints):
    """A GPT in the zoo that was never trained, called gpt."""
    torch.manual_seed(0)
    bot = Bot(GPT(GPTConfig.modern(len(tokenizer), width=8, layers=1, heads=2, context=32)).eval(), tokenizer, "gpt")
    zoo.save(bot, {}, {})
    return zoo.load("gpt")


def with_lora(bot, name="dpo"):
    model = add_lora(zoo.load(bot.name).model, rank=2)
    for number, (part, value) in enumerate(model.named_parameters()):
        if part.endswith(".B"):
            value.data += torch.linspace(-1, 1, value.numel()).view_as(value) * (number + 1) / 20
    return Bot(model.eval(), bot.tokenizer, name)


def test_a_difference_is_stored_alone_and_loaded_with_its_base(base):
    bot = with_lora(base)
    scores = bot.model(IDS)[0]
    path = zoo.save(bot, {"base": "gpt"}, {})
    assert not torch.allclose(scores, base.model(IDS)[0], atol=1e-3)
    loaded = zoo.load("dpo")
    torch.testing.assert_close(loaded.model(IDS)[0], scores, atol=1e-5, rtol=1e-4)
    assert isinstance(loaded.model, GPT) and loaded.model.parameter_count() == base.model.parameter_count()
    own = (path / "model.safetensors").stat().st_size
    assert zoo.size("dpo") == own + zoo.size("gpt") and zoo.card("dpo")["config"] == {"base": "gpt"}
    zoo.verify("dpo")


def test_a_difference_beside_another_base_is_refused(base, tokenizer):
    zoo.save(with_lora(base), {"base": "gpt"}, {})
    torch.manual_seed(1)
    other = GPT(GPTConfig.modern(len(tokenizer), width=8, layers=1, heads=2, context=32))
    zoo.save(Bot(other, tokenizer, "gpt"), {}, {})
    with pytest.raises(DamagedCheckpoint, match="'dpo' is damaged.*zoo train dpo"):
        zoo.load("dpo")


def test_a_base_that_is_missing_or_damaged_is_named(base, checkpoints):
    zoo.save(with_lora(base), {"base": "gpt"}, {})
    path = checkpoints / "gpt" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedCheckpoint, match="the checkpoint 'gpt' is damaged"):
        zoo.load("dpo")
    shutil.rmtree(checkpoints / "gpt")
    with pytest.raises(DamagedCheckpoint, match="'dpo' is damaged.*lies beside 'gpt'"):
        zoo.load("dpo")


def test_a_card_without_its_base_is_damaged(base, checkpoints):
    path = zoo.save(with_lora(base), {"base": "gpt"}, {}) / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"config": {}}))
    with pytest.raises(DamagedCheckpoint, match="its card.json does not fit"):
        zoo.load("dpo")


def test_the_recipe_goes_on_from_its_base(base, checkpoints, monkeypatch, capsys):
    texts = ("hello there my friend", "hello to you too", "how is the soup today", "the soup is fine")
    turns = tuple(Turn("AB"[place % 2], text) for place, text in enumerate(texts))
    talks = [Conversation(f"c{place}", f"c{place}", turns) for place in range(8)]
    monkeypatch.setattr(
        recipes.conversations, "load", lambda: Corpus(talks, talks[:3], talks[:3], Card("made up", "CC0"))
    )
    monkeypatch.setattr(scoreboard, "data_path", checkpoints.parent.joinpath)
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    monkeypatch.setattr(recipes, "make_tokenizer", lambda tokens, corpus: pytest.fail("the base has its tokenizer"))
    small = tuned.ChatRecipe(context=24, batch_size=2, steps=30, learning_rate=0.02)
    monkeypatch.setattr(recipes, "RECIPES", {"gpt-chat": small})
    recipes.train(["gpt-chat"])
    after = zoo.load("gpt-chat")
    assert after.tokenizer.tokens == base.tokenizer.tokens and zoo.card("gpt-chat")["recipe"]["base"] == "gpt"
    figures = zoo.card("gpt-chat")["metrics"]
    recipes.measure_again(["gpt-chat"])
    assert figures["bits per byte"] < 6 == round(6.4)  # it has learned: untrained it is at log2 of the vocabulary
    assert not torch.equal(after.model(IDS)[0], base.model(IDS)[0])


def test_dropout_is_set_everywhere_or_refused():
    model = GPT(GPTConfig.modern(40, width=8, layers=2, heads=2, context=16, dropout=0.1))
    tuned.set_dropout(model, 0.25)
    assert {part.p for part in model.modules() if isinstance(part, torch.nn.Dropout)} == {0.25}
    with pytest.raises(ValueError, match="dropout is 1"):
        tuned.set_dropout(model, 1)


def test_merging_gives_what_the_two_gave(base):
    bot = with_lora(base)
    scores = bot.model(IDS)[0]
    torch.testing.assert_close(merge_lora(bot.model)(IDS)[0], scores, atol=1e-5, rtol=1e-4)
