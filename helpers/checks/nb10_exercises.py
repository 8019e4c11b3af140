"""Checks of notebook 10's exercises: attention rollout, a translator for the lens, the purity of a feature."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, difference, refuse_fixed_device, shown, tensor
from helpers.checks.nb10_heads import refuse, same

CHANGED = "You changed a tensor that you were given. Compute a new one."


@exercise
def check_rollout(rollout: Callable) -> str:
    """Exercise 1: attention multiplied through the layers, half of each layer being the residual connection."""
    import torch

    rng = torch.Generator().manual_seed(0)
    patterns = torch.rand(3, 2, 5, 5, generator=rng).tril()
    patterns = patterns / patterns.sum(-1, keepdim=True)
    eye, mean = torch.eye(5), patterns.mean(1)

    def product(layers):
        reached = layers[0]
        for layer in layers[1:]:
            reached = layer @ reached
        return reached

    mixed = (mean + eye) / 2
    right = product(mixed)
    answer = tensor(call(rollout, patterns, changed=CHANGED), (5, 5), "the rollout, [T, T]")
    refuse(
        answer,
        right,
        {
            "The residual connection is missing: each layer is half attention, half identity.": product(mean),
            "You added the identity without halving: then the rows no longer sum to 1.": product(mean + eye),
            "The order is reversed: later layers stand on the left, layer @ reached.": product(mixed.flip(0)),
            "That is the last layer alone. Multiply all of them.": mixed[-1],
            "That is the first layer alone. Multiply all of them.": mixed[0],
            "You averaged the layers. Multiply them: the second layer reads what the first has mixed.": mixed.mean(0),
            "You added up the layers. Multiply them.": mixed.sum(0),
            "You multiplied entry by entry. It is a matrix product: @.": mixed.prod(0),
            "You took the first head only. Take the mean over the heads.": product((patterns[:, 0] + eye) / 2),
            "The heads are summed. Take their mean.": product((patterns.sum(1) + eye) / 2),
            "The largest head was taken. Take the mean over the heads.": product((patterns.amax(1) + eye) / 2),
            "Rows and columns are swapped: a row says where a token comes from.": right.T,
        },
    )
    if not same(answer, right):
        raise Wrong(f"For three layers of two heads yours has {difference(answer, right)}.")
    one = rollout(patterns[:1])
    if not same(one, mixed[0]):
        raise Wrong("With a single layer the rollout is that layer, half attention, half identity.")
    if float(answer.triu(1).abs().max()) > 0:
        raise Wrong("A token of the future reaches an earlier one: the causal mask is broken.")
    refuse_fixed_device(
        lambda: rollout(patterns.to("meta")),
        "The identity is always on the CPU: create it with device=patterns.device.",
    )
    return "Rows sum to 1, the future stays hidden, and every layer reads what the one before has mixed."


@exercise
def check_fit_translator(fit_translator: Callable) -> str:
    """Exercise 2: the affine map that takes an early stream nearest to the last one, in least squares."""
    import torch

    rng = torch.Generator().manual_seed(0)
    stream = torch.randn(60, 4, generator=rng) + torch.tensor([1.0, -2.0, 0.5, 3.0])
    final = (
        stream @ torch.randn(4, 4, generator=rng)
        + torch.tensor([2.0, -1.0, 4.0, 0.0])
        + torch.randn(60, 4, generator=rng)
    )
    given = call(fit_translator, stream, final, changed=CHANGED)
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise Wrong(f"Return two tensors, the matrix [C, C] and the bias [C]; I got {shown(given)}.")
    matrix = tensor(given[0], (4, 4), "the matrix [C, C]")
    bias = tensor(given[1], (4,), "the bias [C]")
    ones = torch.cat((stream, torch.ones(60, 1)), 1)
    right = torch.linalg.lstsq(ones, final).solution
    plain = torch.linalg.lstsq(stream, final).solution
    back = torch.linalg.lstsq(torch.cat((final, torch.ones(60, 1)), 1), stream).solution
    refuse(
        matrix,
        right[:-1],
        {
            "Your map has no bias while it is fitted. Append a column of ones to the stream.": plain,
            "Your map goes back: from the final stream to the early one.": back[:-1],
            "The matrix is transposed: the translated stream is `stream @ matrix + bias`.": right[:-1].T,
            "You centered the final stream only. Append a column of ones, or center both.": torch.linalg.lstsq(
                stream, final - final.mean(0)
            ).solution,
            "That is the map for the *change*, final − stream. Fit the final stream itself.": right[:-1] - torch.eye(4),
            "That is the identity. Fit it.": torch.eye(4),
        },
    )
    if not same(matrix, right[:-1], 1e-3):
        raise Wrong(f"For 60 tokens of 4 numbers your matrix has {difference(matrix, right[:-1])}.")
    if same(bias, torch.zeros(4)):
        raise Wrong("The matrix is right; the bias is all zeros. It is the last row of the solution.")
    if same(bias, final.mean(0) - stream.mean(0), 1e-3):
        raise Wrong("The bias ignores the matrix: it is mean(final) − mean(stream) @ matrix.")
    if not same(bias, right[-1], 1e-3):
        raise Wrong(f"The matrix is right; your bias has {difference(bias, right[-1])}.")
    return "No affine map comes nearer to the last layer's stream, in squares."


@exercise
def check_token_purity(token_purity: Callable) -> str:
    """Exercise 3: the share of a feature's strongest tokens that are one and the same type."""
    import torch

    ids = torch.tensor([5, 5, 7, 7, 7, 9, 5, 9, 9, 9])
    features = torch.tensor(
        [
            [9.0, 0.5, 0.0],
            [8.0, 0.1, 0.0],
            [7.0, 3.0, 0.0],
            [1.0, 4.0, 2.0],
            [0.5, 5.0, 0.0],
            [0.0, 6.0, 3.0],
            [6.0, 0.2, 0.0],
            [0.0, 0.3, 0.0],
            [0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0],
        ]
    )
    right = torch.tensor([0.75, 0.75, torch.nan])
    answer = tensor(call(token_purity, features, ids, 4, changed=CHANGED), (3,), "a purity for each feature, [F]")
    active = features > 0
    everywhere = torch.tensor([max(ids[active[:, f]].bincount()) / active[:, f].sum() for f in range(3)])
    refuse(
        answer,
        right,
        {
            "A feature that is active at fewer than `top` tokens has no purity: NaN.": torch.tensor([0.75, 0.75, 0.5]),
            "A feature that is active at fewer than `top` tokens has no purity: NaN, not 0.": torch.tensor(
                [0.75, 0.75, 0.0]
            ),
            "You counted how many different types there are. Count the commonest.": torch.tensor([0.5, 0.5, torch.nan]),
            "You asked for the type of the strongest token. Count the commonest type among the `top`.": torch.tensor(
                [0.75, 0.25, torch.nan]
            ),
            "These are counts. Divide by `top`.": 4 * right,
            "You took the *weakest* tokens. topk takes the largest.": torch.tensor([0.75, 0.5, torch.nan]),
        },
    )
    if same(answer[:2], everywhere[:2]):
        raise Wrong("You took all tokens at which the feature is active. Take the `top` strongest.")
    if not same(answer, right):
        raise Wrong(f"For my three features, top 4, I expected {shown(right)} and got {shown(answer)}.")
    if not same(token_purity(features, ids, 2)[:2], torch.tensor([1.0, 0.5])):
        raise Wrong("With top=2 yours is wrong: does it use 4?")
    return "The commonest of the strongest; and a feature that is hardly ever active gets no grade."
