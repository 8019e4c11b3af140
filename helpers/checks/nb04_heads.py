"""Check of notebook 04's build cell on multi-head attention: splits, joins, cross-attention, masks, more than one size."""

import itertools

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, kind, module, refuse_known, same, tensor
from helpers.checks.nb04_attention import reference


@exercise
def check_MultiHeadAttention(MultiHeadAttention: type) -> str:
    """Build 2: the class whose ``forward`` splits the width into heads, attends in each, joins and projects."""
    import torch

    layer = module(tried(MultiHeadAttention(12, 3)), "MultiHeadAttention(12, 3)")
    if not all(hasattr(layer, name) for name in ("in_proj", "out_proj")):
        raise Wrong("Keep the two matrices of the stub, in_proj and out_proj: their names are used again.")
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=rng) / 3)
        x, source = torch.randn(2, 5, 12, generator=rng), torch.randn(2, 7, 12, generator=rng)
        answer = call(
            layer, x, changed="You changed the x that you were given: the layers still need it. Compute a new tensor."
        )
        output = tensor(answer, (2, 5, 12), "a tensor, the attention output of two texts of five tokens")
        _self_attention(layer, x, output)
        if not torch.is_tensor(getattr(layer, "weights", None)):
            raise Wrong(
                "The output is right. Keep the attention weights in self.weights, too: we want to look at them."
            )
        q, k, v = layer.in_proj(x).chunk(3, dim=-1)
        if not same(layer.weights, reference(_split(q), _split(k), _split(v))[1]):
            raise Wrong(
                f"self.weights should hold the weights of each head, [2, 3, 5, 5]; yours is {kind(layer.weights)}."
            )
        mask = torch.arange(5) < torch.tensor([5, 3])[:, None, None, None]
        if same(layer(x, mask=mask), output):
            raise Wrong("Your layer does not use the mask: hand it on to attention.")
        if not same(layer(x, mask=mask), _join(layer, reference(_split(q), _split(k), _split(v), mask)[0])):
            raise Wrong("Without a mask the layer is right, with one it is not: hand it on to attention as it is.")
        _cross_attention(layer, x, source, layer(x, source), q)
        _other_sizes(MultiHeadAttention, x)
    return "Each head attended by itself, and one matrix mixed what they found."


def _split(x, heads: int = 3):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _join(layer, values):
    return layer.out_proj(values.transpose(1, 2).flatten(2))


def _self_attention(layer, x, output) -> None:
    """Hold the output against what wrong splits, joins and orders would give."""
    B, T, C = x.shape
    q, k, v = layer.in_proj(x).chunk(3, dim=-1)
    mixed = [part.reshape(B, 3, T, C // 3) for part in (q, k, v)]  # the trap: it cuts through tokens
    heads = reference(_split(q), _split(k), _split(v))[0]
    tokens_cut = (
        "Your split mixes tokens: [B, T, C] is cut along C first, to [B, T, n_head, C / n_head], and then transposed."
    )
    known = {
        tokens_cut: _join(layer, reference(*mixed)[0]),
        tokens_cut + " The same holds for the way back.": layer.out_proj(reference(*mixed)[0].reshape(B, T, C)),
        "The heads are not joined again as they were split: transpose first, then flatten.": layer.out_proj(
            heads.reshape(B, T, C)
        ),
        "This is one head as wide as the layer: split q, k and v into heads first.": layer.out_proj(
            reference(q, k, v)[0]
        ),
        "The last matrix is missing: out_proj mixes the outputs of the heads.": heads.transpose(1, 2).flatten(2),
        "Your heads attend to each other: attention needs the tokens in the last dimension but one, so transpose(1, 2) before "
        "it and after it.": layer.out_proj(
            reference(*(part.unflatten(-1, (3, -1)) for part in (q, k, v)))[0].flatten(2)
        ),
        "You have 4 heads of 3 numbers. n_head is 3, so it should be 3 heads of 4: unflatten(-1, (self.n_head, -1)).": _join(
            layer, reference(*(_split(part, 4) for part in (q, k, v)))[0]
        ),
        "You have two heads. How many there are is in self.n_head, here 3.": _join(
            layer, reference(*(_split(part, 2) for part in (q, k, v)))[0]
        ),
        "Do not add x here: the layer of section 6 does that.": x + _join(layer, heads),
        "You divided by √d_model. A head is narrower: d is the width of its queries.": _join(
            layer, reference(_split(q), _split(k), _split(v), scale=C**-0.5)[0]
        ),
    }
    order = "You took the parts of in_proj in another order: query, key, value."
    for other in itertools.permutations((_split(q), _split(k), _split(v))):
        if not same(other[0], _split(q)) or not same(other[1], _split(k)):
            refuse_known(output, {order: _join(layer, reference(*other)[0])})
    refuse_known(output, known)
    if not same(output, _join(layer, heads)):
        raise Wrong(
            f"For one text the first number should be {_join(layer, heads)[0, 0, 0]:.2f}; yours is {output[0, 0, 0]:.2f}."
        )


def _cross_attention(layer, x, source, output, q) -> None:
    """Queries of x, keys and values of the source, with a mask and without."""
    import torch

    _, k, v = layer.in_proj(source).chunk(3, dim=-1)
    known = {
        "With a source your layer still attends to x: take keys and values from source.": layer(x),
        "With a source you took the queries from it, too. They come from x, which attends.": layer(source),
    }
    refuse_known(output, known)
    if not same(output, _join(layer, reference(_split(q), _split(k), _split(v))[0])):
        raise Wrong("Self-attention is right, cross-attention is not: queries of x, keys and values of source.")
    weights = reference(_split(q), _split(k), _split(v))[1]
    layer(x, source)
    if not same(layer.weights, weights):
        raise Wrong(
            "After cross-attention self.weights should hold its weights, [2, 3, 5, 7]: keep them with a source, too."
        )
    mask = torch.arange(7) < torch.tensor([7, 4])[:, None, None, None]
    if not same(layer(x, source, mask), _join(layer, reference(_split(q), _split(k), _split(v), mask)[0])):
        raise Wrong("With a source and a mask together the layer is not right: hand the mask on in both cases.")


def _other_sizes(MultiHeadAttention: type, x) -> None:
    """See that no size is written down as a number: the same x in two heads of six."""
    layer = MultiHeadAttention(12, 2)
    try:
        answer = layer(x)
    except RuntimeError:
        answer = None
    q, k, v = (_split(part, 2) for part in layer.in_proj(x).chunk(3, dim=-1))
    if not same(answer, _join(layer, reference(q, k, v)[0])):
        raise Wrong(
            "Three heads are right, two are not. Is a number written down? There are self.n_head heads, also in unflatten."
        )
