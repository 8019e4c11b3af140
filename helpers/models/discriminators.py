"""The judge of a dialogue GAN: after every token of a reply it says whether a person wrote this (built in notebook 08)."""

import copy
from collections.abc import Sequence

import torch
from torch import nn

from helpers.corpus.batches.base import IGNORED
from helpers.corpus.batches.context_reply_pairs import PairBatch
from helpers.models.seq2seq import Seq2Seq
from helpers.models.utils import evaluating


class Discriminator(nn.Module):
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
        self.pad = generator.config["pad"]

    def forward(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return for each token of the replies [B, T]: the verdict's logit *after* it, the critic's value *before* it.

        A value that had seen the token would be no baseline: it would take away what the token earned. Padding changes
        nothing before it; what is given there has no meaning.
        """
        return _heads(self, self._states(batch))

    def score(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the same for a generator's step: without dropout, and no gradient but that of the values to the critic."""
        with evaluating(self), torch.no_grad():
            states = self._states(batch)
        logits, values = _heads(self, states)
        return logits.detach(), values

    def _states(self, batch: PairBatch) -> torch.Tensor:
        config = self.reader.config
        mask = batch.context != config["pad"]
        said = batch.targets.masked_fill(batch.targets == IGNORED, config["pad"])
        tokens = torch.cat([batch.inputs[:, :1], said], dim=1)  # the speaker, then all that was said: [B, T + 1]
        return self.reader.decode(tokens, self.reader.encode(batch.context, mask), mask)[0]

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


@torch.no_grad()
def read_by(model: nn.Module, batch: PairBatch, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log p of each token of the replies [B, T] under ``model``, and what it expected of it: both 0 at padding.

    What it expected is minus its entropy in nats. ``model`` is an encoder–decoder or a GPT with the same tokenizer, and is
    read as it is at rest.
    """
    counted, chosen = batch.targets != IGNORED, batch.targets.clamp(min=0)[..., None]
    with evaluating(model):
        if hasattr(model, "read"):
            logits = model.read(batch)
        else:  # a GPT overlooks padding at the beginning: move each context to the right of its row
            lengths, width = (batch.context != pad).sum(1), batch.context.shape[1]
            places = (torch.arange(width, device=lengths.device) - (width - lengths)[:, None]) % width
            rows = torch.cat([batch.context.gather(1, places), batch.inputs], dim=1)
            logits = model(rows, None, width - lengths)[0][:, width:]
    log_p = torch.log_softmax(logits.float(), dim=-1)
    expected = (log_p.exp() * log_p).sum(-1)
    return log_p.gather(-1, chosen)[..., 0].where(counted, 0.0), expected.where(counted, 0.0)


class FeatureDiscriminator(nn.Module):
    """A judge that has read more than the bot: it is told how surprised good readers are, and learns what that betrays.

    After each token a small GRU is given the token, and of each of ``readers`` (a GPT, the bot as it was before the game) the
    log-probability of the token and what the reader had expected. The readers do not learn: only the GRU, the verdict and
    the critic do, so that tens of steps are enough. Otherwise as ``Discriminator``.
    """

    def __init__(
        self, readers: Sequence[nn.Module], vocabulary_size: int, pad: int, width: int = 64, embedding: int = 24
    ):
        super().__init__()
        self.readers, self.pad = tuple(readers), pad  # a tuple: they are no parts of the judge, and not trained by it
        self.embed = nn.Embedding(vocabulary_size, embedding)
        self.memory = nn.GRU(embedding + 2 * len(self.readers), width, batch_first=True)
        self.verdict = nn.Linear(width, 1)
        self.critic = nn.Linear(width, 1)

    def forward(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits and values [B, T] as ``Discriminator`` does."""
        return _heads(self, self._states(batch))

    def score(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the same for a generator's step; see ``Discriminator.score``."""
        with torch.no_grad():
            states = self._states(batch)
        logits, values = _heads(self, states)
        return logits.detach(), values

    def _states(self, batch: PairBatch) -> torch.Tensor:
        found = [part for reader in self.readers for part in read_by(reader, batch, self.pad)]
        read = torch.stack(found, dim=-1) / 4  # nats: about as large as the numbers of an embedding
        said = batch.targets.masked_fill(batch.targets == IGNORED, self.pad)
        tokens = torch.cat([batch.inputs[:, :1], said], dim=1)  # [B, T + 1]
        read = nn.functional.pad(read, (0, 0, 1, 0))  # nobody is surprised by who replies
        return self.memory(torch.cat([self.embed(tokens), read], dim=-1))[0]

    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())


class LikelihoodRatioDiscriminator(Discriminator):
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
        """Return logits, without a gradient, and values as ``Discriminator`` does."""
        return self.ratio(batch).cumsum(1), super().forward(batch)[1]

    def score(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the same; see ``Discriminator.score``."""
        return self.ratio(batch).cumsum(1), super().score(batch)[1]

    def ratio(self, batch: PairBatch) -> torch.Tensor:
        """Return how much likelier the reader finds each token than the bot does, in nats [B, T]; 0 at padding."""
        bot, people = (read_by(model, batch, self.pad)[0] for model in self.both)
        return people - bot


def _heads(judge, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return judge.verdict(states[:, 1:])[..., 0], judge.critic(states[:, :-1].detach())[..., 0]


def _stacked(first: torch.Tensor, second: torch.Tensor, filler: int) -> torch.Tensor:
    width = max(first.shape[1], second.shape[1])
    wide = [nn.functional.pad(part, (0, width - part.shape[1]), value=filler) for part in (first, second)]
    return torch.cat(wide)
