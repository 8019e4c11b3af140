"""One layer of a GPT: attention and a feed-forward network, each behind a norm (Radford et al. 2019; notebook 06)."""

import torch
from torch import nn
from torch.nn import functional

from helpers.models.gpt_attention import Attention
from helpers.models.gpt_config import GPTConfig
from helpers.models.network import Network


class RMSNorm(nn.RMSNorm):
    """Divide by the root of the mean square (Zhang & Sennrich 2019): torch's own, without learned factors."""

    def __init__(self, n_embd: int):
        super().__init__(n_embd, eps=1e-6, elementwise_affine=False)


def norm_of(config: GPTConfig) -> nn.Module:
    """Return a new norm of the kind that ``config`` names, for vectors [..., n_embd]."""
    return RMSNorm(config.n_embd) if config.norm == "rms" else nn.LayerNorm(config.n_embd, bias=config.bias)


class Block(Network):
    """One layer: attention, then a feed-forward network; each adds its output to the residual stream [B, T, n_embd].

    Hook points: the stream before, between and after them ("hook_resid_pre", "hook_resid_mid", "hook_resid_post"), what each
    adds ("hook_attn_out", "hook_mlp_out"), and the feed-forward network's hidden units [B, T, hidden_size] ("hook_mlp_post"),
    in SwiGLU after the product with the gate.
    """

    hook_points = ("hook_resid_pre", "hook_attn_out", "hook_resid_mid", "hook_mlp_post", "hook_mlp_out", "hook_resid_post")

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.norm_1, self.norm_2 = norm_of(config), norm_of(config)
        self.attention = Attention(config)
        self.up = nn.Linear(config.n_embd, config.hidden_size, bias=config.bias)
        self.down = nn.Linear(config.hidden_size, config.n_embd, bias=config.bias)
        gated = config.activation == "swiglu"
        self.gate = nn.Linear(config.n_embd, config.hidden_size, bias=config.bias) if gated else None
        self.activation, self.dropout = config.activation, nn.Dropout(config.dropout)

    def forward(self, x: torch.Tensor, rotation=None, past=None, mask=None):
        """Return the stream after the layer, and the layer's keys and values; see ``Attention.forward``."""
        x = self.hook("hook_resid_pre", x)
        attended, keys_values = self.attention(self.norm_1(x), rotation, past, mask)
        x = self.hook("hook_resid_mid", x + self.hook("hook_attn_out", self.dropout(attended)))
        hidden = self.hook("hook_mlp_post", self._hidden(self.norm_2(x)))
        added = self.dropout(self.down(hidden))
        return self.hook("hook_resid_post", x + self.hook("hook_mlp_out", added)), keys_values

    def _hidden(self, x: torch.Tensor) -> torch.Tensor:
        """Return the hidden units [B, T, hidden_size] of the feed-forward network that reads ``x`` [B, T, n_embd]."""
        hidden = self.up(x)
        if self.gate is not None:
            return functional.silu(self.gate(x)) * hidden
        if self.activation == "relu2":
            hidden = functional.relu(hidden)
            return hidden * hidden  # the gradient of a product costs less than that of a power
        return functional.gelu(hidden, approximate="tanh")
