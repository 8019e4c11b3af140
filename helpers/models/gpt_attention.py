"""The attention of a GPT: causal; rotary positions, normed and grouped queries where its config says so (notebook 06)."""

import torch
from torch import nn
from torch.nn import functional

from helpers.models.attention import attention, causal_mask
from helpers.models.gpt_config import GPTConfig
from helpers.models.network import Network


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Turn the pairs (i, i + D/2) of ``x`` [B, n_head, T, D] by the angles of ``rotary_table`` (Su et al. 2021)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).type_as(x)


def rotary_table(context: int, size: int, base: float = 10_000.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return cosine and sine of each position's angles, float32 [context, size / 2]: fast pairs first, slow ones last."""
    speeds = base ** (-torch.arange(0, size, 2).float() / size)
    angles = torch.outer(torch.arange(context).float(), speeds)
    return angles.cos(), angles.sin()


class Attention(Network):
    """Causal self-attention: each token attends to itself and to what came before it.

    With fewer heads of keys and values than of queries (Ainslie et al. 2023) query head h reads those of head
    h // (n_head / n_kv_head): neighbors share. Hook points: "hook_q" [B, n_head, T, D], "hook_k" and "hook_v"
    [B, n_kv_head, T, D] of the new tokens, after norm and rotation; "hook_pattern", the attention weights [B, n_head, T, S];
    "hook_z" [B, n_head, T, D], the weighted sums of the values.
    """

    hook_points = ("hook_q", "hook_k", "hook_v", "hook_pattern", "hook_z")

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.config, size = config, config.head_size
        self.widths = [config.n_head * size, config.kv_heads * size, config.kv_heads * size]  # of queries, keys, values
        self.qkv = nn.Linear(config.n_embd, sum(self.widths), bias=config.bias)
        self.output = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)

    def split(self, x: torch.Tensor, rotation) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return queries [B, n_head, T, D], keys and values [B, n_kv_head, T, D] of ``x`` [B, T, n_embd], D = n_embd / n_head.

        ``rotation`` is a pair of cosines and sines of the positions' angles, or None to turn nothing.
        """
        parts = self.qkv(x).split(self.widths, dim=-1)  # cut here, the backward pass costs one copy; permuted, two
        q, k, v = (part.unflatten(-1, (-1, self.config.head_size)).transpose(1, 2) for part in parts)
        if self.config.qk_norm:
            q, k = (functional.rms_norm(part, part.shape[-1:]) for part in (q, k))
        return (q, k, v) if rotation is None else (rotate(q, *rotation), rotate(k, *rotation), v)

    def forward(self, x: torch.Tensor, rotation, past, mask) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Return the attention output of ``x`` [B, T, n_embd], and all keys and values; ``past`` are those of earlier calls.

        Keys and values are [B, n_kv_head, S, D] each.
        """
        q, k, v = (self.hook(name, part) for name, part in zip(self.hook_points, self.split(x, rotation)))
        if past is not None:
            k, v = torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2)
        kept = k, v  # n_kv_head heads, however many queries read each: so the cache is small
        if (group := self.config.n_head // self.config.kv_heads) > 1:
            k, v = (part.repeat_interleave(group, dim=1) for part in kept)
        if "hook_pattern" in self.hooked:
            mask = causal_mask(q.shape[2], k.shape[2] - q.shape[2], x.device) if mask is None else mask
            z = self.hook("hook_pattern", attention(q, k, v, mask)[1]) @ v
        else:
            z = functional.scaled_dot_product_attention(q, k, v, mask, is_causal=mask is None and past is None)
        return self.output(self.hook("hook_z", z).transpose(1, 2).flatten(2)), kept
