"""The recurrent encoder–decoder, with and without attention (built in notebook 03).

Without attention all that was said must pass through one vector of fixed length (Sutskever, Vinyals & Le 2014; Cho et al.
2014). With attention the decoder looks back at every word before each word it says (Bahdanau, Cho & Bengio 2014).
"""

import torch
from torch import nn

from helpers.models.encoder_decoder import EncoderDecoder
from helpers.models.utils import evaluating


class AdditiveAttention(nn.Module):
    """How well each place of the memory fits what is wanted now: ``v · tanh(W s + U h)`` (Bahdanau et al. 2014).

    W [H, A] turns what the decoder wants into a query, U [M, A] each place of the memory into a key, v [A] compares them.
    """

    def __init__(self, query_size: int, memory_size: int, width: int):
        super().__init__()
        self.W = nn.Linear(query_size, width)
        self.U = nn.Linear(memory_size, width, bias=False)
        self.v = nn.Parameter(torch.empty(width).uniform_(-(width**-0.5), width**-0.5))

    def keys(self, memory: torch.Tensor) -> torch.Tensor:
        """Return U h for every place of ``memory`` [B, S, M]: [B, S, A]. It is the same for every word of a reply."""
        return self.U(memory)

    def forward(
        self, s: torch.Tensor, keys: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the context vector [B, M] and the weights [B, S], which sum to 1 and are 0 at padding.

        s [B, H] is the decoder's state, ``keys`` [B, S, A] as above, ``mask`` [B, S] is True where ``memory`` is no padding.
        """
        scores = torch.tanh(keys + self.W(s)[:, None]) @ self.v  # [B, S]
        weights = scores.masked_fill(~mask, float("-inf")).softmax(-1)
        return torch.bmm(weights[:, None], memory)[:, 0], weights


class Seq2Seq(EncoderDecoder):
    """A GRU reads the context, another one writes the reply.

    ``attention=False``: the encoder's last state is where the decoder starts, and all it knows of the context.
    ``attention=True``: the encoder reads in both directions, half of ``width`` each, and keeps what it has at every token;
    before each step the decoder weighs these by its state, and their weighted mean is read together with the token.
    ``dropout`` works on what is read and on what is said. ``speakers``, ``pad`` and ``end`` are token numbers (``marks``
    gives a tokenizer's). Memory and state as ``EncoderDecoder`` says; raises what it raises.
    """

    def __init__(
        self,
        vocabulary_size: int,
        width: int = 384,
        embedding: int = 256,
        attention: bool = True,
        dropout: float = 0.0,
        context_tokens: int = 96,
        *,
        speakers: tuple[int, ...],
        pad: int,
        end: int,
    ):
        super().__init__({name: value for name, value in locals().items() if name not in ("self", "__class__")})
        self.embed = nn.Embedding(vocabulary_size, embedding)
        self.dropout = nn.Dropout(dropout)
        if attention:
            if width % 2:
                raise ValueError(f"width is {width}: it must be even, one half reads forwards, one backwards")
            self.encoder = nn.GRU(embedding, width // 2, batch_first=True)
            self.back = nn.GRU(embedding, width // 2, batch_first=True)  # reads from the end to the beginning
            self.start = nn.Linear(width, width)
            self.attention = AdditiveAttention(width, width, width // 2)
            self.decoder = nn.GRUCell(embedding + width, width)
        else:
            self.encoder = nn.GRU(embedding, width, batch_first=True)
            self.attention = None
            self.decoder = nn.GRU(embedding, width, batch_first=True)
        self.combine = nn.Linear(2 * width if attention else width, embedding)
        self.head = nn.Linear(embedding, vocabulary_size)

    # --- the encoder ------------------------------------------------------------------------------------------------

    def encode(self, context: torch.Tensor, mask: torch.Tensor):
        """Read contexts [B, S]; the mask [B, S] is True at tokens. Padding must be at the end, and changes nothing.

        Returns the decoder's first state [B, H]; with attention a tuple of it, what was kept at every token [B, S, H]
        and the attention's keys [B, S, A]. Raises ValueError for a row that is nothing but padding.
        """
        lengths = mask.sum(-1)  # [B]
        if not lengths.all():
            raise ValueError("a context is empty: give one token at least, such as the tokenizer's <end>")
        read = self.dropout(self.embed(context))
        kept, _ = self.encoder(read)
        last = kept[torch.arange(len(kept)), lengths - 1]  # padding comes after it
        if self.attention is None:
            return last
        order = _backwards(lengths, context.shape[1])  # each row within its own length: padding stays at the end
        back, _ = self.back(_in_order(read, order))
        first = back[torch.arange(len(back)), lengths - 1]  # what the backward reader has at the end: the first token
        kept = torch.cat([kept, _in_order(back, order)], dim=-1)
        start = torch.tanh(self.start(torch.cat([last, first], dim=-1)))
        return start, kept, self.attention.keys(kept)

    # --- the decoder ------------------------------------------------------------------------------------------------

    def decode(self, inputs: torch.Tensor, memory, mask: torch.Tensor, state: torch.Tensor | None = None):
        """Return the logits [B, T, V] after each token of a reply, and the state [B, H] to go on from."""
        read = self.dropout(self.embed(inputs))
        if self.attention is None:
            shown, last = self.decoder(read, (memory if state is None else state)[None].contiguous())
            state = last[0]
        else:
            shown, _, state = self._attend(read, memory, mask, state)
        return self.head(self.dropout(torch.tanh(self.combine(shown)))), state

    def _attend(self, read: torch.Tensor, memory, mask: torch.Tensor, state: torch.Tensor | None):
        """Return state and context side by side [B, T, 2H], the attention's weights [B, T, S] and the last state."""
        start, kept, keys = memory
        state = start if state is None else state
        shown, weights = [], []
        for word in read.unbind(1):
            context, weight = self.attention(state, keys, kept, mask)
            state = self.decoder(torch.cat([word, context], dim=-1), state)
            shown.append(torch.cat([state, context], dim=-1))
            weights.append(weight)
        return torch.stack(shown, dim=1), torch.stack(weights, dim=1), state

    @torch.no_grad()
    def attention_weights(self, ids) -> list[torch.Tensor]:
        """Return where the decoder looks: one layer of weights [1 head, T, S], row t before it says what follows token t.

        ``ids`` [N] are a context and a begun reply, divided as ``forward`` does. Raises ValueError without attention.
        """
        if self.attention is None:
            raise ValueError("this model has no attention: it sees its context through one vector only")
        context, inputs = self.split(torch.as_tensor(ids, device=self.embed.weight.device).view(1, -1))
        mask = context != self.config["pad"]
        with evaluating(self):
            return [self._attend(self.embed(inputs), self.encode(context, mask), mask, None)[1]]


def _backwards(lengths: torch.Tensor, size: int) -> torch.Tensor:
    """Return the places [B, S] that turn the first ``lengths[b]`` of a row around and leave the rest where it is."""
    places = torch.arange(size, device=lengths.device)
    turned = lengths[:, None] - 1 - places
    return torch.where(turned < 0, places, turned)


def _in_order(rows: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """Return what ``rows`` [B, S, E] has at the places ``order`` [B, S] of each row."""
    return rows.gather(1, order[..., None].expand_as(rows))
