"""Whole replies sampled side by side, for policy gradients and evaluation (used in notebooks 08 and 09)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from helpers.corpus.batches.base import IGNORED, Pair
from helpers.corpus.batches.context_reply_pairs import PairBatch, batch_of
from helpers.corpus.batches.prompts import ContextBatch, ContextBatches
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.generation.sampling import sample_tokens
from helpers.models.encoder_decoder import EncoderDecoder
from helpers.models.utils import device_of, evaluating


def generate_replies(
    model,
    tokenizer,
    contexts: Sequence[Sequence[int]],
    number: int = 1,
    *,
    max_tokens: int = 40,
    temperature: float = 1.0,
    rows: int = 1024,
    seed: int = 0,
) -> list[list[Pair]]:
    """Return ``number`` replies to each of the contexts, as Pairs: a list per context, in the order of the contexts.

    ``model`` is a GPT or an encoder–decoder; a context is a list of token ids that ends with the token of the speaker who is
    to reply. ``rows`` replies are sampled side by side, to contexts of similar length, by ``sample_rollout`` or
    ``sample_replies``, with a random generator seeded once.
    """
    rng, special = torch.Generator(device_of(model)).manual_seed(seed), special_token_ids(tokenizer, forbidden=True)
    settings = {"temperature": temperature, "generator": rng}
    order = sorted(range(len(contexts)), key=lambda index: len(contexts[index]))
    result: list[list[Pair]] = [[] for _ in contexts]
    for start in range(0, len(order), step := max(1, rows // number)):
        indices = [index for index in order[start : start + step] for _ in range(number)]
        prompts = [contexts[index] for index in indices]
        if isinstance(model, EncoderDecoder):
            batch = batch_of([Pair(prompt[:-1], [prompt[-1], special["end"]]) for prompt in prompts], special["pad"])
            targets = sample_replies(model, batch, max_tokens, forbidden=special["forbidden"], **settings).targets
        else:
            batch = ContextBatches.of(prompts, 1, special["pad"])
            rollout = sample_rollout(model, batch, max_tokens, **special, **settings)
            targets = rollout.targets[:, rollout.start :]
        for index, prompt, reply in zip(indices, prompts, targets.tolist()):
            result[index].append(_pair(prompt, reply))
    return result


def _pair(prompt: Sequence[int], reply: Sequence[int]) -> Pair:
    """Return a context and the tokens sampled after it, −100 where there is none, as a Pair."""
    return Pair(prompt[:-1], [prompt[-1], *(token for token in reply if token != IGNORED)])


@torch.no_grad()
def sample_replies(
    model,
    batch: PairBatch,
    max_tokens: int = 32,
    *,
    temperature: float = 1.0,
    forbidden: Sequence[int] = (),
    generator: torch.Generator | None = None,
) -> PairBatch:
    """Return replies of an encoder–decoder to the contexts of ``batch``, sampled, as a PairBatch on the model's device.

    Side by side, without dropout; only the first of ``batch.inputs``, the own speaker's token, is read of the old replies.
    The new ones have the form of those people wrote, cut after ``max_tokens``: they end with a speaker's token or ``<end>``,
    or are not finished. Padding and ``forbidden`` tokens are never sampled. ``generator`` lives on the model's device. Raises
    ValueError for ``max_tokens`` below 1 and a temperature that is not above 0.
    """
    device, config, state = device_of(model), model.config, None
    pad, stops = config["pad"], (*config["speakers"], config["end"])
    context, speaker = batch.context.to(device), batch.inputs[:, :1].to(device)
    mask = context != pad

    def read(tokens):
        nonlocal state
        logits, state = model.decode(speaker if tokens is None else tokens[:, None], memory, mask, state)
        return logits[:, -1]

    with evaluating(model):
        memory = model.encode(context, mask)
        targets = _sampled(read, max_tokens, temperature, {pad, *forbidden}, generator, stop=stops)
    inputs = torch.cat([speaker, targets[:, :-1]], dim=1)
    return PairBatch(context, inputs.where(targets != IGNORED, pad), targets)


class Rollout(NamedTuple):
    """Replies sampled from a model, B side by side, after contexts of S tokens, with at most T tokens each."""

    ids: torch.Tensor  # [B, S + T + 1]: context, reply, the partner's token; padded at both ends
    padding: torch.Tensor  # [B]: how much at the beginning
    targets: torch.Tensor  # [B, S + T − 1]: each token that was sampled, at the position before it; −100 elsewhere
    last: torch.Tensor  # [B]: the position of the partner's token, where a reward model reads
    start: int  # S − 1: from this position on there are targets

    def pairs(self) -> list[Pair]:
        """Return contexts and replies as lists, each reply with the token it ended with, or not finished."""
        rows = zip(self.ids.tolist(), self.padding.tolist(), self.targets[:, self.start :].tolist())
        return [_pair(ids[skip : self.start + 1], reply) for ids, skip, reply in rows]


def sample_rollout(
    model,
    batch: ContextBatch,
    max_tokens: int = 32,
    *,
    speakers: Sequence[int],
    pad: int,
    end: int,
    forbidden: Sequence[int] = (),
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Rollout:
    """Return a GPT's reply to each context, sampled without dropout, all on the model's device as is ``generator``.

    A reply has one token of text at least, and ends with a speaker's token, ``<end>``, or after ``max_tokens``. Padding and
    ``forbidden`` tokens are never sampled. Raises ValueError as ``sample_replies`` does.
    """
    device, state, stops = device_of(model), None, (*speakers, end)
    ids, padding = batch.ids.to(device), batch.padding.to(device)

    def read(tokens):
        nonlocal state
        logits, state = model(ids if tokens is None else tokens[:, None], state, padding)
        return logits[:, -1]

    with evaluating(model):
        reply = _sampled(
            read, max_tokens, temperature, {pad, *forbidden}, generator, stop=stops, min_tokens=1, check_every=8
        )
    # Contexts and replies side by side; the partner's token stands where the text ends.
    text = (reply != IGNORED) & ~torch.isin(reply, torch.tensor(stops, device=device))
    last = ids.shape[1] + text.sum(1)
    partner = torch.where(ids[:, -1] == speakers[0], speakers[1], speakers[0])
    whole = torch.cat((ids, reply.where(text, pad), torch.full_like(ids[:, :1], pad)), dim=1)
    whole = whole.scatter(1, last[:, None], partner[:, None])
    targets = torch.cat((torch.full_like(ids[:, 1:], IGNORED), reply), dim=1)
    return Rollout(whole, padding, targets, last, ids.shape[1] - 1)


def _sampled(read, max_tokens: int, temperature: float, forbidden, generator, **ends) -> torch.Tensor:
    """Return the tokens of all steps, [B, T]: in float32, on the device where the model is."""
    if max_tokens < 1 or not temperature > 0:
        raise ValueError(f"max_tokens={max_tokens} and temperature={temperature}: give at least 1, and more than 0")
    settings = {"temperature": temperature, "forbidden": forbidden, "generator": generator, "dtype": torch.float32}
    return torch.stack(list(sample_tokens(read, max_tokens=max_tokens, **settings, **ends)), dim=1)
