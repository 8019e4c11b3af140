"""How many letters fit through one vector: the runs behind the bottleneck of notebook 03.

    python -m helpers experiments bottleneck            run what data/bottleneck.csv lacks (all: about half an hour)

The task is to repeat a word of random letters, which no model can guess. Runs differ in the width of the network, in
whether its decoder has attention, in how long it is trained, and in the seed. Every batch holds new words. A control has
the network with attention, two GRUs that read and all, but its decoder gets one vector: their last states.
"""

import string
from typing import NamedTuple

import torch

from helpers import data_path
from helpers.corpus.batches.context_reply_pairs import PairBatch
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.experiments.reply_attention import EndStates
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.models.seq2seq import Seq2Seq
from helpers.runtime import seed_everything
from helpers.training.loop import fit
from helpers.training.losses import reply_loss

LETTERS = CharTokenizer(string.ascii_lowercase)
LONGEST = 16  # letters of the longest word in training
LENGTHS = (4, 8, 12, 16, 20)  # of the words in the test
TEST_WORDS = 200
COLUMNS = ("hidden_size", "attention", "steps", "seed", "length", "letters")


class RepeatBatches:
    """Batches of a word said by speaker A and repeated by B: ``batches[t]`` is a PairBatch of 64 words of one length.

    Each batch has a random length of 1 to ``longest`` letters; with ``reverse`` B says the word backwards. The same ``seed``
    and t always give the same batch.
    """

    def __init__(self, seed: int = 0, longest: int = LONGEST, batch_size: int = 64, reverse: bool = False):
        self.seed, self.longest, self.batch_size, self.reverse = seed, longest, batch_size, reverse

    def __getitem__(self, t: int) -> PairBatch:
        rng = torch.Generator().manual_seed(1_000_003 * self.seed + t)
        return self.words(int(torch.randint(1, self.longest + 1, (), generator=rng)), rng)

    def words(self, length: int, rng: torch.Generator) -> PairBatch:
        """Return a batch of random words of one length."""
        first = LETTERS.encode("a")[0]
        word = torch.randint(first, first + 26, (self.batch_size, length), generator=rng)
        said = word.flip(1) if self.reverse else word
        end, a, b = (torch.full((self.batch_size, 1), token) for token in (LETTERS.end, *map(LETTERS.speaker, "AB")))
        return PairBatch(torch.cat([end, a, word], 1), torch.cat([b, said], 1), torch.cat([said, end], 1))


@torch.no_grad()
def letters_right(model, length: int, reverse: bool = False) -> float:
    """Return how many letters of a new word of that length the model's first guess gets right, the mean over 200 words.

    Before each letter the model reads the true ones before it (teacher forcing); guessing gets one in 26.
    """
    batch = RepeatBatches(batch_size=TEST_WORDS, reverse=reverse).words(length, torch.Generator().manual_seed(-length))
    return (model.read(batch).argmax(-1) == batch.targets)[:, :length].float().sum(1).mean().item()


def learning_rate(hidden_size: int) -> float:
    """Return the highest learning rate for a width: wide networks need smaller steps. The same with and without attention."""
    return 0.08 * hidden_size**-0.5


class BottleneckRun(NamedTuple):
    """One training of the table."""

    hidden_size: int
    attention: str  # "none"; "ends": one vector from two directions; or "learned"
    steps: int
    seed: int

    @property
    def key(self) -> dict:
        return self._asdict()


RUNS = tuple(
    BottleneckRun(width, attention, steps, seed)
    for steps in (300, 1200, 4800)
    for attention in ("none", "ends", "learned")
    for width in (16, 32, 64, 128)
    for seed in (0, 1, 2)
    if attention == "none" or (width < 128 and steps < 4800)  # with attention every letter is right long before
)


def train_one(run: BottleneckRun) -> Seq2Seq:
    """Return the network of a run, trained."""
    seed_everything(run.seed)
    sizes = {"hidden_size": run.hidden_size, "embedding_size": 32, "attention": run.attention != "none"}
    model = Seq2Seq(len(LETTERS), **sizes, **special_token_ids(LETTERS))
    if run.attention == "ends":
        model.attention = EndStates(run.hidden_size, run.hidden_size, run.hidden_size // 2)
    settings = {"steps": run.steps, "learning_rate": learning_rate(run.hidden_size), "loss": reply_loss}
    check_finished(fit(model, RepeatBatches(run.seed), progress=False, **settings))
    return model


def main() -> None:
    """Execute every run that the file lacks."""
    path = data_path() / "bottleneck.csv"

    def execute(run: BottleneckRun) -> list[dict]:
        model = train_one(run)
        return [{**run.key, "length": length, "letters": round(letters_right(model, length), 3)} for length in LENGTHS]

    run_missing(RUNS, read_rows(path), execute, lambda rows: write_rows(path, COLUMNS, rows))
