"""Notebook 04: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import torch

from helpers.checks import nb04
from tests.answers.common import closing_tests


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def attend(query, keys, values, divisor):
    return torch.softmax(keys @ query / divisor, 0) @ values


def no_root(query, keys, values):
    return attend(query, keys, values, 1)


def divides_by_d(query, keys, values):
    return attend(query, keys, values, len(query))


def root_of_the_number_of_keys(query, keys, values):
    return attend(query, keys, values, len(keys) ** 0.5)


def root_of_the_values_width(query, keys, values):
    return attend(query, keys, values, values.shape[1] ** 0.5)


def multiplies_by_the_root(query, keys, values):
    return attend(query, keys, values, len(query) ** -0.5)


def no_softmax(query, keys, values):
    return keys @ query / len(query) ** 0.5 @ values


def no_sum(query, keys, values):
    return torch.exp(keys @ query / len(query) ** 0.5) @ values


def returns_the_shares(query, keys, values):
    return torch.softmax(keys @ query / len(query) ** 0.5, 0)


def hands_over_keys(query, keys, values):
    return attend(query, keys, keys, len(query) ** 0.5)


def plain_mean(query, keys, values):
    return values.mean(0)


def best_key_alone(query, keys, values):
    return values[(keys @ query).argmax()]


def overflows(query, keys, values):
    shares = torch.exp(keys @ query / len(query) ** 0.5)
    return shares / shares.sum() @ values


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def distances(length):
    places = torch.arange(length)
    return places[:, None] - places


def open_future(length, window):
    return distances(length).abs() < window


def no_window(length, window):
    return distances(length) >= 0


def one_too_wide(length, window):
    back = distances(length)
    return (back >= 0) & (back <= window)


def one_too_narrow(length, window):
    back = distances(length)
    return (back >= 0) & (back < window - 1)


def not_itself(length, window):
    back = distances(length)
    return (back > 0) & (back <= window)


def only_the_past(length, window):
    back = distances(length)
    return (back > 0) & (back < window)


def upside_down(length, window):
    back = -distances(length)
    return (back >= 0) & (back < window)


def hidden_for_true(length, window):
    back = distances(length)
    return ~((back >= 0) & (back < window))


def numbers(length, window):
    back = distances(length)
    return ((back >= 0) & (back < window)).float()


def three_always(length, window):
    back = distances(length)
    return (back >= 0) & (back < 3)


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def masks_after(scores, mask):
    return scores.softmax(-1) * mask


def multiplies_before(scores, mask):
    return (scores * mask).softmax(-1)


def ignores_the_mask(scores, mask):
    return scores.softmax(-1)


def mask_inverted(scores, mask):
    return scores.masked_fill(mask, float("-inf")).softmax(-1)


def down_the_columns(scores, mask):
    return scores.masked_fill(~mask, float("-inf")).softmax(0)


def never_divides(scores, mask):
    return scores.masked_fill(~mask, float("-inf")).exp()


def nan_for_nothing(scores, mask):
    return scores.masked_fill(~mask, float("-inf")).softmax(-1)


def shares_nothing_out(scores, mask):
    return scores.masked_fill(~mask, -1e9).softmax(-1)


def in_place(scores, mask):
    return scores.masked_fill_(~mask, float("-inf")).softmax(-1).nan_to_num()


def divides_away_afterwards(scores, mask):
    kept = scores.softmax(-1) * mask
    return kept / kept.sum(-1, keepdim=True).clamp(min=1e-30)


def bare_exp(scores, mask):
    raised = scores.masked_fill(~mask, float("-inf")).exp()
    return raised / raised.sum(-1, keepdim=True).clamp(min=1e-30)


# -- Exercise 4 --------------------------------------------------------------------------------------------------------
def parts(width, hidden):
    return 4 * width * width + 4 * width, 2 * width * hidden + hidden + width, 4 * width


def matrices_only(width, hidden):
    return 4 * width * width + 2 * width * hidden


def no_biases(width, hidden):
    return matrices_only(width, hidden) + 4 * width


def three_matrices(width, hidden):
    return sum(parts(width, hidden)) - width * width - width


def no_norms(width, hidden):
    return sum(parts(width, hidden)[:2])


def one_norm(width, hidden):
    return sum(parts(width, hidden)) - 2 * width


def one_matrix_for_thinking(width, hidden):
    return sum(parts(width, hidden)) - width * hidden - width


def does_not_think(width, hidden):
    look, _, norms = parts(width, hidden)
    return look + norms


def does_not_look(width, hidden):
    _, think, norms = parts(width, hidden)
    return think + norms


def of_a_decoder(width, hidden):
    return sum(parts(width, hidden)) + parts(width, hidden)[0] + 2 * width


def hidden_is_three_times_the_width(width, hidden):
    return sum(parts(width, 3 * width))


def infinite(width, hidden):
    return float("inf")


# -- Exercise 5 --------------------------------------------------------------------------------------------------------
def grown(key, value, cache):
    if cache is None:
        return key[None], value[None]
    return torch.cat([cache[0], key[None]]), torch.cat([cache[1], value[None]])


def forgets_the_beginning(query, key, value, cache):
    keys, values = torch.cat([cache[0], key[None]]), torch.cat([cache[1], value[None]])
    return attend(query, keys, values, len(query) ** 0.5), (keys, values)


def values_first(query, key, value, cache):
    keys, values = grown(key, value, cache)
    return attend(query, keys, values, len(query) ** 0.5), (values, keys)


def sees_only_itself(query, key, value, cache):
    return value, grown(key, value, cache)


def does_not_see_itself(query, key, value, cache):
    keys, values = cache or (key[None], value[None])
    return attend(query, keys, values, len(query) ** 0.5), grown(key, value, cache)


def without_the_root(query, key, value, cache):
    keys, values = grown(key, value, cache)
    return attend(query, keys, values, 1), (keys, values)


def by_d_itself(query, key, value, cache):
    keys, values = grown(key, value, cache)
    return attend(query, keys, values, len(query)), (keys, values)


def does_not_grow(query, key, value, cache):
    keys, values = grown(key, value, cache)
    return attend(query, keys, values, len(query) ** 0.5), cache or (keys, values)


def puts_it_in_front(query, key, value, cache):
    keys, values = key[None], value[None]
    if cache is not None:
        keys, values = torch.cat([keys, cache[0]]), torch.cat([values, cache[1]])
    return attend(query, keys, values, len(query) ** 0.5), (keys, values)


def changes_the_cache(query, key, value, cache):
    keys, values = grown(key, value, cache)
    if cache is not None:
        cache[0].add_(1)
    return attend(query, keys, values, len(query) ** 0.5), (keys, values)


def no_cache_returned(query, key, value, cache):
    return attend(query, *grown(key, value, cache), len(query) ** 0.5)


def a_flat_cache(query, key, value, cache):
    keys, values = (key, value) if cache is None else map(torch.vstack, zip(cache, (key, value)))
    return value, (keys, values)


WRONG = {
    "look": {
        no_root: "You forgot √d",
        divides_by_d: "You divided by d itself",
        root_of_the_number_of_keys: "root of the number of keys",
        root_of_the_values_width: "root of the values' width",
        multiplies_by_the_root: "You multiplied by √d",
        no_softmax: "The scores went in as they are",
        no_sum: "Your shares do not sum to 1",
        returns_the_shares: "These are the shares",
        hands_over_keys: "You handed over the keys",
        plain_mean: "plain mean of the values",
        best_key_alone: "the best key alone",
        overflows: "your numbers overflow",
    },
    "window_mask": {
        open_future: "The future is open",
        no_window: "Nothing old is hidden",
        one_too_wide: "one token too wide",
        one_too_narrow: "one token too narrow",
        not_itself: "may not look at itself in your mask",
        only_the_past: "stops before the token itself",
        upside_down: "Upside down",
        hidden_for_true: "You hid the window",
        numbers: "but the mask is torch.float32",
        three_always: "length 4 with window 9 is not",
    },
    "masked_weights": {
        masks_after: "You masked after the softmax",
        multiplies_before: "A score of 0 is not hidden",
        ignores_the_mask: "The mask changed nothing",
        mask_inverted: "the wrong way round",
        down_the_columns: "down the columns",
        never_divides: "Your rows do not sum to 1",
        nan_for_nothing: "gives NaN",
        shares_nothing_out: "shares itself out over hidden places",
        in_place: "You changed the scores",
        divides_away_afterwards: "A hidden score of 1000 still decides",
        bare_exp: "A visible score of 1000 overflows",
    },
    "layer_parameters": {
        matrices_only: "You counted matrices only",
        no_biases: "The biases are missing",
        three_matrices: "three matrices for looking",
        no_norms: "The two norms are missing",
        one_norm: "half of the norms",
        one_matrix_for_thinking: "one matrix for thinking",
        does_not_think: "Thinking is missing",
        does_not_look: "Looking is missing",
        of_a_decoder: "This is a decoder's layer",
        hidden_is_three_times_the_width: "for width 64 and hidden 256",
        infinite: "one whole number",
    },
    "one_more": {
        forgets_the_beginning: "there is no cache yet",
        values_first: "holds the values first",
        sees_only_itself: "sees only itself",
        does_not_see_itself: "does not see itself",
        without_the_root: "You forgot √d",
        by_d_itself: "You divided by d itself",
        does_not_grow: "The cache did not grow",
        puts_it_in_front: "stands before the old ones",
        changes_the_cache: "You changed the cache",
        no_cache_returned: "Return two things",
        a_flat_cache: "shapes [1, 5] and [1, 3]",
    },
}

globals().update(closing_tests(nb04, "04_attention_is_all_you_need", WRONG))
