"""A model that first reads what was said, then says its reply (built in notebooks 03 and 04).

Its two halves are an encoder, which may look at the whole context at once, and a decoder, which writes from left to right.
``EncoderDecoder`` is what the recurrent one of notebook 03 and the transformer of notebook 04 share: how a conversation is
divided between the halves, how it is trained, and how surprised it is.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from helpers.corpus.batches.base import IGNORED
from helpers.corpus.batches.context_reply_pairs import Pair, PairBatch, batch_of
from helpers.models.utils import device_of, evaluating

ROWS = 32  # turns read side by side when a conversation is measured
SCORED = 1 << 13  # tokens scored at once: fewer rows where the turns are long
NEEDED = ("vocabulary_size", "context_tokens", "speakers", "pad", "end")


def marks(tokenizer) -> dict:
    """Return the token numbers that divide a conversation, as the arguments ``speakers``, ``pad`` and ``end``."""
    speakers = tuple(tokenizer.speaker(name) for name in ("A", "B", "other"))
    return {"speakers": speakers, "pad": tokenizer.pad, "end": tokenizer.end}


class EncoderDecoder(nn.Module):
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
        size = config["vocabulary_size"]
        if len(set(special)) != len(special) or not all(0 <= number < size for number in special):
            raise ValueError(
                f"speakers, pad and end must be different numbers from 0 to {size - 1}; got {special}. "
                "marks(tokenizer) gives a tokenizer's."
            )
        if len(special) < 3 or config["context_tokens"] < 1:
            raise ValueError("an encoder-decoder needs one speaker at least, and a context of one token at least")

    # --- a reply, token by token: what bots, the sampler and the gradients use ---------------------------------------

    def forward(self, ids: torch.Tensor, state=None) -> tuple[torch.Tensor, object]:
        """Return the logits at the decoder's tokens, [B, T, V], and the state, from which the reply can go on.

        Without a state, each row of ``ids`` [B, N] is divided at its last speaker token: what comes before is read by the
        encoder (its last ``context_tokens``), the rest by the decoder. With the state of an earlier call, ``ids`` [B, T]
        continue the reply. Raises ValueError when a row has no speaker token, or the rows divide at different places.
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
        places = ids.shape[1] - 1 - opens.flip(-1).int().argmax(-1)
        place = int(places[0])
        if (places != place).any():
            raise ValueError("the rows' last speaker tokens are at different places: give such rows one at a time")
        context = ids[:, max(0, place - self.config["context_tokens"]) : place]
        if not place:  # nothing was said before: a conversation begins
            context = torch.full((len(ids), 1), self.config["end"], device=ids.device)
        return context, ids[:, place:]

    def pick(self, state, rows: torch.Tensor):
        """Return the state of some rows, in that order, a row perhaps several times: what beam search goes on with."""
        if isinstance(state, tuple):
            return tuple(self.pick(part, rows) for part in state)
        return state if state is None else state[rows]

    # --- training and measuring --------------------------------------------------------------------------------------

    def read(self, batch: PairBatch) -> torch.Tensor:
        """Return the logits [B, T, V] at ``batch.inputs``: each reply token is told the true ones before it."""
        mask = batch.context != self.config["pad"]
        return self.decode(batch.inputs, self.encode(batch.context, mask), mask)[0]

    @torch.no_grad()
    def negative_log_likelihood(self, ids) -> np.ndarray:
        """Return the surprise in nats at every token of a conversation but the first, float64 [N − 1].

        ``ids`` [N] are ``<end>`` and the turns, as ``encode_conversation`` writes them; it may end before the last turn
        does. Each turn is read with the turns before it as context, cut to ``context_tokens``, and says its text and
        the token that closes it. The very first speaker token costs nothing: somebody begins. Raises ValueError for ids
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
                for (start, after), row in zip(turns, self._surprises(ids, turns[:rows])):
                    nats[start:after] = row[: after - start]
                turns = turns[rows:]
        return nats

    def _surprises(self, ids: np.ndarray, turns: list[tuple[int, int]]) -> np.ndarray:
        """Return the nats of the tokens of each turn after its first, [turns, longest], rest 0; see above."""
        room, end = self.config["context_tokens"], [self.config["end"]]
        made = [
            Pair(ids[max(0, start - room) : start] if start else end, ids[start : after + 1]) for start, after in turns
        ]
        batch, device = batch_of(made, self.config["pad"]), device_of(self)
        batch = PairBatch(*(part.to(device) for part in batch[:3]))
        logits = self.read(batch).float().transpose(1, 2)
        losses = functional.cross_entropy(logits, batch.targets, ignore_index=IGNORED, reduction="none")
        return losses.double().cpu().numpy()

    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())
