"""Checks of notebook 04's build cells on attention: the function and the causal mask; its heads are in ``nb04_heads``."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, gradient_of, kind, refuse_known, same, tensor

TWO = "the weighted sums of the values and the attention weights"
CHANGED = "You changed a tensor that you were given (`q /= …` does). Make a new one: q / …"


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
    answer = call(attention, q, k, v, changed=CHANGED)
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
        raise Wrong("You summed the keys. They are only compared; the values are summed.")
    if not same(tensor(answer[0], (3, 6), "as first result the sums, a row for each of 3 queries"), values):
        raise Wrong("The weights are right, the sums are not: each is a row of weights times the values, weights @ v.")
    _masks(attention)
    _batches(attention)
    large = attention(torch.tensor([[500.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.9, 0.0]]), torch.eye(2))[0]
    if not same(large, torch.tensor([[1.0, 0.0]])):
        raise Wrong("With a large query your numbers overflow. softmax subtracts the maximum first: use it.")
    low = attention(
        torch.tensor([[-300.0]]), torch.tensor([[1.0], [0.0]]), torch.eye(2), torch.tensor([[True, False]])
    )[1]
    if not same(low, torch.tensor([[1.0, 0.0]])):
        raise Wrong(
            "Beside very negative scores a hidden token still gets weight: fill with −∞, -math.inf, not with a number."
        )
    if not gradient_of(attention(q.requires_grad_(), k, v)[0][:, 0], q).any():
        raise Wrong(
            "The numbers are right, but no gradient reaches q: nothing could be learned. No torch.no_grad() or detach() here."
        )
    return (
        "Queries met keys, masked scores became weights, and the weights summed values: scaled dot-product attention."
    )


def _batches(attention: Callable) -> None:
    """Hold a batch of two texts with two heads, queries of nine numbers, against dimensions that were mixed up."""
    import torch

    rng = torch.Generator().manual_seed(2)
    q, k, v = (torch.randn(2, 2, rows, width, generator=rng) for rows, width in ((3, 9), (5, 9), (5, 6)))
    try:
        batched = attention(q, k, v)[0]
    except (RuntimeError, IndexError) as error:
        raise Wrong(
            f"One table works; for a batch of them, [2, 2, 3, 9], your code stopped: {error}. Swap the last two dimensions only: "
            "k.transpose(-2, -1)."
        ) from None
    for divisor in (4, 2):  # a number from the first example, or another dimension
        if same(batched, reference(q, k, v, scale=divisor**-0.5)[0]):
            raise Wrong(
                "The scores of one table are right, those of a batch are not: divide by √d, where d is q.shape[-1]."
            )
    if not same(batched, reference(q, k, v)[0]):
        raise Wrong(
            "One table works, a batch of them, [2, 2, 3, 9], does not: softmax over dim=-1, k.transpose(-2, -1)."
        )
    for mask in (torch.ones(3, 5).bool().tril(1), torch.arange(5) < torch.tensor([5, 3])[:, None, None, None]):
        try:
            masked = attention(q, k, v, mask.clone())[1]
        except (RuntimeError, IndexError):
            masked = None
        if not same(masked, reference(q, k, v, mask)[1]):
            raise Wrong(
                f"A mask of the scores' own shape works; one that broadcasts, {list(mask.shape)} to [2, 2, 3, 5], does not. "
                "`scores.masked_fill(~mask, -math.inf)` broadcasts it."
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
            "Your mask is the wrong way around: True means “may attend”. Fill where it is False: ~mask.": reference(
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
    if answer.is_floating_point() and answer.isinf().any():
        raise Wrong(
            "This is a table of numbers to add to scores. Here a mask is boolean: True where a position may attend."
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
            "The wrong way around: True means “may attend”. You marked what is hidden.": everything.triu(1),
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
