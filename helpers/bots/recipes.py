"""How each bot of the zoo is made: everything needed to train it again, and what it is measured on (notebook 02 on)."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from helpers.bots import checkpoints
from helpers.bots.dpo_recipe import DPORecipe
from helpers.bots.gan_recipe import GANRecipe
from helpers.models.utils import set_dropout
from helpers.runtime import seed_everything


def trained(recipe, model, batches, device, resume: Path, **how) -> tuple:
    """Train ``model`` as ``recipe`` and ``how`` (arguments of ``fit``) say; return it and the seconds it took.

    ``recipe`` has a learning_rate and a weight_decay. Raises ValueError when the training was stopped: then there is
    nothing to save.
    """
    from helpers.training import fit

    history = fit(
        model.to(device.torch),
        batches,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        resume=resume,
        dtype=device.dtype,
        **how,
    )
    if history.stopped:
        raise ValueError(f"{history.stopped} Nothing was saved; the same command goes on from {resume}.")
    return model, history.seconds


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
        from helpers.corpus.batches.token_stream import StreamBatches, stream
        from helpers.models.rnn import CharRNN
        from helpers.training import CarriedState, mean_loss

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
    optimizer: str = "muon"
    learning_rate: float = 0.02
    weight_decay: float = 0.01
    seed: int = 0

    def train(self, corpus, tokenizer, device, resume: Path):
        from helpers.corpus.batches.context_reply_pairs import PairBatches, pairs
        from helpers.models.encoder_decoder import marks
        from helpers.training import mean_loss, reply_loss

        seed_everything(self.seed)
        sizes = {"width": self.width, "dropout": self.dropout, "context_tokens": self.context_tokens}
        model = checkpoints.class_of(self.kind)(len(tokenizer), **sizes, **dict(self.more), **marks(tokenizer))
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
            optimizer=self.optimizer,
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
        from helpers.corpus.batches.token_stream import WindowBatches, stream
        from helpers.models.gpt import GPT, GPTConfig
        from helpers.training import mean_loss, next_token_loss

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
            optimizer="muon",
            schedule="trapezoid",
            validate=lambda model: mean_loss(model, held_out, loss=next_token_loss),
            compile=device.torch.type == "cuda",
        )


@dataclass(frozen=True)
class ChatRecipe:
    """Fine-tune a bot of the zoo: rows begin where a turn begins, and every reply is a label once a pass."""

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

    def train(self, corpus, tokenizer, device, resume: Path):
        from helpers.corpus.batches.reply_only_labels import ReplyBatches, reply_rows
        from helpers.training import mean_loss, next_token_loss

        seed_everything(self.seed)
        bot = checkpoints.load(self.base)
        set_dropout(bot.model, self.dropout)
        rows, held_out = (reply_rows(part, bot.tokenizer, self.context) for part in (corpus.train, corpus.val))
        held_out = ReplyBatches(held_out, 32, pad=bot.tokenizer.pad)
        return trained(
            self,
            bot.model,
            ReplyBatches(rows, self.batch_size, self.seed, pad=bot.tokenizer.pad),
            device,
            resume,
            steps=self.steps,
            optimizer=self.optimizer,
            schedule="trapezoid",
            validate=lambda model: mean_loss(model, held_out, loss=next_token_loss),
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
