"""How the bot of notebook 08 is trained: seq2seq against a discriminator."""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from helpers import data_path
from helpers.bots import checkpoints
from helpers.runtime import seed_everything
from helpers.training.dialogue_gan import DialogueGANConfig

TOKENS, CONTEXT, BATCH = 24, 24, 32  # longest reply, of a context the last so many tokens, replies in a batch
WATCHED, TESTED, WORDS = 160, 400, 500  # pairs measured on the way (validation split) and in the end (test split)
READERS = ("gpt", "seq2seq")  # whose surprisals are the features of the discriminator
SETTINGS = DialogueGANConfig(
    steps=120, discriminator_pretraining=60, discriminator_steps=1, max_tokens=TOKENS, credit="length-normalized",
    gamma=1.0, learning_rate=3e-4, likelihood_rate=1e-4, discriminator_rate=3e-3, monitor_every=8,
)  # fmt: skip


class GANRun(NamedTuple):
    """One run; "MLE" is the bot as it was before any game: its seeds are those of its samples."""

    name: str
    config: DialogueGANConfig

    @property
    def key(self) -> dict:
        return {"run": self.name, "seed": self.config.seed}


class GANData(NamedTuple):
    """Pairs for training, to watch and to test on, with what else all runs share."""

    train: list
    watched: list
    test: list
    prompts: list
    tokenizer: object


def prepare_data(corpus, bot) -> GANData:
    """Return what the runs read: only pairs with a context are watched and tested on, each split shuffled by itself."""
    from helpers.corpus.batches.base import Pair
    from helpers.corpus.batches.context_reply_pairs import pairs

    def shuffled(talks, most):
        with_context = [pair for pair in pairs(talks, bot.tokenizer, CONTEXT, TOKENS + 1) if len(pair.context) > 1]
        random.Random(0).shuffle(with_context)
        return [Pair(pair.context.tolist(), pair.reply.tolist()) for pair in with_context[:most]]

    prompts = json.loads(data_path("prompts.json").read_text(encoding="utf-8"))
    return GANData(
        pairs(corpus.train, bot.tokenizer, CONTEXT, TOKENS + 1),
        shuffled(corpus.val, WATCHED),
        shuffled(corpus.test, TESTED),
        [bot.prompt([text]) for text in prompts],
        bot.tokenizer,
    )


def new_discriminator(run: str, bot, device):
    """Return an untrained discriminator: for a "copied discriminator" run a copy of the bot, else one that uses READERS."""
    from helpers.models.discriminators import Discriminator, FeatureDiscriminator

    if run == "copied discriminator":
        return Discriminator(bot).to(device)
    readers = [checkpoints.load(name, device).model for name in READERS]
    return FeatureDiscriminator(readers, bot.config["vocab_size"], bot.config["pad"]).to(device)


def train_gan(run: GANRun, data: GANData, device, batch_size: int = BATCH):
    """Return the bot and the history of one run."""
    from helpers.corpus.batches.context_reply_pairs import PairBatches
    from helpers.evaluation.gan_monitor import ReplyMonitor
    from helpers.training.dialogue_gan import DialogueGANHistory, train_adversarially

    seed_everything(run.config.seed)
    bot = checkpoints.load("seq2seq", device).model
    if run.name == "MLE":
        return bot, DialogueGANHistory([{"step": 0}])
    discriminator = new_discriminator(run.name, bot, device)
    monitor = ReplyMonitor(data.watched, data.tokenizer, data.prompts, TOKENS, WORDS)
    batches = PairBatches(data.train, batch_size, run.config.seed, pad=data.tokenizer.pad)
    return bot, train_adversarially(bot, discriminator, batches, run.config, monitor=monitor)


# --- the checkpoint, and the command ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GANRecipe:
    """The bot seq2seq against a discriminator with the features of READERS, a step of teacher forcing after each step."""

    tokens: ClassVar[str] = "word pieces"
    base: ClassVar[str] = "seq2seq"
    config: DialogueGANConfig = SETTINGS
    batch_size: int = BATCH

    def train(self, corpus, tokenizer, device, resume: Path):
        """Return the model and the seconds it took. It takes some minutes: an interrupted one begins anew.

        Raises ValueError when it was stopped: then there is nothing to save.
        """
        data = prepare_data(corpus, checkpoints.load(self.base))
        bot, history = train_gan(GANRun("gan", self.config), data, device.torch, self.batch_size)
        if history.stopped:
            raise ValueError(f"{history.stopped} Nothing was saved.")
        return bot, history.seconds
