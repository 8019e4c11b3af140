"""What each part of a Transformer is worth on a task that anyone can check (notebook 04): eight letters, reversed.

    python -m helpers experiments transformer_ablations     run what data/transformer_ablations.csv lacks (ten minutes)

Series "parts": one layer of 64 numbers and four heads, complete and with one part taken away. "deep": four layers of 32.
"scores": how large the scores are before training, by initial weights, number of heads, and the division by √d. Every setting
is run with five seeds, which choose the initial weights; the data are the same. Measured are the mean loss of the last 20 of
240 steps, the percentage of letters that are right on 300 new words, the first step at which the mean loss of ten steps is
below one nat (0: never), and the standard deviation of the encoder's scores before training.
"""

import random
from typing import NamedTuple

import torch
from torch import nn

from helpers import data_path
from helpers.corpus.batches.base import Pair
from helpers.corpus.batches.context_reply_pairs import PairBatches, batch_of, pairs
from helpers.corpus.conversations import Conversation, Turn
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.models.attention import attention, causal_mask
from helpers.models.encoder_decoder import EncoderDecoder
from helpers.models.transformer_from_parts import decoder_layer, encoder_layer, multi_head_attention, transformer
from helpers.runtime import seed_everything
from helpers.training import fit, reply_loss

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
LETTERS = CharTokenizer(ALPHABET)
COLUMNS = ("series", "variant", "heads", "layers", "seed", "loss", "right", "below one nat", "score spread")
STEPS, SEEDS = 240, range(5)


class AblationRun(NamedTuple):
    """One training: the parts are complete or one is missing ("without scale"), its sizes, and its seed."""

    series: str
    variant: str
    heads: int
    layers: int
    seed: int

    @property
    def key(self) -> dict:
        return dict(zip(COLUMNS, self))


def _runs() -> tuple[AblationRun, ...]:
    parts = (
        "complete",
        "without positions",
        "without residual",
        "without norm",
        "without feed-forward",
        "without scale",
    )
    scores = (
        "complete",
        "without scale",
        "small queries and keys",
        "small queries and keys without scale",
        "small start",
    )
    return (
        *(AblationRun("parts", variant, 4, 1, seed) for variant in parts for seed in SEEDS),
        *(AblationRun("deep", variant, 4, 4, seed) for variant in parts[:1] + parts[2:4] for seed in SEEDS),
        *(AblationRun("scores", variant, heads, 1, seed) for variant in scores for heads in (4, 1) for seed in SEEDS),
    )


RUNS = _runs()


def reversed_words(count: int, seed: int, length: int = 8) -> list[Pair]:
    """Return pairs of a context, a word of random letters, and a reply, the same word reversed."""
    rng, talks = random.Random(seed), []
    for _ in range(count):
        word = "".join(rng.choices(ALPHABET, k=length))
        talks.append(Conversation(word, word, (Turn("A", word), Turn("B", word[::-1]))))
    return pairs(talks, LETTERS)[1::2]  # of each conversation the second turn, with the first as its context


@torch.no_grad()
def letters_right(model: EncoderDecoder, length: int = 8) -> float:
    """Return the share of letters that ``model`` predicts correctly in 300 new words, each after the right ones before it.

    The token that ends a reply is no letter: it does not count. Guessing gets 1/26.
    """
    batch = batch_of(reversed_words(300, seed=1, length=length), LETTERS.pad)
    letters = (batch.targets >= 0) & (batch.targets != LETTERS.end)
    return (model.read(batch).argmax(-1) == batch.targets)[letters].float().mean().item()


def build(variant: str, heads: int, layers: int) -> EncoderDecoder:
    """Return an untrained Transformer of notebook 04 for the reversed letters, complete or without one part.

    Raises ValueError for a variant that is not among those of ``RUNS``.
    """
    known = {run.variant for run in RUNS}
    if variant not in known:
        raise ValueError(f"there is no variant {variant!r}; known are {', '.join(sorted(known))}")
    attend = _unscaled if "without scale" in variant else attention
    heads_of = multi_head_attention(attend)
    encoder = encoder_layer(heads_of)
    decoder = decoder_layer(encoder, heads_of, causal_mask)
    if variant == "without residual":
        encoder, decoder = _encoder_without_residual(encoder), _decoder_without_residual(decoder)
    model = transformer(encoder, decoder)(
        len(LETTERS), d_model=64 if layers == 1 else 32, n_head=heads, n_layer=layers, **special_token_ids(LETTERS)
    )
    if variant == "without positions":
        model.embed_with_positions = lambda ids: model.embed(ids) * model.embed.embedding_dim**0.5
    for part in list(model.modules()):
        if variant == "without feed-forward" and hasattr(part, "feed_forward"):
            part.feed_forward = _Nothing()
        if variant == "without norm":
            for name, child in list(part.named_children()):
                if isinstance(child, nn.LayerNorm):
                    setattr(part, name, nn.Identity())
        if variant.startswith("small queries") and hasattr(part, "in_proj"):
            part.in_proj.weight.data[: 2 * part.in_proj.in_features] *= 3**-0.5  # a third of the variance
        if variant == "small start" and hasattr(part, "in_proj"):
            part.in_proj.reset_parameters()  # as torch.nn.Linear begins: a third of the variance in all four matrices
            part.out_proj.reset_parameters()
    return model


def _unscaled(q, k, v, mask=None):
    return attention(q * q.shape[-1] ** 0.5, k, v, mask)


class _Nothing(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x)


def _encoder_without_residual(layer: type) -> type:
    class EncoderLayer(layer):
        def forward(self, x, mask=None):
            x = self.self_attention(self.self_attention_norm(x), mask=mask)
            return self.feed_forward(self.feed_forward_norm(x))

    return EncoderLayer


def _decoder_without_residual(layer: type) -> type:
    class DecoderLayer(layer):
        def forward(self, x, memory, mask=None):
            x = self.self_attention(self.self_attention_norm(x), mask=causal_mask(x.shape[1]).to(x.device))
            x = self.cross_attention(self.cross_attention_norm(x), memory, mask)
            return self.feed_forward(self.feed_forward_norm(x))

    return DecoderLayer


@torch.no_grad()
def score_spread(model: EncoderDecoder, scaled: bool = True) -> float:
    """Return the standard deviation of the first encoder layer's scores on 64 words, divided by √d or not."""
    batch, layer = batch_of(reversed_words(64, seed=2), LETTERS.pad), model.encoder[0]
    x = layer.self_attention_norm(model.embed_with_positions(batch.context))
    q, k, _ = (layer.self_attention.split(part) for part in layer.self_attention.in_proj(x).chunk(3, dim=-1))
    return (q @ k.transpose(-2, -1)).std().item() / (q.shape[-1] ** 0.5 if scaled else 1)


def train_one(run: AblationRun, task: PairBatches) -> list[dict]:
    """Train as the run says and return its row."""
    seed_everything(run.seed)
    model = build(run.variant, run.heads, run.layers)
    spread = score_spread(model, scaled="without scale" not in run.variant)
    history = fit(model, task, steps=STEPS, learning_rate=5e-3, warmup=0.1, loss=reply_loss, progress=False)
    check_finished(history)
    means = history.frame["loss"].rolling(10).mean()
    below = int((means < 1).idxmax()) + 1 if (means < 1).any() else 0
    numbers = (history.recent_loss(20), letters_right(model), below, spread)
    return [run.key | {name: round(number, 4) for name, number in zip(COLUMNS[5:], numbers)}]


def main() -> None:
    """Execute every run that the file lacks."""
    path = data_path() / "transformer_ablations.csv"
    task = PairBatches(reversed_words(16_000, seed=0), batch_size=64, pad=LETTERS.pad)
    run_missing(RUNS, read_rows(path), lambda run: train_one(run, task), lambda rows: write_rows(path, COLUMNS, rows))
