"""What a dialogue GAN is watched by: the last verdict on people and bot, the likelihood of people, and how varied it is."""

import pytest
import torch

from helpers.evaluation.gan_monitor import ReplyMonitor
from helpers.evaluation.human_or_bot_classifier import Evaluator
from helpers.evaluation.quality_diversity import quality_and_diversity
from helpers.models.discriminators import Discriminator
from tests.evaluation.small_language import TOKENIZER, bot, pairs


class Guess(Discriminator):
    """Takes for a person's what begins with ``mark``; its verdict at other tokens is wrong on purpose."""

    def score(self, batch):
        lengths = (batch.targets >= 0).sum(1)
        logits = torch.full(batch.targets.shape, 9.0)
        people = batch.targets[:, 1] == TOKENIZER.encode(" ")[0]
        logits[torch.arange(len(logits)), lengths - 1] = torch.where(people, 1.0, -1.0)
        return logits, logits


def test_the_watch_looks_at_the_last_verdict_of_people_and_bot():
    writer = bot()
    people = [pair for pair in pairs(200) if pair.reply[2] == TOKENIZER.encode(" ")[0]]
    watch = ReplyMonitor(people, TOKENIZER, [[TOKENIZER.end, TOKENIZER.speaker("A")]], max_tokens=24, words=10)
    found = watch(writer, Guess(writer))
    assert 0.9 < found["accuracy"] <= 1 and len(found["replies"]) == 1
    assert found == watch(writer, Guess(writer)) and 0 < found["distinct-2"] <= 1
    assert found["likelihood"] == pytest.approx(
        quality_and_diversity(Evaluator([writer], TOKENIZER), people)["nats"], abs=1e-4
    )
    assert "distinct-2" not in ReplyMonitor(people, TOKENIZER, words=10**6)(writer, Guess(writer))
