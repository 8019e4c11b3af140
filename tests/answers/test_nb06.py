"""Notebook 06: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import math

import numpy as np
import torch

from helpers.checks import nb06
from tests.answers.common import closing_tests


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def cut(ids, context, start=0):
    rows = (len(ids) - 1) // context
    return ids[start : start + rows * context].reshape(rows, context)


def not_shifted(ids, context):
    return cut(ids, context), cut(ids, context)


def exchanged(ids, context):
    return cut(ids, context, 1), cut(ids, context)


def rolls_the_rows(ids, context):
    rows = cut(ids, context)
    return rows, rows.roll(-1, dims=1)


def one_long_row(ids, context):
    end = (len(ids) - 1) // context * context
    return ids[:end], ids[1 : end + 1]


def cuts_then_shifts(ids, context):
    rows = cut(ids, context)
    return rows[:, :-1], rows[:, 1:]


def overlapping(ids, context):
    windows = ids.unfold(0, context + 1, 1)
    return windows[:, :-1], windows[:, 1:]


def one_row_short(ids, context):
    rows = len(ids) // context - 1
    return ids[: rows * context].view(rows, context), ids[1 : rows * context + 1].view(rows, context)


def two_later(ids, context):
    padded = torch.cat((ids, ids[-1:] + 1))
    rows = (len(ids) - 1) // context
    return cut(ids, context), padded[2 : 2 + rows * context].view(rows, context)


def too_long(ids, context):
    padded = torch.cat((ids, ids[-1:] + torch.arange(1, 4)))
    return padded[:10].view(2, 5), padded[1:11].view(2, 5)


def invents_the_last_label(ids, context):
    rows = len(ids) // context
    return ids[: rows * context].view(rows, context), ids.roll(-1)[: rows * context].view(rows, context)


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def size(x):
    return (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()


def layer_norm(x):
    return torch.nn.functional.layer_norm(x, x.shape[-1:])


def one_for_all(x):
    return x / (x.square().mean() + 1e-6).sqrt()


def over_the_tokens(x):
    return x / x.square().mean(0, keepdim=True).sqrt().clamp(min=1e-3)


def without_the_root(x):
    return x / (x.square().mean(-1, keepdim=True) + 1e-6)


def to_length_one(x):
    return torch.nn.functional.normalize(x, dim=-1)


def mean_of_the_sizes(x):
    return x / (x.abs().mean(-1, keepdim=True) + 1e-6)


def multiplied(x):
    return x * size(x)


def zero_by_zero(x):
    return x / x.square().mean(-1, keepdim=True).sqrt()


def in_place(x):
    x /= size(x)
    return x


def a_large_epsilon(x):
    small = x.abs().max() < 100
    return x / size(x) if small else x / (x.square().mean(-1, keepdim=True) + 1e6).sqrt()


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def turned(x, place, speeds=None, sign=1):
    half = len(x) // 2
    angles = place * (10_000.0 ** (-torch.arange(half).double() / half) if speeds is None else speeds(half))
    a, b, cos, sin = x[:half], x[half:], angles.cos(), sign * angles.sin()
    return torch.cat((a * cos - b * sin, b * cos + a * sin))


def not_turned(x, place):
    return x.clone()


def the_other_way(x, place):
    return turned(x, place, sign=-1)


def neighbors(x, place):
    half = len(x) // 2
    apart = torch.cat((x[0::2], x[1::2]))
    return turned(apart, place).view(2, half).T.flatten()


def all_alike(x, place):
    return turned(x, place, lambda half: torch.ones(half).double())


def half_the_slowing(x, place):
    return turned(x, place, lambda half: 10_000.0 ** (-torch.arange(half).double() / (2 * half)))


def ever_faster(x, place):
    return turned(x, place, lambda half: 10_000.0 ** (torch.arange(half).double() / half))


def counts_from_one(x, place):
    return turned(x, place + 1)


def by_degrees(x, place):
    return turned(x, math.radians(place))


def stretches(x, place):
    half = len(x) // 2
    angles = place * 10_000.0 ** (-torch.arange(half).double() / half)
    return torch.cat(
        (x[:half] * angles.cos() - x[half:] * angles.sin(), x[half:] * angles.cos() - x[:half] * angles.sin())
    )


# -- Exercise 4 --------------------------------------------------------------------------------------------------------
def grown(k, v, keys, values):
    return torch.cat((keys, k[None])), torch.cat((values, v[None]))


def taken(q, keys, values, scale=0.5):
    return (keys @ q * scale).softmax(0) @ values


def does_not_grow(q, k, v, keys, values):
    return taken(q, *grown(k, v, keys, values)), keys, values


def new_ones_first(q, k, v, keys, values):
    keys, values = torch.cat((k[None], keys)), torch.cat((v[None], values))
    return taken(q, keys, values), keys, values


def returns_values_first(q, k, v, keys, values):
    keys, values = grown(k, v, keys, values)
    return taken(q, keys, values), values, keys


def only_the_old(q, k, v, keys, values):
    return taken(q, keys, values), *grown(k, v, keys, values)


def without_the_division(q, k, v, keys, values):
    keys, values = grown(k, v, keys, values)
    return taken(q, keys, values, 1.0), keys, values


def divided_by_d(q, k, v, keys, values):
    keys, values = grown(k, v, keys, values)
    return taken(q, keys, values, 1 / len(q)), keys, values


def asks_with_the_key(q, k, v, keys, values):
    keys, values = grown(k, v, keys, values)
    return taken(k, keys, values), keys, values


def without_softmax(q, k, v, keys, values):
    keys, values = grown(k, v, keys, values)
    return (keys @ q / 2) @ values, keys, values


def hands_over_keys(q, k, v, keys, values):
    keys, values = grown(k, v, keys, values)
    return taken(q, values, keys), keys, values


def writes_into_the_query(q, k, v, keys, values):
    keys, values = grown(k, v, keys, values)
    q /= 2
    return (keys @ q).softmax(0) @ values, keys, values


# -- Exercise 5 --------------------------------------------------------------------------------------------------------
def fitted(x, y):
    return float(np.polyfit(x, y, 1)[0])


def a_negative_exponent(sizes, losses):
    return fitted(np.log(sizes), np.log(losses))


def no_logarithms(sizes, losses):
    return -fitted(sizes, losses)


def only_the_sizes(sizes, losses):
    return -fitted(np.log(sizes), losses)


def only_the_losses(sizes, losses):
    return -fitted(sizes, np.log(losses))


def axes_exchanged(sizes, losses):
    return -fitted(np.log(losses), np.log(sizes))


def two_points(sizes, losses):
    return math.log(losses[0] / losses[-1]) / math.log(sizes[-1] / sizes[0])


def the_factor(sizes, losses):
    return float(np.exp(np.polyfit(np.log(sizes), np.log(losses), 1)[1]))


WRONG = {
    "inputs_and_targets": {
        not_shifted: "Inputs and targets are the same",
        exchanged: "the wrong way round",
        rolls_the_rows: "the row's own first token",
        one_long_row: "All tokens stand in one row",
        cuts_then_shifts: "Each row lost a token",
        overlapping: "Your rows overlap",
        one_row_short: "The second row is missing",
        two_later: "two tokens later",
        too_long: "one token too many",
        invents_the_last_label: "Eight tokens hold seven pairs",
    },
    "rms_norm": {
        layer_norm: "You subtracted the mean",
        one_for_all: "One number for the whole table",
        over_the_tokens: "mean over the tokens",
        without_the_root: "forgot the root",
        to_length_one: "Your vectors have length 1",
        mean_of_the_sizes: "mean of the absolute values",
        multiplied: "You multiplied by the root mean square",
        zero_by_zero: "A vector of zeros became no number",
        in_place: "You changed the vectors",
        a_large_epsilon: "a thousand times as long",
    },
    "rotated": {
        not_turned: "Nothing was turned",
        the_other_way: "You turned the other way",
        neighbors: "You paired neighbors",
        all_alike: "All pairs turn alike",
        half_the_slowing: "slow down half as much",
        ever_faster: "Your pairs become faster",
        counts_from_one: "one position too many or too few",
        by_degrees: "You turned by degrees",
        stretches: "The vector changed its length",
    },
    "cached_step": {
        does_not_grow: "The cache did not grow",
        new_ones_first: "at the beginning",
        returns_values_first: "Keys and values are mixed up",
        only_the_old: "attends to the old ones only",
        without_the_division: "division by √D is missing",
        divided_by_d: "You divided by D",
        asks_with_the_key: "You asked with the key",
        without_softmax: "The softmax is missing",
        hands_over_keys: "compared with the values",
        writes_into_the_query: "You changed what you were given",
    },
    "scaling_exponent": {
        a_negative_exponent: "The sign is the wrong way round",
        no_logarithms: "the numbers themselves",
        only_the_sizes: "logarithm of the sizes only",
        only_the_losses: "logarithm of the losses only",
        axes_exchanged: "The axes are exchanged",
        two_points: "between the first and the last point",
        the_factor: "This is the factor",
    },
}


globals().update(closing_tests(nb06, "06_gpt_pretraining", WRONG))
