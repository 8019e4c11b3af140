"""A GPT as a learner writes it in notebook 06: plain modules of torch, no hook points, nothing of helpers."""

import math

import torch
from torch import nn
from torch.nn import functional


class Attention(nn.Module):
    def __init__(self, n_embd, n_head):
        super().__init__()
        self.n_head, self.causal = n_head, True
        self.qkv, self.output = nn.Linear(n_embd, 3 * n_embd), nn.Linear(n_embd, n_embd)

    def forward(self, x):
        q, k, v = (part.unflatten(-1, (self.n_head, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        scores = self.scores(q, k)
        if self.causal:
            future = torch.ones_like(scores, dtype=torch.bool).triu(1)
            scores = scores.masked_fill(future, -math.inf)
        return self.output((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))

    def scores(self, q, k):
        return q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])


class Block(nn.Module):
    def __init__(self, n_embd, n_head):
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.attention = Attention(n_embd, n_head)
        self.up, self.down = nn.Linear(n_embd, 4 * n_embd), nn.Linear(4 * n_embd, n_embd)

    def forward(self, x):
        x = x + self.attention(self.norm_1(x))
        return x + self.down(functional.gelu(self.up(self.norm_2(x)), approximate="tanh"))


class SmallGPT(nn.Module):
    """With the parameters of ``factories.gpt(recipe="gpt2")``: a ``state_dict`` of one fits the other."""

    def __init__(self, vocab_size=16, context=32, n_embd=16, n_layer=2, n_head=2, attention=Attention):
        super().__init__()
        self.context = context
        self.embed, self.positions = nn.Embedding(vocab_size, n_embd), nn.Embedding(context, n_embd)
        self.blocks = nn.ModuleList(Block(n_embd, n_head) for _ in range(n_layer))
        for block in self.blocks:
            block.attention = attention(n_embd, n_head)
        self.norm = nn.LayerNorm(n_embd)
        self.head = nn.Linear(n_embd, vocab_size, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids, state=None):
        x = self.embed(ids) + self.positions(torch.arange(ids.shape[1], device=ids.device))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)), None
