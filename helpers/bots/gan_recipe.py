"""How the bot of notebook 08 is trained: seq2seq against a discriminator."""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from helpers import data_path
from helpers.bots import checkpoints
from helpers.runtime import seed_everything
from helpers.training.dialogue_gan import Schedule

TOKENS, CONTEXT, BATCH = 24, 24, 32  # longest reply, of a context the last so many tokens, replies in a batch
WATCHED, JUDGED, WORDS = 160, 400, 500  # pairs looked at on the way (validation split) and in the end (test split)
READERS = ("gpt", "seq2seq")  # through whose surprise the judge reads
SETTINGS = Schedule(
    steps=120,
    judge_first=60,
    judge_steps=1,
    max_tokens=TOKENS,
    pay="evened",
    gamma=1.0,
    learning_rate=3e-4,
    likelihood_rate=1e-4,
    judge_rate=3e-3,
    watch_every=8,
)


class Plan(NamedTuple):
    """One run; "MLE" is the bot that nobody played with: its seeds are those of what it says."""

    run: str
    schedule: Schedule


class Material(NamedTuple):
    """Pairs to learn from, to watch and to judge, with what else all runs share."""

    train: list
    watched: list
    judged: list
    prompts: list
    tokenizer: object


def material(corpus, bot) -> Material:
    """Return what the runs read: only pairs with a context are watched and judged, each split mixed by a seed of its own."""
    from helpers.corpus.batches.context_reply_pairs import Pair, pairs

    def mixed(talks, most):
        found = [pair for pair in pairs(talks, bot.tokenizer, CONTEXT, TOKENS + 1) if len(pair.context) > 1]
        random.Random(0).shuffle(found)
        return [Pair(pair.context.tolist(), pair.reply.tolist()) for pair in found[:most]]

    prompts = json.loads(data_path("prompts.json").read_text(encoding="utf-8"))
    return Material(
        pairs(corpus.train, bot.tokenizer, CONTEXT, TOKENS + 1),
        mixed(corpus.val, WATCHED),
        mixed(corpus.test, JUDGED),
        [bot.prompt([text]) for text in prompts],
        bot.tokenizer,
    )


def new_judge(run: str, bot, device):
    """Return a judge that knows nothing yet: of a "copied judge" run the bot's own copy, else one with the eyes of READERS."""
    from helpers.models.discriminators import Discriminator, FeatureDiscriminator

    if run == "copied judge":
        return Discriminator(bot).to(device)
    readers = [checkpoints.load(name, device).model for name in READERS]
    config = bot.config
    return FeatureDiscriminator(readers, config["vocabulary_size"], config["pad"]).to(device)


def play(plan: Plan, shared: Material, device, batch: int = BATCH, told=None, **how):
    """Return the bot, its judge and the history of one run; ``told(figures)`` is called with what is seen on the way.

    ``how`` is passed to ``train_adversarially``.
    """
    from helpers.corpus.batches.context_reply_pairs import PairBatches
    from helpers.evaluation.gan_monitor import ReplyWatch
    from helpers.training.dialogue_gan import DialogueGANHistory, train_adversarially

    seed_everything(plan.schedule.seed)
    bot = checkpoints.load("seq2seq", device).model
    judge = new_judge(plan.run, bot, device)
    if plan.run == "MLE":
        return bot, judge, DialogueGANHistory([{"step": 0}])
    watch = ReplyWatch(shared.watched, shared.tokenizer, shared.prompts, TOKENS, WORDS)

    def look(generator, judge):
        figures = watch(generator, judge)
        if told:
            told({name: value for name, value in figures.items() if name != "replies"})
        return figures

    batches = PairBatches(shared.train, batch, plan.schedule.seed, pad=shared.tokenizer.pad)
    return bot, judge, train_adversarially(bot, judge, batches, plan.schedule, watch=look, **how)


# --- the checkpoint, and the command ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GANRecipe:
    """The bot seq2seq, played against a judge with the eyes of READERS, with a step of teacher forcing after each of its own."""

    tokens: ClassVar[str] = "word pieces"
    base: ClassVar[str] = "seq2seq"
    schedule: Schedule = SETTINGS
    batch_size: int = BATCH

    def train(self, corpus, tokenizer, device, resume: Path):
        """Return the model and the seconds it took. It takes some minutes: an interrupted one begins anew.

        Raises ValueError when it was stopped: then there is nothing to save.
        """
        shared = material(corpus, checkpoints.load(self.base))
        bot, _, seen = play(Plan("gan", self.schedule), shared, device.torch, self.batch_size)
        if seen.stopped:
            raise ValueError(f"{seen.stopped} Nothing was saved.")
        return bot, seen.seconds
