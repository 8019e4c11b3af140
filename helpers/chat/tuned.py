"""How the bot of notebook 07 is made: the pretrained GPT goes on, with whole turns and a loss on replies alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..runtime import seed_everything
from . import zoo
from .runs import trained


@dataclass(frozen=True)
class ChatRecipe:
    """Fine-tune a bot of the zoo: rows begin where a turn begins, and every reply is a label once a pass."""

    tokens: ClassVar[str] = "word pieces"
    base: str = "gpt"
    context: int = 256
    dropout: float = 0.1
    batch_size: int = 16
    steps: int = 1_532  # one pass
    optimiser: str = "muon"
    learning_rate: float = 2.5e-3  # a twelfth of the pretraining's
    weight_decay: float = 0.05
    seed: int = 0

    def train(self, corpus, tokenizer, device, resume: Path):
        from ..corpus.replies import ReplyBatches, reply_rows
        from ..training import mean_loss, next_token_loss

        seed_everything(self.seed)
        bot = zoo.load(self.base)
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
            optimiser=self.optimiser,
            schedule="trapezoid",
            validate=lambda model: mean_loss(model, held_out, loss=next_token_loss),
        )


def set_dropout(model, share: float) -> None:
    """Give all dropout of a network this share, in place. Raises ValueError for one that is not from 0 to below 1."""
    from torch import nn

    if not 0 <= share < 1:
        raise ValueError(f"dropout is {share}: give a share from 0 to below 1, usually 0 to 0.3")
    for part in model.modules():
        if isinstance(part, nn.Dropout):
            part.p = share
