"""Notebook 03: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import math

import pytest
import torch

from helpers.checks import nb03
from tests.answers.common import closing_tests
from tests.answers.nb03_networks import NETWORKS
from tests.answers.solutions import run, solutions

NOTEBOOK = "03_encoder_decoder_attention"


# -- Build: beam search ------------------------------------------------------------------------------------------------
def search(log_p, width, max_tokens, end, length_penalty=0.0, mistake=""):
    beams, done = [([], 0.0)], []
    for _ in range(max_tokens):
        children = []
        for (tokens, total), row in zip(beams, log_p([tokens for tokens, _ in beams]).tolist()):
            group = [(tokens + [token], (0.0 if mistake == "totals" else total) + log) for token, log in enumerate(row)]
            children += best(group, math.ceil(width / 2)) if mistake == "each" else group
        if mistake not in ("each", "worst"):
            children = best(children, 1 if mistake == "greedy" else width)
        if mistake == "worst":
            children = best(children, None)[::-1][:width]
        totals = {tuple(tokens): total for tokens, total in beams}
        ended = [(tokens, total) for tokens, total in children if tokens[-1] == end]
        if mistake == "free":
            ended = [(tokens, totals[tuple(tokens[:-1])]) for tokens, _ in ended]
        done += ended if mistake == "end" else [(tokens[:-1], total) for tokens, total in ended]
        beams = children if mistake == "goes on" else [child for child in children if child[0][-1] != end]
        if not beams or mistake == "first" and done:
            break
    left = [] if mistake == "dropped" else [beam for beam in beams if end not in beam[0]]

    def score(reply):
        length = len(reply[0]) + (mistake != "short")
        if mistake == "no penalty":
            return reply[1]
        return reply[1] * length**length_penalty if mistake == "times" else reply[1] / max(1, length) ** length_penalty

    replies = sorted(done + left, key=score, reverse=mistake != "backwards")
    if mistake == "normalized":
        return [(tokens, total / (len(tokens) + 1) ** length_penalty) for tokens, total in replies]
    if mistake == "best only":
        return replies[0]
    return [(total, tokens) for tokens, total in replies] if mistake == "exchanged" else replies


def best(children, width):
    return sorted(children, key=lambda child: child[1], reverse=True)[:width]


def wrong(mistake):
    def beam_search(log_p, width, max_tokens, end, length_penalty=0.0):
        return search(log_p, width, max_tokens, end, length_penalty, mistake)

    beam_search.__name__ = mistake
    return beam_search


def asks_one_by_one(log_p, width, max_tokens, end, length_penalty=0.0):
    return search(lambda all: torch.cat([log_p([one]) for one in all]), width, max_tokens, end, length_penalty)


def ends_with_token_zero(log_p, width, max_tokens, end, length_penalty=0.0):
    return search(log_p, width, max_tokens, 0, length_penalty)


def loses_the_last(log_p, width, max_tokens, end, length_penalty=0.0):
    return search(log_p, width, max_tokens, end, length_penalty)[:-1]


def one_too_many(log_p, width, max_tokens, end, length_penalty=0.0):
    found = search(log_p, width, max_tokens, end, length_penalty)
    return [*found, found[-1]]


def needs_a_full_beam(log_p, width, max_tokens, end, length_penalty=0.0):
    return search(log_p, min(width, 4), max_tokens, end, length_penalty)


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def ranked(score, here, anywhere, reverse=True):
    scores = [score(a, b) for a, b in zip(here, anywhere)]
    return sorted(range(len(scores)), key=lambda index: scores[index], reverse=reverse)


def returns_scores(here, anywhere, strength):
    return [a - strength * b for a, b in zip(here, anywhere)]


def by_the_context_alone(here, anywhere, strength):
    return ranked(lambda a, b: a, here, anywhere)


def adds(here, anywhere, strength):
    return ranked(lambda a, b: a + strength * b, here, anywhere)


def worst_reply_first(here, anywhere, strength):
    return ranked(lambda a, b: a - strength * b, here, anywhere, reverse=False)


def without_strength(here, anywhere, strength):
    return ranked(lambda a, b: a - b, here, anywhere)


def with_probabilities(here, anywhere, strength):
    return ranked(lambda a, b: math.exp(a) - strength * math.exp(b), here, anywhere)


def strength_at_the_wrong_term(here, anywhere, strength):
    return ranked(lambda a, b: strength * a - b, here, anywhere)


def rarest_first(here, anywhere, strength):
    return ranked(lambda a, b: -b, here, anywhere)


def divides(here, anywhere, strength):
    return ranked(lambda a, b: a / b, here, anywhere)


def always_a_half(here, anywhere, strength):
    return ranked(lambda a, b: a - 0.5 * b, here, anywhere)


def only_the_best(here, anywhere, strength):
    return ranked(lambda a, b: a - strength * b, here, anywhere)[:1]


def of_five(here, anywhere, strength):
    return sorted(range(5), key=lambda i: here[i] - strength * anywhere[i] if i < len(here) else -99.0, reverse=True)


def sorts_the_list(here, anywhere, strength):
    order = ranked(lambda a, b: a - strength * b, here, anywhere)
    here.sort()
    return order


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def rank_of(log_p):
    return log_p.argsort(-1, descending=True).argsort(-1)


def the_order(log_p, strength):
    return log_p - strength * log_p.argsort(-1, descending=True)


def from_one(log_p, strength):
    return log_p - strength * (rank_of(log_p) + 1)


def ascending(log_p, strength):
    return log_p - strength * log_p.argsort(-1).argsort(-1)


def all_together(log_p, strength):
    return log_p - strength * rank_of(log_p.flatten()).view(log_p.shape)


def adds_the_rank(log_p, strength):
    return log_p + strength * rank_of(log_p)


def forgets_the_strength(log_p, strength):
    return log_p - rank_of(log_p)


def the_ranks(log_p, strength):
    return rank_of(log_p)


def in_place(log_p, strength):
    log_p -= strength * rank_of(log_p)
    return log_p


def of_four_tokens(log_p, strength):
    order = log_p.argsort(-1, descending=True)[:, :4]
    return log_p - strength * torch.zeros_like(log_p).scatter(
        1, order, torch.arange(4.0).double().expand(len(log_p), 4)
    )


def three_times(log_p, strength):
    return log_p - 3 * strength * rank_of(log_p)


WRONG = NETWORKS | {
    "beam_search": {
        wrong("greedy"): "This is greedy search",
        wrong("totals"): "You forgot the totals",
        wrong("each"): "the best of each beginning",
        wrong("worst"): "You kept the worst",
        wrong("goes on"): "goes on after its end",
        wrong("end"): "still have the end token",
        wrong("free"): "of the end token is missing",
        wrong("first"): "as soon as one reply had ended",
        wrong("dropped"): "has not ended after `max_tokens`",
        wrong("backwards"): "in the wrong order",
        wrong("no penalty"): "changes nothing",
        wrong("short"): "Divide by tokens + 1",
        wrong("times"): "You multiplied by the length",
        wrong("normalized"): "Return the plain totals",
        wrong("best only"): "I expected a list of replies",
        wrong("exchanged"): "the tokens come first",
        needs_a_full_beam: "It fails with width 1",
        asks_one_by_one: "You ask for each beginning by itself",
        ends_with_token_zero: "Reply 1 should be",
        loses_the_last: "yours is missing",
        one_too_many: "Is one in the list twice",
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
        of_five: "With three replies",
        sorts_the_list: "You changed the lists",
    },
    "sibling_penalty": {
        the_order: "order of the tokens, not their rank",
        from_one: "count from 0",
        ascending: "ranks run backwards",
        all_together: "of all beginnings together",
        adds_the_rank: "You added the penalty",
        forgets_the_strength: "`strength` is not used",
        the_ranks: "These are the ranks",
        in_place: "You changed the table",
        of_four_tokens: "one row of six tokens",
        three_times: "I expected",
    },
}

globals().update(closing_tests(nb03, NOTEBOOK, WRONG))


def test_an_answer_of_two_things_must_hold_tensors(capsys):
    solution = run(solutions(NOTEBOOK)["Attention"], "Attention", NOTEBOOK)
    solution.forward = lambda self, s, keys, hidden, mask: ("context", "weights")
    nb03.check_Attention(solution)
    assert "I expected the weights and got a str" in capsys.readouterr().out


@pytest.mark.parametrize("method", ["encode", "decode"])
def test_one_method_left_empty_is_not_tried_yet(method, capsys):
    solution = run(solutions(NOTEBOOK)["OneVector"], "OneVector", NOTEBOOK)
    setattr(solution, method, lambda self, *arguments: ...)
    nb03.check_OneVector(solution)
    assert "Not tried yet" in capsys.readouterr().out


def test_a_class_with_other_parts_is_sent_back_to_the_stub(capsys):
    nb03.check_Attention(lambda *sizes: torch.nn.Linear(3, 4))
    assert "Leave __init__ as the stub has it" in capsys.readouterr().out
