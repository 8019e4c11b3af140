"""Notebook 06: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import math

import numpy as np
import torch

from helpers.checks import nb06
from tests.answers.common import closing_tests
from tests.answers.nb06_networks import NETWORKS


# -- Build: labels from a stream  ---------------------------------------------------------------------------------------
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


def always_four(ids, context):
    return cut(ids, 4), cut(ids, 4, 1)


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
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


def whatever_the_position(x, place):
    return turned(x, 1)


def neighbors_in_halves(x, place):
    return turned(torch.cat((x[0::2], x[1::2])), place)


def faster_in_float32(x, place):
    half = len(x) // 2
    angles = place * 10_000 ** (torch.arange(half) / half)
    a, b = x[:half], x[half:]
    return torch.cat((a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()))


def halves_exchanged(x, place):
    return turned(x, place).roll(len(x) // 2)


def by_degrees(x, place):
    return turned(x, math.radians(place))


def stretches(x, place):
    half = len(x) // 2
    angles = place * 10_000.0 ** (-torch.arange(half).double() / half)
    return torch.cat(
        (x[:half] * angles.cos() - x[half:] * angles.sin(), x[half:] * angles.cos() - x[:half] * angles.sin())
    )


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
FUTURE = torch.ones(5, 5, dtype=torch.bool).triu(1)


def attend(q, k, v, hidden=FUTURE, scale=0.5):
    return (q @ k.transpose(-2, -1) * scale).masked_fill(hidden, -math.inf).softmax(-1) @ v


def groups(q, *parts):
    return [part.repeat_interleave(q.shape[1] // part.shape[1], dim=1) for part in parts]


def tiles(q, k, v):
    times = q.shape[1] // k.shape[1]
    return attend(q, k.repeat(1, times, 1, 1), v.repeat(1, times, 1, 1))


def tiles_the_values(q, k, v):
    return attend(q, *groups(q, k), v.repeat(1, q.shape[1] // v.shape[1], 1, 1))


def without_a_mask(q, k, v):
    return attend(q, *groups(q, k, v), torch.zeros_like(FUTURE))


def hides_the_past(q, k, v):
    return attend(q, *groups(q, k, v), FUTURE.T)


def without_scaling(q, k, v):
    return attend(q, *groups(q, k, v), scale=1.0)


def scaled_by_d(q, k, v):
    return attend(q, *groups(q, k, v), scale=1 / q.shape[-1])


def multi_query(q, k, v):
    return attend(q, k[:, :1], v[:, :1])


def mean_of_the_heads(q, k, v):
    return attend(q, k.mean(1, keepdim=True), v.mean(1, keepdim=True))


def always_three(q, k, v):
    return attend(q, k.repeat_interleave(3, dim=1)[:, : q.shape[1]], v.repeat_interleave(3, dim=1)[:, : q.shape[1]])


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
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


def the_height(sizes, losses):
    return float(np.polyfit(np.log(sizes), np.log(losses), 1)[1])


def the_factor(sizes, losses):
    return float(np.exp(np.polyfit(np.log(sizes), np.log(losses), 1)[1]))


WRONG = NETWORKS | {
    "inputs_and_targets": {
        not_shifted: "Inputs and targets are the same",
        exchanged: "the wrong way around",
        rolls_the_rows: "the row's own first token",
        one_long_row: "All tokens stand in one row",
        cuts_then_shifts: "Each row lost a token",
        overlapping: "Your rows overlap",
        one_row_short: "The second row is missing",
        two_later: "two tokens later",
        too_long: "one token too many",
        invents_the_last_label: "Eight tokens hold seven pairs",
        always_four: "Is a 4 written down",
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
        whatever_the_position: "You turned by position 1",
        neighbors_in_halves: "You paired neighbors",
        faster_in_float32: "Your pairs become faster",
        halves_exchanged: "The halves are joined the wrong way around",
        stretches: "The vector changed its length",
    },
    "grouped_attention": {
        tiles: "Your groups are mixed",
        tiles_the_values: "The values are still in their own order",
        without_a_mask: "The mask is missing",
        hides_the_past: "The mask hides the past",
        without_scaling: "The division by √D is missing",
        scaled_by_d: "You divided by D",
        multi_query: "All query heads share one",
        mean_of_the_heads: "share a mean",
        always_three: "ordinary attention",
    },
    "scaling_exponent": {
        a_negative_exponent: "The sign is the wrong way around",
        no_logarithms: "the numbers themselves",
        only_the_sizes: "logarithm of the sizes only",
        only_the_losses: "logarithm of the losses only",
        axes_exchanged: "The axes are exchanged",
        two_points: "between the first and the last point",
        the_factor: "This is the factor",
        the_height: "This is the height of the line",
    },
}


globals().update(closing_tests(nb06, "06_gpt_pretraining", WRONG))
