"""What your own model attends to, in a conversation of your own. Built in notebook 03; the drawing is in ``attention``."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from helpers.show.attention import attention_map
from helpers.show.explore import Explore, places

KINDS = ("cross", "encoder", "decoder")
MOST = 300  # frames in a book, about
LONGEST = 300  # characters of a typed message that are read


class AttentionWeights(NamedTuple):
    """What a model attends to while it reads or generates ``rows``: draw it with ``attention_map(*attention_of(…))``."""

    weights: list  # for each layer [heads, T, S]; a row sums to 1
    rows: list[str]  # T tokens that attend: those to be generated, or those just read
    columns: list[str]  # S tokens they attend to
    mask: object = None  # [T, S], True where a token may attend; None: everywhere
    generated: bool = False  # the rows are to be generated: the weights are those of the step before each


def attention_of(model, tokenizer, conversation, kind: str = "cross") -> AttentionWeights:
    """Let ``model`` read a conversation and return its attention weights.

    In an encoder-decoder the last turn is the reply: ``kind="cross"`` is the cross-attention with which it is generated, from
    each of its tokens to the turns before; "encoder" and "decoder" are a Transformer's self-attention among the turns
    before and within the reply. In a GPT each token attends to those before it and itself, whatever ``kind`` says. A string
    is one turn of speaker A, a list of strings are turns of A and B. Raises ValueError for another kind, a conversation
    without turns, and a model without attention.
    """
    import numpy as np
    import torch

    from helpers.interpretability.units import pieces
    from helpers.models.utils import device_of

    if kind not in KINDS:
        raise ValueError(f"there is no kind {kind!r} of attention; known are {', '.join(KINDS)}")
    if not hasattr(model, "attention_weights"):
        raise ValueError("this model has no attention_weights: only a model with attention has any")
    ids = [tokenizer.end]
    for speaker, text in _turns(conversation):
        ids += [tokenizer.speaker(speaker), *tokenizer.encode(text)]
    if len(ids) < 2:
        raise ValueError("the conversation has no turn: give at least one")
    read = torch.tensor([ids], device=device_of(model))  # <end>, which closes the conversation, is only generated
    if not hasattr(model, "split"):
        read = read[:, -getattr(model, "context", len(ids)) :]  # what lies further back it cannot read
        names = pieces(tokenizer, read[0].tolist())
        return AttentionWeights(model.attention_weights(read), names, names, np.tri(len(names), dtype=bool))
    context, reply = (pieces(tokenizer, part[0].tolist()) for part in model.split(read))
    if kind == "cross":
        rows = [*reply[1:], tokenizer.tokens[tokenizer.end]]
        return AttentionWeights(model.attention_weights(read), rows, context, generated=True)
    encoder, decoder = model.self_attention_weights(read)
    if kind == "encoder":
        return AttentionWeights(encoder, context, context)
    return AttentionWeights(decoder, reply, reply, np.tri(len(reply), dtype=bool))


def explore_attention(model, tokenizer, conversation, kind: str = "cross") -> Explore:
    """Walk with sliders through the layers, heads and tokens of a model that has read ``conversation``; see ``attention_of``.

    The last two turns (one, if there is no other) stand in lines that can be written anew, up to 300 characters each.
    """
    turns = _turns(conversation)
    written = {"message": turns[-2][1]} if len(turns) > 1 else {}
    written["reply" if written else "text"] = turns[-1][1] if turns else ""

    @lru_cache(maxsize=8)
    def read(*texts):
        last = turns[-len(texts) :]
        typed = [(speaker, text[:LONGEST]) for (speaker, _), text in zip(last, texts)]
        return attention_of(model, tokenizer, [*turns[: -len(texts)], *typed], kind)

    def draw(position=0, layer=0, head=0, **texts):
        attention = read(*texts.values())
        return attention_map(*attention, layer=layer, head=head, position=min(position, len(attention.rows) - 1))

    first = attention_of(model, tokenizer, turns, kind)
    sizes = {"layer": len(first.weights), "head": len(first.weights[0]), "position": len(first.rows)}
    sliders = {name: range(size) for name, size in sizes.items() if size > 1 or name == "position"}
    rows = places(len(first.rows), max(1, MOST // (sizes["layer"] * sizes["head"])))
    explore = Explore(draw, **written, **sliders).in_book(position={"1": 0} | rows)

    def fit(change):
        texts = [explore.controls[name].value for name in written]
        explore.controls["position"].max = len(read(*texts).rows) - 1

    for name in written:  # after the drawing: a longer reply has more tokens to walk through
        explore.controls[name].observe(fit, names="value")
    return explore


def _turns(conversation) -> list[tuple[str, str]]:
    """Return (speaker, text) of each turn of a conversation, a string, a list of strings, or of such pairs."""
    if isinstance(conversation, str):
        return [("A", conversation)]
    if hasattr(conversation, "turns"):
        return [(turn.speaker, turn.text) for turn in conversation.turns]
    return [("AB"[i % 2], turn) if isinstance(turn, str) else turn for i, turn in enumerate(conversation)]
