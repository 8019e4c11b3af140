"""One forward pass of a GPT, kept: every vector between the token ids and the logits. Built for notebook 06.

``trace`` reads a text once and returns what each part of the network computed, for the package's GPT and for a GPT as a
learner writes it in notebook 06: nothing is computed a second time by other code, except that attention weights, which a
plain module does not hand out, are computed again from its queries and keys and compared with what it returned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from helpers.models.network import Network
from helpers.models.utils import device_of, evaluating

CLOSE = 1e-4  # two ways to compute a number agree when they differ by less than this part of the largest one
PARTS = ("norm_1", "attention", "norm_2", "up", "down")  # of a block, as notebook 06 names them
POINTS = ("hook_q", "hook_k", "hook_v", "hook_pattern", "hook_z")
OTHER_ATTENTION = "This attention is not the standard one of notebook 06, so its weights are not shown."
UNMASKED = "No mask hides the later tokens from this attention."
OTHER_STREAM = "This block does not just add the outputs of its two parts to the stream."
SQUEEZED = "The model squeezes the logits afterwards, so that none is extreme."


@dataclass(frozen=True)
class BlockTrace:
    """What one block computed for T tokens of W numbers, in n_head heads of D numbers; the stream is the residual stream.

    What concerns single heads is None where the attention is not the standard one. The two notes are sentences, "" where all
    is as in notebook 06.
    """

    before: torch.Tensor  # [T, W] the stream that enters the block
    attention_input: torch.Tensor  # [T, W] before, normalized by norm_1
    queries: torch.Tensor | None  # [n_head, T, D] after rotation, where there is one
    keys: torch.Tensor | None  # [n_head, T, D], or fewer heads where several queries share one key
    values: torch.Tensor | None  # as the keys
    weights: torch.Tensor | None  # [n_head, T, T] attention weights: row t says where token t attends; rows sum to 1
    heads: torch.Tensor | None  # [n_head, T, D] the weighted sums of the values
    attention_output: torch.Tensor  # [T, W] what attention adds to the stream
    middle: torch.Tensor  # [T, W] before + attention_output
    mlp_input: torch.Tensor  # [T, W] middle, normalized by norm_2
    hidden: torch.Tensor  # [T, H] the hidden units of the MLP, after the activation function
    mlp_output: torch.Tensor  # [T, W] what the MLP adds to the stream
    after: torch.Tensor  # [T, W] middle + mlp_output
    causal: bool = True  # whether the mask hides the later tokens
    attention_note: str = ""  # how the attention differs
    stream_note: str = ""  # how the outputs get into the stream, where they are not just added

    @property
    def scores(self) -> torch.Tensor | None:
        """q · k / √D of every query with every key, before mask and softmax: [n_head, T, T]."""
        if self.queries is None:
            return None
        keys = self.keys.repeat_interleave(len(self.queries) // len(self.keys), dim=0)
        return self.queries @ keys.transpose(-2, -1) / math.sqrt(self.queries.shape[-1])


@dataclass(frozen=True)
class Trace:
    """One forward pass over T tokens: all tensors are detached, on the CPU, float32 (float64 of a model in float64)."""

    ids: torch.Tensor  # [T] int64
    token_vectors: torch.Tensor  # [T, W] the rows of the embedding table
    position_vectors: torch.Tensor | None  # [T, W] added to them; None: positions are rotations within attention
    embedded: torch.Tensor  # [T, W] the sum: the stream that enters the first block
    blocks: tuple[BlockTrace, ...]
    normalized: torch.Tensor  # [T, W] the stream after the last block, normalized: what the logits are computed from
    logits: torch.Tensor  # [T, V] a score for every token of the vocabulary, as the model returned them
    embedding_note: str = ""  # a sentence about what ``embedded`` is beyond the sum of the two vectors
    logits_note: str = ""  # a sentence about what happens to the logits after the product

    @property
    def probabilities(self) -> torch.Tensor:
        """The softmax of the logits: [T, V]."""
        return self.logits.softmax(dim=-1)


@torch.no_grad()
def trace(model: nn.Module, ids: Sequence[int] | torch.Tensor) -> Trace:
    """Let a GPT read ``ids`` (a list, or int64 [T] or [1, T]) and return everything it computed on the way.

    ``model`` is the package's ``GPT`` or a module with the attributes embed, positions (or none), blocks, each with norm_1,
    attention, norm_2, up and down, then norm, and returns logits [1, T, V], alone or first in a tuple. It runs in evaluation
    mode, once. Raises ValueError for no ids, more than ``model.context`` of them, an id outside the embedding table, and a
    model without these parts.
    """
    ids = torch.as_tensor(ids, dtype=torch.int64).reshape(1, -1)
    _check(model, ids)
    names = [name for name in model.hook_names() if name.endswith(POINTS)] if isinstance(model, Network) else []
    with evaluating(model), _recording(_parts(model)) as seen:
        ids = ids.to(device_of(model))
        returned, cache = model.run_with_cache(ids, names=names) if names else (model(ids), {})
        logits = _tensor(returned)
        blocks = []
        for number, block in enumerate(model.blocks):
            heads = [_plain(cache[f"blocks.{number}.attention.{point}"][0]) for point in POINTS if names]
            blocks.append(_block(block, f"blocks.{number}.", seen, heads))
    tokens, positions = seen["embed"][1], _positions(model, seen, ids.shape[1])
    embedded, normalized, logits = blocks[0].before, seen["norm"][1], _plain(logits[0])
    same = _close(tokens if positions is None else tokens + positions, embedded)
    squeezed = "head" in seen and not _close(seen["head"][1], logits)
    notes = "" if same else _more_than_a_sum(model), SQUEEZED if squeezed else ""
    return Trace(ids[0].cpu(), tokens, positions, embedded, tuple(blocks), normalized, logits, *notes)


def _check(model: nn.Module, ids: torch.Tensor) -> None:
    """Say in a sentence why this model cannot read these ids, or is no GPT."""
    missing = [name for name in ("embed", "blocks", "norm") if not isinstance(getattr(model, name, None), nn.Module)]
    for number, block in enumerate(() if missing else model.blocks):
        missing += [f"blocks[{number}].{name}" for name in PARTS if not isinstance(getattr(block, name, None), nn.Module)]
    if missing:
        raise ValueError(f"this model has no {missing[0]}: a forward pass is followed through a GPT as in notebook 06")
    if not len(model.blocks):
        raise ValueError("this model has no block: give it at least one layer")
    length, context = ids.shape[1], _context(model)
    if not length:
        raise ValueError("there is no token to read: give a text of at least one character")
    if context and length > context:
        raise ValueError(f"the text has {length:,} tokens, and this model reads at most {context:,}: shorten it")
    rows = getattr(model.embed, "num_embeddings", None)
    if rows and not 0 <= int(ids.min()) <= int(ids.max()) < rows:
        raise ValueError(f"token {int(ids.max()):,} has no row in the embedding table of {rows:,}: is this its tokenizer?")


def _context(model) -> int | None:
    return getattr(model, "context", None) or getattr(getattr(model, "positions", None), "num_embeddings", None)


def _parts(model) -> dict[str, nn.Module]:
    """Return the modules whose inputs and outputs are kept, by their full names."""
    parts = {name: getattr(model, name, None) for name in ("embed", "positions", "norm", "head")}
    for number, block in enumerate(model.blocks):
        parts |= {f"blocks.{number}.": block} | {f"blocks.{number}.{name}": getattr(block, name) for name in PARTS}
        parts |= {f"blocks.{number}.{name}": getattr(block.attention, name, None) for name in ("qkv", "output")}
    return {name: part for name, part in parts.items() if isinstance(part, nn.Module)}


@contextmanager
def _recording(parts: dict[str, nn.Module]):
    """Inside, keep {name: (input, output)} of each module as it is called: copies, for the model may add in place."""
    seen, handles = {}, []

    def keeper(name):
        def before(module, arguments, named):  # before: afterwards it may have been added to in place
            seen[name] = (_plain(_tensor((*arguments, *named.values())), 0), None)

        def after(module, arguments, named, result):
            seen[name] = (seen[name][0], _plain(_tensor(result), 0))

        return before, after

    try:
        for name, part in parts.items():
            before, after = keeper(name)
            handles.append(part.register_forward_pre_hook(before, with_kwargs=True))
            handles.append(part.register_forward_hook(after, with_kwargs=True))
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _tensor(value) -> torch.Tensor:
    """Return the tensor itself, or the first one of a tuple."""
    return value if isinstance(value, torch.Tensor) else next(part for part in value if isinstance(part, torch.Tensor))


def _plain(x: torch.Tensor, batch: int | None = None) -> torch.Tensor:
    """Return a copy on the CPU in at least float32; of [1, T, W] the only row where ``batch`` is 0."""
    x = x.detach().cpu()
    x = x[0] if batch == 0 and x.ndim > 2 else x
    return x.clone() if x.dtype in (torch.float64, torch.int64) else x.float().clone()


def _close(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Say whether two tensors hold the same numbers, but for rounding."""
    return one.shape == other.shape and bool((one - other).abs().max() <= CLOSE * max(1.0, float(other.abs().max())))


def _positions(model, seen, length: int) -> torch.Tensor | None:
    """Return the vectors of the positions [T, W], whether they are a table that is called or one that is cut."""
    table = getattr(model, "positions", None)
    if "positions" in seen:
        return seen["positions"][1][:length]
    return _plain(table, None).reshape(-1, table.shape[-1])[:length] if isinstance(table, torch.Tensor) else None


def _more_than_a_sum(model) -> str:
    settings = getattr(model, "settings", None)
    parts = ["a vector for each pair of neighboring tokens is added"] * bool(getattr(settings, "bigram_rows", 0))
    parts += ["the result is normalized"] * bool(getattr(settings, "zero_output", False))
    return f"What enters the first block is more: {' and '.join(parts) or 'this model adds something of its own'}."


def _block(block: nn.Module, name: str, seen: dict, heads: list[torch.Tensor]) -> BlockTrace:
    """Put together what was seen of one block; ``heads`` are q, k, v, weights and sums where the model hands them out."""
    part = {key: seen[name + key] for key in PARTS}
    before, after = seen[name]
    middle, added, mlp = part["norm_2"][0], part["attention"][1], part["down"][1]
    causal, note = True, ""
    if not heads:
        heads, causal = _heads(block.attention, seen.get(f"{name}qkv"), seen.get(f"{name}output"), added)
        note = "" if causal else UNMASKED if heads[0] is not None else OTHER_ATTENTION
    summed = _close(before + added, middle) and _close(middle + mlp, after)
    mlp_input, hidden = part["norm_2"][1], part["down"][0]
    notes = causal, note, "" if summed else OTHER_STREAM
    return BlockTrace(before, part["norm_1"][1], *heads, added, middle, mlp_input, hidden, mlp, after, *notes)


def _heads(attention: nn.Module, qkv, output, returned: torch.Tensor) -> tuple[list, bool]:
    """Compute a plain module's weights again; return q, k, v, weights and sums (None where they differ), and if it is causal."""
    n_head = getattr(attention, "n_head", None)
    if qkv is None or output is None or not isinstance(n_head, int) or qkv[1].shape[-1] % (3 * n_head):
        return [None] * 5, False
    q, k, v = (part.unflatten(-1, (n_head, -1)).transpose(0, 1) for part in qkv[1].chunk(3, dim=-1))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    future = torch.ones_like(scores[0], dtype=torch.bool).triu(1)
    for causal in (True, False):
        weights = scores.masked_fill(future & causal, -math.inf).softmax(dim=-1)
        sums = weights @ v
        if _close(sums.transpose(0, 1).flatten(1), output[0]) and _close(output[1], returned):
            return [q, k, v, weights, sums], causal
    return [None] * 5, False
