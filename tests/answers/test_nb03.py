"""Notebook 03: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import math
import operator

import numpy as np
import torch

from helpers.checks import nb03
from tests.answers.common import closing_tests


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def leaks_the_reply(turns, most):
    return [(turns[max(0, place + 1 - most) : place + 1], turns[place]) for place in range(1, len(turns))]


def begins_with_the_first(turns, most):
    return [(turns[max(0, place - most) : place], turns[place]) for place in range(len(turns))]


def two_by_two(turns, most):
    return [([before], after) for before, after in zip(turns[::2], turns[1::2])]


def only_the_turn_before(turns, most):
    return [([before], after) for before, after in zip(turns, turns[1:])]


def backwards(turns, most):
    return [(turns[max(0, place - most) : place][::-1], turns[place]) for place in range(1, len(turns))]


def keeps_the_beginning(turns, most):
    return [(turns[:place][:most], turns[place]) for place in range(1, len(turns))]


def without_a_limit(turns, most):
    return [(turns[:place], turns[place]) for place in range(1, len(turns))]


def only_full_contexts(turns, most):
    return [(turns[place - most : place], turns[place]) for place in range(most, len(turns))]


def forgets_the_last(turns, most):
    return [(turns[max(0, place - most) : place], turns[place]) for place in range(1, len(turns) - 1)]


def contexts_as_text(turns, most):
    return [(" ".join(turns[max(0, place - most) : place]), turns[place]) for place in range(1, len(turns))]


def reply_first(turns, most):
    return [(turns[place], turns[max(0, place - most) : place]) for place in range(1, len(turns))]


def slice_below_zero(turns, most):
    return [(turns[place - most : place], turns[place]) for place in range(1, len(turns))]


def a_pair_of_nothing(turns, most):
    if len(turns) < 2:
        return [([], turn) for turn in turns]
    return [(turns[max(0, place - most) : place], turns[place]) for place in range(1, len(turns))]


def empties_the_list(turns, most):
    pairs, said = [], []
    while turns:
        if said:
            pairs.append((said[-most:], turns[0]))
        said.append(turns.pop(0))
    return pairs


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def no_tanh(s, memory, W, U, v):
    return (s @ W + memory @ U) @ v


def tanh_of_the_score(s, memory, W, U, v):
    return torch.tanh((s @ W + memory @ U) @ v)


def tanh_of_each(s, memory, W, U, v):
    return (torch.tanh(s @ W) + torch.tanh(memory @ U)) @ v


def multiplies(s, memory, W, U, v):
    return torch.tanh((s @ W) * (memory @ U)) @ v


def dot_product(s, memory, W, U, v):
    return (memory @ U) @ (s @ W)


def without_v(s, memory, W, U, v):
    return torch.tanh(s @ W + memory @ U).sum(-1)


def weights_already(s, memory, W, U, v):
    return torch.softmax(torch.tanh(s @ W + memory @ U) @ v, -1)


def does_not_add_up(s, memory, W, U, v):
    return torch.tanh(s @ W + memory @ U) * v


def a_column(s, memory, W, U, v):
    return torch.tanh(s @ W + memory @ U) @ v[:, None]


def one_score(s, memory, W, U, v):
    return (torch.tanh(s @ W + memory @ U) @ v).sum()


def in_place(s, memory, W, U, v):
    v *= 1.5
    return torch.tanh(s @ W + memory @ U) @ v


def in_numpy(s, memory, W, U, v):
    return np.tanh(s.numpy() @ W.numpy() + memory.numpy() @ U.numpy()) @ v.numpy()


def another_scale(s, memory, W, U, v):
    return torch.tanh(s @ W + memory @ U) @ v / len(v) ** 0.5


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def filled(scores, mask, value=-math.inf):
    return scores.masked_fill(~mask, value)


def no_mask(scores, mask):
    return scores.softmax(-1)


def mask_afterwards(scores, mask):
    return scores.softmax(-1) * mask


def scores_of_zero(scores, mask):
    return (scores * mask).softmax(-1)


def mask_the_wrong_way(scores, mask):
    return scores.masked_fill(mask, -math.inf).softmax(-1)


def over_the_rows(scores, mask):
    return filled(scores, mask).softmax(0)


def logarithms(scores, mask):
    return filled(scores, mask).log_softmax(-1)


def not_low_enough(scores, mask):
    return filled(scores, mask, -20.0).softmax(-1)


def own_exponentials(scores, mask):
    raised = torch.exp(scores) * mask
    return raised / raised.sum(-1, keepdim=True)


def nan_for_an_empty_row(scores, mask):
    return filled(scores, mask).softmax(-1)


def even_for_an_empty_row(scores, mask):
    return filled(scores, mask, torch.finfo(scores.dtype).min).softmax(-1)


def writes_into_the_scores(scores, mask):
    scores[~mask] = -math.inf
    return torch.nan_to_num(scores.softmax(-1))


def only_the_tokens(scores, mask):
    return torch.nan_to_num(filled(scores, mask).softmax(-1))[mask]


def too_warm(scores, mask):
    return torch.nan_to_num(filled(scores / 2, mask).softmax(-1))


# -- Exercise 4 --------------------------------------------------------------------------------------------------------
def children(beams, table, join=lambda total, number: total + number):
    return [
        (tokens + [token], join(total, number))
        for (tokens, total), row in zip(beams, table.tolist())
        for token, number in enumerate(row)
    ]


def best(found, width):
    return sorted(found, key=lambda beam: beam[1], reverse=True)[:width]


def forgets_the_beginning(beams, table, width):
    return best([(tokens[-1:], number) for tokens, number in children([([], 0.0)] * len(beams), table)], width)


def forgets_the_totals(beams, table, width):
    return best(children([(tokens, 0.0) for tokens, _ in beams], table), width)


def best_of_each(beams, table, width):
    return best([child for beam, row in zip(beams, table) for child in best(children([beam], row[None]), width)], 99)


def all_of_them(beams, table, width):
    return best(children(beams, table), None)


def worst_first(beams, table, width):
    return best(children(beams, table), width)[::-1]


def ascending(beams, table, width):
    return sorted(children(beams, table), key=lambda beam: beam[1])[:width]


def multiplies_and_sorts(beams, table, width):
    survivors = best(children(beams, table), width)
    products = {str(tokens): total for tokens, total in children(beams, table, operator.mul)}
    return [(tokens, products[str(tokens)]) for tokens, _ in survivors]


def one_child_each(beams, table, width):
    return best([best(children([beam], row[None]), 1)[0] for beam, row in zip(beams, table)], width)


def appends(beams, table, width):
    grown = []
    for (tokens, total), row in zip(beams, table.tolist()):
        token = max(range(len(row)), key=row.__getitem__)
        tokens.append(token)
        grown.append((tokens, total + row[token]))
    return best(grown, width)


def total_first(beams, table, width):
    return [(total, tokens) for tokens, total in best(children(beams, table), width)]


def as_text(beams, table, width):
    return [(" ".join(map(str, tokens)), "likely") for tokens, _ in best(children(beams, table), width)]


def pads_with_nothing(beams, table, width):
    found = best(children(beams, table), width)
    return found + [([], -math.inf)] * (width - len(found))


# -- Exercise 5 --------------------------------------------------------------------------------------------------------
def places(score, here, anywhere, reverse=True):
    scores = [score(a, b) for a, b in zip(here, anywhere)]
    return sorted(range(len(scores)), key=lambda place: scores[place], reverse=reverse)


def returns_scores(here, anywhere, strength):
    return [a - strength * b for a, b in zip(here, anywhere)]


def by_the_context_alone(here, anywhere, strength):
    return places(lambda a, b: a, here, anywhere)


def adds(here, anywhere, strength):
    return places(lambda a, b: a + strength * b, here, anywhere)


def worst_reply_first(here, anywhere, strength):
    return places(lambda a, b: a - strength * b, here, anywhere, reverse=False)


def without_strength(here, anywhere, strength):
    return places(lambda a, b: a - b, here, anywhere)


def with_probabilities(here, anywhere, strength):
    return places(lambda a, b: math.exp(a) - strength * math.exp(b), here, anywhere)


def strength_at_the_wrong_term(here, anywhere, strength):
    return places(lambda a, b: strength * a - b, here, anywhere)


def rarest_first(here, anywhere, strength):
    return places(lambda a, b: -b, here, anywhere)


def divides(here, anywhere, strength):
    return places(lambda a, b: a / b, here, anywhere)


def always_a_half(here, anywhere, strength):
    return places(lambda a, b: a - 0.5 * b, here, anywhere)


def only_the_best(here, anywhere, strength):
    return places(lambda a, b: a - strength * b, here, anywhere)[:1]


def sorts_the_list(here, anywhere, strength):
    order = places(lambda a, b: a - strength * b, here, anywhere)
    here.sort()
    return order


WRONG = {
    "make_pairs": {
        leaks_the_reply: "stands in its own context",
        begins_with_the_first: "first turn answers nothing",
        two_by_two: "two by two",
        only_the_turn_before: "only the turn right before",
        backwards: "run backwards",
        keeps_the_beginning: "you kept the beginning",
        without_a_limit: "grow without a limit",
        only_full_contexts: "You left out 'b'",
        forgets_the_last: "last turn is missing",
        slice_below_zero: "max(0, i - most)",
        contexts_as_text: "you returned a text",
        reply_first: "the context comes first",
        a_pair_of_nothing: "gives no pair",
        empties_the_list: "You changed the list",
    },
    "additive_scores": {
        no_tanh: "The tanh is missing",
        tanh_of_the_score: "tanh comes before v",
        tanh_of_each: "tanh of each part",
        multiplies: "You multiplied query and key",
        dot_product: "You multiplied query and key",
        without_v: "v is missing",
        weights_already: "These are weights already",
        does_not_add_up: "number by number",
        a_column: "stand in a column",
        one_score: "I expected four scores",
        in_place: "You changed what you were given",
        in_numpy: "I expected a tensor",
        another_scale: "Go through the formula",
    },
    "masked_softmax": {
        no_mask: "did not use the mask",
        mask_afterwards: "after the softmax",
        scores_of_zero: "hidden scores to 0",
        mask_the_wrong_way: "mask is the wrong way round",
        over_the_rows: "softmax over the rows",
        logarithms: "These are logarithms",
        not_low_enough: "not low enough",
        own_exponentials: "your numbers overflow",
        nan_for_an_empty_row: "gives NaN",
        even_for_an_empty_row: "some token got weight",
        writes_into_the_scores: "You changed the scores",
        only_the_tokens: "in the shape of the scores",
        too_warm: "I expected 0.62, 0.38, 0",
    },
    "beam_step": {
        forgets_the_beginning: "You forgot the beginning",
        forgets_the_totals: "You forgot the old totals",
        best_of_each: "two best of each beam",
        all_of_them: "kept every continuation",
        worst_first: "in the wrong order",
        ascending: "You kept the worst",
        multiplies_and_sorts: "You multiplied logarithms",
        one_child_each: "goes on once",
        appends: "You changed the beams",
        total_first: "the tokens come first",
        as_text: "the tokens come first",
        pads_with_nothing: "there are no more",
    },
    "mmi_order": {
        returns_scores: "These are the scores",
        by_the_context_alone: "log p(reply | context) alone",
        adds: "You added log p(reply)",
        worst_reply_first: "right order backwards",
        without_strength: "all of log p(reply)",
        with_probabilities: "computed with probabilities",
        strength_at_the_wrong_term: "at the wrong term",
        rarest_first: "the rarest first",
        divides: "You divided",
        always_a_half: "With strength 0",
        only_the_best: "each once",
        sorts_the_list: "You changed the lists",
    },
}

globals().update(closing_tests(nb03, "03_encoder_decoder_attention", WRONG))
