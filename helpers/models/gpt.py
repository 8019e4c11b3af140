"""GPT: one decoder that reads a text and says what comes next (Radford et al. 2018, 2019; built in notebook 06).

One class for the recipe of 2019 and for today's: they differ only in the fields of ``GPTConfig``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

CHOICES = {
    "norm": ("layer", "rms"),
    "positions": ("learned", "rotary"),
    "activation": ("gelu", "relu2"),
}


@dataclass(frozen=True)
class GPTConfig:
    """Everything that decides what a GPT is. Raises ValueError for values that do not go together."""

    vocabulary_size: int
    context: int = 256  # tokens it can see at once
    width: int = 256  # numbers per token
    layers: int = 4
    heads: int = 4  # each looks at width / heads of the numbers
    norm: str = "layer"  # "layer": subtract the mean, divide by the spread (Ba et al. 2016); "rms": divide only (2019)
    positions: str = "learned"  # "learned": a vector for each place; "rotary": turn queries and keys (Su et al. 2021)
    activation: str = "gelu"  # "gelu" (Hendrycks & Gimpel 2016), in GPT-2's tanh form; "relu2" (So et al. 2021)
    qk_norm: bool = False  # queries and keys of length √d: their products stay small (Henry et al. 2020)
    tied: bool = True  # one table of vectors for reading and for scoring (Press & Wolf 2017)
    bias: bool = True  # in linear layers and norms
    zero_output: bool = False  # each block begins by adding nothing: its last matrix starts at 0 (Zhang et al. 2019)
    logit_cap: float = 0.0  # scores are squeezed into ± this by a tanh (Gemma 2, 2024); 0 for no cap
    pair_rows: int = 0  # rows of a table for pairs of neighbors, found by a hash (Roy et al. 2022); 0 for none
    dropout: float = 0.0  # of what each layer adds; not of the attention's weights, where fast kernels know none

    def __post_init__(self):
        for field, known in CHOICES.items():
            if getattr(self, field) not in known:
                raise ValueError(f"there is no {field} {getattr(self, field)!r}; known are {', '.join(known)}")
        for field in ("vocabulary_size", "context", "width", "layers", "heads"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} is {getattr(self, field)}: give at least 1")
        if self.width % self.heads:
            raise ValueError(f"a width of {self.width} cannot be shared by {self.heads} heads: it must be a multiple")
        if self.positions == "rotary" and self.width // self.heads % 2:
            raise ValueError(f"rotary positions turn pairs of numbers: {self.width // self.heads} a head is odd")

    @classmethod
    def gpt2(cls, vocabulary_size: int, **changes) -> GPTConfig:
        """Return the recipe of GPT-2 (Radford et al. 2019), with your sizes."""
        return cls(vocabulary_size, **changes)

    @classmethod
    def modern(cls, vocabulary_size: int, **changes) -> GPTConfig:
        """Return today's recipe: RMSNorm, rotary positions, ReLU², QK-norm, no bias, blocks that begin at zero."""
        recipe = {
            "norm": "rms",
            "positions": "rotary",
            "activation": "relu2",
            "qk_norm": True,
            "bias": False,
            "zero_output": True,
            "logit_cap": 15.0,
        }
        return cls(vocabulary_size, **(recipe | changes))


class Cache(NamedTuple):
    """What a GPT has read: keys and values of every layer, so that a new token costs one step and not the whole text.

    A state handed to the model is never changed; the model returns a new one.
    """

    keys: tuple[torch.Tensor, ...]  # a layer each, [B, heads, T, width / heads]
    values: tuple[torch.Tensor, ...]
    padding: torch.Tensor | None  # how many of the tokens at each row's beginning are padding, int64 [B]
    last: torch.Tensor  # the token read last, int64 [B]: with the next one it makes a pair

    @property
    def length(self) -> int:
        return self.keys[0].shape[2]


class RMSNorm(nn.RMSNorm):
    """Divide by the root of the mean square (Zhang & Sennrich 2019): torch's own, without learned factors."""

    def __init__(self, width: int):
        super().__init__(width, eps=1e-6, elementwise_affine=False)


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Turn the pairs (i, i + D/2) of ``x`` [B, heads, T, D] by the angles of ``rotary_table`` (Su et al. 2021)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).type_as(x)


def rotary_table(context: int, size: int, base: float = 10_000.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return cosine and sine of each position's angles, float32 [context, size / 2]: fast pairs first, slow ones last."""
    speeds = base ** (-torch.arange(0, size, 2).float() / size)
    angles = torch.outer(torch.arange(context).float(), speeds)
    return angles.cos(), angles.sin()


def pair_number(before: torch.Tensor, ids: torch.Tensor, rows: int) -> torch.Tensor:
    """Return the row of a table for each pair of neighbors: a hash, so several rare pairs may share one."""
    return (before * 1_000_003 + ids * 7_919) % rows


class Attention(nn.Module):
    """Causal self-attention: each token looks at itself and at what came before it."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.config = config
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=config.bias)
        self.output = nn.Linear(config.width, config.width, bias=config.bias)

    def split(self, x: torch.Tensor, turn) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return queries, keys and values of ``x`` [B, T, width], each [B, heads, T, width / heads]."""
        parts = self.qkv(x).chunk(3, dim=-1)  # cut here, the way back costs one copy; permuted, two
        q, k, v = (part.unflatten(-1, (self.config.heads, -1)).transpose(1, 2) for part in parts)
        if self.config.qk_norm:
            q, k = (functional.rms_norm(part, part.shape[-1:]) for part in (q, k))
        return (q, k, v) if turn is None else (rotate(q, *turn), rotate(k, *turn), v)

    def forward(self, x: torch.Tensor, turn, past, mask) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Return what is added to ``x`` [B, T, width], and all keys and values; ``past`` are those of earlier calls."""
        q, k, v = self.split(x, turn)
        if past is not None:
            k, v = torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2)
        mixed = functional.scaled_dot_product_attention(q, k, v, mask, is_causal=mask is None and q.shape[2] > 1)
        return self.output(mixed.transpose(1, 2).flatten(2)), (k, v)


class Block(nn.Module):
    """One layer: look (attention), then think (two matrices); each adds its result to the stream of vectors."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.norm_1, self.norm_2 = _norm(config), _norm(config)
        self.attention = Attention(config)
        self.up = nn.Linear(config.width, 4 * config.width, bias=config.bias)
        self.down = nn.Linear(4 * config.width, config.width, bias=config.bias)
        self.relu2, self.dropout = config.activation == "relu2", nn.Dropout(config.dropout)

    def forward(self, x: torch.Tensor, turn=None, past=None, mask=None):
        looked, kept = self.attention(self.norm_1(x), turn, past, mask)
        x = x + self.dropout(looked)
        hidden = self.up(self.norm_2(x))
        if self.relu2:
            hidden = functional.relu(hidden)
            hidden = hidden * hidden  # the gradient of a product costs less than that of a power
        else:
            hidden = functional.gelu(hidden, approximate="tanh")
        return x + self.dropout(self.down(hidden)), kept


class GPT(nn.Module):
    """A stack of blocks between a table of token vectors and a score for every token.

    ``model(ids [B, T], state=None) -> (logits [B, T, V], state)``. The state is a `Cache`, None while training. Raises
    ValueError when more than ``config.context`` tokens are to be seen at once.
    """

    overlooks_padding = True  # at the beginning of rows, see ``forward``

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.settings, self.context = config, config.context
        self.embed = nn.Embedding(config.vocabulary_size, config.width)
        self.places = nn.Embedding(config.context, config.width) if config.positions == "learned" else None
        self.pairs = nn.Embedding(config.pair_rows, config.width) if config.pair_rows else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = _norm(config)
        self.head = nn.Linear(config.width, config.vocabulary_size, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        if config.positions == "rotary":
            cos, sin = rotary_table(config.context, config.width // config.heads)
            self.register_buffer("cos", cos, persistent=False)
            self.register_buffer("sin", sin, persistent=False)
        self._start()

    def _start(self) -> None:
        """Set the first weights as GPT-2 did: spread 0.02, and less where many layers add up."""
        config, many = self.settings, (2 * self.settings.layers) ** -0.5
        for name, parameter in self.named_parameters():
            if parameter.ndim < 2:
                continue  # norms keep their ones, biases become 0 below
            last = name.endswith(("attention.output.weight", "down.weight"))
            if name == "pairs.weight" or last and config.zero_output:
                nn.init.zeros_(parameter)
            else:
                nn.init.normal_(parameter, std=0.02 * many if last else 0.02)
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
        """``padding`` [B] says how many tokens at each row's beginning are only there to fill it."""
        if state is not None:
            padding = state.padding
        start, length = state.length if state is not None else 0, ids.shape[1]
        if start + length > self.context:
            raise ValueError(
                f"this GPT sees {self.context:,} tokens at once, and {start + length:,} were given: cut the oldest"
            )
        x, turn = self._placed(ids, start, padding, None if state is None else state.last)
        mask, kept = _mask(start, length, padding, ids.device), []
        for number, block in enumerate(self.blocks):
            past = None if state is None else (state.keys[number], state.values[number])
            x, pair = block(x, turn, past, mask)
            kept.append(pair)
        logits = self.head(self.norm(x))
        if self.settings.logit_cap:
            logits = self.settings.logit_cap * torch.tanh(logits.float() / self.settings.logit_cap)
        return logits, None if self.training else Cache(*zip(*kept), padding, ids[:, -1])

    def _placed(self, ids, start: int, padding, last=None):
        """Return the tokens' vectors, and the angles by which queries and keys are turned (None: learned places)."""
        places = torch.arange(start, start + ids.shape[1], device=ids.device)
        if padding is not None:
            places = (places - padding[:, None]).clamp(min=0)  # [B, T]: a row's own first token stands at place 0
        x, turn = self.embed(ids), None
        if self.pairs is not None:
            before = torch.cat((torch.zeros_like(ids[:, :1]) if last is None else last[:, None], ids[:, :-1]), dim=1)
            x = x + self.pairs(pair_number(before.masked_fill(places == 0, 0), ids, self.settings.pair_rows))
        if self.places is not None:
            x = x + self.places(places)
        else:
            cos, sin = self.cos[places], self.sin[places]
            turn = (cos[:, None], sin[:, None]) if padding is not None else (cos, sin)
        if self.settings.zero_output:  # the stream begins at the size that the norms expect
            x = functional.rms_norm(x, x.shape[-1:])
        return self.dropout(x), turn

    @torch.no_grad()
    def attention_weights(self, ids: torch.Tensor) -> list[torch.Tensor]:
        """Return where each token looks: for each layer, [heads, T, T] for the one row ``ids`` [1, T]; rows sum to 1."""
        from helpers.models.utils import evaluating

        found = []
        with evaluating(self):
            x, turn = self._placed(ids, 0, None)
            past = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool, device=ids.device).tril()
            for block in self.blocks:
                q, k, _ = block.attention.split(block.norm_1(x), turn)
                scores = (q @ k.transpose(-2, -1)).float() / q.shape[-1] ** 0.5
                found.append(scores.masked_fill(~past, -torch.inf).softmax(-1)[0])
                x, _ = block(x, turn)
        return found

    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())

    @classmethod
    def from_pretrained(cls, name, download: bool = False) -> GPT:
        """Return a GPT-2 in evaluation mode, float32, with the weights of a folder or of a published model.

        ``name`` and ``download`` are those of ``helpers.models.gpt2_weights.read_gpt2``, which see. Raises ValueError as it
        does, and when the weights do not fit the sizes beside them.
        """
        from helpers.models.gpt2_weights import read_gpt2

        sizes, weights = read_gpt2(name, download)
        with torch.device("meta"):  # no need to draw numbers that are replaced at once
            model = cls(GPTConfig.gpt2(**sizes))
        model = model.to_empty(device="cpu")
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            reason = str(error).splitlines()[1].strip()
            raise ValueError(f"the weights of {Path(name).name} do not fit its config.json: {reason}") from None
        model.head.weight = model.embed.weight
        return model.eval()


def _norm(config: GPTConfig) -> nn.Module:
    return RMSNorm(config.width) if config.norm == "rms" else nn.LayerNorm(config.width, bias=config.bias)


def _mask(start: int, length: int, padding: torch.Tensor | None, device) -> torch.Tensor | None:
    """Return where a query may look, bool [B or 1, 1, T, start + T]; None where plain causality says it all."""
    if padding is None and (start == 0 or length == 1):
        return None
    keys = torch.arange(start + length, device=device)
    queries = torch.arange(start, start + length, device=device)[:, None]
    may = keys <= queries
    if padding is None:
        return may[None, None]
    # A padding token looks at itself, so that no row of the softmax is empty; nobody else looks at it.
    real = (keys >= padding[:, None])[:, None, :] & may
    return (real | (keys == queries))[:, None]
