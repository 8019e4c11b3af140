"""The Transformer of 2017: attention everywhere, and nothing that has to wait its turn (built in notebook 04).

An encoder reads the conversation, a decoder writes the reply. ``Transformer`` differs from Vaswani et al. (2017) in its
size and in one place: it normalizes before each sub-layer, not after (``norm_first``). The paper's order needs a careful
warm-up to train well, this one does not (Xiong et al. 2020), and nearly every large model since GPT-2 has it.
"""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.models.attention import MultiHeadAttention, sinusoidal_positions
from helpers.models.encoder_decoder import EncoderDecoder
from helpers.models.utils import device_of, evaluating

Pair = tuple[torch.Tensor, torch.Tensor]  # keys and values, each [B, heads, S, W / heads]
Kept = tuple[Pair, Pair]  # what a decoder layer need not compute again: those of the reply so far, of the conversation


class FeedForward(nn.Module):
    """Two matrices with a kink between them, the same for every token (Vaswani et al. 2017, section 3.3)."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(F.relu(self.up(x)))


class Layer(nn.Module):
    """What both kinds of layers share: the result of each sub-layer is added to the stream x [B, T, W].

    The stream is normalized on the way into the sub-layer (``norm_first``) or, as in the paper, after the addition.
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float = 0.0, norm_first: bool = True):
        super().__init__()
        self.look, self.think = MultiHeadAttention(width, heads), FeedForward(width, hidden)
        self.norm_look, self.norm_think = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout, self.norm_first = nn.Dropout(dropout), norm_first

    def into(self, norm: nn.LayerNorm, x: torch.Tensor) -> torch.Tensor:
        """Return what a sub-layer reads."""
        return norm(x) if self.norm_first else x

    def add(self, norm: nn.LayerNorm, x: torch.Tensor, result: torch.Tensor) -> torch.Tensor:
        """Return the stream with a sub-layer's result in it."""
        x = x + self.dropout(result)
        return x if self.norm_first else norm(x)


class EncoderLayer(Layer):
    """Look at the whole conversation, then think."""

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Return x [B, S, W] after the layer; ``mask`` [B, 1, 1, S] says what of it are tokens."""
        return self.look_and_think(x, mask)[0]

    def look_and_think(self, x: torch.Tensor, mask: torch.Tensor | None = None, need_weights: bool = False):
        """Return x after the layer and None or, if asked for, the weights [B, heads, S, S]."""
        q, k, v = self.look.project(self.into(self.norm_look, x))
        looked, weights = self.look.attend(q, k, v, mask, need_weights=need_weights)
        x = self.add(self.norm_look, x, looked)
        return self.add(self.norm_think, x, self.think(self.into(self.norm_think, x))), weights


class DecoderLayer(Layer):
    """Look at the reply so far, look across at the conversation, then think."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float = 0.0, norm_first: bool = True):
        super().__init__(width, heads, hidden, dropout, norm_first)
        self.look_across, self.norm_across = MultiHeadAttention(width, heads), nn.LayerNorm(width)

    def forward(self, x: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Return x [B, T, W] after the layer; memory [B, S, W] is the encoder's, ``mask`` [B, 1, 1, S] goes with it."""
        return self.go_on(x, memory, mask)[0]

    def go_on(self, x: torch.Tensor, memory, mask, kept: Kept | None = None, need_weights: bool = False):
        """Return x after the layer, what it keeps for the tokens to come, and where it looked.

        ``kept`` is what an earlier call kept: x goes on where that ended. Where it looked: the weights of the reply so far
        [B, heads, T, past + T] and of the conversation [B, heads, T, S], if asked for, else two None.
        """
        q, k, v = self.look.project(self.into(self.norm_look, x))
        if kept:
            k, v = torch.cat((kept[0][0], k), dim=2), torch.cat((kept[0][1], v), dim=2)
        looked, own = self.look.attend(q, k, v, causal=True, need_weights=need_weights)
        x = self.add(self.norm_look, x, looked)

        conversation = kept[1] if kept else self.look_across.answer(memory)
        q = self.look_across.ask(self.into(self.norm_across, x))
        looked, across = self.look_across.attend(q, *conversation, mask, need_weights=need_weights)
        x = self.add(self.norm_across, x, looked)

        x = self.add(self.norm_think, x, self.think(self.into(self.norm_think, x)))
        return x, ((k, v), conversation), (own, across)


class Transformer(EncoderDecoder):
    """Encoder and decoder of attention layers, with one table of token vectors for reading and for scoring.

    ``heads`` share ``width``; ``feedforward`` is the width inside (4 × ``width`` if not given). ``dropout`` acts, as in the
    paper, on each sub-layer's result and on the embedded tokens. ``context_tokens``, ``speakers``, ``pad`` and ``end`` are
    those of ``EncoderDecoder``. Places are sinusoids, so a text may be longer than any in training. The state is a tuple
    of what each decoder layer ``Kept``. Raises ValueError for an odd width or heads that do not divide it.
    """

    def __init__(
        self,
        vocabulary_size: int,
        width: int = 256,
        heads: int = 4,
        layers: int = 3,
        feedforward: int | None = None,
        dropout: float = 0.1,
        context_tokens: int = 96,
        norm_first: bool = True,
        *,
        speakers: tuple[int, ...],
        pad: int,
        end: int,
    ):
        feedforward = feedforward or 4 * width
        super().__init__({name: value for name, value in locals().items() if name not in ("self", "__class__")})
        if width % 2:
            raise ValueError(f"width is {width}: positions are sines and cosines in pairs, so take an even width")
        shape = (width, heads, feedforward, dropout, norm_first)
        self.embed = nn.Embedding(vocabulary_size, width)
        nn.init.normal_(self.embed.weight, std=width**-0.5)  # times √width it is as large as the positions
        self.encoder = nn.ModuleList(EncoderLayer(*shape) for _ in range(layers))
        self.decoder = nn.ModuleList(DecoderLayer(*shape) for _ in range(layers))
        self.encoder_norm, self.decoder_norm = (nn.LayerNorm(width) if norm_first else nn.Identity() for _ in range(2))
        self.dropout = nn.Dropout(dropout)

    def place(self, ids: torch.Tensor, start: int = 0) -> torch.Tensor:
        """Return the vectors [B, T, W] of tokens that stand at ``start`` and after: what they are plus where they are."""
        width = self.embed.embedding_dim
        where = sinusoidal_positions(ids.shape[1], width, start, ids.device)
        return self.dropout(self.embed(ids) * width**0.5 + where)

    def encode(self, context: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return memory [B, S, W] of context ids [B, S]; ``mask`` [B, S] is True at tokens, False at padding."""
        x = self.place(context)
        for layer in self.encoder:
            x = layer(x, mask[:, None, None])
        return self.encoder_norm(x)

    def decode(
        self, inputs: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor, state: tuple[Kept, ...] | None = None
    ) -> tuple[torch.Tensor, tuple[Kept, ...]]:
        """Return logits [B, T, V] and the state after inputs [B, T]; with a state they continue what it has read."""
        start, after = state[0][0][0].shape[2] if state else 0, []
        x = self.place(inputs, start)
        for number, layer in enumerate(self.decoder):
            x, kept, _ = layer.go_on(x, memory, mask[:, None, None], state[number] if state else None)
            after.append(kept)
        return F.linear(self.decoder_norm(x), self.embed.weight), tuple(after)

    @torch.no_grad()
    def attention_weights(self, ids: torch.Tensor) -> list[torch.Tensor]:
        """Return where each token of a reply looks in the conversation: for each decoder layer [heads, T, S].

        ``ids`` [1, N] is one row, divided like that of ``forward``. Where a query looks at anything, its weights sum to 1.
        """
        return [across for _, across in self._looked(ids)[1]]

    @torch.no_grad()
    def self_attention_weights(self, ids: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Return where tokens look among their own: encoder layers [heads, S, S], then decoder layers [heads, T, T]."""
        encoder, decoder = self._looked(ids)
        return encoder, [own for own, _ in decoder]

    def _looked(self, ids: torch.Tensor):
        if ids.ndim != 2 or len(ids) != 1:
            raise ValueError(f"give one row of token numbers, [1, N]; this has shape {tuple(ids.shape)}")
        context, inputs = self.split(ids.to(device_of(self)))
        encoder, decoder = [], []
        with evaluating(self):
            x = self.place(context)
            for layer in self.encoder:
                x, weights = layer.look_and_think(x, need_weights=True)
                encoder.append(weights[0])
            memory, x = self.encoder_norm(x), self.place(inputs)
            for layer in self.decoder:
                x, _, (own, across) = layer.go_on(x, memory, None, need_weights=True)
                decoder.append((own[0], across[0]))
        return encoder, decoder
