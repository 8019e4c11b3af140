"""Whole replies sampled side by side, for policy gradients and evaluation (used in notebooks 08 and 09)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from helpers.corpus.batches.base import IGNORED
from helpers.corpus.batches.context_reply_pairs import Pair, PairBatch
from helpers.corpus.batches.prompts import ContextBatch
from helpers.models.utils import device_of, evaluating


def say(model, tokenizer, contexts: Sequence, number: int, *, max_tokens: int = 40, temperature: float = 1.0,
        together: int = 1024, seed: int = 0) -> list[list]:  # fmt: skip
    """Return ``number`` replies to each of the contexts, as Pairs: a list per context."""
    import torch

    from helpers.corpus.batches.prompts import ContextBatches
    from helpers.generation.rollout import marks_of, roll_out
    from helpers.models.utils import device_of

    dice = torch.Generator(device_of(model)).manual_seed(seed)
    order = sorted(range(len(contexts)), key=lambda place: len(contexts[place]))  # similar lengths side by side
    found: list[list] = [[] for _ in contexts]
    for start in range(0, len(order), step := max(1, together // number)):
        places = order[start : start + step]
        batch = ContextBatches.of([contexts[place] for place in places], number, tokenizer.pad)
        said = roll_out(
            model, batch, max_tokens, temperature=temperature, generator=dice, **marks_of(tokenizer)
        ).pairs()
        for row, place in enumerate(places):
            found[place] = said[row * number : (row + 1) * number]
    return found


# --- through the draw: what was said, and how likely it was ------------------------------------------------------------


@torch.no_grad()
def sample_replies(
    model,
    batch: PairBatch,
    max_tokens: int = 32,
    *,
    temperature: float = 1.0,
    forbidden: tuple[int, ...] = (),
    generator: torch.Generator | None = None,
) -> PairBatch:
    """Return the replies an encoder–decoder draws for the contexts of ``batch``, as a PairBatch on the model's device.

    Side by side, without dropout; only the first of ``batch.inputs``, the own speaker's token, is read of the old replies.
    The new ones have the form of those people wrote, cut after ``max_tokens``: they end with a speaker's token or ``<end>``,
    or are not finished. Padding and ``forbidden`` tokens are never drawn. ``generator`` lives on the model's device.
    """
    if max_tokens < 1 or not temperature > 0:
        raise ValueError(f"max_tokens={max_tokens} and temperature={temperature}: give at least 1, and more than 0")
    device, pad = device_of(model), model.config["pad"]
    context, token = batch.context.to(device), batch.inputs[:, :1].to(device)
    stops = torch.tensor([*model.config["speakers"], model.config["end"]], device=device)
    silent = torch.tensor(sorted({pad, *forbidden}), device=device)
    mask, state, inputs, targets = context != pad, None, [], []
    going = torch.ones_like(token, dtype=torch.bool)  # [B, 1]
    with evaluating(model):
        memory = model.encode(context, mask)
        for _ in range(max_tokens):
            inputs.append(token.where(going, pad))
            logits, state = model.decode(token, memory, mask, state)
            scores = logits[:, -1].float().index_fill(-1, silent, float("-inf")) / temperature
            token = torch.multinomial(scores.softmax(-1), 1, generator=generator)
            targets.append(token.where(going, IGNORED))
            going = going & ~torch.isin(token, stops)
            if not going.any():
                break
    return PairBatch(context, torch.cat(inputs, dim=1), torch.cat(targets, dim=1))


def marks_of(tokenizer) -> dict:
    """Return the numbers that ``roll_out`` and `PolicyGradient` need: where replies end, and what a bot never says."""
    from helpers.models.encoder_decoder import marks

    return {**marks(tokenizer), "forbidden": () if tokenizer.unknown is None else (tokenizer.unknown,)}


class Rollout(NamedTuple):
    """Replies that a model has drawn, B side by side, after contexts of S tokens, with at most T tokens each."""

    ids: torch.Tensor  # [B, S + T + 1]: context, reply, the partner's token; padded at both ends
    padding: torch.Tensor  # [B]: how much at the beginning
    targets: torch.Tensor  # [B, S + T − 1]: each token that was drawn, at the place before it; −100 elsewhere
    last: torch.Tensor  # [B]: the place of the partner's token, where a reward model reads
    start: int  # S − 1: from this place on there are targets

    def pairs(self) -> list[Pair]:
        """Return contexts and replies as lists, each reply with the token it ended with, or not finished."""
        rows = zip(self.ids.tolist(), self.padding.tolist(), self.targets[:, self.start :].tolist())
        return [Pair(row[skip : self.start], [row[self.start], *(token for token in said if token != IGNORED)])
                for row, skip, said in rows]  # fmt: skip


@torch.no_grad()
def roll_out(
    model,
    batch: ContextBatch,
    max_tokens: int = 32,
    *,
    speakers,
    pad: int,
    end: int,
    forbidden: Sequence[int] = (),
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Rollout:
    """Draw a reply to each context, without dropout, all on the model's device; ``generator`` lives there, too.

    ``model`` is a GPT. A reply has one token of text at least, and ends with a speaker's token, ``<end>``, or after
    ``max_tokens``. Padding and ``forbidden`` tokens are never drawn.
    """
    if max_tokens < 1 or not temperature > 0:
        raise ValueError(f"max_tokens={max_tokens} and temperature={temperature}: give at least 1, and more than 0")
    device = device_of(model)
    ids, padding = batch.ids.to(device), batch.padding.to(device)
    stops = torch.tensor([*speakers, end], device=device)
    silent = torch.tensor(sorted({pad, *forbidden}), device=device)
    going, read, state, drawn = torch.ones(len(ids), dtype=torch.bool, device=device), ids, None, []
    with evaluating(model):
        for number in range(max_tokens):
            logits, state = model(read, state, padding)
            scores = logits[:, -1].float().index_fill(-1, silent, float("-inf"))
            if number == 0:
                scores = scores.index_fill(-1, stops, float("-inf"))
            token = torch.multinomial((scores / temperature).softmax(-1), 1, generator=generator)[:, 0]
            drawn.append(token.where(going, IGNORED))
            going = going & ~torch.isin(token, stops)
            if number % 8 == 7 and not going.any():  # asking a GPU costs more than a token or two too many
                break
            read = token[:, None]
    return _rollout(ids, padding, torch.stack(drawn, dim=1), speakers, stops, pad)


def _rollout(ids, padding, drawn, speakers, stops, pad: int) -> Rollout:
    """Put contexts and what was drawn side by side; the partner's token stands where the text ends."""
    text = (drawn != IGNORED) & ~torch.isin(drawn, stops)
    last = ids.shape[1] + text.sum(1)
    partner = torch.where(ids[:, -1] == speakers[0], speakers[1], speakers[0])
    said = torch.cat((ids, drawn.where(text, pad), torch.full_like(ids[:, :1], pad)), dim=1)
    said = said.scatter(1, last[:, None], partner[:, None])
    targets = torch.cat((torch.full_like(ids[:, 1:], IGNORED), drawn), dim=1)
    return Rollout(said, padding, targets, last, ids.shape[1] - 1)
