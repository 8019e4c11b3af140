"""The runs behind notebook 08: seq2seq against a judge, with the controls without which they would show nothing.

    python -m helpers.chat.judged        play what data/gan_runs.csv lacks: some seven minutes a run on one core

Three files are written, after every run: ``gan_runs.csv`` (what was seen while they played), ``gan_sweep.csv`` (quality,
variety and adversarial success of the finished bots at several temperatures) and ``gan_history.json`` (the replies of two
of them, step by step, and how the evaluator did in its tests).
"""

import json
import random
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar, NamedTuple

from .. import data_path
from ..runtime import seed_everything, start, write_text
from ..training.adversarial_text import Schedule
from . import success, zoo
from .runs import read_rows, write_rows

TOKENS, CONTEXT, BATCH = 24, 24, 32  # longest reply, of a context the last so many tokens, replies in a batch
WATCHED, JUDGED, WORDS = 160, 400, 500  # pairs looked at on the way (validation split) and in the end (test split)
TEMPERATURES = (0.3, 0.5, 0.7, 0.85, 1.0, 1.15)
READERS = ("gpt", "seq2seq")  # through whose surprise the judge reads
KEPT = ("gan", "not evened")  # whose replies are kept, of seed 0
COLUMNS = ("run", "seed", "step", "reward", "length", "accuracy", "likelihood", "words", "distinct-2")
SWEPT = ("run", "seed", "steps", "temperature", "AdverSuc", "nats", "distinct-2", "self-bleu-2", "words")
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


class Material(NamedTuple):
    """Pairs to learn from, to watch and to judge, with what else all runs share."""

    train: list
    watched: list
    judged: list
    prompts: list
    tokenizer: object


def material(corpus, bot) -> Material:
    """Return what the runs read: only pairs with a context are watched and judged, each split mixed by a seed of its own."""
    from ..corpus.pairs import Pair, pairs

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
    from ..models.judge import Judge, ReadingJudge

    if run == "copied judge":
        return Judge(bot).to(device)
    readers = [zoo.load(name, device).model for name in READERS]
    config = bot.config
    return ReadingJudge(readers, config["vocabulary_size"], config["pad"]).to(device)


def play(plan: Plan, shared: Material, device, batch: int = BATCH, told=None, **how):
    """Return the bot, its judge and the history of one run; ``told(figures)`` is called with what is seen on the way.

    ``how`` is passed to ``train_adversarially``.
    """
    from ..corpus.pairs import PairBatches
    from ..evaluation.watching import ReplyWatch
    from ..training.adversarial_text import AdversarialHistory, train_adversarially

    seed_everything(plan.schedule.seed)
    bot = zoo.load("seq2seq", device).model
    judge = new_judge(plan.run, bot, device)
    if plan.run == "MLE":
        return bot, judge, AdversarialHistory([{"step": 0}])
    watch = ReplyWatch(shared.watched, shared.tokenizer, shared.prompts, TOKENS, WORDS)

    def look(generator, judge):
        figures = watch(generator, judge)
        if told:
            told({name: value for name, value in figures.items() if name != "replies"})
        return figures

    batches = PairBatches(shared.train, batch, plan.schedule.seed, pad=shared.tokenizer.pad)
    return bot, judge, train_adversarially(bot, judge, batches, plan.schedule, watch=look, **how)


class Jury:
    """The evaluator that judges all bots (``helpers.chat.success``), after its tests."""

    def __init__(self, shared: Material, device):
        self.shared, self.evaluator = shared, success.evaluator(device)
        self.human = self.evaluator.see(shared.judged)

    def tests(self) -> dict:
        """Return how it does on people against people and random words, and what people's replies are like."""
        from ..evaluation.judging import sanity
        from ..evaluation.quality import quality_and_variety

        tested = sanity(self.evaluator, self.shared.judged, self.human)
        return {"same": tested.same, "random": tested.random, **quality_and_variety(self.evaluator, self.shared.judged)}

    def sweep(self, plan: Plan, bot, steps: int, temperatures=TEMPERATURES) -> list[dict]:
        """Return a row for each temperature, named by SWEPT."""
        from ..evaluation.quality import answered, quality_and_variety

        rows = []
        for temperature in temperatures:
            said = answered(bot, self.shared.judged, self.shared.tokenizer.pad, temperature, TOKENS, plan.schedule.seed)
            missed = 1 - self.evaluator.accuracy(self.human, self.evaluator.see(said))
            key = {"run": plan.run, "seed": plan.schedule.seed, "steps": steps, "temperature": temperature}
            rows.append({**key, "AdverSuc": missed, **quality_and_variety(self.evaluator, said)})
        return rows


# --- files -------------------------------------------------------------------------------------------------------------


def rows(name: str = "gan_runs", folder: Path | None = None) -> list[dict]:
    """Return the rows of "gan_runs" or "gan_sweep", as ``helpers.chat.runs.read_rows`` does."""
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
        shared = material(corpus, zoo.load(self.base))
        bot, _, seen = play(Plan("gan", self.schedule), shared, device.torch, self.batch_size)
        if seen.stopped:
            raise ValueError(f"{seen.stopped} Nothing was saved.")
        return bot, seen.seconds


def main(folder: Path | None = None) -> None:
    """Play every run that the files lack; they are written after each, so an interrupted command goes on where it was.

    After a change of SETTINGS or of a reader's weights, delete the three files first. Raises ValueError when the evaluator
    fails its tests.
    """
    from ..corpus import conversations
    from ..evaluation.judging import Sanity

    folder, device = folder or data_path(), start(seed=0).torch
    played, swept, kept = rows("gan_runs", folder), rows("gan_sweep", folder), history(folder)
    known = {(row["run"], row["seed"]) for row in swept}
    shared = material(conversations.load(), zoo.load("seq2seq"))
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


if __name__ == "__main__":
    main()
