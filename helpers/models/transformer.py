"""The Transformer of 2017: attention everywhere, and nothing that has to wait its turn (built in notebook 04).

An encoder reads the conversation, a decoder writes the reply. ``Transformer`` differs from Vaswani et al. (2017) in its
size and in one point: it normalizes before each sub-layer, not after (``norm_first``). The paper's order needs a careful
warm-up to train well, this one does not (Xiong et al. 2020), and nearly every large model since GPT-2 has it.
"""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.models.attention import MultiHeadAttention, sinusoidal_positions
from helpers.models.encoder_decoder import EncoderDecoder
from helpers.models.utils import device_of, evaluating

KeysValues = tuple[torch.Tensor, torch.Tensor]  # each [B, n_head, S, W / n_head]
LayerCache = tuple[KeysValues, KeysValues]  # what a decoder layer need not compute again: of the reply so far, of the context


class FeedForward(nn.Module):
    """Two matrices with a ReLU between them, the same for every token (Vaswani et al. 2017, section 3.3)."""

    def __init__(self, d_model: int, d_ff: int):
        super().__init__()
        self.up, self.down = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(F.relu(self.up(x)))


class EncoderLayer(nn.Module):
    """Self-attention over the whole context, then the feed-forward network; each result is added to the residual stream.

    The stream x [B, S, W] is normalized on the way into a sub-layer (``norm_first``) or, as in the paper, after the addition.
    """

    def __init__(self, d_model: int, n_head: int, d_ff: int, dropout: float = 0.0, norm_first: bool = True):
        super().__init__()
        self.self_attention, self.feed_forward = MultiHeadAttention(d_model, n_head), FeedForward(d_model, d_ff)
        self.self_attention_norm, self.feed_forward_norm = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.dropout, self.norm_first = nn.Dropout(dropout), norm_first

    def into(self, norm: nn.LayerNorm, x: torch.Tensor) -> torch.Tensor:
        """Return what a sub-layer reads."""
        return norm(x) if self.norm_first else x

    def add(self, norm: nn.LayerNorm, x: torch.Tensor, result: torch.Tensor) -> torch.Tensor:
        """Return the stream with a sub-layer's result in it."""
        x = x + self.dropout(result)
        return x if self.norm_first else norm(x)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Return x [B, S, W] after the layer; ``mask`` [B, 1, 1, S] is True at tokens, False at padding."""
        x = self.add(self.self_attention_norm, x, self.self_attention(self.into(self.self_attention_norm, x), mask=mask))
        return self.add(self.feed_forward_norm, x, self.feed_forward(self.into(self.feed_forward_norm, x)))


class DecoderLayer(EncoderLayer):
    """Causal self-attention over the reply so far, cross-attention to the context, then the feed-forward network."""

    def __init__(self, d_model: int, n_head: int, d_ff: int, dropout: float = 0.0, norm_first: bool = True):
        super().__init__(d_model, n_head, d_ff, dropout, norm_first)
        self.cross_attention, self.cross_attention_norm = MultiHeadAttention(d_model, n_head), nn.LayerNorm(d_model)

    def forward(self, x: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Return x [B, T, W] after the layer; memory [B, S, W] is the encoder's, ``mask`` [B, 1, 1, S] goes with it."""
        return self.cached(x, memory, mask)[0]

    def cached(
        self, x: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor | None = None, cache: LayerCache | None = None
    ) -> tuple[torch.Tensor, LayerCache]:
        """Return x [B, T, W] after the layer, and its cache for the tokens to come.

        memory [B, S, W] is the encoder's, ``mask`` [B, 1, 1, S] goes with it. ``cache`` is that of an earlier call: x goes on
        where that ended.
        """
        q, k, v = self.self_attention.project(self.into(self.self_attention_norm, x))
        if cache:
            k, v = torch.cat((cache[0][0], k), dim=2), torch.cat((cache[0][1], v), dim=2)
        x = self.add(self.self_attention_norm, x, self.self_attention.attend(q, k, v, causal=True))

        context = cache[1] if cache else self.cross_attention.keys_and_values(memory)
        q = self.cross_attention.queries(self.into(self.cross_attention_norm, x))
        x = self.add(self.cross_attention_norm, x, self.cross_attention.attend(q, *context, mask))

        x = self.add(self.feed_forward_norm, x, self.feed_forward(self.into(self.feed_forward_norm, x)))
        return x, ((k, v), context)


class Transformer(EncoderDecoder):
    """Encoder and decoder of attention layers, with one table of token vectors for reading and for scoring.

    ``n_head`` heads share ``d_model``; ``d_ff`` is the width of the feed-forward network (4 × ``d_model`` if not given).
    ``dropout`` acts, as in the paper, on each sub-layer's result and on the embedded tokens. ``context_tokens``,
    ``speakers``, ``pad`` and ``end`` are those of ``EncoderDecoder``. Positions are sinusoids, so a text may be longer than
    any in training. The state is a tuple of each decoder layer's ``LayerCache``. The attention weights of each layer pass
    hook points such as "decoder.0.cross_attention.hook_pattern". Raises ValueError for an odd d_model or heads that do not
    divide it.
    """

    def __init__(
        self,
        vocab_size: int,
        d_model: int = 256,
        n_head: int = 4,
        n_layer: int = 3,
        d_ff: int | None = None,
        dropout: float = 0.1,
        context_tokens: int = 96,
        norm_first: bool = True,
        *,
        speakers: tuple[int, ...],
        pad: int,
        end: int,
    ):
        d_ff = d_ff or 4 * d_model
        super().__init__({name: value for name, value in locals().items() if name not in ("self", "__class__")})
        if d_model % 2:
            raise ValueError(f"d_model is {d_model}: positions are sines and cosines in pairs, so take an even number")
        shape = (d_model, n_head, d_ff, dropout, norm_first)
        self.embed = nn.Embedding(vocab_size, d_model)
        nn.init.normal_(self.embed.weight, std=d_model**-0.5)  # times √d_model it is as large as the positions
        self.encoder = nn.ModuleList(EncoderLayer(*shape) for _ in range(n_layer))
        self.decoder = nn.ModuleList(DecoderLayer(*shape) for _ in range(n_layer))
        self.encoder_norm, self.decoder_norm = (nn.LayerNorm(d_model) if norm_first else nn.Identity() for _ in range(2))
        self.dropout = nn.Dropout(dropout)

    def embed_with_positions(self, ids: torch.Tensor, start: int = 0) -> torch.Tensor:
        """Return the vectors [B, T, W] of tokens from position ``start`` on: the token's embedding plus its position's."""
        d_model = self.embed.embedding_dim
        positions = sinusoidal_positions(ids.shape[1], d_model, start, ids.device)
        return self.dropout(self.embed(ids) * d_model**0.5 + positions)

    def encode(self, context: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return memory [B, S, W] of context ids [B, S]; ``mask`` [B, S] is True at tokens, False at padding."""
        x = self.embed_with_positions(context)
        for layer in self.encoder:
            x = layer(x, mask[:, None, None])
        return self.encoder_norm(x)

    def decode(
        self, inputs: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor, state: tuple[LayerCache, ...] | None = None
    ) -> tuple[torch.Tensor, tuple[LayerCache, ...]]:
        """Return logits [B, T, V] and the state after inputs [B, T]; with a state they continue what it has read."""
        start, after = state[0][0][0].shape[2] if state else 0, []
        x = self.embed_with_positions(inputs, start)
        for number, layer in enumerate(self.decoder):
            x, cache = layer.cached(x, memory, mask[:, None, None], state[number] if state else None)
            after.append(cache)
        return F.linear(self.decoder_norm(x), self.embed.weight), tuple(after)

    def attention_weights(self, ids: torch.Tensor) -> list[torch.Tensor]:
        """Return the cross-attention of a reply's tokens to the context: for each decoder layer [n_head, T, S].

        ``ids`` [1, N] is one row, divided like that of ``forward``. The weights of a query sum to 1.
        """
        return self._patterns(ids, "decoder", "cross_attention")

    def self_attention_weights(self, ids: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Return the self-attention of encoder layers, [n_head, S, S] each, and of decoder layers, [n_head, T, T] each."""
        return self._patterns(ids, "encoder", "self_attention"), self._patterns(ids, "decoder", "self_attention")

    @torch.no_grad()
    def _patterns(self, ids: torch.Tensor, half: str, part: str) -> list[torch.Tensor]:
        if ids.ndim != 2 or len(ids) != 1:
            raise ValueError(f"give one row of token numbers, [1, N]; this has shape {tuple(ids.shape)}")
        names = [f"{half}.{layer}.{part}.hook_pattern" for layer in range(len(getattr(self, half)))]
        with evaluating(self):
            _, cache = self.run_with_cache(ids.to(device_of(self)), names=names)
        return [cache[name][0] for name in names]
