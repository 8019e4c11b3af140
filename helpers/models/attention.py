"""Attention: each token takes a weighted sum of the values of others, with weights of its own (built in notebook 04).

``attention`` is written out to be read and returns its weights. ``MultiHeadAttention`` runs it in several heads at once;
where no hook asks for the weights it uses torch's fused kernel, which computes the same faster.
"""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.models.network import Network


def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weighted sum of the values [..., T, V] and the attention weights [..., T, S] (Vaswani et al. 2017, eq. 1).

    q [..., T, D] are the queries, k [..., S, D] the keys they are compared with, v [..., S, V] the values; all floating
    point of one kind. ``mask`` is bool, broadcast to [..., T, S]; True means "may attend". A query that may attend to
    nothing gets nothing: its weights and its sum are 0. Raises ValueError when the shapes do not fit or the mask is not bool.
    """
    _check(q, k, v, mask)
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    if mask is None:
        weights = scores.softmax(dim=-1)
    else:
        # The smallest number, not -inf: where a whole row is masked -inf gives NaN, and NaN gradients everywhere.
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=-1).masked_fill(~mask, 0.0)
    return weights @ v, weights


def causal_mask(length: int, past: int = 0, device: torch.device | None = None) -> torch.Tensor:
    """Return which positions the last ``length`` tokens may attend to, bool [length, past + length]: all up to their own."""
    return torch.ones(length, past + length, dtype=torch.bool, device=device).tril(past)


def sinusoidal_positions(length: int, d_model: int, start: int = 0, device: torch.device | None = None) -> torch.Tensor:
    """Return a vector for each position from ``start`` on, float32 [length, d_model] (Vaswani et al. 2017, section 3.5).

    Column 2i is a sine and column 2i + 1 a cosine of the position; from left to right they turn ever more slowly, by
    1 / 10000^(2i / d_model) a step, like the hands of a clock. Raises ValueError for an odd d_model.
    """
    if d_model % 2:
        raise ValueError(f"d_model is {d_model}: sines and cosines come in pairs, so take an even number")
    positions = torch.arange(start, start + length, dtype=torch.float32, device=device)
    speeds = 10_000 ** (-torch.arange(0, d_model, 2, dtype=torch.float32, device=device) / d_model)
    angles = positions[:, None] * speeds
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class MultiHeadAttention(Network):
    """Attention in ``n_head`` heads at once (Vaswani et al. 2017, section 3.2.2).

    ``layer(x)`` is self-attention of x [B, T, W], ``layer(x, source)`` cross-attention to source [B, S, W]; both return the
    attention output [B, T, W]. ``mask`` is bool, broadcast to [B, n_head, T, S]; True means "may attend". ``causal=True`` is
    the mask that hides the future. The parameters have the order of ``torch.nn.MultiheadAttention``: ``in_proj`` makes
    query, key and value in one product. The weights [B, n_head, T, S] pass the hook point "hook_pattern". Raises ValueError
    when the heads do not divide d_model.
    """

    hook_points = ("hook_pattern",)

    def __init__(self, d_model: int, n_head: int):
        super().__init__()
        if n_head < 1 or d_model % n_head:
            raise ValueError(f"{n_head} heads cannot share d_model = {d_model} evenly: take a number that divides it")
        self.d_model, self.n_head = d_model, n_head
        self.in_proj = nn.Linear(d_model, 3 * d_model)
        self.out_proj = nn.Linear(d_model, d_model)
        for third in self.in_proj.weight.detach().chunk(3):  # three matrices that happen to lie in one
            nn.init.xavier_uniform_(third)
        nn.init.zeros_(self.in_proj.bias)
        nn.init.xavier_uniform_(self.out_proj.weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(
        self,
        x: torch.Tensor,
        source: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
        causal: bool = False,
    ) -> torch.Tensor:
        q, k, v = self.project(x) if source is None else (self.queries(x), *self.keys_and_values(source))
        return self.attend(q, k, v, mask, causal)

    def project(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return queries, keys and values of x [B, T, W], each [B, n_head, T, W / n_head], by one product."""
        return tuple(self.split(part) for part in self.in_proj(x).chunk(3, dim=-1))

    def queries(self, x: torch.Tensor) -> torch.Tensor:
        """Return only the queries of x, [B, n_head, T, W / n_head]."""
        return self.split(F.linear(x, self.in_proj.weight[: self.d_model], self.in_proj.bias[: self.d_model]))

    def keys_and_values(self, source: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return keys and values of source [B, S, W], each [B, n_head, S, W / n_head]: computed once, used at every step."""
        both = F.linear(source, self.in_proj.weight[self.d_model :], self.in_proj.bias[self.d_model :])
        return tuple(self.split(part) for part in both.chunk(2, dim=-1))

    def attend(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        mask: torch.Tensor | None = None,
        causal: bool = False,
    ) -> torch.Tensor:
        """Run attention on projected heads, join them again and return the attention output [B, T, W].

        With ``causal`` the queries stand at the end of the keys: the last query may attend to all of them.
        """
        length = q.shape[2]
        if causal and (mask is not None or k.shape[2] != length or self.hooked):  # else the kernel's own flag is faster
            triangle = causal_mask(length, k.shape[2] - length, q.device)
            mask, causal = triangle if mask is None else triangle & mask, False
        if self.hooked:
            values = self.hook("hook_pattern", attention(q, k, v, mask)[1]) @ v
        else:
            values = F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal)
        return self.out_proj(values.transpose(1, 2).flatten(2))

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """Cut the width into heads: [B, T, W] becomes [B, n_head, T, W / n_head]."""
        return x.unflatten(-1, (self.n_head, -1)).transpose(1, 2)


def _check(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None) -> None:
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise ValueError("queries, keys and values are tables, a row for each token: [..., tokens, width]")
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(f"queries are {q.shape[-1]} wide and keys {k.shape[-1]}: they are compared, so give one width")
    if k.shape[-2] != v.shape[-2]:
        raise ValueError(f"there are {k.shape[-2]} keys and {v.shape[-2]} values: each key needs its own value")
    if mask is not None and mask.dtype != torch.bool:
        raise ValueError(f"the mask is {mask.dtype}: give torch.bool, True where a query may attend")
