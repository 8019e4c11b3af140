"""Checks of notebook 04, *Attention is all you need*; those of its build cells stand in files of their own."""

import operator
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, refuse_known, same, shown, tensor, whole
from helpers.checks.nb04_attention import check_attention, check_causal_mask
from helpers.checks.nb04_decoder import check_DecoderLayer
from helpers.checks.nb04_heads import check_MultiHeadAttention
from helpers.checks.nb04_layers import check_EncoderLayer

__all__ = [
    "check_attend_with_cache",
    "check_attention",
    "check_causal_mask",
    "check_DecoderLayer",
    "check_EncoderLayer",
    "check_layer_parameters",
    "check_MultiHeadAttention",
    "check_window_mask",
]


@exercise
def check_window_mask(window_mask: Callable) -> str:
    """Exercise 1: bool [length, length]; each token may attend to itself and to the window - 1 before it."""
    import torch

    def expected(length: int, low: int, high: int):
        """True where the distance back, row minus column, is from ``low`` to ``high``."""
        positions = torch.arange(length)
        back = positions[:, None] - positions
        return (back >= low) & (back <= high)

    answer = tried(window_mask(6, 3))
    if not torch.is_tensor(answer) or answer.shape != (6, 6):
        got = list(answer.shape) if torch.is_tensor(answer) else shown(answer)
        raise Wrong(f"I expected a tensor of shape [6, 6], a row for each token that attends, and got {got}.")
    given, answer = answer, answer.detach().bool()
    upside_down = "Upside down: your tokens attend to themselves and to what comes later. Rows attend to columns."
    known = {
        "The future is open: no token may attend to a later one. Only columns up to its own are allowed.": (-2, 2),
        "The future is open: `back < window` alone lets every later token in. A second condition: back >= 0.": (-5, 2),
        "Nothing old is hidden: a token may attend to the last `window` tokens only, itself among them.": (0, 5),
        "Your window is one token too wide: itself and the window − 1 before it make `window` in all.": (0, 3),
        "Your window is one token too narrow: with window = 3 a token sees itself and the two before it.": (0, 1),
        "A token may not attend to itself in your mask. The window of 3 is itself and the two before it.": (1, 3),
        "Your window stops before the token itself: it may attend to itself, too.": (1, 2),
        upside_down: (-2, 0),
    }
    refuse_known(answer, {message: expected(6, *distances) for message, distances in known.items()})
    if torch.equal(answer, ~expected(6, 0, 2)):
        raise Wrong("You hid the window and opened the rest: True for “hidden” does that. True is “may attend”.")
    if not torch.equal(answer, expected(6, 0, 2)):
        row = int((answer != expected(6, 0, 2)).any(1).nonzero()[0])
        raise Wrong(f"For length 6 and window 3, row {row} is not right: {answer[row].int().tolist()}.")
    if given.dtype != torch.bool:
        raise Wrong(
            f"The positions are right, but the mask is {given.dtype}. `masked_fill(~mask, …)` needs torch.bool."
        )
    for length, window in ((4, 9), (5, 1), (1, 1)):
        if not same(window_mask(length, window), expected(length, 0, window - 1)):
            raise Wrong(f"Length 6 with window 3 is right; length {length} with window {window} is not.")
    return "Each token sees a little of the past and nothing of the future. Code that skips the rest can afford long texts."


@exercise
def check_layer_parameters(layer_parameters: Callable[[int, int], int]) -> str:
    """Exercise 2: how many weights an encoder layer has, ``d_model`` wide and ``d_ff`` inside its feed-forward part."""
    d_model, d_ff = 10, 30
    answer = whole(tried(layer_parameters(d_model, d_ff)))
    attention, feed, norms = 4 * d_model * d_model + 4 * d_model, 2 * d_model * d_ff + d_ff + d_model, 4 * d_model
    right = attention + feed + norms
    matrices = 4 * d_model * d_model + 2 * d_model * d_ff
    known = {
        "These are the matrices only. Each has a bias, one number per output; the norms have weights, too.": matrices,
        "The biases are missing: each matrix has one number for each of its outputs as well.": matrices + norms,
        "Attention has a fourth matrix, which mixes the outputs of the heads: `out_proj`.": right
        - d_model * (d_model + 1),
        "The two norms are missing: each has a factor and an offset for each of the d_model numbers.": right - norms,
        "This is one norm. There are two, each with a factor and an offset for every number.": right - 2 * d_model,
        "The feed-forward network has a second matrix. One leads up to `d_ff` numbers, the other down again.": right
        - d_model * (d_ff + 1),
        "The feed-forward network is missing: two matrices, up to `d_ff` numbers and down again.": right - feed,
        "Attention is missing: queries, keys, values, and a matrix that mixes the heads.": right - attention,
        "This is a decoder's layer: an encoder's has no cross-attention.": right + attention + 2 * d_model,
    }
    refuse_known(answer, known, operator.eq)
    if answer != right:
        raise Wrong(f"For d_model 10 and d_ff 30 I expected {right:,} and got {answer:,}.")
    for d_model, d_ff in ((64, 256), (3, 7)):
        expected = 4 * d_model * d_model + 8 * d_model + 2 * d_model * d_ff + d_ff + d_model
        if (answer := whole(layer_parameters(d_model, d_ff))) != expected:
            raise Wrong(
                f"d_model 10 is right; for d_model {d_model} and d_ff {d_ff} I expected {expected:,}, not {answer:,}."
            )
    return "Every weight is there. And did you notice that the number of heads appears nowhere?"


@exercise
def check_attend_with_cache(attend_with_cache: Callable) -> str:
    """Exercise 3: attention for one new token, with the keys and values of those before it kept."""
    import torch

    rng = torch.Generator().manual_seed(0)
    queries, keys, values = (torch.randn(4, width, generator=rng) for width in (5, 5, 3))

    def expected(i: int, scale: float = 5**-0.5):
        return (scale * keys[: i + 1] @ queries[i]).softmax(0) @ values[: i + 1]

    def ask(i: int, cache):
        changed = "You changed the cache you were given. Make a new one: another continuation may start from there."
        answer = call(attend_with_cache, queries[i], keys[i], values[i], cache, changed=changed, first=i == 0)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise Wrong(f"Return two things: the attention output, and the grown cache. I got {shown(answer)}.")
        output, cache = answer
        if not isinstance(cache, tuple | list) or len(cache) != 2 or not all(map(torch.is_tensor, cache)):
            raise Wrong("The cache you return must be a pair of tensors: all keys so far, and all values so far.")
        return tensor(output, (3,), "a tensor, the attention output of the new token"), tuple(cache)

    try:
        output, cache = ask(0, None)
    except (TypeError, AttributeError) as error:
        raise Wrong(f"At the first token there is no cache yet, it is None, and your code stopped: {error}.") from None
    if not same(output, values[0]):
        raise Wrong("The first token sees itself alone, so the output is its own value.")
    if same(cache[0], values[:1]):
        raise Wrong("Your cache holds the values first. The keys come first, as they came in.")
    if [list(part.shape) for part in cache] != [[1, 5], [1, 3]]:
        got = [list(part.shape) for part in cache]
        raise Wrong(f"After one token the cache holds a row of each, shapes [1, 5] and [1, 3]; I got {got}.")
    for i in range(1, 4):
        before = cache
        output, cache = ask(i, before)
        if same(output, values[i]):
            raise Wrong("The new token sees only itself. Put its key and value to those of the cache, then attend.")
        if same(output, (5**-0.5 * before[0] @ queries[i]).softmax(0) @ before[1]):
            raise Wrong("The new token does not see itself: add its key and value to the cache before you attend.")
        if same(output, expected(i, 1.0)):
            raise Wrong("You forgot √d: divide the scores by the square root of the query's length.")
        if same(output, expected(i, 1 / 5)):
            raise Wrong("You divided by d itself: its square root is enough.")
        if [len(part) for part in cache] == [i] * 2:
            raise Wrong("The cache did not grow: return it with the new key and value in it.")
        if same(cache[0], torch.cat([keys[i : i + 1], before[0]])):
            raise Wrong("The new key stands before the old ones. Add it at the end: the order is that of the text.")
        if not same(cache[0], keys[: i + 1]) or not same(cache[1], values[: i + 1]):
            raise Wrong(f"After {i + 1} tokens the cache should hold their keys and values, in the order they came.")
        if not same(output, expected(i)):
            raise Wrong(f"For token {i + 1} I expected {shown(expected(i))} and got {shown(output)}.")
    return "One token, one step, the same result as reading everything again. This is how chatbots answer fast."
