"""The layers of the Transformer in their plainest form, each made of the parts it is given (notebook 04).

There a learner writes attention, heads, mask and layers one after the other. Where one of them is not written yet, the notebook
takes it from here, made of those that are: ``encoder_layer(MultiHeadAttention)`` is a class that uses that very class. Names and
shapes of the parameters are those of ``helpers.models.transformer``, so weights move from one to the other.
"""

from collections.abc import Callable

import torch
from torch import nn

from helpers.models.attention import sinusoidal_positions
from helpers.models.encoder_decoder import EncoderDecoder
from helpers.models.transformer import FeedForward
from helpers.models.utils import evaluating


def start_like_the_paper(attention: nn.Module) -> None:
    """Give a multi-head attention the initial weights of the paper's code: Glorot for each of its four matrices, no biases.

    ``torch.nn.Linear`` alone would begin with queries and keys of a third of their variance (see notebook 04, section 2).
    """
    for matrix in (*attention.in_proj.weight.detach().chunk(3), attention.out_proj.weight):
        nn.init.xavier_uniform_(matrix)
    for layer in (attention.in_proj, attention.out_proj):
        nn.init.zeros_(layer.bias)


def multi_head_attention(attention: Callable) -> type[nn.Module]:
    """Return a class of multi-head attention that runs ``attention(q, k, v, mask) -> (values, weights)`` in each head.

    ``layer = Class(d_model, n_head)``; ``layer(x)`` is self-attention of x [B, T, C], ``layer(x, source)`` cross-attention to
    source [B, S, C], both [B, T, C]. ``mask`` is bool, broadcast to [B, n_head, T, S], True where a token may attend. The
    weights of the last call, [B, n_head, T, S], stay in ``layer.weights``.
    """

    class MultiHeadAttention(nn.Module):
        def __init__(self, d_model: int, n_head: int):
            super().__init__()
            self.n_head = n_head
            self.in_proj = nn.Linear(d_model, 3 * d_model)
            self.out_proj = nn.Linear(d_model, d_model)
            start_like_the_paper(self)

        def split(self, x: torch.Tensor) -> torch.Tensor:
            """Cut the width into heads: [B, T, C] becomes [B, n_head, T, C / n_head]."""
            return x.unflatten(-1, (self.n_head, -1)).transpose(1, 2)

        def forward(self, x, source=None, mask=None) -> torch.Tensor:
            q, k, v = self.in_proj(x).chunk(3, dim=-1)
            if source is not None:
                _, k, v = self.in_proj(source).chunk(3, dim=-1)
            values, self.weights = attention(self.split(q), self.split(k), self.split(v), mask)
            return self.out_proj(values.transpose(1, 2).flatten(2))

    return MultiHeadAttention


def encoder_layer(MultiHeadAttention: type[nn.Module]) -> type[nn.Module]:
    """Return a class of encoder layers, ``layer = Class(d_model, n_head, d_ff)``, with that self-attention (pre-norm).

    ``layer(x, mask)`` takes and returns [B, S, C]; ``mask`` is that of ``MultiHeadAttention``.
    """

    class EncoderLayer(nn.Module):
        def __init__(self, d_model: int, n_head: int, d_ff: int):
            super().__init__()
            self.self_attention, self.feed_forward = MultiHeadAttention(d_model, n_head), FeedForward(d_model, d_ff)
            self.self_attention_norm, self.feed_forward_norm = nn.LayerNorm(d_model), nn.LayerNorm(d_model)

        def forward(self, x, mask=None) -> torch.Tensor:
            x = x + self.self_attention(self.self_attention_norm(x), mask=mask)
            return x + self.feed_forward(self.feed_forward_norm(x))

    return EncoderLayer


def decoder_layer(EncoderLayer: type, MultiHeadAttention: type[nn.Module], causal_mask: Callable) -> type[nn.Module]:
    """Return a class of decoder layers: an ``EncoderLayer`` whose self-attention is causal, with cross-attention after it.

    ``layer(x, memory, mask)`` takes x [B, T, C] and the encoder's result [B, S, C], and returns [B, T, C]; ``mask`` is that of
    the cross-attention. ``causal_mask(T)`` gives the mask of the self-attention, bool [T, T].
    """

    class DecoderLayer(EncoderLayer):
        def __init__(self, d_model: int, n_head: int, d_ff: int):
            super().__init__(d_model, n_head, d_ff)
            self.cross_attention, self.cross_attention_norm = MultiHeadAttention(d_model, n_head), nn.LayerNorm(d_model)

        def forward(self, x, memory, mask=None) -> torch.Tensor:
            past = causal_mask(x.shape[1]).to(x.device)
            x = x + self.self_attention(self.self_attention_norm(x), mask=past)
            x = x + self.cross_attention(self.cross_attention_norm(x), memory, mask)
            return x + self.feed_forward(self.feed_forward_norm(x))

    return DecoderLayer


def transformer(EncoderLayer: type[nn.Module], DecoderLayer: type[nn.Module]) -> type[EncoderDecoder]:
    """Return a class of Transformers with those layers: the ``OurTransformer`` of notebook 04.

    Its state is the ids of the reply so far, int64 [B, T]: without a cache, everything is read again for each new token.
    """

    class OurTransformer(EncoderDecoder):
        def __init__(self, vocab_size: int, d_model=128, n_head=4, n_layer=1, context_tokens=64, **special):
            super().__init__({"vocab_size": vocab_size, "context_tokens": context_tokens, **special})
            self.embed = nn.Embedding(vocab_size, d_model)
            nn.init.normal_(self.embed.weight, std=d_model**-0.5)
            self.encoder = nn.ModuleList(EncoderLayer(d_model, n_head, 4 * d_model) for _ in range(n_layer))
            self.decoder = nn.ModuleList(DecoderLayer(d_model, n_head, 4 * d_model) for _ in range(n_layer))
            self.encoder_norm, self.decoder_norm = nn.LayerNorm(d_model), nn.LayerNorm(d_model)

        def embed_with_positions(self, ids: torch.Tensor) -> torch.Tensor:
            d_model = self.embed.embedding_dim
            positions = sinusoidal_positions(ids.shape[1], d_model).to(ids.device)
            return self.embed(ids) * d_model**0.5 + positions

        def encode(self, context, is_token) -> torch.Tensor:
            x = self.embed_with_positions(context)
            for layer in self.encoder:
                x = layer(x, is_token[:, None, None])
            return self.encoder_norm(x)

        def decode(self, inputs, memory, is_token, state=None) -> tuple[torch.Tensor, torch.Tensor]:
            so_far = inputs if state is None else torch.cat([state, inputs], dim=1)
            x = self.embed_with_positions(so_far)
            for layer in self.decoder:
                x = layer(x, memory, is_token[:, None, None])
            logits = self.decoder_norm(x) @ self.embed.weight.T
            return logits[:, -inputs.shape[1] :], so_far

        @torch.no_grad()
        def attention_weights(self, ids: torch.Tensor) -> list[torch.Tensor]:
            """Return the cross-attention of each decoder layer, [n_head, T, S]; ``ids`` [1, N] as ``forward`` takes them."""
            with evaluating(self):
                self(ids)
            return [layer.cross_attention.weights[0] for layer in self.decoder]

    return OurTransformer
