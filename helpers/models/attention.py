"""Attention: every token looks at every other and takes what it needs (built in notebook 04).

``attention`` is written out to be read and returns its weights to be looked at. ``MultiHeadAttention`` runs it in several
heads at once; where nobody asks for the weights it uses torch's fused kernel, which computes the same faster.
"""

import torch
import torch.nn.functional as F
from torch import nn


def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what each query takes, [..., T, V], and where it looked, weights [..., T, S] (Vaswani et al. 2017, eq. 1).

    q [..., T, D] asks, k [..., S, D] is what is asked, v [..., S, V] is what is handed over; all floating point of one
    kind. ``mask`` is bool, broadcast to [..., T, S]; True means "may look here". A query that may look nowhere takes
    nothing: its weights and values are 0. Raises ValueError when the shapes do not fit or the mask is not bool.
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
    """Return which places the last ``length`` tokens may look at, bool [length, past + length]: themselves and all before."""
    return torch.ones(length, past + length, dtype=torch.bool, device=device).tril(past)


def sinusoidal_positions(length: int, width: int, start: int = 0, device: torch.device | None = None) -> torch.Tensor:
    """Return a vector for each place from ``start`` on, float32 [length, width] (Vaswani et al. 2017, section 3.5).

    Column 2i is a sine and column 2i + 1 a cosine of the place; from left to right they turn ever more slowly, by
    1 / 10000^(2i / width) a step, like the hands of a clock. Raises ValueError for an odd width.
    """
    if width % 2:
        raise ValueError(f"width is {width}: sines and cosines come in pairs, so take an even width")
    places = torch.arange(start, start + length, dtype=torch.float32, device=device)
    speeds = 10_000 ** (-torch.arange(0, width, 2, dtype=torch.float32, device=device) / width)
    angles = places[:, None] * speeds
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class MultiHeadAttention(nn.Module):
    """Attention in ``heads`` places at once (Vaswani et al. 2017, section 3.2.2).

    ``layer(x)`` lets x [B, T, W] look at itself, ``layer(x, source)`` at source [B, S, W] (cross-attention). It returns
    what was taken, [B, T, W]; with ``need_weights=True`` a pair of it and the weights [B, heads, T, S]. ``mask`` is bool,
    broadcast to [B, heads, T, S]; True means "may look here". ``causal=True`` is the mask that hides the future.
    The parameters have the order of ``torch.nn.MultiheadAttention``: ``inward`` makes query, key and value in one product.
    Raises ValueError when the heads do not divide the width.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        if heads < 1 or width % heads:
            raise ValueError(f"{heads} heads cannot share a width of {width} evenly: take a number that divides it")
        self.width, self.heads = width, heads
        self.inward = nn.Linear(width, 3 * width)
        self.outward = nn.Linear(width, width)
        for third in self.inward.weight.detach().chunk(3):  # three matrices that happen to lie in one
            nn.init.xavier_uniform_(third)
        nn.init.zeros_(self.inward.bias)
        nn.init.xavier_uniform_(self.outward.weight)
        nn.init.zeros_(self.outward.bias)

    def forward(
        self,
        x: torch.Tensor,
        source: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
        causal: bool = False,
        need_weights: bool = False,
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        q, k, v = self.project(x) if source is None else (self.ask(x), *self.answer(source))
        values, weights = self.attend(q, k, v, mask, causal, need_weights)
        return (values, weights) if need_weights else values

    def project(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return query, key and value of x [B, T, W], each [B, heads, T, W / heads], by one product."""
        return tuple(self.split(part) for part in self.inward(x).chunk(3, dim=-1))

    def ask(self, x: torch.Tensor) -> torch.Tensor:
        """Return only the queries of x, [B, heads, T, W / heads]."""
        weight, bias = self.inward.weight[: self.width], self.inward.bias[: self.width]
        return self.split(F.linear(x, weight, bias))

    def answer(self, source: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return keys and values of source [B, S, W], each [B, heads, S, W / heads]: made once, asked at every step."""
        weight, bias = self.inward.weight[self.width :], self.inward.bias[self.width :]
        return tuple(self.split(part) for part in F.linear(source, weight, bias).chunk(2, dim=-1))

    def attend(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        mask: torch.Tensor | None = None,
        causal: bool = False,
        need_weights: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Run attention on projected heads and join them again; return the values, and the weights or None.

        With ``causal`` the queries stand at the end of the keys: the last query may look at all of them.
        """
        length, weights = q.shape[2], None
        alone = mask is None and k.shape[2] == length and not need_weights  # then the kernel's own flag is faster
        if causal and not alone:
            triangle = causal_mask(length, k.shape[2] - length, q.device)
            mask = triangle if mask is None else triangle & mask
        if need_weights:
            values, weights = attention(q, k, v, mask)
        else:
            values = F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal and alone)
        return self.outward(values.transpose(1, 2).flatten(2)), weights

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """Cut the width into heads: [B, T, W] becomes [B, heads, T, W / heads]."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _check(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None) -> None:
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise ValueError("queries, keys and values are tables, a row for each token: [..., tokens, width]")
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(f"queries are {q.shape[-1]} wide and keys {k.shape[-1]}: they are compared, so give one width")
    if k.shape[-2] != v.shape[-2]:
        raise ValueError(f"there are {k.shape[-2]} keys and {v.shape[-2]} values: each key needs its own value")
    if mask is not None and mask.dtype != torch.bool:
        raise ValueError(f"the mask is {mask.dtype}: give torch.bool, True where a query may look")
