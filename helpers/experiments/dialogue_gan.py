"""The runs behind notebook 08: seq2seq against a judge, with the controls without which they would show nothing.

    python -m helpers experiments dialogue_gan        play what data/gan_runs.csv lacks: some seven minutes a run on one core

Three files are written, after every run: ``gan_runs.csv`` (what was seen while they played), ``gan_sweep.csv`` (quality,
variety and adversarial success of the finished bots at several temperatures) and ``gan_history.json`` (the replies of two
of them, step by step, and how the evaluator did in its tests).
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

from helpers import data_path
from helpers.bots import adversarial_success, checkpoints
from helpers.bots.gan_recipe import SETTINGS, TOKENS, Material, Plan, material, play
from helpers.io import read_rows, write_rows, write_text
from helpers.runtime import start
from helpers.training.dialogue_gan import Schedule

TEMPERATURES = (0.3, 0.5, 0.7, 0.85, 1.0, 1.15)
KEPT = ("gan", "not evened")  # whose replies are kept, of seed 0
COLUMNS = ("run", "seed", "step", "reward", "length", "accuracy", "likelihood", "words", "distinct-2")
SWEPT = ("run", "seed", "steps", "temperature", "AdverSuc", "nats", "distinct-2", "self-bleu-2", "words")


def plans(settings: Schedule = SETTINGS) -> list[Plan]:
    """Return all runs with all their seeds, the first seed of each first."""
    made = []
    for run, seeds, change in (
        ("MLE", 3, {}),
        ("gan", 3, {}),
        ("no mixing", 2, {"likelihood_steps": 0}),
        ("constant reward", 3, {"reward": "constant"}),
        ("shuffled reward", 2, {"reward": "shuffled"}),
        ("likelihood alone", 1, {"learning_rate": 0.0}),
        ("no critic", 2, {"critic": False}),
        ("copied judge", 1, {"judge_rate": 5e-4}),
        ("not evened", 2, {"pay": "change", "gamma": 0.95}),
    ):
        made += [Plan(run, replace(settings, seed=seed, **change)) for seed in range(seeds)]
    return sorted(made, key=lambda plan: plan.schedule.seed)


class Jury:
    """The evaluator that judges all bots (``helpers.bots.adversarial_success``), after its tests."""

    def __init__(self, shared: Material, device):
        self.shared, self.evaluator = shared, adversarial_success.evaluator(device)
        self.human = self.evaluator.see(shared.judged)

    def tests(self) -> dict:
        """Return how it does on people against people and random words, and what people's replies are like."""
        from helpers.evaluation.human_or_bot_classifier import sanity
        from helpers.evaluation.quality_diversity import quality_and_variety

        tested = sanity(self.evaluator, self.shared.judged, self.human)
        return {"same": tested.same, "random": tested.random, **quality_and_variety(self.evaluator, self.shared.judged)}

    def sweep(self, plan: Plan, bot, steps: int, temperatures=TEMPERATURES) -> list[dict]:
        """Return a row for each temperature, named by SWEPT."""
        from helpers.evaluation.quality_diversity import answered, quality_and_variety

        rows = []
        for temperature in temperatures:
            said = answered(bot, self.shared.judged, self.shared.tokenizer.pad, temperature, TOKENS, plan.schedule.seed)
            missed = 1 - self.evaluator.accuracy(self.human, self.evaluator.see(said))
            key = {"run": plan.run, "seed": plan.schedule.seed, "steps": steps, "temperature": temperature}
            rows.append({**key, "AdverSuc": missed, **quality_and_variety(self.evaluator, said)})
        return rows


# --- files -------------------------------------------------------------------------------------------------------------


def rows(name: str = "gan_runs", folder: Path | None = None) -> list[dict]:
    """Return the rows of "gan_runs" or "gan_sweep", as ``helpers.io.read_rows`` does."""
    return read_rows((folder or data_path()) / f"{name}.csv")


def history(folder: Path | None = None) -> dict:
    """Return ``gan_history.json``: "tests", and for each kept run its "settings" and its "replies" by step."""
    path = (folder or data_path()) / "gan_history.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"tests": None, "runs": {}}


def write(folder: Path, played: list[dict], swept: list[dict], kept: dict) -> None:
    """Write all three files anew, rows in order."""
    for name, columns, table in (("gan_runs", COLUMNS, played), ("gan_sweep", SWEPT, swept)):
        ordered = sorted(table, key=lambda row: (row["run"], row["seed"], row.get("step", row.get("temperature"))))
        write_rows(folder / f"{name}.csv", columns, ordered)
    write_text(folder / "gan_history.json", json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def named(plan: Plan, seen) -> list[dict]:
    """Return the rows of a history with the names of its run."""
    return [{"run": plan.run, "seed": plan.schedule.seed, **row} for row in seen.rows]


def remembered(plan: Plan, seen, most: int = 21) -> dict:
    """Return what ``gan_history.json`` keeps of a run: at most ``most`` moments, the last among them."""
    steps = sorted(seen.replies)
    chosen = {*steps[:: -(-len(steps) // (most - 1))], steps[-1]}
    replies = {str(step): seen.replies[step] for step in sorted(chosen)}
    return {"settings": asdict(plan.schedule), "stopped": seen.stopped, "replies": replies}


def main(folder: Path | None = None) -> None:
    """Play every run that the files lack; they are written after each, so an interrupted command goes on where it was.

    After a change of SETTINGS or of a reader's weights, delete the three files first. Raises ValueError when the evaluator
    fails its tests.
    """
    from helpers.corpus.load import load
    from helpers.evaluation.human_or_bot_classifier import Sanity

    folder, device = folder or data_path(), start(seed=0).torch
    played, swept, kept = rows("gan_runs", folder), rows("gan_sweep", folder), history(folder)
    known = {(row["run"], row["seed"]) for row in swept}
    shared = material(load(), checkpoints.load("seq2seq"))
    jury = Jury(shared, device)
    kept["tests"] = kept["tests"] or jury.tests()
    if not (tested := Sanity(kept["tests"]["same"], kept["tests"]["random"])).passed:
        raise ValueError(f"this evaluator says nothing about a bot: {tested}")
    for plan in plans():
        key = plan.run, plan.schedule.seed
        if key in known:
            continue
        bot, _, seen = play(plan, shared, device)
        swept += jury.sweep(plan, bot, seen.rows[-1]["step"])
        if plan.run != "MLE":
            played += named(plan, seen)
        if plan.run in KEPT and plan.schedule.seed == 0:
            kept["runs"][plan.run] = remembered(plan, seen)
        write(folder, played, swept, kept)
        print(f"{plan.run}, seed {plan.schedule.seed}: {seen}", flush=True)
