"""The recurrent encoder–decoder, with and without attention (built in notebook 03).

Without attention the whole context must pass through one vector of fixed length (Sutskever, Vinyals & Le 2014; Cho et al.
2014). With attention the decoder attends to all of its tokens before each token it writes (Bahdanau, Cho & Bengio 2014).
"""

import torch
from torch import nn

from helpers.models.encoder_decoder import EncoderDecoder
from helpers.models.network import Network
from helpers.models.utils import device_of, evaluating


class AdditiveAttention(Network):
    """Attention with the score ``v · tanh(W s + U h)`` for state s and each position h of the memory (Bahdanau et al. 2014).

    W [H, A] turns the decoder's state into a query, U [M, A] each position of the memory into a key, v [A] compares them. The
    weights [B, S] pass the hook point "hook_pattern", at every step of the decoder anew.
    """

    hook_points = ("hook_pattern",)

    def __init__(self, query_size: int, memory_size: int, attention_size: int):
        super().__init__()
        self.W = nn.Linear(query_size, attention_size)
        self.U = nn.Linear(memory_size, attention_size, bias=False)
        bound = attention_size**-0.5
        self.v = nn.Parameter(torch.empty(attention_size).uniform_(-bound, bound))

    def keys(self, memory: torch.Tensor) -> torch.Tensor:
        """Return U h for every position of ``memory`` [B, S, M]: [B, S, A]. It is the same for every token of a reply."""
        return self.U(memory)

    def forward(
        self, s: torch.Tensor, keys: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the context vector [B, M] and the weights [B, S], which sum to 1 and are 0 at padding.

        s [B, H] is the decoder's state, ``keys`` [B, S, A] as above, ``mask`` [B, S] is True where ``memory`` is no padding.
        """
        scores = torch.tanh(keys + self.W(s)[:, None]) @ self.v  # [B, S]
        weights = self.hook("hook_pattern", scores.masked_fill(~mask, float("-inf")).softmax(-1))
        return torch.bmm(weights[:, None], memory)[:, 0], weights


class Seq2Seq(EncoderDecoder):
    """A GRU reads the context, another one writes the reply.

    ``attention=False``: the encoder's last state is where the decoder starts, and all it knows of the context.
    ``attention=True``: the encoder reads in both directions, half of ``hidden_size`` each, and keeps its hidden states
    at all tokens; before each step the decoder weights these by its own state, and reads their weighted mean beside the
    token. ``dropout`` acts on the embedded tokens and before the head. ``speakers``, ``pad`` and ``end`` are token numbers
    (``special_token_ids`` gives a tokenizer's). Memory and state as ``EncoderDecoder`` says; raises what it raises.
    """

    def __init__(
        self,
        vocab_size: int,
        hidden_size: int = 384,
        embedding_size: int = 256,
        attention: bool = True,
        dropout: float = 0.0,
        context_tokens: int = 96,
        *,
        speakers: tuple[int, ...],
        pad: int,
        end: int,
    ):
        super().__init__({name: value for name, value in locals().items() if name not in ("self", "__class__")})
        self.embed = nn.Embedding(vocab_size, embedding_size)
        self.dropout = nn.Dropout(dropout)
        if attention:
            if hidden_size % 2:
                raise ValueError(
                    f"hidden_size is {hidden_size}: it must be even, one half reads forwards, one backwards"
                )
            self.encoder = nn.GRU(embedding_size, hidden_size // 2, batch_first=True)
            self.backward_encoder = nn.GRU(
                embedding_size, hidden_size // 2, batch_first=True
            )  # from the end to the start
            self.initial_state = nn.Linear(hidden_size, hidden_size)
            self.attention = AdditiveAttention(hidden_size, hidden_size, hidden_size // 2)
            self.decoder = nn.GRUCell(embedding_size + hidden_size, hidden_size)
        else:
            self.encoder = nn.GRU(embedding_size, hidden_size, batch_first=True)
            self.attention = None
            self.decoder = nn.GRU(embedding_size, hidden_size, batch_first=True)
        self.combine = nn.Linear(2 * hidden_size if attention else hidden_size, embedding_size)
        self.head = nn.Linear(embedding_size, vocab_size)

    # --- the encoder ------------------------------------------------------------------------------------------------

    def encode(self, context: torch.Tensor, mask: torch.Tensor):
        """Read contexts [B, S]; the mask [B, S] is True at tokens. Padding must be at the end, and changes nothing.

        Returns the decoder's first state [B, H]; with attention a tuple of it, the hidden states at all tokens [B, S, H]
        and the attention's keys [B, S, A]. Raises ValueError for a row that is nothing but padding.
        """
        lengths = mask.sum(-1)  # [B]
        if not lengths.all():
            raise ValueError("a context is empty: give one token at least, such as the tokenizer's <end>")
        embedded = self.dropout(self.embed(context))
        hidden, _ = self.encoder(embedded)
        rows = torch.arange(len(mask), device=mask.device)
        last = hidden[rows, lengths - 1]  # padding comes after it
        if self.attention is None:
            return last
        # The positions [B, S, 1] that turn each row around within its own length: padding stays at the end.
        order = ((lengths[:, None] - 1 - torch.arange(context.shape[1], device=lengths.device)) % context.shape[1])[
            ..., None
        ]
        backward, _ = self.backward_encoder(embedded.take_along_dim(order, dim=1))
        first = backward[rows, lengths - 1]  # its last state: after the context's first token
        hidden = torch.cat([hidden, backward.take_along_dim(order, dim=1)], dim=-1)
        start = torch.tanh(self.initial_state(torch.cat([last, first], dim=-1)))
        return start, hidden, self.attention.keys(hidden)

    # --- the decoder ------------------------------------------------------------------------------------------------

    def decode(self, inputs: torch.Tensor, memory, mask: torch.Tensor, state: torch.Tensor | None = None):
        """Return the logits [B, T, V] after each token of a reply, and the state [B, H] to go on from."""
        embedded = self.dropout(self.embed(inputs))
        if self.attention is None:
            outputs, last = self.decoder(embedded, (memory if state is None else state)[None].contiguous())
            state = last[0]
        else:
            start, hidden, keys = memory
            state, steps = start if state is None else state, []
            for token in embedded.unbind(1):
                context, _ = self.attention(state, keys, hidden, mask)
                state = self.decoder(torch.cat([token, context], dim=-1), state)
                steps.append(torch.cat([state, context], dim=-1))
            outputs = torch.stack(steps, dim=1)  # [B, T, 2H]
        return self.head(self.dropout(torch.tanh(self.combine(outputs)))), state

    @torch.no_grad()
    def attention_weights(self, ids) -> list[torch.Tensor]:
        """Return the decoder's attention: one layer of weights [1 head, T, S], row t before the token after t is predicted.

        ``ids`` [N] are a context and a begun reply, divided as ``forward`` does. Raises ValueError without attention.
        """
        if self.attention is None:
            raise ValueError("this model has no attention: it sees its context through one vector only")
        steps = []
        # torch's own hook: the attention may be one that a learner has written.
        handle = self.attention.register_forward_hook(lambda module, inputs, output: steps.append(output[1]))
        try:
            with evaluating(self):
                self(torch.as_tensor(ids, device=device_of(self)).view(1, -1))
        finally:
            handle.remove()
        return [torch.stack(steps, dim=1)]


def decoder_step(
    model: Seq2Seq,
    token: torch.Tensor,
    state: torch.Tensor,
    hidden: torch.Tensor,
    keys: torch.Tensor,
    mask: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """One step of a decoder with attention, as notebook 03 builds it: logits [B, V], new state [B, H], weights [B, S].

    ``token`` [B] int64 is what has just been said, ``state`` [B, H] the decoder's state before it; ``hidden`` [B, S, H],
    ``keys`` [B, S, A] and ``mask`` [B, S] are the encoder's. ``Seq2Seq.decode`` does the same for all tokens of a reply.
    """
    context, weights = model.attention(state, keys, hidden, mask)
    state = model.decoder(torch.cat([model.embed(token), context], dim=-1), state)
    return model.head(torch.tanh(model.combine(torch.cat([state, context], dim=-1)))), state, weights
