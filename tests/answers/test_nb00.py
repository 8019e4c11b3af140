"""Notebook 00: each check accepts the solution shown and names each wrong answer's own mistake."""

import math

from helpers.checks import nb00
from tests.answers.common import closing_tests


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def whole_turn(conversation):
    return conversation.turns[-1]


def first_turn(conversation):
    return conversation.turns[0].text


def last_line(conversation):
    return conversation.turns[-1].text.split("\n")[-1]


def one_too_early(conversation):
    return conversation.turns[-2].text


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def without_sign(p):
    return math.log2(p)


def in_nats(p):
    return -math.log(p)


def base_ten(p):
    return -math.log10(p)


def one_in(p):
    return 1 / p


def weighted(p):
    return -p * math.log2(p)


def rounded(p):
    return round(-math.log2(p))


def half_only(p):
    return 3.0 if p == 0.125 else 2.0


WRONG = {
    "last_words": {
        whole_turn: "whole turn",
        first_turn: "first turn",
        last_line: "only the last line",
        one_too_early: "before the last",
    },
    "bits": {
        without_sign: "The sign is missing",
        in_nats: "natural logarithm",
        base_ten: "base 10",
        one_in: "once in how many times",
        weighted: "leave out p",
        rounded: "leave out the rounding",
        half_only: "your function returned",
    },
}

globals().update(closing_tests(nb00, "00_start_here", WRONG))
