"""A model that first reads the context, then generates its reply (built in notebooks 03 and 04).

Its two halves are an encoder, which sees the whole context at once, and a decoder, which writes from left to right.
``EncoderDecoder`` is what the recurrent one of notebook 03 and the transformer of notebook 04 share: how a conversation is
divided between the halves, how it is trained, and its negative log-likelihood.
"""

import numpy as np
import torch
from torch.nn import functional

from helpers.corpus.batches.base import IGNORED, Pair
from helpers.corpus.batches.context_reply_pairs import PairBatch, batch_of
from helpers.models.network import Network
from helpers.models.utils import device_of, evaluating

ROWS = 32  # turns read side by side when a conversation is measured
SCORED = 1 << 13  # tokens scored at once: fewer rows where the turns are long


class EncoderDecoder(Network):
    """What every encoder–decoder can do. A subclass has an ``nn.Embedding`` called ``embed`` and implements

        encode(context [B, S], mask [B, S]) -> memory
        decode(inputs [B, T], memory, mask, state=None) -> (logits [B, T, V], state)

    where ``mask`` is True at tokens and False at padding, and ``state`` is what the decoder keeps from earlier tokens.
    Memory and state are tensors with the rows in their first dimension, or tuples of such; ``decode`` of one token after
    the other must give what it gives for all at once. ``config`` holds the constructor's arguments. Raises ValueError
    when the special tokens are no different numbers of the vocabulary, or the context has no room.
    """

    def __init__(self, config: dict):
        super().__init__()
        self.config = {**config, "speakers": tuple(config["speakers"])}
        special = [*self.config["speakers"], config["pad"], config["end"]]
        size = config["vocab_size"]
        if len(set(special)) != len(special) or not all(0 <= number < size for number in special):
            raise ValueError(
                f"speakers, pad and end must be different numbers from 0 to {size - 1}; got {special}. "
                "special_token_ids(tokenizer) gives a tokenizer's."
            )
        if len(special) < 3 or config["context_tokens"] < 1:
            raise ValueError("an encoder-decoder needs one speaker at least, and a context of one token at least")

    # --- a reply, token by token: what bots, the sampler and the gradients use ---------------------------------------

    def forward(self, ids: torch.Tensor, state=None) -> tuple[torch.Tensor, object]:
        """Return the logits at the decoder's tokens, [B, T, V], and the state, from which the reply can go on.

        Without a state, each row of ``ids`` [B, N] is divided at its last speaker token: what comes before is read by the
        encoder (its last ``context_tokens``), the rest by the decoder. With the state of an earlier call, ``ids`` [B, T]
        continue the reply. Raises ValueError when a row has no speaker token, or the rows divide at different positions.
        """
        if state is None:
            context, ids = self.split(ids)
            mask = context != self.config["pad"]
            memory, inner = self.encode(context, mask), None
        else:
            memory, mask, inner = state
        logits, inner = self.decode(ids, memory, mask, inner)
        return logits, (memory, mask, inner)

    def split(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Divide rows [B, N] at their last speaker token into context [B, S] and the begun reply [B, T]; see ``forward``."""
        opens = torch.isin(ids, torch.tensor(self.config["speakers"], device=ids.device))
        if not opens.any(-1).all():
            raise ValueError(
                "an encoder-decoder must know who replies: put a speaker's token after the context, as Bot.prompt does"
            )
        positions = ids.shape[1] - 1 - opens.flip(-1).int().argmax(-1)
        position = int(positions[0])
        if (positions != position).any():
            raise ValueError("the rows' last speaker tokens are at different positions: give such rows one at a time")
        context = ids[:, max(0, position - self.config["context_tokens"]) : position]
        if not position:  # no turn before this one: a conversation begins
            context = torch.full((len(ids), 1), self.config["end"], device=ids.device)
        return context, ids[:, position:]

    def select_rows(self, state, rows: torch.Tensor):
        """Return the state of some rows, in that order, a row perhaps several times: what beam search goes on with."""
        if isinstance(state, tuple):
            return tuple(self.select_rows(part, rows) for part in state)
        return state if state is None else state[rows]

    # --- training and measuring --------------------------------------------------------------------------------------

    def read(self, batch: PairBatch) -> torch.Tensor:
        """Return the logits [B, T, V] at ``batch.inputs``, each predicted from the true tokens before it (teacher forcing)."""
        mask = batch.context != self.config["pad"]
        return self.decode(batch.inputs, self.encode(batch.context, mask), mask)[0]

    @torch.no_grad()
    def negative_log_likelihood(self, ids) -> np.ndarray:
        """Return −ln p of every token of a conversation but the first, in nats, float64 [N − 1].

        ``ids`` [N] are ``<end>`` and the turns, as ``encode_conversation`` writes them; it may end before the last turn
        does. Each turn is read with the turns before it as context, cut to ``context_tokens``; predicted are its text
        and the token that closes it. The very first speaker token costs nothing: it is given. Raises ValueError for ids
        that do not begin with a speaker, or with ``<end>`` and a speaker.
        """
        ids = np.asarray(ids, dtype=np.int64)
        starts = np.flatnonzero(np.isin(ids, self.config["speakers"])) if ids.ndim == 1 else []
        if not len(starts) or starts[0] > 1 or (starts[0] == 1 and ids[0] != self.config["end"]):
            raise ValueError("the ids of a conversation begin with <end> and the token of the first speaker")
        nats = np.zeros(len(ids) - 1)
        turns = [turn for turn in zip(starts, [*starts[1:], len(ids) - 1]) if turn[0] < turn[1]]
        turns.sort(key=lambda turn: turn[1] - turn[0], reverse=True)  # of similar length side by side
        with evaluating(self):
            while turns:
                rows = max(1, min(ROWS, SCORED // (turns[0][1] - turns[0][0])))
                for (start, after), row in zip(turns, self._turn_nats(ids, turns[:rows])):
                    nats[start:after] = row[: after - start]
                turns = turns[rows:]
        return nats

    def _turn_nats(self, ids: np.ndarray, turns: list[tuple[int, int]]) -> np.ndarray:
        """Return the nats of the tokens of each turn after its first, [turns, longest], rest 0; see above."""
        room, end = self.config["context_tokens"], [self.config["end"]]
        pairs = [Pair(ids[max(0, start - room) : start] if start else end, ids[start : after + 1]) for start, after in turns]
        batch, device = batch_of(pairs, self.config["pad"]), device_of(self)
        batch = PairBatch(*(part.to(device) for part in batch[:3]))
        logits = self.read(batch).float().transpose(1, 2)
        losses = functional.cross_entropy(logits, batch.targets, ignore_index=IGNORED, reduction="none")
        return losses.double().cpu().numpy()
