"""How each bot of the zoo is made: everything needed to train it again, and what it is measured on (notebook 02 on)."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from ..corpus import conversations
from ..corpus.bpe import BPETokenizer
from ..corpus.tokens import CharTokenizer
from ..evaluation import scoreboard
from ..runtime import describe, seed_everything, start
from . import success, zoo
from .bots import Bot
from .judged import GANRecipe
from .measuring import measure
from .preferred import DPORecipe
from .runs import trained
from .tuned import ChatRecipe


@dataclass(frozen=True)
class NGramRecipe:
    """Count, then forget what was seen too rarely to be worth its bytes."""

    tokens: ClassVar[str] = "characters"
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

    tokens: ClassVar[str] = "characters"
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
        from ..training import CarriedState, mean_loss

        seed_everything(self.seed)
        model = CharRNN(len(tokenizer), self.kind, self.width, self.layers, self.embedding, self.dropout)
        batches = StreamBatches(stream(corpus.train, tokenizer), self.batch_size, self.context, self.seed)
        held_out = StreamBatches(stream(corpus.val, tokenizer), 32, self.context)
        return trained(
            self,
            model,
            batches,
            device,
            resume,
            steps=self.steps,
            loss=CarriedState(self.forget),
            validate=lambda model: mean_loss(model, held_out),
            validate_every=1000,
        )


@dataclass(frozen=True)
class PairRecipe:
    """An encoder–decoder that reads what was said and learns to say the next turn; both kinds for equally long."""

    tokens: ClassVar[str] = "word pieces"
    kind: str  # "Seq2Seq" or "Transformer"
    width: int
    more: tuple[tuple[str, int], ...] = ()  # further arguments of the model
    dropout: float = 0.0  # they see every pair once or twice: nothing is learned by heart yet
    context_tokens: int = 64
    reply_tokens: int = 64
    batch_size: int = 32
    seconds: float = 2_100
    optimiser: str = "muon"
    learning_rate: float = 0.02
    weight_decay: float = 0.01
    seed: int = 0

    def train(self, corpus, tokenizer, device, resume: Path):
        from ..corpus.pairs import PairBatches, pairs
        from ..models.encoder_decoder import marks
        from ..training import mean_loss, reply_loss

        seed_everything(self.seed)
        sizes = {"width": self.width, "dropout": self.dropout, "context_tokens": self.context_tokens}
        model = zoo.class_of(self.kind)(len(tokenizer), **sizes, **dict(self.more), **marks(tokenizer))
        read, held_out = (
            PairBatches(pairs(part, tokenizer, self.context_tokens, self.reply_tokens), size, pad=tokenizer.pad)
            for part, size in ((corpus.train, self.batch_size), (corpus.val[:60], 128))
        )
        return trained(
            self,
            model,
            read,
            device,
            resume,
            seconds=self.seconds,
            optimiser=self.optimiser,
            schedule="trapezoid",
            loss=reply_loss,
            validate=lambda model: mean_loss(model, held_out, loss=reply_loss),
        )


@dataclass(frozen=True)
class GPTRecipe:
    """A GPT that reads all conversations, one window after the other, and guesses each next token.

    The stored one was made in two stretches: 4,400 steps that came down to a learning rate of 0, and from there on as if
    4,400 of 7,200 had been done, up again to 0.62 of the highest rate and down once more.
    """

    tokens: ClassVar[str] = "word pieces"
    width: int = 256
    layers: int = 4
    heads: int = 4
    context: int = 256
    pair_rows: int = 8_191
    dropout: float = 0.1
    batch_size: int = 16
    steps: int = 7_200  # nearly nine passes
    learning_rate: float = 0.03
    weight_decay: float = 0.05
    seed: int = 0

    def train(self, corpus, tokenizer, device, resume: Path):
        from ..corpus.batches import WindowBatches, stream
        from ..models.gpt import GPT, GPTConfig
        from ..training import mean_loss, next_token_loss

        seed_everything(self.seed)
        sizes = {name: getattr(self, name) for name in ("width", "layers", "heads", "context", "pair_rows", "dropout")}
        model = GPT(GPTConfig.modern(len(tokenizer), **sizes))
        held_out = WindowBatches(stream(corpus.val, tokenizer), 32, self.context)
        return trained(
            self,
            model,
            WindowBatches(stream(corpus.train, tokenizer), self.batch_size, self.context, self.seed),
            device,
            resume,
            steps=self.steps,
            optimiser="muon",
            schedule="trapezoid",
            validate=lambda model: mean_loss(model, held_out, loss=next_token_loss),
            compile=device.torch.type == "cuda",
        )


RECIPES = {
    "n-gram": NGramRecipe(),
    "rnn": RNNRecipe(),
    "seq2seq": PairRecipe("Seq2Seq", width=256, more=(("embedding", 192),)),
    "transformer": PairRecipe("Transformer", width=192, more=(("layers", 2), ("heads", 4))),
    "gpt": GPTRecipe(),
    "gpt-chat": ChatRecipe(),
    "gan": GANRecipe(),
    "dpo": DPORecipe(),
}


def make_tokenizer(tokens: str, corpus):
    """Return the tokenizer of the recipes with these ``tokens``, made from the training conversations."""
    texts = (turn.text for talk in corpus.train for turn in talk.turns)
    return CharTokenizer.train(texts, min_count=20) if tokens == "characters" else BPETokenizer.train(texts)


def train(names: list[str] | None = None) -> None:
    """Train the bots called ``names`` (all, if none is named), save and measure each, and write its scoreboard row.

    Raises ValueError, with the known names, before anything is trained if one is unknown.
    """
    if unknown := [name for name in names or () if name not in RECIPES]:
        raise ValueError(f"there is no recipe for {unknown[0]!r}; known are {', '.join(RECIPES)}")
    corpus, tokenizers = conversations.load(), {}
    for name in names or RECIPES:
        print(f"Training {name}: {RECIPES[name]}")
        device, tokens = start(seed=0), RECIPES[name].tokens
        base = getattr(RECIPES[name], "base", None)  # who goes on from another bot reads with its tokenizer
        tokenizer = zoo.load(base).tokenizer if base else tokenizers.get(tokens) or make_tokenizer(tokens, corpus)
        tokenizers[tokens] = tokenizer
        resume = zoo.folder().parents[1] / "build" / "training" / f"{name}.pt"
        model, seconds = RECIPES[name].train(corpus, tokenizer, device, resume)
        recipe = {"recipe": type(RECIPES[name]).__name__, **asdict(RECIPES[name])}
        zoo.save(Bot(model, tokenizer, name), recipe, {})
        success.forget(zoo.names() if name in success.READERS else [name])
        trained_on = describe(device.torch.type if hasattr(model, "parameters") else "cpu")
        _note(name, corpus, {"training seconds": seconds, "device": trained_on})
        resume.unlink(missing_ok=True)
    trained_now = list(names or RECIPES)
    success.judge_if_possible([] if set(trained_now) & set(success.READERS) else trained_now, corpus.test)


def measure_again(names: list[str] | None = None) -> None:
    """Measure trained bots again (all, if none is named) and rewrite their rows; how they were trained stays as it is.

    Raises ValueError, with the known names, if one is unknown, before anything is measured.
    """
    cards = {name: zoo.card(name) for name in names or zoo.names()}
    corpus = conversations.load()
    for name, card in cards.items():
        kept = ("training seconds", "device", success.COLUMN)
        _note(name, corpus, {column: card["metrics"][column] for column in kept if column in card["metrics"]})
    success.judge_if_possible(list(cards), corpus.test)


def _note(name: str, corpus, known: dict) -> None:
    """Measure the saved bot (what is measured is what was saved) and write the figures to its card and its row."""
    figures = measure(zoo.load(name), corpus.test)
    figures |= {"bytes": zoo.size(name), success.COLUMN: None, **known}  # None: judged after all are measured
    zoo.note_metrics(name, figures)
    scoreboard.write(name, figures)
    print(f"{name}: {figures['bits per byte']:.3f} bits per byte, {figures['bytes'] / 1e6:.1f} MB")
