"""SeqGAN's synthetic task: the "real data" come from a network we made, so every sentence's true probability is known.

The oracle (Yu et al. 2016, 1609.05473) is an LSTM of 32 units over 5,000 tokens with weights drawn from N(0, 1); its
sentences have 20 tokens. Whatever claims to speak its language can be measured from both sides: NLL_oracle, how unlikely
the oracle finds what was generated (quality), and NLL_test, how unlikely the generator finds what the oracle says
(quality and variety). Both in nats per token. The weights are our own: the values are ours, only their order can be compared
with published ones. Built for notebook 08. ``python -m helpers experiments
seqgan_oracle`` prints all rows (four minutes on one core).
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

VOCABULARY, LENGTH, WIDTH = 5000, 20, 32
START = 0  # read before the first token
PART = 250  # sentences read or written side by side

# NLL_oracle in nats per token as papers after SeqGAN report it, with SeqGAN's own oracle.
PUBLISHED = {
    "uniform": 11.43,
    "random LSTM": 10.33,
    "unigram counts": 10.30,
    "LSTM, maximum likelihood": 9.04,
    "SeqGAN": 8.74,
    "bigram counts": 8.30,
    "real data": 5.76,
}
# What `main` printed for our own oracle: NLL_oracle and NLL_test, learned from 10,000 sentences.
MEASURED = {
    "uniform": (11.20, 8.52),
    "untrained LSTM": (11.19, 8.52),
    "LSTM after 10 steps": (10.36, 8.11),
    "LSTM after 600 steps": (9.51, 7.82),
    "LSTM after 2,400 steps": (9.10, 8.35),
    "unigram counts": (10.12, 7.88),
    "bigram counts": (8.22, 7.74),
    "real data": (5.94, 5.94),
}


class Speaker(nn.Module):
    """An LSTM language model of fixed-length sentences; the oracle is one, and so is the network that imitates it.

    ``spread`` is the standard deviation of all weights: 1 for the oracle, 0.1 for a network that is to learn.
    """

    def __init__(self, seed: int = 0, spread: float = 1.0, vocabulary: int = VOCABULARY, width: int = WIDTH):
        super().__init__()
        self.embed, self.head = nn.Embedding(vocabulary, width), nn.Linear(width, vocabulary)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        dice = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weights in self.parameters():
                weights.copy_(torch.randn(weights.shape, generator=dice) * spread)
            self.lstm.bias_hh_l0.zero_()  # torch has two biases where the paper has one

    def forward(self, tokens, state=None):
        """Tokens [B, T] to logits [B, T, V] and the memory."""
        hidden, state = self.lstm(self.embed(tokens), state)
        return self.head(hidden), state

    @torch.no_grad()
    def sample(self, rows: int, seed: int = 0, length: int = LENGTH, greedy: bool = False) -> torch.Tensor:
        """Return sentences int64 [rows, length]; ``greedy`` takes the likeliest token instead of drawing."""
        if rows > PART:  # what has to be held at once stays small: a row has 5,000 logits
            parts = [self.sample(min(PART, rows - done), seed + done, length, greedy) for done in range(0, rows, PART)]
            return torch.cat(parts)
        device, dice = self.embed.weight.device, torch.Generator().manual_seed(seed)
        token, state, said = torch.full((rows, 1), START, device=device), None, []
        for _ in range(length):
            logits, state = self(token, state)
            logits = logits[:, -1].cpu()  # drawn on the CPU: the same sentences on every device, up to rounding
            drawn = logits.argmax(-1, keepdim=True) if greedy else _drawn(logits, dice)
            token = drawn.to(device)
            said.append(drawn)
        return torch.cat(said, dim=1)

    def loss(self, sentences: torch.Tensor) -> torch.Tensor:
        """Return the mean surprise in nats per token at ``sentences`` [B, T], with its gradient."""
        sentences = sentences.to(self.embed.weight.device)
        logits, _ = self(functional.pad(sentences[:, :-1], (1, 0), value=START))
        return functional.cross_entropy(logits.flatten(0, 1), sentences.flatten())

    @torch.no_grad()
    def nll(self, sentences: torch.Tensor) -> float:
        """Return the surprise in nats per token at ``sentences``: of the oracle, NLL_oracle; of a generator, NLL_test.

        Raises ValueError for no sentences, and for tokens outside the vocabulary.
        """
        most = self.embed.num_embeddings
        if not sentences.numel() or sentences.min() < 0 or sentences.max() >= most:
            raise ValueError(f"give sentences [B, T] of tokens from 0 to {most - 1}, one at least")
        parts = sentences.split(PART // 5)
        return sum(self.loss(part).item() * len(part) for part in parts) / len(sentences)


def _drawn(logits: torch.Tensor, dice: torch.Generator) -> torch.Tensor:
    """Draw a token for each row of logits [B, V], int64 [B, 1], with one random number each (multinomial takes V)."""
    steps = logits.softmax(-1).cumsum(-1)
    return torch.searchsorted(steps, torch.rand(len(logits), 1, generator=dice) * steps[:, -1:]).clamp(
        max=logits.shape[1] - 1
    )


class Counts:
    """What follows what, counted in real sentences: ``n=1`` single tokens, ``n=2`` pairs. Speaks, and can be asked.

    It speaks by its counts alone. For NLL_test every token needs a probability: ``trust`` of it comes from the counts, the
    rest from the shorter history, at last from all tokens alike. Raises ValueError for another ``n``.
    """

    def __init__(self, sentences: torch.Tensor, n: int, vocabulary: int = VOCABULARY, trust: tuple = (0.8, 0.1)):
        if n not in (1, 2):
            raise ValueError(f"n is {n}: single tokens are counted, n=1, or pairs, n=2")
        self.n, self.vocabulary, self.trust = n, vocabulary, trust
        self.flat = sentences.flatten()
        before = functional.pad(sentences[:, :-1], (1, 0), value=START).flatten()
        order = before.argsort(stable=True)
        self.followers, before = self.flat[order], before[order]
        self.first = torch.searchsorted(before, torch.arange(vocabulary + 1))  # where each token's followers begin

    def sample(self, rows: int, seed: int = 0, length: int = LENGTH) -> torch.Tensor:
        """Return sentences int64 [rows, length]; a token that nothing ever followed is followed by any."""
        dice = torch.Generator().manual_seed(seed)
        token, said = torch.full((rows,), START), []
        for _ in range(length):
            low, high = self.first[token], self.first[token + 1]
            known = (high > low) & (self.n == 2)
            place = low + (torch.rand(rows, generator=dice) * (high - low)).long()
            anywhere = self.flat[torch.randint(len(self.flat), (rows,), generator=dice)]
            token = torch.where(known, self.followers[place.clamp(max=len(self.flat) - 1)], anywhere)
            said.append(token)
        return torch.stack(said, dim=1)

    def nll(self, sentences: torch.Tensor) -> float:
        """Return NLL_test: the surprise of these counts at ``sentences``, in nats per token."""
        single = self.flat.bincount(minlength=self.vocabulary).double() / len(self.flat)
        single = self.trust[0] * single + (1 - self.trust[0]) / self.vocabulary
        chance = single[sentences]
        if self.n == 2:
            before = functional.pad(sentences[:, :-1], (1, 0), value=START)
            counted = self.first[before + 1] - self.first[before]
            pairs = torch.repeat_interleave(torch.arange(self.vocabulary), self.first.diff()) * self.vocabulary
            pairs, asked = (pairs + self.followers).sort().values, before * self.vocabulary + sentences
            seen = torch.searchsorted(pairs, asked, right=True) - torch.searchsorted(pairs, asked)
            mixed = self.trust[1] * seen / counted.clamp(min=1) + (1 - self.trust[1]) * chance
            chance = torch.where(counted > 0, mixed, chance)
        return -chance.log().mean().item()


def imitate(real: torch.Tensor, steps: int, seed: int = 0, batch_size: int = 64, rate: float = 1e-2, **size) -> Speaker:
    """Return a Speaker (of another ``size`` if given) trained by maximum likelihood on real sentences, for so many steps."""
    speaker, dice = Speaker(seed + 1000, spread=0.1, **size), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(speaker.parameters(), lr=rate)
    for _ in range(steps):
        loss = speaker.loss(real[torch.randint(len(real), (batch_size,), generator=dice)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return speaker


def rows(oracle: Speaker, real: torch.Tensor, rows: int, learned: dict | None = None) -> list[dict]:
    """Return NLL_oracle and NLL_test for each speaker, worst NLL_oracle first as published; ``rows`` sentences each.

    ``learned`` maps further names to Speakers.
    """
    test = oracle.sample(rows, seed=1)
    speakers = {"untrained LSTM": Speaker(1000, spread=0.1)} | (learned or {})
    speakers |= {"unigram counts": Counts(real, 1), "bigram counts": Counts(real, 2), "real data": oracle}
    dice = torch.Generator().manual_seed(3)
    uniform = torch.randint(VOCABULARY, (rows, LENGTH), generator=dice)
    found = [{"speaker": "uniform", "NLL_oracle": oracle.nll(uniform), "NLL_test": math.log(VOCABULARY)}]
    for name, speaker in speakers.items():
        made = speaker.sample(rows, seed=2)
        found.append({"speaker": name, "NLL_oracle": oracle.nll(made), "NLL_test": speaker.nll(test)})
    return found


def main() -> None:
    oracle = Speaker()
    real = torch.cat([oracle.sample(1000, seed=100 + part) for part in range(10)])
    learned = {f"LSTM after {steps:,} steps": imitate(real, steps) for steps in (10, 600, 2400)}
    for row in rows(oracle, real, 1000, learned):
        print(f"{row['speaker']:<24} NLL_oracle {row['NLL_oracle']:6.2f}   NLL_test {row['NLL_test']:6.2f}", flush=True)
