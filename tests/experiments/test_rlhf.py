"""The bot of votes: its replies, its judge, its recipe, and the long runs of notebook 09, on a course of a few talks."""

import json

import numpy as np
import pytest
import torch

from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.bots.dpo_recipe import DPORecipe
from helpers.bots.reward_models import compared, reward_model
from helpers.corpus.batches.context_reply_pairs import Pair
from helpers.corpus.batches.prompts import contexts
from helpers.corpus.conversations import Card, Conversation, Corpus, Turn
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.experiments import reward_models, rlhf
from helpers.experiments.reward_models import halves, train_judge
from helpers.generation.rollout import say
from helpers.models.encoder_decoder import marks
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.lora import LoRALinear
from helpers.models.reward_model import RewardModel
from helpers.runtime import start
from helpers.training.reward_modeling import LN2

WORDS = "hello to you too how is the soup today it is fine thank you and what do you like".split()


def talks(number, first=0):
    """Talks of eight turns: B answers A's "what" at length, and A's "fine" with a word or two."""
    made = []
    for place in range(first, first + number):
        turns = []
        for turn in range(0, 8, 2):
            word, asks = WORDS[(place + turn) % len(WORDS)], turn % 4 == 0
            turns.append(Turn("A", f"{word} {'what' if asks else 'fine'} soup"))
            turns.append(Turn("B", "it is fine thank you and hello to you too" if asks else "hello you"))
        turns.append(Turn("A", "thank you"))
        made.append(Conversation(f"c{place}", f"c{place}", tuple(turns)))
    return made


@pytest.fixture
def course(checkpoint_folder, monkeypatch):
    """A zoo of a tiny gpt and gpt-chat, and the conversations they know."""
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    corpus = Corpus(talks(12), talks(6, 12), talks(6, 18), Card("invented", "CC0"))
    tokenizer = BPETokenizer.train((turn.text for talk in corpus.train for turn in talk.turns), 280)
    for seed, name in enumerate(("gpt", "gpt-chat")):
        torch.manual_seed(seed)
        model = GPT(GPTConfig.modern(len(tokenizer), context=160, width=16, layers=1, heads=2, zero_output=False))
        with torch.no_grad():
            model.embed.weight *= 10  # as large as after a training: LoRA leaves the table as it is
        checkpoints.save(Bot(model.half().float(), tokenizer, name), {}, {})  # as the file has it
    return corpus


def judge(seed=3):
    bot = checkpoints.load("gpt")
    made = RewardModel(bot.model, 2, **marks(bot.tokenizer))
    torch.manual_seed(seed)
    torch.nn.init.normal_(made.head.weight)
    return made.eval()


def test_halves_share_nothing():
    first, second = halves(list("abcde")).values()
    assert first == ["a", "c", "e"] and second == ["b", "d"]


def test_a_judge_of_few_numbers_scores_along_its_directions(course):
    torch.manual_seed(0)
    basis, truth = torch.randn(16, 3), torch.tensor([1.0, -2.0, 0.0])
    pairs = torch.randn(400, 2, 3)
    won = ((pairs[:, 0] - pairs[:, 1]) @ truth > 0)[:, None, None]
    pairs = torch.where(won, pairs, pairs.flip(1))
    head = train_judge(pairs, basis).head.weight[0]
    weights = basis.pinverse() @ head
    assert weights[0] > 0.3 and weights[1] < -0.6 and abs(weights[2]) < 0.2
    torch.testing.assert_close(basis @ weights, head)


def test_every_context_gets_its_own_replies(course):
    bot = checkpoints.load("gpt-chat")
    asked = contexts(course.train[:3], bot.tokenizer)
    said = say(bot.model, bot.tokenizer, asked, 3, max_tokens=5, together=6)
    assert [len(group) for group in said] == [3] * len(asked)
    for row, group in zip(asked, said):
        assert all([*pair.context, pair.reply[0]] == row for pair in group)
    assert said == say(bot.model, bot.tokenizer, asked, 3, max_tokens=5, together=6)
    assert said != say(bot.model, bot.tokenizer, asked, 3, max_tokens=5, together=6, seed=1)


def test_the_best_stands_against_the_worst_and_equal_texts_are_left_out(course):
    reward, context = judge(), [2, 3, 7]
    a, b = reward.speakers[:2]
    group = [Pair(context, [b, token, a]) for token in (9, 10, 11, 12)]
    scores = reward.score(group).tolist()
    (found,) = compared([group], reward)
    assert found == (group[int(np.argmax(scores))], group[int(np.argmin(scores))])
    assert compared([[group[0], Pair(context, [b, 9, reward.end])]], reward) == []
    (second,) = compared([group[:1] * 2, group], reward)  # the second group has its own scores
    assert second == found


def test_the_recipe_tunes_a_small_difference_that_tells_the_pairs_apart(course):
    recipe = DPORecipe(
        contexts=40, replies=4, max_tokens=6, rank=4, batch_size=8, passes=6, learning_rate=0.02, beta=0.05
    )
    seen, reward = [], judge()

    def watch(history, model):
        seen.append(history.rows[-1][3])

    tokenizer, device = checkpoints.load("gpt-chat").tokenizer, start(seed=0)
    model, seconds = recipe.train(course, tokenizer, device, None, [watch], reward)
    assert any(isinstance(part, LoRALinear) for part in model.modules()) and seconds > 0
    assert seen[0] == pytest.approx(LN2, abs=1e-6) and sum(seen[-3:]) / 3 < 0.9 * LN2
    assert watch.loss.records[-1]["chosen"] > watch.loss.records[-1]["rejected"]
    checkpoints.save(Bot(model, tokenizer, "dpo"), {"base": recipe.base}, {})
    stored, ids = checkpoints.load("dpo").model, torch.tensor([[2, 3, 7, 8]])
    torch.testing.assert_close(stored(ids)[0], model(ids)[0], atol=1e-4, rtol=0)
    assert not torch.allclose(stored(ids)[0], checkpoints.load("gpt-chat").model(ids)[0], atol=1e-2)


def test_the_long_runs_write_each_part(course, checkpoint_folder, monkeypatch, tmp_path):
    monkeypatch.setattr(rlhf, "load", lambda: course)
    monkeypatch.setattr(reward_models, "COMPONENTS", 4)
    out = tmp_path / "preferences"
    rlhf.main(out, rlhf.TINY, seconds=1000)
    record = json.loads((out / "history.json").read_text())
    assert all(found["matched"] > 0.9 for found in record["judges"].values())  # "what" and "fine" are easily told apart
    assert {"judges", "features", "best_of", "dpo", "policy"} <= set(record)
    assert set(record["policy"]) == {"0/0", "0.1/0"}
    assert np.isfinite([row[1:] for row in record["best_of"]["rows"]]).all()
    frame = record["policy"]["0/0"]["frames"]["0"]
    assert frame["kl"] == 0 and len(frame["replies"]) == 12 and 0 <= frame["questions"] <= 1
    arrays = np.load(out / "features.npz")
    assert arrays["train"].dtype == np.int8 and arrays["held_out"].shape[1:] == (2, 4)
    assert isinstance(checkpoints.load("dpo").reply(["hello"], seed=0), str)
    monkeypatch.setattr("helpers.bots.reward_models.data_path", tmp_path.joinpath)
    bot = checkpoints.load("gpt")
    for name in ("proxy", "gold"):
        pairs = [Pair([bot.tokenizer.end], [bot.tokenizer.speaker("A"), *bot.tokenizer.encode("what is it")])]
        assert torch.isfinite(reward_model(name).score(pairs)).all()
