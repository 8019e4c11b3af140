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
    patterns = torch.rand(3, 4, 5, 5, generator=rng).tril()
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
            "You halved the attention, and left out the identity: each layer is half attention, half identity.": product(
                mean / 2
            ),
            "The attention is not halved: each layer is half attention, half identity.": product(mean + eye / 2),
            "The identity is not halved: each layer is half attention, half identity.": product(mean / 2 + eye),
            "You added 1/2 to every entry. The identity has its ones on the diagonal only: `torch.eye`.": product(
                (mean + 1) / 2
            ),
            "The residual connection comes in only once, at the end. It is part of every layer.": (product(mean) + eye)
            / 2,
            "The last layer is missing. Does the loop stop early, or is the `return` inside it?": product(mixed[:-1]),
            "The first layer is missing: begin with it.": product(mixed[1:]),
            "The first layer counts twice: begin with it, and loop over the others, `layers[1:]`.": product(mixed)
            @ mixed[0],
            "You averaged dimension 0, the layers. The heads are dimension 1: `patterns.mean(1)`.": product(
                (patterns.mean(0) + eye) / 2
            ),
            "You multiplied each head by itself and averaged at the end. Average the heads of each layer first.": product(
                (patterns + eye) / 2
            ).mean(0),
            "The order is reversed: later layers stand on the left, layer @ reached.": product(mixed.flip(0)),
            "That is the last layer alone. Multiply all of them.": mixed[-1],
            "That is the first layer alone. Multiply all of them.": mixed[0],
            "You averaged the layers. Multiply them: the second layer reads what the first has mixed.": mixed.mean(0),
            "You added up the layers. Multiply them.": mixed.sum(0),
            "You multiplied entry by entry. It is a matrix product: @.": mixed.prod(0),
            "You took the first head only. Take the mean over the heads.": product((patterns[:, 0] + eye) / 2),
            "The heads are summed. Take their mean.": product((patterns.sum(1) + eye) / 2),
            "You took the first two heads only. Take the mean over all of them.": product(
                (patterns[:, :2].mean(1) + eye) / 2
            ),
            "You added two heads. Take the mean over all of them.": product((patterns[:, :2].sum(1) + eye) / 2),
            "The largest head was taken. Take the mean over the heads.": product((patterns.amax(1) + eye) / 2),
            "Rows and columns are swapped: a row says where a token comes from.": right.T,
        },
    )
    if not same(answer, right):
        raise Wrong(f"For three layers of four heads yours has {difference(answer, right)}.")
    other = torch.rand(2, 3, 7, 7, generator=rng).softmax(-1)
    if not same(rollout(other), product((other.mean(1) + torch.eye(7)) / 2)):
        raise Wrong("For 2 layers of 3 heads and 7 tokens yours is wrong: the sizes come from `patterns.shape`.")
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
            "Your map goes backward: from the final stream to the early one.": back[:-1],
            "The matrix is transposed: the translated stream is `stream @ matrix + bias`.": right[:-1].T,
            "You centered the final stream only. Append a column of ones, or center both.": torch.linalg.lstsq(
                stream, final - final.mean(0)
            ).solution,
            "That is the map for the *change*, final − stream. Fit the final stream itself.": right[:-1] - torch.eye(4),
            "That is the identity. Fit it.": torch.eye(4),
            "Your column of ones stands first, so the bias is row 0 and the matrix the rows from 1 on.": torch.cat(
                (right[-1:], right[:-2])
            ),
        },
    )
    if not same(matrix, right[:-1], 1e-3):
        raise Wrong(f"For 60 tokens of 4 numbers your matrix has {difference(matrix, right[:-1])}.")
    if same(bias, torch.zeros(4)):
        raise Wrong("The matrix is right; the bias is all zeros. It is the last row of the solution.")
    if same(bias, -right[-1], 1e-3):
        raise Wrong("The matrix is right; the bias has the other sign.")
    if same(bias, final.mean(0), 1e-3):
        raise Wrong("The bias is mean(final), which is right for a centered stream: subtract mean(stream) @ matrix.")
    if same(bias, final.mean(0) - stream.mean(0), 1e-3):
        raise Wrong("The bias ignores the matrix: it is mean(final) − mean(stream) @ matrix.")
    if not same(bias, right[-1], 1e-3):
        raise Wrong(f"The matrix is right; your bias has {difference(bias, right[-1])}.")
    fewer = fit_translator(stream[:40, :3], final[:40, :3])
    right = torch.linalg.lstsq(torch.cat((stream[:40, :3], torch.ones(40, 1)), 1), final[:40, :3]).solution
    if not (same(fewer[0], right[:-1], 1e-3) and same(fewer[1], right[-1], 1e-3)):
        raise Wrong("For 40 tokens of 3 numbers yours is wrong: the sizes come from `stream.shape`.")
    refuse_fixed_device(
        lambda: fit_translator(stream.to("meta"), final.to("meta")),
        "The column of ones is always on the CPU: create it with device=stream.device.",
    )
    return "No affine map comes nearer to the last layer's stream, in squares."


@exercise
def check_token_purity(token_purity: Callable) -> str:
    """Exercise 3: the share of a feature's strongest tokens that are one and the same type."""
    import torch

    ids = torch.tensor([9, 5, 7, 5, 7, 8, 9, 9, 9, 9, 5, 7])
    features = torch.tensor(  # here a row is a feature; its four strongest types stand beside it
        [
            [0.1, 9.0, 7.5, 8.0, 0.2, 7.0, 0.3, 0.4, 0.5, 0.0, 6.0, 0.6],  # 5 5 7 8: two of four, three types
            [3.0, 0.1, 8.0, 0.2, 0.3, 0.4, 4.0, 5.0, 0.5, 0.6, 0.7, 0.8],  # 7 9 9 9: the strongest is not the commonest
            [0.0, 1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 4.0, 0.0],  # 5 9 5 5: exactly four are active
            [-9.0, 2.0, 3.0, 1.0, 4.0, 0.0, -8.0, -7.0, -6.0, 0.0, 0.5, 0.6],  # 7 7 5 5: the negative ones do not count
            [
                0.0,
                -1.0,
                -2.0,
                2.0,
                -3.0,
                -4.0,
                0.0,
                0.0,
                0.0,
                0.0,
                3.0,
                -5.0,
            ],  # 5 5 and nothing else: hardly ever active
        ]
    ).T

    def graded(grade, k=4, active=None, by=features):
        """The grade of the types of each feature's top k, NaN where ``active`` (by default: as asked) says no."""
        active = (features > 0).sum(0) >= k if active is None else active
        return torch.tensor([float(grade(ids[by[:, f].topk(k).indices])) if active[f] else torch.nan for f in range(5)])

    def commonest(types):
        return types.bincount().max() / len(types)

    always = torch.ones(5).bool()
    right = graded(commonest)
    given = call(token_purity, features, ids, 4, changed=CHANGED)
    if torch.is_tensor(given) and given.shape == (4,) and same(given, right[:4]):
        raise Wrong("You left out the feature that is hardly ever active. It keeps its place, with NaN.")
    answer = tensor(given, (5,), "a purity for each feature, [F]")
    allowed = {
        "A feature that is active at exactly `top` tokens has a purity: NaN is for *fewer*.": (features > 0).sum(0) > 4,
        "A feature that is active at fewer than `top` tokens has no purity: NaN.": always,
    }
    of_active = [ids[features[:, f] > 0] for f in range(5)]
    refuse(
        answer,
        right,
        {message: graded(commonest, active=active) for message, active in allowed.items()}
        | {
            "A feature that is active at fewer than `top` tokens has no purity: NaN, not 0.": right.nan_to_num(0.0),
            "For a feature with fewer than `top` active tokens you divided by those there are. It gets NaN.": (
                right.where(~right.isnan(), commonest(of_active[4]))
            ),
            "You counted how many different types there are. Count the commonest.": graded(
                lambda t: len(t.unique()) / 4
            ),
            "You counted how many types there are *besides* one. Count the commonest.": graded(
                lambda t: 1 - (len(t.unique()) - 1) / 4
            ),
            "You asked for the type of the strongest token. Count the commonest type among the `top`.": graded(
                lambda t: (t == t[0]).sum() / 4
            ),
            "You asked for the commonest type of the whole text. It is the commonest among the `top` that counts.": graded(
                lambda t: (t == 9).sum() / 4
            ),
            "`argmax` says *which* type is commonest. How often it occurs is `max`.": graded(
                lambda t: t.bincount().argmax() / 4
            ),
            "You counted the numbers of the tokens, not their types: look them up first, `ids[strongest]`.": right * 0
            + 0.25,
            "These are counts. Divide by `top`.": 4 * right,
            "You divided by 20. Divide by `top`.": right / 5,
            "These are percent. Return a share, from 0 to 1.": 100 * right,
            "You rounded down. Divide with /, not //.": right.floor(),
            "You took the *weakest* tokens. topk takes the largest.": graded(commonest, by=-features),
            "You took the largest sizes. A large negative number is no activation: topk without `abs`.": graded(
                commonest, by=features.abs(), active=(features != 0).sum(0) >= 4
            ),
            "You took the first tokens of the text. Take the strongest of each feature: `features.topk(top, dim=0)`.": (
                right * 0 + commonest(ids[:4])
            ),
        },
    )
    everything = torch.stack([commonest(types) for types in of_active])
    if same(answer[:4], everything[:4]):
        raise Wrong("You took all tokens at which the feature is active. Take the `top` strongest.")
    if not same(answer, right):
        raise Wrong(f"For my five features, top 4, I expected {shown(right)} and got {shown(answer)}.")
    if not same(token_purity(features[:, :4], ids, 2), graded(commonest, 2)[:4]):
        raise Wrong("With four features and top=2 yours is wrong: does it use 4, or five features?")
    return "The commonest of the strongest; and a feature that is hardly ever active gets no grade."
