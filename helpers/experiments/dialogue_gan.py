"""The runs behind notebook 08: seq2seq against a discriminator, with the controls without which they would show nothing.

    python -m helpers experiments dialogue_gan        run what the tables lack: some minutes a run on one core

Here all runs start from one checkpoint; ``dialogue_gan_starts``, which the same command executes afterwards, has other starts
and the noise floor. Three files are written, after every run: ``gan_runs.csv`` (measurements during the game),
``gan_sweep.csv`` (quality, diversity and adversarial success of the finished bots at several temperatures) and
``gan_history.json`` (the replies of two of them, step by step, and the results of the evaluator's tests).
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

from helpers import data_path
from helpers.bots import adversarial_success, checkpoints
from helpers.bots.gan_recipe import SETTINGS, TOKENS, GANData, GANRun, prepare_data, train_gan
from helpers.experiments.run_missing import run_missing
from helpers.io import read_rows, write_rows, write_text
from helpers.runtime import start
from helpers.training.dialogue_gan import DialogueGANConfig

TEMPERATURES = (0.3, 0.5, 0.7, 0.85, 1.0, 1.15)
KEPT = ("gan", "not length-normalized")  # whose replies are kept, of seed 0
COLUMNS = {
    "gan_runs": ("run", "seed", "step", "reward", "length", "accuracy", "likelihood", "words", "distinct-2"),
    "gan_sweep": ("run", "seed", "steps", "temperature", "AdverSuc", "nats", "distinct-2", "self-bleu-2", "words"),
}


def all_runs(settings: DialogueGANConfig = SETTINGS) -> list[GANRun]:
    """Return all runs with all their seeds, the first seed of each first."""
    runs = []
    for name, seeds, change in (
        ("MLE", 3, {}),
        ("gan", 3, {}),
        ("no mixing", 2, {"likelihood_steps": 0}),
        ("constant reward", 3, {"reward": "constant"}),
        ("shuffled reward", 2, {"reward": "shuffled"}),
        ("likelihood alone", 1, {"learning_rate": 0.0}),
        ("no critic", 2, {"critic": False}),
        ("copied discriminator", 1, {"discriminator_rate": 5e-4}),
        ("not length-normalized", 2, {"credit": "difference", "gamma": 0.95}),
    ):
        runs += [GANRun(name, replace(settings, seed=seed, **change)) for seed in range(seeds)]
    return sorted(runs, key=lambda run: run.config.seed)


class BotEvaluation:
    """The evaluator of all bots (``helpers.bots.adversarial_success``), with the features of people's replies."""

    def __init__(self, data: GANData, device):
        self.data, self.evaluator = data, adversarial_success.evaluator(device)
        self.human = self.evaluator.featurize(data.test)

    def tests(self) -> dict:
        """Return its accuracy on people against people and random words, and what people's replies are like."""
        from helpers.evaluation.human_or_bot_classifier import sanity_check
        from helpers.evaluation.quality_diversity import quality_and_diversity

        sanity = sanity_check(self.evaluator, self.data.test, self.human)
        return asdict(sanity) | quality_and_diversity(self.evaluator, self.data.test)

    def sweep(self, run: GANRun, bot, steps: int) -> list[dict]:
        """Return a row of "gan_sweep" for each of TEMPERATURES."""
        from helpers.evaluation.quality_diversity import quality_and_diversity, with_sampled_replies

        rows, data = [], self.data
        for temperature in TEMPERATURES:
            replies = with_sampled_replies(bot, data.test, data.tokenizer, temperature, TOKENS, run.config.seed)
            success = 1 - self.evaluator.accuracy(self.human, self.evaluator.featurize(replies))
            row = {**run.key, "steps": steps, "temperature": temperature, "AdverSuc": success}
            rows.append(row | quality_and_diversity(self.evaluator, replies))
        return rows


# --- files -------------------------------------------------------------------------------------------------------------


def read_table(name: str = "gan_runs", folder: Path | None = None) -> list[dict]:
    """Return the rows of "gan_runs" or "gan_sweep", as ``helpers.io.read_rows`` does."""
    return read_rows((folder or data_path()) / f"{name}.csv")


def write_table(name: str, rows: list[dict], folder: Path) -> None:
    """Write "gan_runs" or "gan_sweep" anew, rows in order."""
    ordered = sorted(rows, key=lambda row: (row["run"], row["seed"], row.get("step", row.get("temperature"))))
    write_rows(folder / f"{name}.csv", COLUMNS[name], ordered)


def read_history(folder: Path | None = None) -> dict:
    """Return ``gan_history.json``: "tests", and for each kept run its "settings" and its "replies" by step."""
    path = (folder or data_path()) / "gan_history.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"tests": None, "runs": {}}


def thinned(run: GANRun, history, most: int = 21) -> dict:
    """Return what ``gan_history.json`` keeps of a run: at most ``most`` moments, the last among them."""
    steps = sorted(history.replies)
    kept = {*steps[:: -(-len(steps) // (most - 1))], steps[-1]}
    replies = {str(step): history.replies[step] for step in sorted(kept)}
    return {"settings": asdict(run.config), "stopped": history.stopped, "replies": replies}


def main(folder: Path | None = None) -> None:
    """Execute every run that the files lack, also those of ``dialogue_gan_starts``.

    After a change of SETTINGS or of a reader's weights, delete the three files first. Raises ValueError when the evaluator
    fails its tests.
    """
    from helpers.corpus.load import load
    from helpers.evaluation.human_or_bot_classifier import SanityCheck
    from helpers.experiments import dialogue_gan_starts

    folder, device = folder or data_path(), start(seed=0).torch
    measured, history = read_table("gan_runs", folder), read_history(folder)
    data = prepare_data(load(), checkpoints.load("seq2seq"))
    evaluation = BotEvaluation(data, device)
    history["tests"] = history["tests"] or evaluation.tests()
    if not (sanity := SanityCheck(history["tests"]["same"], history["tests"]["random"])).passed:
        raise ValueError(f"this evaluator says nothing about a bot: {sanity}")

    def execute(run: GANRun) -> list[dict]:
        bot, seen = train_gan(run, data, device)
        rows = evaluation.sweep(run, bot, seen.rows[-1]["step"])
        measured[:] = [row for row in measured if not run.key.items() <= row.items()]  # of a command that was cut short
        measured.extend({**run.key, **row} for row in seen.rows if run.name != "MLE")
        if run.name in KEPT and run.config.seed == 0:
            history["runs"][run.name] = thinned(run, seen)
        write_table("gan_runs", measured, folder)
        write_text(folder / "gan_history.json", json.dumps(history, indent=1, ensure_ascii=False) + "\n")
        print(f"{run.name}, seed {run.config.seed}: {seen}", flush=True)
        return rows

    run_missing(
        all_runs(), read_table("gan_sweep", folder), execute, lambda rows: write_table("gan_sweep", rows, folder)
    )
    dialogue_gan_starts.main(folder)
