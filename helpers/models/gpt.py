"""GPT: one decoder that reads a text and predicts what comes next (Radford et al. 2018, 2019; built in notebook 06).

One class for the recipe of 2019 and for today's: they differ only in the fields of ``GPTConfig`` (its own file).
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from helpers.models.attention import causal_mask
from helpers.models.gpt2_weights import read_gpt2
from helpers.models.gpt_attention import rotary_table
from helpers.models.gpt_block import Block, norm_of
from helpers.models.gpt_config import GPTConfig
from helpers.models.network import Network
from helpers.models.utils import evaluating


class Cache(NamedTuple):
    """What a GPT has read: keys and values of every layer, so that a new token costs one step and not the whole text.

    A state handed to the model is never changed; the model returns a new one.
    """

    keys: tuple[torch.Tensor, ...]  # a layer each, [B, n_kv_head, T, n_embd / n_head]
    values: tuple[torch.Tensor, ...]
    padding: torch.Tensor | None  # how many of the tokens at each row's beginning are padding, int64 [B]
    last: torch.Tensor  # the token read last, int64 [B]: with the next one it makes a pair

    @property
    def length(self) -> int:
        return self.keys[0].shape[2]

    def cut(self, length: int, last: torch.Tensor) -> Cache:
        """Return the state after the first ``length`` tokens alone; ``last`` int64 [B] is the last of these (notebook 12).

        What was read after them is forgotten, as speculative decoding does with tokens it rejects. The keys and values do not
        say which token they are of: without ``last`` the next token would make a pair with one that is gone. Raises
        ValueError when ``length`` is not from 1 to the tokens that were read, or ``last`` is not one token for each row.
        """
        if not 1 <= length <= self.length:
            raise ValueError(f"a state of {self.length} tokens cannot be cut to {length}: give 1 to {self.length}")
        if last.shape != self.last.shape:
            raise ValueError(f"last has shape {list(last.shape)}: give one token for each row, {list(self.last.shape)}")
        keys, values = (tuple(part[:, :, :length] for part in parts) for parts in (self.keys, self.values))
        return Cache(keys, values, self.padding, last)


def bigram_index(before: torch.Tensor, ids: torch.Tensor, rows: int) -> torch.Tensor:
    """Return the row of a table for each pair of neighbors: a hash, so several rare pairs may share one."""
    return (before * 1_000_003 + ids * 7_919) % rows


class GPT(Network):
    """A stack of blocks between a table of token vectors and a score for every token.

    ``model(ids [B, T], state=None) -> (logits [B, T, V], state)``. The state is a `Cache`, None while training. Hook points:
    "hook_embed", what enters the first block, those of each ``Block`` and ``Attention`` ("blocks.0.attention.hook_pattern"),
    and "hook_normalized", what the scores are computed from. Raises ValueError when more than ``config.context`` tokens are
    to be seen at once.
    """

    hook_points = ("hook_embed", "hook_normalized")
    ignores_left_padding = True  # see ``forward``

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.settings, self.context = config, config.context
        self.embed = nn.Embedding(config.vocab_size, config.n_embd)
        self.positions = nn.Embedding(config.context, config.n_embd) if config.positions == "learned" else None
        self.bigrams = nn.Embedding(config.bigram_rows, config.n_embd) if config.bigram_rows else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.norm = norm_of(config)
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        if config.positions == "rotary":
            cos, sin = rotary_table(config.context, config.head_size)
            self.register_buffer("cos", cos, persistent=False)
            self.register_buffer("sin", sin, persistent=False)
        self._initialize()

    def _initialize(self) -> None:
        """Set the first weights as GPT-2 did: standard deviation 0.02, less where the outputs of many layers add up."""
        config, depth_scale = self.settings, (2 * self.settings.n_layer) ** -0.5
        for name, parameter in self.named_parameters():
            if parameter.ndim < 2:
                continue  # norms keep their ones, biases become 0 below
            last = name.endswith(("attention.output.weight", "down.weight"))
            if name == "bigrams.weight" or last and config.zero_output:
                nn.init.zeros_(parameter)
            else:
                nn.init.normal_(parameter, std=0.02 * depth_scale if last else 0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        if config.tied:
            self.head.weight = self.embed.weight

    @property
    def config(self) -> dict:
        """The fields of its GPTConfig, as a checkpoint's card keeps them."""
        return asdict(self.settings)

    @classmethod
    def from_config(cls, config: dict) -> GPT:
        """Return an untrained GPT with the fields that ``config`` lists."""
        return cls(GPTConfig(**config))

    def load_state_dict(self, state_dict, strict: bool = True, assign: bool = False):
        """As torch's; where one table serves for reading and scoring, it may stand in the dict once."""
        if self.settings.tied and "embed.weight" in state_dict:
            state_dict = {"head.weight": state_dict["embed.weight"], **state_dict}
        return super().load_state_dict(state_dict, strict, assign)

    def forward(self, ids: torch.Tensor, state: Cache | None = None, padding: torch.Tensor | None = None):
        """Return logits [B, T, V] and the state; ``padding`` [B] is how many tokens at each row's beginning only fill it."""
        if state is not None:
            padding = state.padding
        start, length = state.length if state is not None else 0, ids.shape[1]
        if start + length > self.context:
            raise ValueError(
                f"this GPT sees {self.context:,} tokens at once, and {start + length:,} were given: cut the oldest"
            )
        return self.read(ids, state, padding, _mask(start, length, padding, ids.device))

    def read(self, ids: torch.Tensor, state: Cache | None, padding: torch.Tensor | None, mask: torch.Tensor | None):
        """Return what ``forward`` returns, with the ``mask`` it has chosen; nothing here asks how many tokens there are.

        So it can be exported as one graph for any number of tokens, read before and now (``helpers.compression.onnx_export``).
        """
        start = state.length if state is not None else 0
        x, rotation = self._embedded(ids, start, padding, None if state is None else state.last)
        cache = []
        for number, block in enumerate(self.blocks):
            past = None if state is None else (state.keys[number], state.values[number])
            x, keys_values = block(x, rotation, past, mask)
            cache.append(keys_values)
        logits = self.head(self.hook("hook_normalized", self.norm(x)))
        if self.settings.logit_cap:
            logits = self.settings.logit_cap * torch.tanh(logits.float() / self.settings.logit_cap)
        return logits, None if self.training else Cache(*zip(*cache), padding, ids[:, -1])

    def _embedded(self, ids, start: int, padding, last=None):
        """Return the tokens' vectors, and the angles by which queries and keys are turned (None: learned positions)."""
        positions = torch.arange(start, start + ids.shape[1], device=ids.device)
        if padding is not None:
            positions = (positions - padding[:, None]).clamp(min=0)  # [B, T]: a row's own first token has position 0
        x, rotation = self.embed(ids), None
        if self.bigrams is not None:
            before = torch.cat((torch.zeros_like(ids[:, :1]) if last is None else last[:, None], ids[:, :-1]), dim=1)
            x = x + self.bigrams(bigram_index(before.masked_fill(positions == 0, 0), ids, self.settings.bigram_rows))
        if self.positions is not None:
            x = x + self.positions(positions)
        else:
            cos, sin = self.cos[positions], self.sin[positions]
            rotation = (cos[:, None], sin[:, None]) if padding is not None else (cos, sin)
        if self.settings.zero_output:  # the stream begins at the size that the norms expect
            x = functional.rms_norm(x, x.shape[-1:])
        return self.hook("hook_embed", self.dropout(x)), rotation

    @torch.no_grad()
    def attention_weights(self, ids: torch.Tensor) -> list[torch.Tensor]:
        """Return where each token attends: for each layer, [n_head, T, T] for the one row ``ids`` [1, T]; rows sum to 1."""
        names = [f"blocks.{layer}.attention.hook_pattern" for layer in range(len(self.blocks))]
        with evaluating(self):
            _, cache = self.run_with_cache(ids, names=names)
        return [cache[name][0] for name in names]

    @classmethod
    def from_pretrained(cls, name, download: bool = False) -> GPT:
        """Return a GPT-2 in evaluation mode, float32, with the weights of a folder or of a published model.

        ``name`` and ``download`` are those of ``helpers.models.gpt2_weights.read_gpt2``, which see. Raises ValueError as it
        does, and when the weights do not fit the sizes beside them.
        """
        sizes, weights = read_gpt2(name, download)
        with torch.device("meta"):  # no need for random numbers that are replaced at once
            model = cls(GPTConfig.gpt2(**sizes))
        model = model.to_empty(device="cpu")
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            reason = str(error).splitlines()[1].strip()
            raise ValueError(f"the weights of {Path(name).name} do not fit its config.json: {reason}") from None
        model.head.weight = model.embed.weight
        return model.eval()


def _mask(start: int, length: int, padding: torch.Tensor | None, device) -> torch.Tensor | None:
    """Return where a query may attend, bool [B or 1, 1, T, start + T]; None where plain causality decides it."""
    if padding is None and (start == 0 or length == 1):
        return None
    causal = causal_mask(length, start, device)
    if padding is None:
        return causal[None, None]
    # A padding token attends to itself, so that no row of the softmax is empty; no other token attends to it.
    keys = torch.arange(start + length, device=device)
    itself = keys == keys[start:, None]
    return (((keys >= padding[:, None])[:, None] & causal) | itself)[:, None]
