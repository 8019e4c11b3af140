"""The GPT that a learner writes in notebook 06: GPT-2's architecture in three short classes, and the same with a KV cache.

Every part may be handed over, so that a class of the learner's own stands in for one of these:
``Block(config, attention=Attention)``, ``SmallGPT(config, block=Block)``. The parameters have the names of those of
``helpers.models.gpt.GPT(GPTConfig.gpt2(...))``: a state dict of one fits the other. ``config`` is a ``GPTConfig``.
"""

import math
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from helpers.models.gpt_config import GPTConfig
from helpers.models.utils import device_of, evaluating


class Attention(nn.Module):
    """Causal self-attention in ``n_head`` heads: x [B, T, n_embd] becomes the attention output [B, T, n_embd]."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.n_head = config.n_head
        self.qkv = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.output = nn.Linear(config.n_embd, config.n_embd)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = self.qkv(x).chunk(3, dim=-1)  # queries, keys, values: [B, T, n_embd] each
        q, k, v = (part.unflatten(-1, (self.n_head, -1)).transpose(1, 2) for part in parts)  # [B, n_head, T, D]
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # [B, n_head, T, T]
        T = x.shape[1]
        future = torch.ones(T, T, dtype=torch.bool, device=x.device).triu(1)
        weights = scores.masked_fill(future, -math.inf).softmax(dim=-1)
        return self.output((weights @ v).transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention, then a feed-forward network; each reads a normalized copy of x [B, T, n_embd] and adds its output to x."""

    def __init__(self, config: GPTConfig, attention: Callable = Attention):
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(config.n_embd), nn.LayerNorm(config.n_embd)
        self.attention = attention(config)
        self.up = nn.Linear(config.n_embd, 4 * config.n_embd)
        self.down = nn.Linear(4 * config.n_embd, config.n_embd)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.norm_1(x))
        hidden = functional.gelu(self.up(self.norm_2(x)), approximate="tanh")  # [B, T, 4 n_embd]
        return x + self.down(hidden)


class SmallGPT(nn.Module):
    """A stack of blocks between a table of token vectors and a score for every token (Radford et al. 2019).

    ``model(tokens [B, T]) -> (logits [B, T, V], None)``. The second result, a state, is None: a model that keeps none is
    given the whole text again for each new token (``helpers.generation.sampling.generate``).
    """

    def __init__(self, config: GPTConfig, block: Callable = Block):
        super().__init__()
        self.context = config.context  # so many tokens it can read at once
        self.embed = nn.Embedding(config.vocab_size, config.n_embd)  # a vector for each token
        self.positions = nn.Embedding(config.context, config.n_embd)  # and one for each position
        self.blocks = nn.ModuleList(block(config) for _ in range(config.n_layer))
        self.norm = nn.LayerNorm(config.n_embd)
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.head.weight = self.embed.weight  # tied: one table reads and scores

    def forward(self, tokens: torch.Tensor, state: None = None) -> tuple[torch.Tensor, None]:
        x = self.embed(tokens) + self.positions(torch.arange(tokens.shape[1], device=tokens.device))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)), None


def initialize(model: nn.Module, zero_output: bool = False) -> nn.Module:
    """Give a SmallGPT the first weights of GPT-2, in place, and return it: matrices of standard deviation 0.02, biases 0.

    The two matrices of each block that write to the residual stream get 0.02 / √(2 · layers), or with ``zero_output`` zeros:
    then each block begins by adding nothing.
    """
    written = 0.0 if zero_output else 0.02 / math.sqrt(2 * len(model.blocks))
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2:
            nn.init.normal_(
                parameter, std=written if name.endswith(("attention.output.weight", "down.weight")) else 0.02
            )
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
    return model


# --- with a cache of keys and values ----------------------------------------------------------------------------------


class CachedAttention(Attention):
    """The same attention for tokens that come later: x [B, T, n_embd] attends to itself and to what was read before.

    ``past`` are the keys and values of the S tokens before, [B, n_head, S, D] each, or None; returned are the attention output
    and all keys and values, [B, n_head, S + T, D] each. ``past`` is not changed.
    """

    def forward(self, x: torch.Tensor, past=None) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        parts = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (part.unflatten(-1, (self.n_head, -1)).transpose(1, 2) for part in parts)
        if past is not None:
            k, v = torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # [B, n_head, T, S + T]
        T, S = x.shape[1], k.shape[2] - x.shape[1]
        future = torch.ones(T, S + T, dtype=torch.bool, device=x.device).triu(S + 1)
        weights = scores.masked_fill(future, -math.inf).softmax(dim=-1)
        return self.output((weights @ v).transpose(1, 2).flatten(2)), (k, v)


class CachedBlock(Block):
    """A ``Block`` that hands on ``past`` and returns, beside x, the keys and values of its attention."""

    def __init__(self, config: GPTConfig, attention: Callable = CachedAttention):
        super().__init__(config, attention)

    def forward(self, x: torch.Tensor, past=None):
        attended, keys_values = self.attention(self.norm_1(x), past)
        x = x + attended
        hidden = functional.gelu(self.up(self.norm_2(x)), approximate="tanh")
        return x + self.down(hidden), keys_values


class CachedGPT(SmallGPT):
    """A SmallGPT that reads each token once: ``model(tokens, state) -> (logits, state)``.

    The state is a list with the keys and values of each block, (keys, values), [B, n_head, S, D] each; None is an empty one.
    """

    def __init__(self, config: GPTConfig, block: Callable = CachedBlock):
        super().__init__(config, block)

    def forward(self, tokens: torch.Tensor, state: list | None = None):
        read = 0 if state is None else state[0][0].shape[2]
        x = self.embed(tokens) + self.positions(torch.arange(read, read + tokens.shape[1], device=tokens.device))
        new = []
        for number, block in enumerate(self.blocks):
            x, keys_values = block(x, None if state is None else state[number])
            new.append(keys_values)
        return self.head(self.norm(x)), new


def with_cache(model: nn.Module, attention: Callable = CachedAttention) -> CachedGPT:
    """Return a CachedGPT with the parameters of a SmallGPT (the same tensors, no copies) and this cached attention.

    Raises ValueError when the two do not give the same logits: then the model computes something else than GPT-2 does, or
    the attention is wrong, and its cache would change what the model says.
    """
    vocab_size, n_embd = model.embed.weight.shape
    n_head, n_layer = model.blocks[0].attention.n_head, len(model.blocks)
    config = GPTConfig.gpt2(vocab_size, context=model.context, n_embd=n_embd, n_layer=n_layer, n_head=n_head)
    with torch.device("meta"):  # no need for random numbers that are replaced at once
        cached = CachedGPT(config, lambda config: CachedBlock(config, attention))
    cached.load_state_dict(model.state_dict(), assign=True)
    cached.head.weight = cached.embed.weight
    difference = _difference(model, cached.train(model.training), min(model.context, 8))
    if not difference < 1e-3:
        raise ValueError(
            f"with the cache the logits differ by up to {difference:.2g}: it does not keep what the model reads"
        )
    return cached


@torch.no_grad()
def _difference(model: nn.Module, cached: nn.Module, length: int) -> float:
    """Return how far the logits differ when some tokens are read at once, and in two parts with the cache; ∞ for shapes."""
    tokens = torch.arange(length, device=device_of(model))[None] % len(model.embed.weight)
    with evaluating(model), evaluating(cached):
        whole, (first, state) = model(tokens)[0], cached(tokens[:, : length - 1])
        parts = torch.cat((first, cached(tokens[:, length - 1 :], state)[0]), dim=1)
    return (whole - parts).abs().max().item() if whole.shape == parts.shape else math.inf
