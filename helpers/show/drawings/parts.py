"""What a network is made of, read from the network itself, so that a drawing of it cannot lie (built for notebook 04)."""

from __future__ import annotations

from typing import NamedTuple

from helpers.show.diagram import need
from helpers.show.theme import amount

ACTIVATIONS = {"relu2": "ReLU²", "relu": "ReLU", "gelu": "GELU", "swiglu": "SwiGLU"}


def parameter_count(*modules) -> int:
    """Return how many numbers modules learn together; a matrix that is used twice counts once, None counts nothing."""
    own = {id(p): p.numel() for module in modules if module is not None for p in module.parameters()}
    return sum(own.values())


def short(count: int) -> str:
    """Return a number of parameters as it is spoken: "1.2 M", "33 k"; below 10,000 exactly."""
    for limit, unit, name in ((999.5e6, 1e9, "B"), (999.5e3, 1e6, "M"), (1e4, 1e3, "k")):
        if count >= limit:
            value = count / unit
            return f"{value:.0f} {name}" if value >= 99.95 else f"{value:.1f} {name}"
    return f"{count:,}"


def find(module, *names):
    """Return the first attribute of these names that a module has and that is not None; None without any."""
    return next((part for name in names if (part := getattr(module, name, None)) is not None), None)


def kind_of_norm(norm) -> str:
    """Return "LayerNorm", "RMSNorm" or what its class is called."""
    name = type(norm).__name__
    return next((kind for kind in ("RMSNorm", "LayerNorm") if kind.lower() in name.lower()), name)


class Block(NamedTuple):
    """One block of a GPT, in numbers."""

    width: int  # of the residual stream
    hidden: int  # of the feed-forward network
    n_head: int | None
    n_kv_head: int | None  # fewer than n_head where groups of queries share their keys and values
    norm: str
    activation: str
    gated: bool  # a third matrix, as in SwiGLU
    rotary: bool
    parameters: int
    attention_parameters: int
    feed_forward_parameters: int

    @property
    def heads(self) -> str:
        """The heads in words, "" where their number is not known."""
        if not self.n_head:
            return ""
        shared = f", {self.n_kv_head} of keys and values" if self.n_kv_head and self.n_kv_head < self.n_head else ""
        return f"{amount(self.n_head, 'head')} of {self.width // self.n_head}{shared}"


class GPTParts(NamedTuple):
    """A GPT, in numbers."""

    vocab: int
    context: int | None
    n_layer: int
    tied: bool
    positions: str  # "learned" or "rotary" or "none"
    norm: str  # before the head
    embedding_parameters: int
    position_parameters: int
    head_parameters: int  # 0 if tied
    parameters: int
    block: Block


def _as_model(model):
    if hasattr(model, "modules"):
        return model
    need(
        hasattr(model, "n_embd") and hasattr(model, "n_layer"),
        f"give a GPT or its GPTConfig, not {type(model).__name__}",
    )
    import torch

    from helpers.models.gpt import GPT

    with torch.device("meta"):  # tensors with a shape and nothing in them
        return GPT(model)


def read_gpt(model) -> GPTParts:
    """Return the parts of a GPT: the course's, one of the learner's own with the same names, or a ``GPTConfig``.

    Raises ValueError for anything without ``embed``, ``blocks`` and ``head``.
    """
    model = _as_model(model)
    embed, blocks, head = (find(model, name) for name in ("embed", "blocks", "head"))
    lacks = [name for name, part in (("embed", embed), ("blocks", blocks), ("head", head)) if part is None]
    need(
        not lacks, f"{type(model).__name__} has no {' and no '.join(lacks)}: a GPT is drawn from embed, blocks and head"
    )
    positions = find(model, "positions")
    learned = positions is not None and hasattr(positions, "weight")
    block = read_block(model)
    return GPTParts(
        vocab=embed.weight.shape[0],
        context=positions.weight.shape[0] if learned else find(model, "context"),
        n_layer=len(blocks),
        tied=head.weight is embed.weight,
        positions="learned" if learned else "rotary" if block.rotary else "none",
        norm=kind_of_norm(find(model, "norm")) if find(model, "norm") is not None else block.norm,
        embedding_parameters=parameter_count(embed),
        position_parameters=parameter_count(positions) if learned else 0,
        head_parameters=0 if head.weight is embed.weight else parameter_count(head),
        parameters=parameter_count(model),
        block=block,
    )


def read_block(model) -> Block:
    """Return the parts of the first block of a GPT, of a ``GPTConfig``, or of a block alone.

    Raises ValueError where there is no attention, or no ``up`` and ``down``, in it.
    """
    model = _as_model(model)
    blocks = find(model, "blocks")
    need(blocks is None or len(blocks) > 0, "this GPT has no blocks: give at least one layer")
    block = model if blocks is None else blocks[0]
    attention, inner = find(block, "attention"), find(block, "feed_forward", "mlp") or block
    up, down = find(inner, "up"), find(inner, "down")
    lacks = [name for name, part in (("attention", attention), ("up", up), ("down", down)) if part is None]
    need(
        not lacks,
        f"{type(block).__name__} has no {' and no '.join(lacks)}: a block is drawn from attention, up and down",
    )
    settings = find(model, "settings") or find(attention, "config")
    norm, gate, n_head = find(block, "norm_1"), find(inner, "gate"), find(attention, "n_head")
    n_head = getattr(settings, "n_head", None) if n_head is None else n_head
    activation = getattr(settings, "activation", "") or getattr(block, "activation", "")
    return Block(
        width=up.weight.shape[1],
        hidden=up.weight.shape[0],
        n_head=n_head,
        n_kv_head=find(attention, "n_kv_head") or getattr(settings, "kv_heads", None) or n_head,
        norm=kind_of_norm(norm) if norm is not None else "norm",
        activation="SwiGLU" if gate is not None else ACTIVATIONS.get(activation, "GELU"),
        gated=gate is not None,
        rotary=find(model, "positions") is None and (hasattr(model, "cos") or getattr(settings, "positions", "") == "rotary"),
        parameters=parameter_count(block),
        attention_parameters=parameter_count(attention),
        feed_forward_parameters=parameter_count(up, down, gate),
    )


class TransformerParts(NamedTuple):
    """An encoder–decoder transformer, in numbers."""

    vocab: int
    width: int
    hidden: int
    n_head: int | None
    n_encoder: int
    n_decoder: int
    norm_first: bool
    norm: str
    embedding_parameters: int
    encoder_parameters: int
    decoder_parameters: int
    parameters: int
    tied: bool


def read_transformer(model) -> TransformerParts:
    """Return the parts of a transformer: the course's, or one of the learner's own with the same names.

    Raises ValueError for anything without ``embed``, ``encoder`` and ``decoder``.
    """
    names = ("embed", "encoder", "decoder")
    lacks = [name for name in names if find(model, name) is None]
    need(
        not lacks,
        f"{type(model).__name__} has no {' and no '.join(lacks)}: a transformer is drawn from embed, encoder and decoder",
    )
    layers = [
        find(half, "layers") if find(half, "layers") is not None else half for half in (model.encoder, model.decoder)
    ]
    need(
        all(hasattr(half, "__len__") and len(half) for half in layers),
        "encoder and decoder need at least one layer each",
    )
    layer = layers[1][0]
    need(
        find(layer, "cross_attention") is not None,
        f"{type(layer).__name__} has no cross_attention: this decoder is not that of a transformer",
    )
    up = find(find(layer, "feed_forward") or layer, "up")
    need(up is not None, f"{type(layer).__name__} has no feed_forward with a matrix up")
    head = find(model, "head")
    halves = [parameter_count(half, find(model, f"{name}_norm")) for half, name in zip(layers, names[1:])]
    return TransformerParts(
        vocab=model.embed.weight.shape[0],
        width=model.embed.weight.shape[1],
        hidden=up.weight.shape[0],
        n_head=find(find(layer, "self_attention"), "n_head"),
        n_encoder=len(layers[0]),
        n_decoder=len(layers[1]),
        norm_first=bool(getattr(layer, "norm_first", True)),
        norm=kind_of_norm(find(layer, "feed_forward_norm") or find(layer, "self_attention_norm")),
        embedding_parameters=parameter_count(model.embed),
        encoder_parameters=halves[0],
        decoder_parameters=halves[1],
        parameters=parameter_count(model),
        tied=head is None or head.weight is model.embed.weight,
    )
