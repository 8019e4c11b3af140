"""How a capstone's GPT is trained on a month of comments: by the clock, on two processor cores (notebooks 06 and 07).

The sizes lie between gpt-small and gpt: what twenty minutes are best spent on. However long the clock runs, no text is read
more often than PASSES times: a small month would be learned by heart.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from helpers.bots import checkpoints
from helpers.bots.recipes import trained
from helpers.models.utils import set_dropout
from helpers.runtime import seed_everything

PASSES = 9  # as many as the course's gpt made
TUNING_PASSES = 3
HELD_OUT = 300  # conversations that validate: enough to choose by, and few enough to read in seconds


@dataclass(frozen=True)
class MonthRecipe:
    """A GPT that reads a month from its beginning: windows of one long stream (notebook 06)."""

    tokens: ClassVar[str] = "word pieces"
    seconds: float
    n_embd: int = 192
    n_layer: int = 3
    n_head: int = 3
    context: int = 256
    bigram_rows: int = 4_095
    dropout: float = 0.0  # a large month is read once; of a small one the best validation is kept
    batch_size: int = 8
    learning_rate: float = 0.03
    weight_decay: float = 0.05
    seed: int = 0

    def train(self, corpus, tokenizer, device, resume: Path):
        from helpers.corpus.batches.token_stream import WindowBatches, stream
        from helpers.models.gpt import GPT, GPTConfig
        from helpers.training import mean_loss, next_token_loss

        seed_everything(self.seed)
        sizes = {
            name: getattr(self, name) for name in ("n_embd", "n_layer", "n_head", "context", "bigram_rows", "dropout")
        }
        model = GPT(GPTConfig.modern(len(tokenizer), **sizes))
        batches = WindowBatches(stream(corpus.train, tokenizer), self.batch_size, self.context, self.seed)
        held_out = WindowBatches(stream(corpus.val[:HELD_OUT], tokenizer), self.batch_size, self.context)
        return trained(
            self, model, batches, device, resume, steps=PASSES * len(batches), optimizer="muon", schedule="trapezoid",
            validate=lambda model: mean_loss(model, held_out, loss=next_token_loss), validate_every=300,
            compile=device.torch.type == "cuda",
        )  # fmt: skip


@dataclass(frozen=True)
class MonthChatRecipe:
    """The same GPT goes on with rows of whole turns (notebook 07)."""

    seconds: float
    base: str  # the folder of the bot that is fine-tuned
    context: int = 256
    dropout: float = 0.1
    batch_size: int = 8
    optimizer: str = "muon"
    learning_rate: float = 2.5e-3
    weight_decay: float = 0.05
    seed: int = 0

    def train(self, corpus, tokenizer, device, resume: Path):
        from helpers.corpus.batches.reply_only_labels import ReplyBatches, reply_rows
        from helpers.training import mean_loss, next_token_loss

        seed_everything(self.seed)
        model = checkpoints.load(Path(self.base)).model
        set_dropout(model, self.dropout)
        parts = (corpus.train, corpus.val[:HELD_OUT])
        rows, held_out = (reply_rows(part, tokenizer, self.context) for part in parts)
        batches = ReplyBatches(rows, self.batch_size, self.seed, pad=tokenizer.pad)
        held_out = ReplyBatches(held_out, self.batch_size, pad=tokenizer.pad)
        return trained(
            self, model, batches, device, resume, steps=TUNING_PASSES * len(batches), schedule="trapezoid", validate_every=300,
            validate=lambda model: mean_loss(model, held_out, loss=next_token_loss),
        )  # fmt: skip
