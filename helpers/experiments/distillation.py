"""A small GPT from a large one's probabilities and from the text alone, for as many steps and for as long (notebook 12).

    python -m helpers experiments distillation         run what data/distillation.csv lacks (all: ten minutes)

Equal time is a number of steps: a step with the teacher costs COST steps without one. It was measured once, in processor
time, one step of each kind in turn, so that a run on a busy computer is the same run. All runs have the architecture, batches
and learning rate of the recipe of gpt-small; its own checkpoint is the series "long".
"""

from typing import NamedTuple

from helpers import data_path
from helpers.bots import checkpoints
from helpers.bots.recipes import RECIPES
from helpers.compression.distillation import Distillation, student_config
from helpers.corpus.batches.token_stream import WindowBatches, stream
from helpers.corpus.load import load
from helpers.evaluation.likelihood import bits_per_byte_on
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.models.gpt import GPT
from helpers.runtime import seed_everything
from helpers.training import fit, next_token_loss

STEPS = 200  # of the series "short"
COST = 2.4  # times as long as a step on the text alone takes one with the teacher: 0.43 s and 0.18 s on one core
COLUMNS = ("series", "student", "temperature", "soft", "seed", "steps", "relative time", "bits per byte")


class DistillationRun(NamedTuple):
    """One training: what the student learns from, for how many steps, from which seed. Without a teacher ``soft`` is 0."""

    series: str  # "short": a minute or so; "long": as long as gpt-small was trained
    student: str
    temperature: float
    soft: float
    seed: int
    steps: int

    @property
    def key(self) -> dict:
        return self._asdict()

    @property
    def relative_time(self) -> float:
        """How long it takes, in steps on the text alone."""
        return self.steps * (COST if self.soft else 1)


def _runs() -> tuple[DistillationRun, ...]:
    long = RECIPES["gpt-small"].steps
    kinds = (
        ("text, equal steps", 1.0, 0.0, STEPS),
        ("teacher, T = 1", 1.0, 1.0, STEPS),
        ("text, equal time", 1.0, 0.0, round(STEPS * COST)),
        ("teacher and text, T = 2", 2.0, 0.5, STEPS),
    )
    return (
        *(DistillationRun("short", *kind[:3], seed, kind[3]) for seed in (0, 1) for kind in kinds),
        DistillationRun("long", "teacher, T = 1", 1.0, 1.0, 0, long),
    )


RUNS = _runs()


class Material(NamedTuple):
    """What all runs share."""

    ids: object  # the training stream, int16 [N]
    teacher: object
    tokenizer: object
    held_out: list  # the test conversations


def load_material() -> Material:
    """Return the training stream, the teacher (gpt), its tokenizer and the test conversations."""
    corpus, teacher = load(), checkpoints.load("gpt")
    return Material(stream(corpus.train, teacher.tokenizer), teacher.model, teacher.tokenizer, corpus.test)


def train_one(run: DistillationRun, material: Material) -> list[dict]:
    """Train a student as the run says and return its row; the stored gpt-small is measured as it is."""
    recipe = RECIPES["gpt-small"]
    if run.series == "long" and run.soft and run.seed == recipe.seed:
        model = checkpoints.load("gpt-small").model
    else:
        seed_everything(run.seed)
        model = GPT(student_config(len(material.tokenizer), recipe.context))
        loss = Distillation(material.teacher, run.temperature, run.soft) if run.soft else next_token_loss
        history = fit(
            model,
            WindowBatches(material.ids, recipe.batch_size, recipe.context, run.seed),
            steps=run.steps,
            optimizer="muon",
            schedule="trapezoid",
            learning_rate=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            loss=loss,
            progress=False,
        )
        check_finished(history)
    bits = bits_per_byte_on(model, material.tokenizer, material.held_out)
    return [run.key | {"relative time": round(run.relative_time), "bits per byte": round(bits, 4)}]


def main() -> None:
    """Execute every run that the file lacks."""
    path, material = data_path() / "distillation.csv", load_material()
    run_missing(
        RUNS, read_rows(path), lambda run: train_one(run, material), lambda rows: write_rows(path, COLUMNS, rows)
    )
