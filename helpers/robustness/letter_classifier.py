"""A classifier that reads letters: embeddings, one convolution, the largest response of each channel (notebook 11).

Kim 2014 on letters (compare Zhang, Zhao & LeCun 2015). Small enough to train in seconds, and a text is its letters: an attack
that swaps letters is always a text that can be typed.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrize import register_parametrization

from helpers.corpus.batches.base import NumberedBatches
from helpers.models.gpt_classifier import LabeledBatch
from helpers.models.network import Network
from helpers.models.utils import device_of, evaluating
from helpers.robustness.noise import Noise
from helpers.robustness.questions import LONGEST, Examples, plain_letters
from helpers.runtime import seed_everything
from helpers.training.loop import fit

ALPHABET = " abcdefghijklmnopqrstuvwxyz0123456789'"
PAD = 0  # the ids of the letters begin at 1
IDS = {letter: number for number, letter in enumerate(ALPHABET, 1)}
STEPS, BATCH, RATE = 500, 64, 8e-3


def encode_letters(texts: Sequence[str], length: int = LONGEST) -> torch.Tensor:
    """Return the letters of texts as ids, int64 [B, length], padded at the end with PAD; what is longer is cut.

    Texts are read as ``plain_letters`` has them. Raises TypeError for a single text.
    """
    if isinstance(texts, str):
        raise TypeError(f"texts is one text: put it into a list, [{texts[:20]!r}]")
    ids = torch.full((len(texts), length), PAD)
    for row, text in enumerate(texts):
        letters = [IDS[letter] for letter in plain_letters(text)[:length]]
        ids[row, : len(letters)] = torch.tensor(letters, dtype=torch.int64)
    return ids


def decode_letters(ids) -> str:
    """Return the text of one row of ids [T]; padding is left out."""
    return "".join(ALPHABET[int(number) - 1] for number in ids if int(number) != PAD)


class UnitRows(nn.Module):
    """Every row of a table divided by its length."""

    def forward(self, table: torch.Tensor) -> torch.Tensor:
        """Return table [V, D] with rows of length 1."""
        return functional.normalize(table, dim=-1)


class LetterClassifier(Network):
    """Scores for two classes from the letters of a text.

    ``model(ids [B, T]) -> logits [B, 2]``; ``embed.weight`` [V, D] are the letters' vectors, each of length 1: a network that
    is trained against steps of a fixed size would otherwise just make its vectors longer (Miyato et al. 2016). Padding counts
    for nothing. Raises ValueError for an even ``width``.
    """

    def __init__(self, n_embd: int = 24, channels: int = 64, width: int = 7, dropout: float = 0.2):
        super().__init__()
        if width % 2 == 0:
            raise ValueError(f"width is {width}: give an odd number of letters, so that one of them is the middle")
        self.config = {"n_embd": n_embd, "channels": channels, "width": width, "dropout": dropout}
        self.embed = nn.Embedding(len(ALPHABET) + 1, n_embd)
        register_parametrization(self.embed, "weight", UnitRows())
        self.convolution = nn.Conv1d(n_embd, channels, width, padding=width // 2)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the scores [B, 2] of texts in ids [B, T]."""
        return self.from_embedded(self.embed(ids), ids != PAD)

    def from_embedded(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the scores [B, 2] of embedded letters [B, T, D]; ``mask`` [B, T] is False where a row is padding."""
        responses = functional.relu(self.convolution((x * mask[..., None]).transpose(1, 2)))  # [B, channels, T]
        largest = (responses * mask[:, None]).amax(-1)  # a response is never below 0
        return self.head(self.dropout(largest))


def class_loss(model: LetterClassifier, batch: LabeledBatch) -> torch.Tensor:
    """Return the mean cross-entropy of the right class, in nats."""
    return functional.cross_entropy(model(batch.ids), batch.targets)


class LetterBatches(NumberedBatches):
    """Examples in batches, again and again, in another order each pass, texts of similar length together.

    With ``noise`` half of each batch, at random, is changed by it anew each time: the other half stays clean.
    """

    def __init__(self, examples: Examples, batch_size: int = BATCH, seed: int = 0, noise: Noise | None = None):
        super().__init__(len(examples.texts), batch_size, seed, [len(text) for text in examples.texts])
        self.examples, self.noise, self.labels = examples, noise, torch.as_tensor(examples.labels)
        self.ids = encode_letters(examples.texts)

    def batch(self, part: np.ndarray, position: int) -> LabeledBatch:
        part = np.asarray(part)
        ids = self.ids[part]
        if self.noise is not None:
            rng = np.random.default_rng([self.seed, position, *part[:2].tolist()])
            rows = rng.permutation(len(part))[: len(part) // 2]
            ids[rows] = encode_letters([self.noise(self.examples.texts[part[row]], rng) for row in rows])
        lengths = (ids != PAD).sum(1)
        return LabeledBatch(ids[:, : int(lengths.max())], lengths, self.labels[part])


def train_classifier(
    examples: Examples,
    *,
    steps: int = STEPS,
    seed: int = 0,
    loss: Callable = class_loss,
    noise: Noise | None = None,
    model: LetterClassifier | None = None,
    learning_rate: float = RATE,
    progress: bool = False,
) -> LetterClassifier:
    """Return a LetterClassifier trained on ``examples``, in evaluation mode; a given ``model`` is trained on, in place.

    ``loss(model, batch)`` may be that of adversarial training, ``noise`` changes half of each batch.
    """
    seed_everything(seed)
    model = LetterClassifier() if model is None else model
    batches = LetterBatches(examples, seed=seed, noise=noise)
    fit(model, batches, steps=steps, learning_rate=learning_rate, loss=loss, weight_decay=0.01, progress=progress)
    return model


@torch.no_grad()
def predictions(model: LetterClassifier, texts: Sequence[str]) -> np.ndarray:
    """Return the probability of class 1 of each text, float64 [N], without dropout."""
    device = device_of(model)
    with evaluating(model):
        parts = [model(encode_letters(texts[start : start + 512]).to(device)) for start in range(0, len(texts), 512)]
    return torch.cat(parts).double().softmax(-1)[:, 1].cpu().numpy() if parts else np.zeros(0)


def accuracy(model: LetterClassifier, examples: Examples, texts: Sequence[str] | None = None) -> float:
    """Return the share of examples answered right; with ``texts`` [N], of these changed texts instead of their own.

    Raises ValueError when there are none, or not as many texts as labels.
    """
    texts = examples.texts if texts is None else texts
    if not len(texts) or len(texts) != len(examples.labels):
        raise ValueError(f"{len(texts)} texts for {len(examples.labels)} labels: give one for each, one at least")
    return float(((predictions(model, texts) > 0.5) == (examples.labels == 1)).mean())
