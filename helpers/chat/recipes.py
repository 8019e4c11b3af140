"""How each bot of the zoo is made: everything needed to train it again, and what it is measured on (notebook 02 on)."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ..corpus import conversations
from ..corpus.tokens import CharTokenizer
from ..evaluation import scoreboard
from ..runtime import describe, start
from . import zoo
from .bots import Bot
from .measuring import measure


@dataclass(frozen=True)
class NGramRecipe:
    """Count, then forget what was seen too rarely to be worth its bytes."""

    order: int = 9  # an n-gram of n letters: n - 1 are the context
    prunings: tuple[tuple[int, int], ...] = ((2, 5), (3, 6))  # (seen fewer times, from this order on): left out

    def train(self, corpus, tokenizer, device, resume: Path):
        from ..corpus.batches import stream
        from ..models.ngram import NGram

        began = time.perf_counter()
        model = NGram.count(stream(corpus.train, tokenizer).numpy(), self.order, len(tokenizer))
        for fewer, order in self.prunings:
            model = model.prune(fewer, order)
        return model, time.perf_counter() - began


@dataclass(frozen=True)
class RNNRecipe:
    """An LSTM that reads the conversations as one stream, its memory carried along."""

    kind: str = "lstm"
    width: int = 768
    layers: int = 1
    embedding: int = 64
    dropout: float = 0.15
    forget: float = 0.2  # how often a row begins anew
    batch_size: int = 64
    context: int = 128
    steps: int = 9_000  # six and a half passes
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    seed: int = 0

    def train(self, corpus, tokenizer, device, resume: Path):
        from ..corpus.batches import StreamBatches, stream
        from ..models.rnn import CharRNN
        from ..runtime import seed_everything
        from ..training import CarriedState, fit, mean_loss

        seed_everything(self.seed)
        model = CharRNN(len(tokenizer), self.kind, self.width, self.layers, self.embedding, self.dropout)
        batches = StreamBatches(stream(corpus.train, tokenizer), self.batch_size, self.context, self.seed)
        held_out = StreamBatches(stream(corpus.val, tokenizer), 32, self.context)
        history = fit(
            model.to(device.torch),
            batches,
            steps=self.steps,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            loss=CarriedState(self.forget),
            validate=lambda model: mean_loss(model, held_out),
            validate_every=1000,
            resume=resume,
            dtype=device.dtype,
        )
        if history.stopped:
            raise ValueError(f"{history.stopped} Nothing was saved; the same command goes on from {resume}.")
        return model, history.seconds


RECIPES = {"n-gram": NGramRecipe(), "rnn": RNNRecipe()}


def train(names: list[str] | None = None) -> None:
    """Train the bots called ``names`` (all, if none is named), save and measure each, and write its scoreboard row.

    Raises ValueError, with the known names, before anything is trained if one is unknown.
    """
    if unknown := [name for name in names or () if name not in RECIPES]:
        raise ValueError(f"there is no recipe for {unknown[0]!r}; known are {', '.join(RECIPES)}")
    corpus = conversations.load()
    tokenizer = CharTokenizer.train((turn.text for talk in corpus.train for turn in talk.turns), min_count=20)
    for name in names or RECIPES:
        print(f"Training {name}: {RECIPES[name]}")
        device = start(seed=0)
        resume = zoo.folder().parents[1] / "build" / "training" / f"{name}.pt"
        model, seconds = RECIPES[name].train(corpus, tokenizer, device, resume)
        recipe = {"recipe": type(RECIPES[name]).__name__, **asdict(RECIPES[name])}
        zoo.save(Bot(model, tokenizer, name), recipe, {})
        figures = measure(zoo.load(name), corpus.test)  # what is measured is what was saved
        figures |= {
            "bytes": zoo.size(name),
            "training seconds": seconds,
            "device": describe(device.torch.type) if hasattr(model, "parameters") else describe("cpu"),
        }
        zoo.note_metrics(name, figures)
        scoreboard.write(name, figures)
        resume.unlink(missing_ok=True)
        print(f"{name}: {figures['bits per byte']:.3f} bits per byte, {figures['bytes'] / 1e6:.1f} MB")
