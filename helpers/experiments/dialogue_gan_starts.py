"""The dialogue GAN from three starting checkpoints, with its controls and its noise floor (notebook 08).

    python -m helpers experiments dialogue_gan        run what data/gan_starts.csv lacks: some 35 minutes in all on one core

``gan_sweep.csv`` starts every run from one checkpoint and has no null: nothing there says how far two training runs without a
discriminator end up from each other. Here each start is

* played on: the game as the bot ``gan`` learned it ("gan"), and the same with a "constant reward" or a "shuffled reward";
* or only trained further by maximum likelihood for as many updates of the generator, with three seeds ("MLE").

The difference of an MLE seed from the other two is the noise floor of every other difference. All are measured in one way:
the same 400 contexts, the same seed of the samples, six temperatures.
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers import data_path
from helpers.bots import checkpoints
from helpers.bots.gan_recipe import BATCH, CONTEXT, READERS, SETTINGS, TOKENS, WORDS, GANData, prepare_data
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows

TEMPERATURES = (0.3, 0.5, 0.7, 0.85, 1.0, 1.15)
EVALUATED_AT = (0.7, 1.0)  # temperatures with an adversarial success: each trains an evaluator
STARTS = (0, 1, 2)  # 0: the stored bot "seq2seq"; the others are trained here from these seeds
START_STEPS, START_BATCH, START_RATE = 700, 64, 0.02
UPDATES = SETTINGS.steps * (1 + SETTINGS.likelihood_steps)  # of the generator in a game, and so in a run of "MLE"
MLE_SEEDS = 3
COUNTED_WORDS = 2000  # of which distinct-2 is computed
REWARDS = {"gan": "discriminator", "constant reward": "constant", "shuffled reward": "shuffled"}
OUTSIDE = "transformer"  # a reader that advised no discriminator
COLUMNS = (
    "start", "run", "seed", "updates", "temperature", "nats", "nats outside", "distinct-2", "self-bleu-2", "words",
    "nats of people", "AdverSuc", "accuracy", "likelihood",
)  # fmt: skip


class StartRun(NamedTuple):
    """One training of one start: "start" is the untouched one (its seeds are those of its samples), "people" no bot."""

    start: int
    name: str
    seed: int

    @property
    def key(self) -> dict:
        return {"start": self.start, "run": self.name, "seed": self.seed}


def all_runs(starts: Sequence[int] = STARTS) -> list[StartRun]:
    """Return all runs, start by start: of the stored bot the game alone, which is the bot ``gan``, and no controls."""
    runs = []
    for start in starts:
        runs += [StartRun(start, "people", 0)] if start == 0 else []
        runs += [StartRun(start, "start", seed) for seed in range(2)]
        runs += [StartRun(start, "gan", 0)]
        runs += [StartRun(start, "MLE", seed) for seed in range(MLE_SEEDS)]
        runs += [StartRun(start, name, 0) for name in REWARDS if start and name != "gan"]
    return runs


# --- training ----------------------------------------------------------------------------------------------------------


def train_start(start: int, corpus, data: GANData, device):
    """Return the start: the stored bot, or a network like it after START_STEPS, with the pairs that the games use.

    Its weights stay in ``helpers.bots.train.resume_file`` for a command that is cut short. Raises ValueError when the
    training was stopped.
    """
    from helpers.bots.train import resume_file
    from helpers.corpus.batches.context_reply_pairs import PairBatches, pairs
    from helpers.runtime import seed_everything
    from helpers.training import fit, reply_loss

    stored = checkpoints.load("seq2seq", device).model
    if start == 0:
        return stored
    seed_everything(start)
    model = type(stored)(**stored.config | {"context_tokens": CONTEXT}).to(device)
    history = fit(
        model, PairBatches(pairs(corpus.train, data.tokenizer, CONTEXT, TOKENS + 1), START_BATCH, start, pad=data.tokenizer.pad),
        steps=START_STEPS, optimizer="muon", learning_rate=START_RATE, weight_decay=0.01, schedule="trapezoid",
        loss=reply_loss, validate_every=START_STEPS, resume=resume_file(f"gan-start-{start}"), progress=False,
    )  # fmt: skip
    check_finished(history)
    return model


def train_on(run: StartRun, model, data: GANData, device) -> tuple[object, dict]:
    """Return a copy of the start ``model`` after a run, and the columns that are known only then.

    Raises ValueError when the training was stopped.
    """
    from helpers.corpus.batches.context_reply_pairs import PairBatches
    from helpers.evaluation.gan_monitor import ReplyMonitor
    from helpers.models.discriminators import FeatureDiscriminator
    from helpers.runtime import seed_everything
    from helpers.training.dialogue_gan import DialogueGAN, train_adversarially

    if run.name == "gan" and run.start == 0:  # the stored bot "gan" is this run
        return checkpoints.load("gan", device).model, {"updates": UPDATES}
    bot = copy.deepcopy(model)
    if run.name == "start":
        return bot, {"updates": 0}
    seed_everything(run.seed)
    batches = PairBatches(data.train, BATCH, run.seed, pad=data.tokenizer.pad)
    readers = [model if name == "seq2seq" else checkpoints.load(name, device).model for name in READERS]
    discriminator = FeatureDiscriminator(readers, bot.config["vocab_size"], bot.config["pad"]).to(device)
    config = replace(SETTINGS, seed=run.seed, monitor_every=SETTINGS.steps)
    if run.name == "MLE":
        gan = DialogueGAN(bot.train(), discriminator, config)
        for number in range(UPDATES):
            gan.likelihood_step(batches[number])
        return bot.eval(), {"updates": UPDATES}
    config = replace(config, reward=REWARDS[run.name])
    monitor = ReplyMonitor(data.watched, data.tokenizer, (), TOKENS, WORDS)
    history = train_adversarially(bot, discriminator, batches, config, monitor=monitor, progress=False)
    check_finished(history)
    last = history.rows[-1]
    return bot, {"updates": UPDATES, "accuracy": last["accuracy"], "likelihood": last["likelihood"]}


# --- measuring ---------------------------------------------------------------------------------------------------------


class Measure:
    """Measures any bot, and people, on the same test pairs ``data.test``."""

    def __init__(self, data: GANData, device):
        from helpers.bots.adversarial_success import evaluator

        self.data, self.evaluator = data, evaluator(device)
        self.outside = checkpoints.load(OUTSIDE, device).model
        self.human = self.evaluator.featurize(data.test)

    def replies(self, pairs) -> dict:
        """Return what ``pairs`` are like: nats per token under two readers, distinct-2, Self-BLEU-2 and mean words."""
        from helpers.evaluation.human_or_bot_classifier import likelihood_features
        from helpers.evaluation.text_metrics import distinct, self_bleu

        tokenizer = self.data.tokenizer
        texts = [tokenizer.decode([int(token) for token in pair.reply]).split() for pair in pairs]
        words = [word for text in texts for word in text]
        lengths = np.array([len(pair.reply) - 1 for pair in pairs])
        readers = {"nats": self.evaluator.readers[0], "nats outside": self.outside}
        nats = {
            name: float((likelihood_features(reader, pairs, tokenizer.pad)[:, 0] * lengths).sum() / lengths.sum())
            for name, reader in readers.items()
        }
        return nats | {
            "distinct-2": distinct([words[:COUNTED_WORDS]], 2) if len(words) >= COUNTED_WORDS else None,
            "self-bleu-2": self_bleu(texts, 2),
            "words": len(words) / len(texts),
        }

    def of_people(self, bot, temperature: float) -> float:
        """Return the nats per token of people's replies under ``bot`` at a temperature: what it does not expect costs."""
        import torch

        from helpers.generation.scoring import reply_logits, token_log_probabilities
        from helpers.models.utils import evaluating

        total, count, pairs = 0.0, 0, self.data.test
        with evaluating(bot), torch.no_grad():
            for at in range(0, len(pairs), 128):
                logits, targets = reply_logits(bot, pairs[at : at + 128], self.data.tokenizer.pad)
                log_p, mask = token_log_probabilities(logits / temperature, targets)
                total, count = total - log_p.sum().item(), count + int(mask.sum())
        return total / count

    def sweep(self, bot, seed: int = 0) -> list[dict]:
        """Return the measurements of a bot, a row for each of TEMPERATURES; ``seed`` is that of the samples."""
        from helpers.evaluation.quality_diversity import with_sampled_replies

        rows = []
        for temperature in TEMPERATURES:
            pairs = with_sampled_replies(bot, self.data.test, self.data.tokenizer, temperature, TOKENS, seed)
            row = {
                "temperature": temperature,
                **self.replies(pairs),
                "nats of people": self.of_people(bot, temperature),
            }
            if temperature in EVALUATED_AT:
                row["AdverSuc"] = 1 - self.evaluator.accuracy(self.human, self.evaluator.featurize(pairs))
            rows.append(row)
        return rows


def read_table(folder: Path | None = None) -> list[dict]:
    """Return the rows of "gan_starts", as ``helpers.io.read_rows`` does."""
    return read_rows((folder or data_path()) / "gan_starts.csv")


def write_table(rows: list[dict], folder: Path) -> None:
    """Write "gan_starts" anew, rows in order."""
    ordered = sorted(rows, key=lambda row: (row["start"], row["run"], row["seed"], row.get("temperature") or 0))
    write_rows(folder / "gan_starts.csv", COLUMNS, ordered)


def main(folder: Path | None = None, starts: Sequence[int] = STARTS) -> None:
    """Execute every run that the file lacks. After a change of settings or of a reader's weights, delete it first."""
    from helpers.bots.train import resume_file
    from helpers.corpus.load import load
    from helpers.runtime import start as begin

    folder, device = folder or data_path(), begin(seed=0).torch
    rows = read_table(folder)
    missing = [run for run in all_runs(starts) if not any(run.key.items() <= row.items() for row in rows)]
    if not missing:
        return
    corpus = load()
    data = prepare_data(corpus, checkpoints.load("seq2seq"))
    measure = Measure(data, device)

    for number in sorted({run.start for run in missing}):
        model = train_start(number, corpus, data, device)

        def execute(run: StartRun, model=model) -> list[dict]:
            if run.name == "people":
                return [run.key | measure.replies(data.test)]
            bot, known = train_on(run, model, data, device)
            swept = measure.sweep(bot, run.seed if run.name == "start" else 0)
            return [run.key | known | row for row in swept]

        run_missing(
            [run for run in missing if run.start == number], rows, execute, lambda rows: write_table(rows, folder)
        )
        resume_file(f"gan-start-{number}").unlink(missing_ok=True)
