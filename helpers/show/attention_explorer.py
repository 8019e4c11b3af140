"""Ask your own model where it looks, in a conversation of your own. Built in notebook 03; the drawing is in ``attention``."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from helpers.show.attention import where_it_looks
from helpers.show.explore import Explore

LOOKS = ("across", "encoder", "decoder")
LONGEST = 300  # characters of a typed message that are read


class Looking(NamedTuple):
    """Where a model looks while it reads or says ``rows``: what ``where_it_looks`` draws, ``where_it_looks(*looking(…))``."""

    weights: list  # for each layer [heads, T, S]; a row sums to 1
    rows: list[str]  # T tokens that look: those about to be said, or those just read
    columns: list[str]  # S tokens that are looked at
    mask: object = None  # [T, S], True where a token may look; None: everywhere
    said: bool = False  # the rows are what is said next: the look came before it


def looking(model, tokenizer, conversation, look: str = "across") -> Looking:
    """Let ``model`` read a conversation and return where it looked.

    In an encoder-decoder the last turn is the reply: with ``look="across"`` each of its tokens looks at the turns before, as
    the model is about to say it; "encoder" and "decoder" are a Transformer's looks among the turns before and within the
    reply. In a GPT each token looks at those before it and itself, whatever ``look`` says. A string is one turn of speaker
    A, a list of strings are turns of A and B. Raises ValueError for another look, a conversation without turns, and a
    model without attention.
    """
    import numpy as np
    import torch

    from helpers.interpretability.units import pieces
    from helpers.models.utils import device_of

    if look not in LOOKS:
        raise ValueError(f"there is no look {look!r}; known are {', '.join(LOOKS)}")
    if not hasattr(model, "attention_weights"):
        raise ValueError("this model has no attention_weights: only a model with attention looks anywhere")
    ids = [tokenizer.end]
    for speaker, text in _turns(conversation):
        ids += [tokenizer.speaker(speaker), *tokenizer.encode(text)]
    if len(ids) < 2:
        raise ValueError("the conversation has no turn: give at least one")
    read = torch.tensor([ids], device=device_of(model))  # <end>, which closes the conversation, is only said
    if not hasattr(model, "split"):
        read = read[:, -getattr(model, "context", len(ids)) :]  # what lies further back it cannot read
        names = pieces(tokenizer, read[0].tolist())
        return Looking(model.attention_weights(read), names, names, np.tri(len(names), dtype=bool))
    context, reply = (pieces(tokenizer, part[0].tolist()) for part in model.split(read))
    if look == "across":
        return Looking(
            model.attention_weights(read), [*reply[1:], tokenizer.tokens[tokenizer.end]], context, None, said=True
        )
    encoder, decoder = model.self_attention_weights(read)
    if look == "encoder":
        return Looking(encoder, context, context)
    return Looking(decoder, reply, reply, np.tri(len(reply), dtype=bool))


def explore_where_it_looks(model, tokenizer, conversation, look: str = "across") -> Explore:
    """Walk with sliders through the layers, heads and tokens of a model that has read ``conversation``; see ``looking``.

    The last two turns (one, if there is no other) stand in lines that can be written anew, up to 300 characters each.
    """
    turns = _turns(conversation)
    written = {"message": turns[-2][1]} if len(turns) > 1 else {}
    written["reply" if written else "text"] = turns[-1][1] if turns else ""

    @lru_cache(maxsize=8)
    def read(*texts):
        last = turns[-len(texts) :]
        typed = [(speaker, text[:LONGEST]) for (speaker, _), text in zip(last, texts)]
        return looking(model, tokenizer, [*turns[: -len(texts)], *typed], look)

    def draw(position=0, layer=0, head=0, **texts):
        found = read(*texts.values())
        return where_it_looks(*found, layer=layer, head=head, position=min(position, len(found.rows) - 1))

    found = looking(model, tokenizer, turns, look)
    sizes = {"layer": len(found.weights), "head": len(found.weights[0]), "position": len(found.rows)}
    sliders = {name: range(size) for name, size in sizes.items() if size > 1 or name == "position"}
    explore = Explore(draw, **written, **sliders)

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
    return [("AB"[place % 2], turn) if isinstance(turn, str) else turn for place, turn in enumerate(conversation)]
