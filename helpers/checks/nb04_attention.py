"""Checks of notebook 04's build cells on attention: the function, its heads, the causal mask."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import kind, module, refuse_known, same, tensor

TWO = "the weighted sums of the values and the attention weights"


def reference(q, k, v, mask=None, scale: float | None = None):
    """Return the weighted sum of values and the weights; the scores are multiplied by ``scale``, 1/√d if not given."""
    scores = q @ k.transpose(-2, -1) * (q.shape[-1] ** -0.5 if scale is None else scale)
    weights = (scores if mask is None else scores.masked_fill(~mask, float("-inf"))).softmax(-1)
    return weights @ v, weights


@exercise
def check_attention(attention: Callable) -> str:
    """Build 1: q [..., T, D], k [..., S, D], v [..., S, V] and a mask to values [..., T, V] and weights [..., T, S]."""
    import torch

    rng = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(rows, width, generator=rng) for rows, width in ((3, 4), (5, 4), (5, 6)))
    values, weights = reference(q, k, v)
    scores = q @ k.T / 2
    answer = tried(attention(q.clone(), k.clone(), v.clone()))
    if same(answer, values):
        raise Wrong("The values are right. Return the attention weights, too, as the second of two.")
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise Wrong(f"Return two tensors, {TWO}, and not {kind(answer)}.")
    if same(answer[1], values):
        raise Wrong("You return the weights first. First come the weighted sums, then the weights.")
    if torch.is_tensor(answer[1]) and answer[1].shape == (5, 3):
        raise Wrong("Your weights have a row for each key. Rows are queries, [T, S]: q times k transposed.")
    seen = tensor(
        answer[1], (3, 5), "as second result the weights, a row for each of 3 queries and a column for each key"
    )
    refuse_known(
        seen,
        {
            "You forgot √d: divide the scores by the square root of the width of a query.": reference(q, k, v, scale=1)[
                1
            ],
            "You divided by d itself. Its square root is enough: a dot product grows like √d.": reference(
                q, k, v, scale=1 / 4
            )[1],
            "You divided by the root of the number of keys. It is the width of a query that makes scores large.": reference(
                q, k, v, scale=5**-0.5
            )[1],
            "You divided by the root of the values' width: scores come from queries and keys.": reference(
                q, k, v, scale=6**-0.5
            )[1],
            "Your softmax runs over the queries. Each row must sum to 1, over the keys: dim=-1.": scores.softmax(0),
            "These are the scores. A softmax turns each row of them into weights that sum to 1.": scores,
            "Your weights do not sum to 1: after exp, divide each by the sum of its row, or use softmax.": scores.exp(),
        },
    )
    if not same(seen, weights):
        raise Wrong(
            f"The weights are not right: the first row should be {_rounded(weights[0])}, yours is {_rounded(seen[0])}."
        )
    if same(answer[0], weights @ k):
        raise Wrong("You summed the keys. They are only compared; what is summed are the values.")
    if not same(tensor(answer[0], (3, 6), "as first result the sums, a row for each of 3 queries"), values):
        raise Wrong("The weights are right, the sums are not: each is a row of weights times the values, weights @ v.")
    _masks(attention)
    q, k, v = (torch.randn(2, 2, rows, width, generator=rng) for rows, width in ((3, 4), (5, 4), (5, 6)))
    try:
        batched = attention(q, k, v)[0]
    except (RuntimeError, IndexError) as error:
        raise Wrong(
            f"One table works; for a batch of them, [2, 2, 3, 4], your code stopped: {error}. Swap the last two dimensions only: "
            "k.transpose(-2, -1)."
        ) from None
    if not same(batched, reference(q, k, v)[0]):
        raise Wrong(
            "One table works, a batch of them, [2, 2, 3, 4], does not: softmax over dim=-1, k.transpose(-2, -1)."
        )
    large = attention(torch.tensor([[500.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.9, 0.0]]), torch.eye(2))[0]
    if not same(large, torch.tensor([[1.0, 0.0]])):
        raise Wrong("With a large query your numbers overflow. softmax subtracts the maximum first: use it.")
    return (
        "Queries met keys, masked scores became weights, and the weights summed values: scaled dot-product attention."
    )


def _masks(attention: Callable) -> None:
    """Hold the mask against what forgetting, turning and misplacing it would give."""
    import torch

    rng = torch.Generator().manual_seed(1)
    q, k, v = (torch.randn(rows, width, generator=rng) for rows, width in ((3, 4), (5, 4), (5, 6)))
    mask = torch.tensor([[1, 0, 1, 1, 0], [1, 1, 0, 0, 0], [0, 1, 1, 1, 1]]).bool()
    scores, (_, unmasked) = q @ k.T / 2, reference(q, k, v)
    seen = attention(q, k, v, mask.clone())[1]
    refuse_known(
        seen,
        {
            "Your attention does not use the mask: fill the scores with −∞ where it is False, before the softmax.": unmasked,
            "Your mask is the wrong way round: True means “may attend”. Fill where it is False: ~mask.": reference(
                q, k, v, ~mask
            )[1],
            "You masked after the softmax, so the weights do not sum to 1. Mask the scores, before it.": unmasked
            * mask,
            "You set masked scores to 0, and e⁰ is 1: they still count. Fill them with −∞.": (scores * mask).softmax(
                -1
            ),
        },
    )
    if not same(seen, reference(q, k, v, mask)[1]):
        raise Wrong(
            "With a mask the weights are not right: masked scores become −∞ before the softmax, and nothing else changes."
        )


def _rounded(row) -> str:
    return str([round(number, 2) for number in row.tolist()])


@exercise
def check_causal_mask(causal_mask: Callable) -> str:
    """Build 3: the bool mask [length, length] with which no token attends to a later one."""
    import torch

    everything = torch.ones(5, 5, dtype=torch.bool)
    answer = tried(causal_mask(5))
    if not torch.is_tensor(answer) or answer.shape != (5, 5):
        raise Wrong(
            f"For length 5 I expected a tensor of shape [5, 5], a row for each token that attends, and got {kind(answer)}."
        )
    refuse_known(
        answer.detach().bool(),
        {
            "One column too wide: each token sees the next one, which is what it has to predict. tril() without a number.": (
                everything.tril(1)
            ),
            "No token may attend to itself in your mask. It may: it has been read. Keep the diagonal.": everything.tril(
                -1
            ),
            "Upside down: your tokens attend to later ones. Rows attend to columns, so the lower triangle stays: tril.": (
                everything.triu()
            ),
            "The wrong way round: True means “may attend”. You marked what is hidden.": everything.triu(1),
            "Every token may attend to every other: the future is open.": everything,
        },
    )
    if not torch.equal(answer.detach().bool(), everything.tril()):
        raise Wrong(f"For length 5 this is not right: {answer.int().tolist()}.")
    if answer.dtype != torch.bool:
        raise Wrong(f"The triangle is right, but it is {answer.dtype}, and `~mask` needs torch.bool: dtype=torch.bool.")
    for length in (1, 8):
        if not same(causal_mask(length), torch.ones(length, length).tril()):
            raise Wrong(f"Length 5 is right, length {length} is not.")
    return "Each token attends to itself and to what came before it: no effect before its cause."


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
        output = tensor(tried(layer(x)), (2, 5, 12), "a tensor, the attention output of two texts of five tokens")
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
        "The last matrix is missing: out_proj mixes what the heads bring.": heads.transpose(1, 2).flatten(2),
        "You took the parts of in_proj in another order: query, key, value.": _join(
            layer, reference(_split(k), _split(q), _split(v))[0]
        ),
        "You divided by √d_model. A head is narrower: d is the width of its queries.": _join(
            layer, reference(_split(q), _split(k), _split(v), scale=C**-0.5)[0]
        ),
    }
    refuse_known(output, known)
    if not same(output, _join(layer, heads)):
        raise Wrong(
            f"For one text the first number should be {_join(layer, heads)[0, 0, 0]:.2f}; yours is {output[0, 0, 0]:.2f}."
        )


def _cross_attention(layer, x, source, output, q) -> None:
    """Queries of x, keys and values of the source."""
    _, k, v = layer.in_proj(source).chunk(3, dim=-1)
    known = {
        "With a source your layer still attends to x: take keys and values from source.": layer(x),
        "With a source you took the queries from it, too. They come from x, which attends.": layer(source),
    }
    refuse_known(output, known)
    if not same(output, _join(layer, reference(_split(q), _split(k), _split(v))[0])):
        raise Wrong("Self-attention is right, cross-attention is not: queries of x, keys and values of source.")
