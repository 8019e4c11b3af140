"""How each bot of the course is trained: everything needed to train it again (notebook 02 on)."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from helpers.bots import checkpoints
from helpers.bots.dpo_recipe import DPORecipe
from helpers.bots.gan_recipe import GANRecipe
from helpers.bots.quantized_recipe import QuantizedRecipe
from helpers.models.utils import set_dropout
from helpers.runtime import seed_everything

FIT_SETTINGS = ("steps", "seconds", "optimizer", "learning_rate", "weight_decay")


def trained(recipe, model, batches, device, resume: Path, **how) -> tuple:
    """Train ``model`` as ``recipe`` and ``how`` (arguments of ``fit``) say; return it and the seconds it took.

    Fields of the recipe with the name of one of FIT_SETTINGS are used, too. Raises ValueError when the training was
    stopped: then there is nothing to save.
    """
    from helpers.training import fit

    how |= {name: getattr(recipe, name) for name in FIT_SETTINGS if hasattr(recipe, name)}
    history = fit(model.to(device.torch), batches, resume=resume, dtype=device.dtype, **how)
    if history.stopped:
        raise ValueError(f"{history.stopped} Nothing was saved; the same command goes on from {resume}.")
    return model, history.seconds


def rows_each(batch_size: int, team) -> int:
    """Return how many rows of a batch each process of a ``team`` (None: one) reads, so that a step costs the same tokens."""
    size = team.size if team else 1
    if batch_size % size:
        raise ValueError(f"a batch has {batch_size} rows, which {size} processes cannot share: take a divisor")
    return batch_size // size


@dataclass(frozen=True)
class NGramRecipe:
    """Count, then forget what was seen too rarely to be worth its bytes."""

    tokens: ClassVar[str] = "characters"
    order: int = 9  # an n-gram of n letters: n - 1 are the context
    prunings: tuple[tuple[int, int], ...] = ((2, 5), (3, 6))  # (seen fewer times, from this order on): left out

    def train(self, corpus, tokenizer, device, resume: Path):
        from helpers.corpus.batches.token_stream import stream
        from helpers.models.ngram import NGram

        began = time.perf_counter()
        model = NGram.count(stream(corpus.train, tokenizer).numpy(), self.order, len(tokenizer))
        for fewer, order in self.prunings:
            model = model.prune(fewer, order)
        return model, time.perf_counter() - began


@dataclass(frozen=True)
class RNNRecipe:
    """An LSTM that reads the conversations as one stream, its state carried along."""

    tokens: ClassVar[str] = "characters"
    kind: str = "lstm"
    hidden_size: int = 768
    n_layer: int = 1
    embedding_size: int = 64
    dropout: float = 0.15
    forget: float = 0.2  # how often a row begins anew
    batch_size: int = 64
    context: int = 128
    steps: int = 9_000  # six and a half passes
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    seed: int = 0

    def train(self, corpus, tokenizer, device, resume: Path):
        from helpers.corpus.batches.token_stream import StreamBatches, stream
        from helpers.models.rnn import CharRNN
        from helpers.training import CarriedState, mean_loss

        seed_everything(self.seed)
        model = CharRNN(len(tokenizer), self.kind, self.hidden_size, self.n_layer, self.embedding_size, self.dropout)
        batches = StreamBatches(stream(corpus.train, tokenizer), self.batch_size, self.context, self.seed)
        held_out = StreamBatches(stream(corpus.val, tokenizer), 32, self.context)
        how = {"loss": CarriedState(self.forget), "validate_every": 1000}
        return trained(self, model, batches, device, resume, validate=lambda model: mean_loss(model, held_out), **how)


@dataclass(frozen=True)
class PairRecipe:
    """An encoder–decoder that reads the context and learns to generate the next turn; both kinds for equally long."""

    tokens: ClassVar[str] = "word pieces"
    kind: str  # "Seq2Seq" or "Transformer"
    sizes: tuple[tuple[str, int], ...]  # arguments of the model
    dropout: float = 0.0  # they see every pair once or twice: nothing is memorized yet
    context_tokens: int = 64
    reply_tokens: int = 64
    batch_size: int = 32
    seconds: float = 2_100
    optimizer: str = "muon"
    learning_rate: float = 0.02
    weight_decay: float = 0.01
    seed: int = 0

    def train(self, corpus, tokenizer, device, resume: Path, team=None):
        from helpers.corpus.batches.context_reply_pairs import PairBatches, pairs
        from helpers.corpus.tokenizers.base import special_token_ids
        from helpers.training import mean_loss, reply_loss

        seed_everything(self.seed)
        sizes = {**dict(self.sizes), "dropout": self.dropout, "context_tokens": self.context_tokens}
        model = checkpoints.class_of(self.kind)(len(tokenizer), **sizes, **special_token_ids(tokenizer))
        batches, held_out = (
            PairBatches(pairs(part, tokenizer, self.context_tokens, self.reply_tokens), size, pad=tokenizer.pad)
            for part, size in ((corpus.train, rows_each(self.batch_size, team)), (corpus.val[:60], 128))
        )
        return trained(
            self, model, batches, device, resume, team=team, schedule="trapezoid", loss=reply_loss,
            validate=lambda model: mean_loss(model, held_out, loss=reply_loss),
        )  # fmt: skip


@dataclass(frozen=True)
class GPTRecipe:
    """A GPT that reads all conversations, one window after the other, and predicts each next token.

    The stored one was trained in two stretches: 4,400 steps that came down to a learning rate of 0, and from there on as
    if 4,400 of 7,200 had been done, up again to 0.62 of the highest rate and down once more.
    """

    tokens: ClassVar[str] = "word pieces"
    n_embd: int = 256
    n_layer: int = 4
    n_head: int = 4
    context: int = 256
    bigram_rows: int = 8_191
    dropout: float = 0.1
    batch_size: int = 16
    steps: int = 7_200  # nearly nine passes
    learning_rate: float = 0.03
    weight_decay: float = 0.05
    seed: int = 0

    def train(self, corpus, tokenizer, device, resume: Path, team=None):
        from helpers.corpus.batches.token_stream import WindowBatches, stream
        from helpers.models.gpt import GPT, GPTConfig
        from helpers.training import mean_loss, next_token_loss

        seed_everything(self.seed)
        sizes = {name: getattr(self, name) for name in ("n_embd", "n_layer", "n_head", "context", "bigram_rows", "dropout")}
        model = GPT(GPTConfig.modern(len(tokenizer), **sizes))
        batches = WindowBatches(stream(corpus.train, tokenizer), rows_each(self.batch_size, team), self.context, self.seed)
        held_out = WindowBatches(stream(corpus.val, tokenizer), 32, self.context)
        return trained(
            self, model, batches, device, resume, team=team, optimizer="muon", schedule="trapezoid",
            validate=lambda model: mean_loss(model, held_out, loss=next_token_loss), compile=device.torch.type == "cuda",
        )  # fmt: skip


@dataclass(frozen=True)
class ChatRecipe:
    """Fine-tune a bot: rows begin where a turn begins, and every reply is a label once a pass."""

    tokens: ClassVar[str] = "word pieces"
    base: str = "gpt"
    context: int = 256
    dropout: float = 0.1
    batch_size: int = 16
    steps: int = 1_532  # one pass
    optimizer: str = "muon"
    learning_rate: float = 2.5e-3  # a twelfth of the pretraining's
    weight_decay: float = 0.05
    seed: int = 0

    def train(self, corpus, tokenizer, device, resume: Path, team=None):
        from helpers.corpus.batches.reply_only_labels import ReplyBatches, reply_rows
        from helpers.training import mean_loss, next_token_loss

        seed_everything(self.seed)
        bot = checkpoints.load(self.base)
        set_dropout(bot.model, self.dropout)
        rows, held_out = (reply_rows(part, bot.tokenizer, self.context) for part in (corpus.train, corpus.val))
        batches = ReplyBatches(rows, rows_each(self.batch_size, team), self.seed, pad=bot.tokenizer.pad)
        held_out = ReplyBatches(held_out, 32, pad=bot.tokenizer.pad)
        return trained(
            self, bot.model, batches, device, resume, team=team, schedule="trapezoid",
            validate=lambda model: mean_loss(model, held_out, loss=next_token_loss),
        )  # fmt: skip


@dataclass(frozen=True)
class DistilledRecipe:
    """A small GPT that learns the probabilities of a large one, in eight minutes of one processor core (notebook 12)."""

    tokens: ClassVar[str] = "word pieces"
    teacher: str = "gpt"
    n_embd: int = 128
    n_layer: int = 2
    n_head: int = 4
    context: int = 256
    bigram_rows: int = 2_047
    temperature: float = 1.0
    soft: float = 1.0  # the teacher's probabilities alone; the text decides only what is read
    batch_size: int = 8
    steps: int = 1_100
    learning_rate: float = 0.03
    weight_decay: float = 0.05
    seed: int = 0

    @property
    def base(self) -> str:
        """The bot whose tokenizer it reads with."""
        return self.teacher

    def train(self, corpus, tokenizer, device, resume: Path):
        from helpers.compression.distillation import Distillation
        from helpers.corpus.batches.token_stream import WindowBatches, stream
        from helpers.models.gpt import GPT, GPTConfig
        from helpers.training import mean_loss, next_token_loss

        seed_everything(self.seed)
        sizes = {name: getattr(self, name) for name in ("n_embd", "n_layer", "n_head", "context", "bigram_rows")}
        model = GPT(GPTConfig.modern(len(tokenizer), **sizes))
        batches = WindowBatches(stream(corpus.train, tokenizer), self.batch_size, self.context, self.seed)
        held_out = WindowBatches(stream(corpus.val[:60], tokenizer), self.batch_size, self.context)
        teacher = checkpoints.load(self.teacher, device.torch).model
        return trained(
            self, model, batches, device, resume, optimizer="muon", schedule="trapezoid",
            loss=Distillation(teacher, self.temperature, self.soft),
            validate=lambda model: mean_loss(model, held_out, loss=next_token_loss),
        )  # fmt: skip


RECIPES = {
    "n-gram": NGramRecipe(),
    "rnn": RNNRecipe(),
    "seq2seq": PairRecipe("Seq2Seq", sizes=(("hidden_size", 256), ("embedding_size", 192))),
    "transformer": PairRecipe("Transformer", sizes=(("d_model", 192), ("n_layer", 2), ("n_head", 4))),
    "gpt": GPTRecipe(),
    "gpt-chat": ChatRecipe(),
    "gan": GANRecipe(),
    "dpo": DPORecipe(),
    "gpt-small": DistilledRecipe(),
    "gpt-int8": QuantizedRecipe(bits=8, group="row", symmetric=True),
    "gpt-int4": QuantizedRecipe(bits=4, group=32, symmetric=False),
}
