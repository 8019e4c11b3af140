"""A generator of short replies and a discriminator that reads message and reply, small enough to read (notebook 08)."""

from collections.abc import Callable

import torch
from torch import nn


def gumbel_noise(logits: torch.Tensor) -> torch.Tensor:
    """Return noise like ``logits``: the largest of logits + noise is a sample of their softmax (Gumbel 1954)."""
    return -torch.empty_like(logits).exponential_().log()


class ReplyGenerator(nn.Module):
    """A GRU reads the message, a GRU cell writes the reply, word by word.

    ``choose(logits, noise, temperature)`` turns logits [B, V] into one-hot words [B, V] that let a gradient through, as
    ``helpers.training.reply_gan.straight_through`` does.
    """

    def __init__(self, vocab_size: int, length: int, choose: Callable, hidden_size: int = 48):
        super().__init__()
        self.length, self.choose = length, choose
        self.words = nn.Embedding(vocab_size, 32)
        self.read = nn.GRU(32, hidden_size, batch_first=True)
        self.step = nn.GRUCell(32 + hidden_size, hidden_size)
        self.head = nn.Linear(hidden_size, vocab_size)

    def forward(self, messages: torch.Tensor, replies: torch.Tensor | None = None) -> torch.Tensor:
        """Return a sampled reply to each of the messages [B, S]: one-hot words [B, T, V], with a gradient.

        With ``replies`` [B, T] the logits [B, T, V] of their words instead (teacher forcing).
        """
        message = hidden = self.read(self.words(messages))[1][0]
        word, outputs = torch.zeros_like(self.words(messages)[:, 0]), []
        for t in range(self.length):
            hidden = self.step(torch.cat([word, message], dim=1), hidden)
            logits = self.head(hidden)
            if replies is None:
                choice = self.choose(logits, gumbel_noise(logits), 1.0)
                word = choice @ self.words.weight
            else:
                word = self.words(replies[:, t])
            outputs.append(logits if replies is not None else choice)
        return torch.stack(outputs, dim=1)


class MessageReplyDiscriminator(nn.Module):
    """Message and reply side by side, a hidden layer, one logit: above 0 for "a person wrote this reply to this message".

    Texts have a fixed number of words, ``message_length`` and ``reply_length``. A ``message_length`` of 0 hides the message:
    then any reply that fits *some* message looks real.
    """

    def __init__(self, vocab_size: int, message_length: int, reply_length: int, hidden_size: int = 128):
        super().__init__()
        self.message_length = message_length
        self.words = nn.Embedding(vocab_size, 32)
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.3),  # a discriminator that is always sure gives no gradient to learn from
            nn.Linear(32 * (message_length + reply_length), hidden_size),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.3),
            nn.Linear(hidden_size, 1),
        )

    def forward(self, messages: torch.Tensor, replies: torch.Tensor) -> torch.Tensor:
        """Return logits [B] of messages [B, S] and one-hot replies [B, T, V]."""
        message = self.words(messages[:, : self.message_length])
        return self.layers(torch.cat([message, replies @ self.words.weight], dim=1))[:, 0]
