"""The discriminators of a dialogue GAN: is a reply human or generated, at each of its tokens (built in notebook 08)."""

import copy
from collections.abc import Sequence

import torch
from torch import nn

from helpers.corpus.batches.base import IGNORED, padded
from helpers.corpus.batches.context_reply_pairs import PairBatch
from helpers.models.encoder_decoder import EncoderDecoder
from helpers.models.network import Network
from helpers.models.seq2seq import Seq2Seq
from helpers.models.utils import evaluating


class ReplyDiscriminator(Network):
    """A discriminator with a critic: from a hidden state at each token a logit *after* it and a value *before* it.

    A logit at *every* prefix of the reply, positive for "human", tells the generator which token went wrong (de Masson
    d'Autume et al. 2019 call it dense rewards). The critic predicts, *before* each token, the reward of the rest of the
    reply; it reads the discriminator's hidden states and does not change them. A subclass has ``pad``, the linear layers
    ``head`` and ``critic`` [H] → [1], and ``states(batch)``, the hidden states [B, T + 1, H] after the speaker's token and
    after each target.
    """

    pad: int
    head: nn.Linear
    critic: nn.Linear

    def states(self, batch: PairBatch) -> torch.Tensor:
        raise NotImplementedError

    def forward(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return for each token of the replies [B, T]: the logit *after* it, the critic's value *before* it.

        A value that had seen the token would be no baseline: it would take away the token's own reward. Padding changes
        nothing before it; what is given there has no meaning.
        """
        return self.outputs(self.states(batch))

    def score(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the same for a generator's step: without dropout, and no gradient but that of the values to the critic."""
        with evaluating(self), torch.no_grad():
            states = self.states(batch)
        logits, values = self.outputs(states)
        return logits.detach(), values

    def outputs(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits and values [B, T] of hidden states [B, T + 1, H]."""
        return self.head(states[:, 1:])[..., 0], self.critic(states[:, :-1].detach())[..., 0]

    def tokens(self, batch: PairBatch) -> torch.Tensor:
        """Return the speaker's token and all targets, padding in the place of ignored ones: [B, T + 1]."""
        return torch.cat([batch.inputs[:, :1], batch.targets.masked_fill(batch.targets == IGNORED, self.pad)], dim=1)


class Discriminator(ReplyDiscriminator):
    """A copy of a generator that no longer predicts the next token, but whether a human wrote what it reads.

    It reads context and reply. ``generator`` (a Seq2Seq) is copied and stays as it is: a model that has learned to write
    already knows how to read.
    """

    def __init__(self, generator: Seq2Seq):
        super().__init__()
        self.pad, hidden_size = generator.config["pad"], generator.head.in_features
        self.backbone = copy.deepcopy(generator).train().requires_grad_(True)
        self.backbone.head = nn.Identity()  # the features that words were chosen from, [B, T, H]
        self.head, self.critic = nn.Linear(hidden_size, 1), nn.Linear(hidden_size, 1)

    def states(self, batch: PairBatch) -> torch.Tensor:
        """Return the generator's features after each token, [B, T + 1, H]."""
        return self.backbone.read(batch._replace(inputs=self.tokens(batch)))


def concatenated(first: PairBatch, second: PairBatch, pad: int) -> PairBatch:
    """Return the rows of both batches in one, the shorter padded at their ends: one reading instead of two."""
    return PairBatch(*(padded([*a, *b], filler) for a, b, filler in zip(first, second, (pad, pad, IGNORED))))


@torch.no_grad()
def language_model_features(model: nn.Module, batch: PairBatch, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ln p of each token of the replies [B, T] under ``model``, and the value it expected of it: both 0 at padding.

    The expected value is minus the entropy of its prediction, in nats. ``model`` is an encoder–decoder or a GPT with the
    same tokenizer; it reads without dropout.
    """
    mask, targets = batch.targets != IGNORED, batch.targets.clamp(min=0)[..., None]
    with evaluating(model):
        if isinstance(model, EncoderDecoder):
            logits = model.read(batch)
        else:  # a GPT ignores padding at the beginning: move each context to the right of its row
            lengths, size = (batch.context != pad).sum(1), batch.context.shape[1]
            order = (torch.arange(size, device=lengths.device) - (size - lengths)[:, None]) % size
            rows = torch.cat([batch.context.gather(1, order), batch.inputs], dim=1)
            logits = model(rows, None, size - lengths)[0][:, size:]
    log_p = torch.log_softmax(logits.float(), dim=-1)
    expected = (log_p.exp() * log_p).sum(-1)
    return log_p.gather(-1, targets)[..., 0].where(mask, 0.0), expected.where(mask, 0.0)


class FeatureDiscriminator(ReplyDiscriminator):
    """A discriminator whose input features come from language models that have read more than the bot.

    After each token a small GRU is given the token, and of each of ``readers`` (a GPT, the bot as it was before the game) the
    log-probability of the token and what the reader had expected. The readers are not trained: only the GRU, the head and
    the critic are, so that tens of steps are enough.
    """

    def __init__(
        self, readers: Sequence[nn.Module], vocab_size: int, pad: int, hidden_size: int = 64, embedding_size: int = 24
    ):
        super().__init__()
        self.readers, self.pad = tuple(readers), pad  # a tuple: they are no parts of this network, not trained with it
        self.embed = nn.Embedding(vocab_size, embedding_size)
        self.gru = nn.GRU(embedding_size + 2 * len(self.readers), hidden_size, batch_first=True)
        self.head, self.critic = nn.Linear(hidden_size, 1), nn.Linear(hidden_size, 1)

    def states(self, batch: PairBatch) -> torch.Tensor:
        """Return the GRU's hidden states after each token, [B, T + 1, H]."""
        features = [part for reader in self.readers for part in language_model_features(reader, batch, self.pad)]
        features = torch.stack(features, dim=-1) / 4  # nats: about as large as the numbers of an embedding
        features = nn.functional.pad(features, (0, 0, 1, 0))  # no reader predicts who replies
        return self.gru(torch.cat([self.embed(self.tokens(batch)), features], dim=-1))[0]


class LikelihoodRatioDiscriminator(Discriminator):
    """The discriminator without training: ln p_human − ln p_bot of the reply so far, with a good reader for humans.

    Goodfellow et al. 2014 show that the best possible discriminator is p_human / (p_human + p_bot): its logit is this
    difference. p_human is unknown; ``reader`` (a GPT with the bot's tokenizer) stands in for it, so what it rewards is to
    write like that reader. ``generator`` is the bot itself, not a copy: it is compared as it is now. Only the critic learns.
    """

    def __init__(self, generator: Seq2Seq, reader: nn.Module):
        super().__init__(generator)
        self.both = (generator, reader)  # in a tuple: they are no parts of the discriminator, and not trained with it

    def forward(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits, without a gradient, and values as ``ReplyDiscriminator`` does."""
        return self.ratio(batch).cumsum(1), super().forward(batch)[1]

    def score(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the same; see ``ReplyDiscriminator.score``."""
        return self.ratio(batch).cumsum(1), super().score(batch)[1]

    def ratio(self, batch: PairBatch) -> torch.Tensor:
        """Return ln p_human − ln p_bot of each token, in nats [B, T]; 0 at padding."""
        bot, human = (language_model_features(model, batch, self.pad)[0] for model in self.both)
        return human - bot
