"""SeqGAN's synthetic task: the "real data" come from a random network, so every sentence's true probability is known.

The oracle (Yu et al. 2016, 1609.05473) is an LSTM of 32 units over 5,000 tokens with weights drawn from N(0, 1); its
sentences have 20 tokens. A generator can be measured from both sides: NLL_oracle, how unlikely the oracle finds its
samples (quality), and NLL_test, how unlikely the generator finds the oracle's samples (quality and diversity). Both in nats
per token. The oracle's weights are our own, so the values are, too: only their order can be compared with published ones.
Built for notebook 08. ``python -m helpers experiments seqgan_oracle`` prints all rows (four minutes on one core).
"""

import math

import torch
from torch import nn
from torch.nn import functional

VOCAB_SIZE, SEQ_LEN, HIDDEN_SIZE = 5000, 20, 32
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


class LSTMModel(nn.Module):
    """An LSTM language model of fixed-length sentences; the oracle is one, and so is the network that imitates it.

    ``std`` is the standard deviation of all weights: 1 for the oracle, 0.1 for a network that is to learn.
    """

    def __init__(
        self, seed: int = 0, std: float = 1.0, vocab_size: int = VOCAB_SIZE, hidden_size: int = HIDDEN_SIZE
    ):  # fmt: skip
        super().__init__()
        self.embed, self.head = nn.Embedding(vocab_size, hidden_size), nn.Linear(hidden_size, vocab_size)
        self.lstm = nn.LSTM(hidden_size, hidden_size, batch_first=True)
        rng = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weights in self.parameters():
                weights.copy_(torch.randn(weights.shape, generator=rng) * std)
            self.lstm.bias_hh_l0.zero_()  # torch has two biases where the paper has one

    def forward(self, tokens, state=None):
        """Tokens [B, T] to logits [B, T, V] and the state (h, c)."""
        hidden, state = self.lstm(self.embed(tokens), state)
        return self.head(hidden), state

    @torch.no_grad()
    def sample(self, rows: int, seed: int = 0, length: int = SEQ_LEN, greedy: bool = False) -> torch.Tensor:
        """Return sentences int64 [rows, length]; ``greedy`` takes the likeliest token instead of sampling."""
        if rows > PART:  # what has to be held at once stays small: a row has 5,000 logits
            starts = range(0, rows, PART)
            return torch.cat([self.sample(min(PART, rows - start), seed + start, length, greedy) for start in starts])
        device, rng = self.embed.weight.device, torch.Generator().manual_seed(seed)
        token, state, tokens = torch.full((rows, 1), START, device=device), None, []
        for _ in range(length):
            logits, state = self(token, state)
            logits = logits[:, -1].cpu()  # sampled on the CPU: the same sentences on every device, up to rounding
            tokens.append(logits.argmax(-1, keepdim=True) if greedy else _sampled(logits, rng))
            token = tokens[-1].to(device)
        return torch.cat(tokens, dim=1)

    def loss(self, sentences: torch.Tensor) -> torch.Tensor:
        """Return the mean surprisal of ``sentences`` [B, T] in nats per token, with its gradient."""
        sentences = sentences.to(self.embed.weight.device)
        logits, _ = self(functional.pad(sentences[:, :-1], (1, 0), value=START))
        return functional.cross_entropy(logits.flatten(0, 1), sentences.flatten())

    @torch.no_grad()
    def nll(self, sentences: torch.Tensor) -> float:
        """Return the mean surprisal of ``sentences`` in nats per token: of the oracle, NLL_oracle; else NLL_test.

        Raises ValueError for no sentences, and for tokens outside the vocabulary.
        """
        most = self.embed.num_embeddings
        if not sentences.numel() or sentences.min() < 0 or sentences.max() >= most:
            raise ValueError(f"give sentences [B, T] of tokens from 0 to {most - 1}, one at least")
        parts = sentences.split(PART // 5)
        return sum(self.loss(part).item() * len(part) for part in parts) / len(sentences)


def _sampled(logits: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Sample a token for each row of logits [B, V], int64 [B, 1], with one random number each (multinomial takes V)."""
    sums = logits.softmax(-1).cumsum(-1)
    tokens = torch.searchsorted(sums, torch.rand(len(logits), 1, generator=rng) * sums[:, -1:])
    return tokens.clamp(max=logits.shape[1] - 1)


class CountModel:
    """Counts of tokens in real sentences, ``n=1`` single ones, ``n=2`` pairs: samples, and has a likelihood.

    It samples by its counts alone. For NLL_test every token needs a probability: ``weights`` of it (of pairs and of single
    tokens, from 0 to 1) come from the counts, the rest from the shorter history, at last from all tokens alike. Raises
    ValueError for another ``n``.
    """

    def __init__(self, sentences: torch.Tensor, n: int, vocab_size: int = VOCAB_SIZE, weights: tuple = (0.8, 0.1)):
        if n not in (1, 2):
            raise ValueError(f"n is {n}: give 1, for counts of single tokens, or 2, for pairs")
        self.n, self.vocab_size, self.weights = n, vocab_size, weights
        self.flat = sentences.flatten()
        before = functional.pad(sentences[:, :-1], (1, 0), value=START).flatten()
        order = before.argsort(stable=True)
        self.followers, before = self.flat[order], before[order]
        self.first = torch.searchsorted(before, torch.arange(vocab_size + 1))  # where each token's followers begin

    def sample(self, rows: int, seed: int = 0, length: int = SEQ_LEN) -> torch.Tensor:
        """Return sentences int64 [rows, length]; a token that nothing ever followed is followed by any."""
        rng = torch.Generator().manual_seed(seed)
        token, tokens = torch.full((rows,), START), []
        for _ in range(length):
            low, high = self.first[token], self.first[token + 1]
            known = (high > low) & (self.n == 2)
            index = low + (torch.rand(rows, generator=rng) * (high - low)).long()
            anywhere = self.flat[torch.randint(len(self.flat), (rows,), generator=rng)]
            token = torch.where(known, self.followers[index.clamp(max=len(self.flat) - 1)], anywhere)
            tokens.append(token)
        return torch.stack(tokens, dim=1)

    def nll(self, sentences: torch.Tensor) -> float:
        """Return NLL_test: the mean surprisal of ``sentences`` under these counts, in nats per token."""
        single = self.flat.bincount(minlength=self.vocab_size).double() / len(self.flat)
        single = self.weights[0] * single + (1 - self.weights[0]) / self.vocab_size
        p = single[sentences]
        if self.n == 2:
            before = functional.pad(sentences[:, :-1], (1, 0), value=START)
            total = self.first[before + 1] - self.first[before]
            pairs = torch.repeat_interleave(torch.arange(self.vocab_size), self.first.diff()) * self.vocab_size
            pairs, asked = (pairs + self.followers).sort().values, before * self.vocab_size + sentences
            seen = torch.searchsorted(pairs, asked, right=True) - torch.searchsorted(pairs, asked)
            mixed = self.weights[1] * seen / total.clamp(min=1) + (1 - self.weights[1]) * p
            p = torch.where(total > 0, mixed, p)
        return -p.log().mean().item()


def train_by_maximum_likelihood(
    real: torch.Tensor, steps: int, seed: int = 0, batch_size: int = 64, learning_rate: float = 1e-2, **sizes
) -> LSTMModel:
    """Return an LSTMModel (of other ``sizes`` if given) trained by maximum likelihood on real sentences."""
    model, rng = LSTMModel(seed + 1000, std=0.1, **sizes), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for _ in range(steps):
        loss = model.loss(real[torch.randint(len(real), (batch_size,), generator=rng)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def evaluate_models(oracle: LSTMModel, real: torch.Tensor, rows: int, trained: dict | None = None) -> list[dict]:
    """Return "model", "NLL_oracle" and "NLL_test" of each, worst NLL_oracle first as published; ``rows`` sentences each.

    ``trained`` maps further names to LSTMModels.
    """
    test = oracle.sample(rows, seed=1)
    models = {"untrained LSTM": LSTMModel(1000, std=0.1)} | (trained or {})
    models |= {"unigram counts": CountModel(real, 1), "bigram counts": CountModel(real, 2), "real data": oracle}
    uniform = torch.randint(VOCAB_SIZE, (rows, SEQ_LEN), generator=torch.Generator().manual_seed(3))
    results = [{"model": "uniform", "NLL_oracle": oracle.nll(uniform), "NLL_test": math.log(VOCAB_SIZE)}]
    for name, model in models.items():
        samples = model.sample(rows, seed=2)
        results.append({"model": name, "NLL_oracle": oracle.nll(samples), "NLL_test": model.nll(test)})
    return results


def main() -> None:
    oracle = LSTMModel()
    real = torch.cat([oracle.sample(1000, seed=100 + part) for part in range(10)])
    trained = {f"LSTM after {steps:,} steps": train_by_maximum_likelihood(real, steps) for steps in (10, 600, 2400)}
    for row in evaluate_models(oracle, real, 1000, trained):
        print(f"{row['model']:<24} NLL_oracle {row['NLL_oracle']:6.2f}   NLL_test {row['NLL_test']:6.2f}", flush=True)
