"""The judge of a dialogue GAN: after every token of a reply it says whether a person wrote this (built in notebook 08)."""

import copy

import torch
from torch import nn

from ..corpus.pairs import IGNORED, PairBatch
from .modes import evaluating
from .seq2seq import Seq2Seq


class Judge(nn.Module):
    """A copy of a generator that no longer says what comes next, but who is speaking: a discriminator with a critic.

    It reads context and reply, and gives a logit at *every* prefix of the reply: positive for "a person". A verdict after
    each token tells the generator which token went wrong (de Masson d'Autume et al. 2019 call it dense rewards). The critic
    guesses, *before* each token, what the rest of the reply will earn; it looks at the judge's states and does not change
    them. ``generator`` (a Seq2Seq) is copied and stays as it is: who has learned to write already knows how to read.
    """

    def __init__(self, generator: Seq2Seq):
        super().__init__()
        self.reader = copy.deepcopy(generator).train()
        self.reader.requires_grad_(True)
        width = self.reader.head.in_features
        self.reader.head = nn.Identity()  # what the words were chosen from, [B, T, width]
        self.verdict = nn.Linear(width, 1)
        self.critic = nn.Linear(width, 1)

    def forward(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return for each token of the replies [B, T]: the verdict's logit *after* it, the critic's value *before* it.

        A value that had seen the token would be no baseline: it would take away what the token earned. Padding changes
        nothing before it; what is given there has no meaning.
        """
        return self._heads(self._states(batch))

    def score(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the same for a generator's step: without dropout, and no gradient but that of the values to the critic."""
        with evaluating(self), torch.no_grad():
            states = self._states(batch)
        logits, values = self._heads(states)
        return logits.detach(), values

    def _states(self, batch: PairBatch) -> torch.Tensor:
        config = self.reader.config
        mask = batch.context != config["pad"]
        said = batch.targets.masked_fill(batch.targets == IGNORED, config["pad"])
        tokens = torch.cat([batch.inputs[:, :1], said], dim=1)  # the speaker, then all that was said: [B, T + 1]
        return self.reader.decode(tokens, self.reader.encode(batch.context, mask), mask)[0]

    def _heads(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.verdict(states[:, 1:])[..., 0], self.critic(states[:, :-1].detach())[..., 0]

    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())


def side_by_side(first: PairBatch, second: PairBatch, pad: int) -> PairBatch:
    """Return the rows of both batches in one, the shorter padded at their ends: one reading instead of two."""
    return PairBatch(
        _stacked(first.context, second.context, pad),
        _stacked(first.inputs, second.inputs, pad),
        _stacked(first.targets, second.targets, IGNORED),
    )


def _stacked(first: torch.Tensor, second: torch.Tensor, filler: int) -> torch.Tensor:
    width = max(first.shape[1], second.shape[1])
    wide = [nn.functional.pad(part, (0, width - part.shape[1]), value=filler) for part in (first, second)]
    return torch.cat(wide)


class RatioJudge(Judge):
    """The judge that no training makes: log p_people − log p_bot of all that was said so far, with a good reader for people.

    Goodfellow et al. 2014 show that the best possible discriminator is p_people / (p_people + p_bot): its logit is this
    difference. What people would say nobody can compute; ``reader`` (a GPT with the bot's tokenizer) stands in for them, so
    what it rewards is to talk like that reader. ``generator`` is the bot itself, not a copy: it is judged as it is now. Only
    the critic learns.
    """

    def __init__(self, generator: Seq2Seq, reader: nn.Module):
        super().__init__(generator)
        self.both = (generator, reader)  # in a tuple: they are no parts of the judge, and not to be trained by it

    def forward(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits, without a gradient, and values as ``Judge`` does."""
        return self.ratio(batch).cumsum(1), super().forward(batch)[1]

    def score(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the same; see ``Judge.score``."""
        return self.ratio(batch).cumsum(1), super().score(batch)[1]

    @torch.no_grad()
    def ratio(self, batch: PairBatch) -> torch.Tensor:
        """Return how much likelier the reader finds each token than the bot does, in nats [B, T]; 0 at padding."""
        generator, reader = self.both
        counted, chosen = batch.targets != IGNORED, batch.targets.clamp(min=0)[..., None]
        with evaluating(generator), evaluating(reader):
            lengths = (batch.context != generator.config["pad"]).sum(1)
            width = batch.context.shape[1]
            # A GPT overlooks padding at the beginning: move each context to the right of its row.
            places = (torch.arange(width, device=lengths.device) - (width - lengths)[:, None]) % width
            rows = torch.cat([batch.context.gather(1, places), batch.inputs], dim=1)
            likelier = reader(rows, None, width - lengths)[0][:, width:]
            found = [
                torch.log_softmax(logits.float(), -1).gather(-1, chosen)[..., 0]
                for logits in (likelier, generator.read(batch))
            ]
        return (found[0] - found[1]).where(counted, 0.0)
