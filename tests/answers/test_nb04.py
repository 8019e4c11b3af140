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
def triangle(is_token, diagonal=0):
    return torch.ones(is_token.shape[1], is_token.shape[1], dtype=torch.bool).tril(diagonal)


def columns(is_token):
    return is_token[:, None, None]


def forgets_padding(is_token):
    return triangle(is_token)


def forgets_the_future(is_token):
    return columns(is_token)


def joins_by_or(is_token):
    return triangle(is_token) | columns(is_token)


def true_for_hidden(is_token):
    return ~(triangle(is_token) & columns(is_token))


def looks_at_padding_only(is_token):
    return triangle(is_token) & ~columns(is_token)


def hides_rows(is_token):
    return triangle(is_token) & is_token[:, None, :, None]


def hides_rows_as_well(is_token):
    return triangle(is_token) & columns(is_token) & is_token[:, None, :, None]


def transposed(is_token):
    return triangle(is_token).T & columns(is_token)


def never_itself(is_token):
    return triangle(is_token, -1) & columns(is_token)


def sees_the_answer(is_token):
    return triangle(is_token, 1) & columns(is_token)


def padding_of_the_first(is_token):
    return (triangle(is_token) & is_token[0]).expand(len(is_token), 1, -1, -1)


def no_place_for_heads(is_token):
    return triangle(is_token) & is_token[:, None]


def mask_of_numbers(is_token):
    return (triangle(is_token) & columns(is_token)).int()


def four_places_always(is_token):
    return triangle(is_token[:, :4]) & columns(is_token[:, :4])


def one_row_wrong(is_token):
    mask = triangle(is_token) & columns(is_token)
    mask[0, 0, 2] = False
    return mask


# -- Exercise 4 --------------------------------------------------------------------------------------------------------
def parts(d_model, d_ff):
    return 4 * d_model * d_model + 4 * d_model, 2 * d_model * d_ff + d_ff + d_model, 4 * d_model


def matrices_only(d_model, d_ff):
    return 4 * d_model * d_model + 2 * d_model * d_ff


def no_biases(d_model, d_ff):
    return matrices_only(d_model, d_ff) + 4 * d_model


def three_matrices(d_model, d_ff):
    return sum(parts(d_model, d_ff)) - d_model * d_model - d_model


def no_norms(d_model, d_ff):
    return sum(parts(d_model, d_ff)[:2])


def one_norm(d_model, d_ff):
    return sum(parts(d_model, d_ff)) - 2 * d_model


def one_matrix_for_thinking(d_model, d_ff):
    return sum(parts(d_model, d_ff)) - d_model * d_ff - d_model


def does_not_think(d_model, d_ff):
    look, _, norms = parts(d_model, d_ff)
    return look + norms


def does_not_look(d_model, d_ff):
    _, think, norms = parts(d_model, d_ff)
    return think + norms


def of_a_decoder(d_model, d_ff):
    return sum(parts(d_model, d_ff)) + parts(d_model, d_ff)[0] + 2 * d_model


def hidden_is_three_times_the_width(d_model, d_ff):
    return sum(parts(d_model, 3 * d_model))


def infinite(d_model, d_ff):
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
    "attend": {
        no_root: "You forgot √d",
        divides_by_d: "You divided by d itself",
        root_of_the_number_of_keys: "root of the number of keys",
        root_of_the_values_width: "root of the values' width",
        multiplies_by_the_root: "You multiplied by √d",
        no_softmax: "The scores went in as they are",
        no_sum: "Your weights do not sum to 1",
        returns_the_shares: "These are the weights",
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
        not_itself: "may not attend to itself in your mask",
        only_the_past: "stops before the token itself",
        upside_down: "Upside down",
        hidden_for_true: "You hid the window",
        numbers: "but the mask is torch.float32",
        three_always: "length 4 with window 9 is not",
    },
    "both_masks": {
        forgets_padding: "Padding is not hidden",
        forgets_the_future: "The future is open",
        joins_by_or: "You joined the two by",
        true_for_hidden: "the wrong way round",
        looks_at_padding_only: "`is_token` is upside down",
        hides_rows: "You hid what padding attends to",
        hides_rows_as_well: "the rows of padding as well",
        transposed: "Your triangle is upside down",
        never_itself: "may not attend to itself in your mask",
        sees_the_answer: "one column too wide",
        padding_of_the_first: "the padding of the first text for all",
        no_place_for_heads: "take your texts for heads",
        mask_of_numbers: "but the mask is torch.int32",
        four_places_always: "2 × 6 is not",
        one_row_wrong: "Text 0, position 2",
    },
    "layer_parameters": {
        matrices_only: "These are the matrices only",
        no_biases: "The biases are missing",
        three_matrices: "Attention has a fourth matrix",
        no_norms: "The two norms are missing",
        one_norm: "This is one norm",
        one_matrix_for_thinking: "MLP has a second matrix",
        does_not_think: "MLP is missing",
        does_not_look: "Attention is missing",
        of_a_decoder: "This is a decoder's layer",
        hidden_is_three_times_the_width: "for d_model 64 and d_ff 256",
        infinite: "a whole one",
    },
    "attend_with_cache": {
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
