"""Checks of notebook 06, *GPT: pretraining on unlabeled text*; those of its networks stand in files of their own."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, kind, near, number, refuse_known, same, shown, tensor
from helpers.checks.nb06_attention import check_Attention, check_CachedAttention
from helpers.checks.nb06_gpt import check_Block, check_SmallGPT

__all__ = [
    "check_Attention",
    "check_Block",
    "check_CachedAttention",
    "check_SmallGPT",
    "check_grouped_attention",
    "check_inputs_and_targets",
    "check_rotated",
    "check_scaling_exponent",
]


@exercise
def check_inputs_and_targets(inputs_and_targets: Callable) -> str:
    """Build: a stream of tokens [N] to rows of inputs and targets, each [rows, context]."""
    import torch

    def ask(length: int, context: int) -> tuple:
        ids = torch.arange(10, 10 + length)
        changed = "You changed the stream you were given. Cut new tensors out of it."
        answer = call(inputs_and_targets, ids, context, changed=changed, first=length == 9)
        if not isinstance(answer, tuple | list) or len(answer) != 2 or not all(map(torch.is_tensor, answer)):
            raise Wrong(f"Return two tensors, inputs and targets, and not {kind(answer)}.")
        return answer

    def rows(start: int):
        return torch.arange(2)[:, None] * 4 + torch.arange(4) + start

    inputs, targets = ask(9, 4)  # ten to eighteen: two rows of four, and one label more
    right, shifted = rows(10), rows(11)
    if inputs.shape == targets.shape and torch.equal(inputs, targets):
        raise Wrong("Inputs and targets are the same. Each target is the token *after* its input: shift by one.")
    if torch.equal(inputs, shifted) and torch.equal(targets, right):
        raise Wrong("The two are the wrong way around: the targets come one token later than the inputs.")
    if torch.equal(inputs, right) and torch.equal(targets, right.roll(-1, 1)):
        raise Wrong(
            "The last target of each row is the row's own first token. It must be the next token of the stream."
        )
    if tuple(inputs.shape) == (8,) or tuple(targets.shape) == (8,):
        raise Wrong("All tokens stand in one row. Cut them into rows of `context` tokens each.")
    if inputs.ndim == 2 and inputs.shape[1] == 3 and targets.shape == inputs.shape:
        raise Wrong(
            "Each row lost a token: you cut rows of `context` and shifted inside them. Shift the stream, then cut."
        )
    if tuple(inputs.shape) == (2, 5):
        raise Wrong("Your rows have one token too many: inputs and targets are `context` long, each.")
    if tuple(inputs.shape) == (5, 4) or tuple(inputs.shape) == (6, 4):
        raise Wrong(
            "Your rows overlap, so most tokens are learned four times. The next row begins where this one ended."
        )
    if tuple(inputs.shape) == (1, 4):
        raise Wrong("The second row is missing: nine tokens hold eight pairs of input and target, two rows of four.")
    if torch.equal(inputs, right) and torch.equal(targets, rows(12)):
        raise Wrong("Your targets come two tokens later. The label is the very next token.")
    for answer, expected, name in ((inputs, right, "inputs"), (targets, shifted, "targets")):
        if not torch.equal(answer.long(), expected):
            raise Wrong(f"For tokens 10 to 18 and context 4 the {name} are {expected.tolist()}; I got {shown(answer)}.")
    inputs, targets = ask(8, 4)  # the last token has no label: one row only
    if len(inputs) != 1 or len(targets) != 1:
        raise Wrong("Eight tokens hold seven pairs, so one row of four: the last token has no token after it.")
    inputs, targets = ask(12, 4)
    if inputs.shape != (2, 4) or not torch.equal(targets.long(), shifted):
        raise Wrong("From twelve tokens I expected two rows of four: what does not fill a row is left out.")
    inputs, targets = ask(14, 6)
    if tuple(inputs.shape) != (2, 6) or tuple(targets.shape) != (2, 6):
        raise Wrong(f"With a context of 6 I got rows of {inputs.shape[-1]}. Is a 4 written down as a number?")
    return "Every token but the first is a label, and none is used twice. That is all the data a GPT needs."


@exercise
def check_rotated(rotated: Callable) -> str:
    """Exercise 1: a vector [D], rotated by the rotary embedding of a position."""
    import torch

    def turn(x, position: int, base: float = 10_000.0, sign: int = 1, speeds=None):
        half = len(x) // 2
        angles = position * (base ** (-torch.arange(half).double() / half) if speeds is None else speeds)
        a, b, cos, sin = x[:half], x[half:], angles.cos(), angles.sin() * sign
        return torch.cat((a * cos - b * sin, b * cos + a * sin))

    def ask(x, position: int):
        changed = "You changed the vector you were given. Return a new one."
        answer = call(rotated, x, position, changed=changed, first=position == 3)
        return tensor(answer, tuple(x.shape), "the turned vector")

    x = torch.tensor([1.0, 2.0, -1.0, 0.5, 0.0, 1.5], dtype=torch.float64)
    answer, half = ask(x, 3), 3
    paired = torch.stack((x[0::2], x[1::2])).flatten()
    if same(answer, x):
        raise Wrong("Nothing was turned. At position 3 the first pair turns by three radians.")
    if same(answer, turn(x, 3, sign=-1)):
        raise Wrong("You turned the other way: the first half is a·cos − b·sin, the second b·cos + a·sin.")
    if same(answer, turn(paired, 3).view(2, half).T.flatten()) or same(answer, turn(paired, 3)):
        raise Wrong(
            "You paired neighbors. Here number i makes a pair with number i + D/2, the first half with the second."
        )
    if same(answer, turn(x, 3, speeds=torch.ones(half).double())):
        raise Wrong("All pairs turn alike. Each has its own speed, base ** (−i / (D/2)): fast first, slow last.")
    if same(answer, turn(x, 3, speeds=10_000.0 ** (-torch.arange(half).double() / 6))):
        raise Wrong("Your pairs slow down half as much as they should: divide i by the number of pairs, D/2.")
    faster = turn(x, 3, speeds=10_000.0 ** (torch.arange(half).double() / half))
    if same(answer, faster, tolerance=0.01):  # for such angles float32 is coarse
        raise Wrong("Your pairs become faster. The exponent is negative: the last pair is the slowest.")
    if same(answer, turn(x, 1)):
        raise Wrong("You turned by position 1, whatever the position: multiply the angles by it.")
    if same(answer, turn(x, 3).roll(half)):
        raise Wrong("The halves are joined the wrong way around: first a·cos − b·sin, then b·cos + a·sin.")
    if any(same(answer, turn(x, position)) for position in (2, 4)):
        raise Wrong("You turned by one position too many or too few: they begin at 0, and 0 is not turned at all.")
    if same(answer, turn(x, 3, speeds=math.pi / 180 * 10_000.0 ** (-torch.arange(half).double() / half))):
        raise Wrong("You turned by degrees. torch's cos and sin take radians: no conversion is needed.")
    if abs(answer.norm() - x.norm()) > 1e-6:
        raise Wrong("The vector changed its length. A rotation never does: a·cos − b·sin, and b·cos + a·sin.")
    if not same(answer, turn(x, 3)):
        raise Wrong(f"At position 3 I expected {shown(turn(x, 3))} and got {shown(answer)}.")
    if not same(ask(x, 0), x):
        raise Wrong("At position 0 the angle is 0, and the vector stays as it is.")
    if not same(ask(x[:2], 7), turn(x[:2], 7)):
        raise Wrong(
            "A vector of two numbers, one pair, at position 7 comes out wrong. Is a size written down as a number?"
        )
    return "Turned, never stretched: from now on a product of two vectors knows how far apart they stand."


@exercise
def check_grouped_attention(grouped_attention: Callable) -> str:
    """Exercise 2: q [B, n_head, T, D] over fewer keys and values [B, n_kv, T, D], causal: output [B, n_head, T, D]."""
    import torch

    rng = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, heads, 5, 4, generator=rng, dtype=torch.float64) for heads in (6, 2, 2))

    def attend(k, v, hidden, scale: float = 0.5):
        return (q @ k.transpose(-2, -1) * scale).masked_fill(hidden, -math.inf).softmax(-1) @ v

    future = torch.ones(5, 5, dtype=torch.bool).triu(1)
    groups = [part.repeat_interleave(3, dim=1) for part in (k, v)]
    answer = call(grouped_attention, q, k, v, changed="You changed what you were given. Compute new tensors.")
    answer = tensor(answer, (2, 6, 5, 4), "an output for each of the six query heads")
    mistakes = {
        "Your groups are mixed: query heads 0, 1, 2 share the first key head and 3, 4, 5 the second: repeat_interleave.": attend(
            k.repeat(1, 3, 1, 1), v.repeat(1, 3, 1, 1), future
        ),
        "The mask is missing: tokens see the future.": attend(*groups, torch.zeros_like(future)),
        "The mask hides the past. The future is above the diagonal: triu(1).": attend(*groups, future.T),
        "The division by √D is missing.": attend(*groups, future, 1.0),
        "You divided by D. Divide the scores by its root.": attend(*groups, future, 0.25),
        "All query heads share one key head. Each key head serves its own group of n_head / n_kv.": attend(
            k[:, :1], v[:, :1], future
        ),
        "Your groups share a mean of all keys and values. Each group has a key head of its own.": attend(
            k.mean(1, keepdim=True), v.mean(1, keepdim=True), future
        ),
        "The values are still in their own order: group them as you group the keys.": attend(
            groups[0], v.repeat(1, 3, 1, 1), future
        ),
    }
    refuse_known(answer, mistakes)
    if not same(answer, attend(*groups, future)):
        raise Wrong("The output differs from that of attention with each key and value head repeated for its group.")
    if not same(grouped_attention(k, k, v), torch.nn.functional.scaled_dot_product_attention(k, k, v, is_causal=True)):
        raise Wrong("With as many key heads as query heads it should be ordinary attention. Is a number written down?")
    return "Fewer keys and values, the same number of queries: the cache shrinks by the size of a group."


@exercise
def check_scaling_exponent(scaling_exponent: Callable) -> str:
    """Exercise 3: the exponent of the power law nearest to points (sizes, losses)."""
    sizes = [1e3, 4e3, 1.6e4, 6.4e4, 1e6]
    losses = [5 * size**-0.1 * wobble for size, wobble in zip(sizes, (1.0, 1.02, 0.97, 1.01, 0.99))]

    def slope(x: list, y: list) -> float:
        a, b = sum(x) / len(x), sum(y) / len(y)
        return sum((i - a) * (j - b) for i, j in zip(x, y)) / sum((i - a) ** 2 for i in x)

    def ask(sizes: list, losses: list) -> float:
        return number(tried(scaling_exponent(list(sizes), list(losses))), "the exponent")

    x, y = [math.log(size) for size in sizes], [math.log(loss) for loss in losses]
    right, answer = -slope(x, y), ask(sizes, losses)
    if near(answer, -right):
        raise Wrong(
            "The sign is the wrong way around: a loss that falls has a positive exponent, loss = factor / size^α."
        )
    if near(abs(answer), abs(slope(sizes, losses))):
        raise Wrong("You fitted a line to the numbers themselves. A power law is straight where both are logarithms.")
    if near(abs(answer), abs(slope(x, losses))):
        raise Wrong("You took the logarithm of the sizes only. Take that of the losses as well.")
    if near(abs(answer), abs(slope(sizes, y))):
        raise Wrong("You took the logarithm of the losses only. Take that of the sizes as well.")
    if near(abs(answer), abs(slope(y, x))):
        raise Wrong("The axes are exchanged: the loss stands above the size, so the slope is Δ log loss / Δ log size.")
    if near(abs(answer), abs((y[-1] - y[0]) / (x[-1] - x[0]))):
        raise Wrong("This is the slope between the first and the last point. Use all of them: the least squares.")
    if near(answer, sum(y) / 5 + right * sum(x) / 5):
        raise Wrong("This is the height of the line, the second number of polyfit. The slope is the first.")
    if near(abs(answer), abs(math.exp(sum(y) / 5 + right * sum(x) / 5))):
        raise Wrong("This is the factor of the law, its height. The exponent is the slope.")
    if not near(answer, right):
        raise Wrong(f"For points around 5 · size^−0.1 I expected {right:.4f} and got {answer:.4g}.")
    if not near(ask([2, 8], [3, 1.5]), 0.5):
        raise Wrong(
            "From 2 to 8 the size grows fourfold and the loss halves, so the exponent is 0.5; yours is another."
        )
    return "A slope on logarithmic paper: the number that budgets were planned with."
