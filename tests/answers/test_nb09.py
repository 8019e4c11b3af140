"""Notebook 09: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import itertools
import math

import torch
from torch.nn.functional import logsigmoid

from helpers.checks import nb09
from tests.answers.common import closing_tests


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def positive_logarithm(chosen, rejected):
    return logsigmoid(chosen - rejected).mean()


def sign_flipped(chosen, rejected):
    return -logsigmoid(rejected - chosen).mean()


def summed(chosen, rejected):
    return -logsigmoid(chosen - rejected).sum()


def no_logarithm(chosen, rejected):
    return -torch.sigmoid(chosen - rejected).mean()


def no_sigmoid(chosen, rejected):
    return (rejected - chosen).mean()


def mean_too_early(chosen, rejected):
    return -logsigmoid((chosen - rejected).mean())


def underflowing(chosen, rejected):
    return -torch.log(torch.sigmoid(chosen - rejected)).mean()


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def share(chosen, rejected, keep, tie=0.5):
    wins = (chosen > rejected).float() + tie * (chosen == rejected).float()
    return wins[keep].mean()


def near(a, b):
    return (a - b).abs() <= 0.1 * torch.maximum(a, b) + 1e-6


def all_pairs(chosen, rejected, a, b):
    return share(chosen, rejected, a > 0)


def the_unmatched(chosen, rejected, a, b):
    return share(chosen, rejected, ~near(a, b))


def equal_only(chosen, rejected, a, b):
    return share(chosen, rejected, a == b)


def ranked_wrong(chosen, rejected, a, b):
    return share(rejected, chosen, near(a, b))


def ties_lose(chosen, rejected, a, b):
    return share(chosen, rejected, near(a, b), 0.0)


def ties_win(chosen, rejected, a, b):
    return share(chosen, rejected, near(a, b), 1.0)


def divided_by_all(chosen, rejected, a, b):
    return share(chosen, rejected, near(a, b)) * near(a, b).sum() / len(a)


def how_many(chosen, rejected, a, b):
    return share(chosen, rejected, near(a, b)) * near(a, b).sum()


def of_the_shorter(chosen, rejected, a, b):
    return share(chosen, rejected, (a - b).abs() <= 0.1 * torch.minimum(a, b) + 1e-6)


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def at_the_end(log_p, value=1.0):
    return torch.cat((torch.zeros(len(log_p) - 1), torch.tensor([float(value)])))


def pays_for_moving(score, log_p, reference, beta):
    return beta * (log_p - reference) + at_the_end(log_p, score)


def no_price(score, log_p, reference, beta):
    return -(log_p - reference) + at_the_end(log_p, score)


def score_everywhere(score, log_p, reference, beta):
    return -beta * (log_p - reference) + score


def score_first(score, log_p, reference, beta):
    return -beta * (log_p - reference) + at_the_end(log_p, score).flip(0)


def all_at_the_end(score, log_p, reference, beta):
    return at_the_end(log_p, score - beta * (log_p - reference).sum())


def no_score(score, log_p, reference, beta):
    return -beta * (log_p - reference)


def no_reference(score, log_p, reference, beta):
    return -beta * log_p + at_the_end(log_p, score)


def of_probabilities(score, log_p, reference, beta):
    return -beta * (log_p.exp() - reference.exp()) + at_the_end(log_p, score)


# -- Exercise 4 --------------------------------------------------------------------------------------------------------
def margin(values, reply_mask):
    sums = (values * reply_mask).sum(1)
    return sums[0] - sums[1]


def prefers_the_other(log_p, reference, reply_mask, beta):
    return -logsigmoid(-beta * margin(log_p - reference, reply_mask))


def reference_left_out(log_p, reference, reply_mask, beta):
    return -logsigmoid(beta * margin(log_p, reply_mask))


def mean_over_tokens(log_p, reference, reply_mask, beta):
    return -logsigmoid(beta * margin((log_p - reference) / reply_mask.sum(1, keepdim=True), reply_mask))


def prompt_included(log_p, reference, reply_mask, beta):
    return -logsigmoid(beta * margin(log_p - reference, torch.ones_like(reply_mask)))


def mean_over_everything(log_p, reference, reply_mask, beta):
    means = (log_p - reference).mean(1)
    return -logsigmoid(beta * (means[0] - means[1]))


def beta_left_out(log_p, reference, reply_mask, beta):
    return -logsigmoid(margin(log_p - reference, reply_mask))


def negative_loss(log_p, reference, reply_mask, beta):
    return logsigmoid(beta * margin(log_p - reference, reply_mask))


def probability(log_p, reference, reply_mask, beta):
    return torch.sigmoid(beta * margin(log_p - reference, reply_mask))


# -- Exercise 5 --------------------------------------------------------------------------------------------------------
def best_of_all(scores, n):
    return max(scores)


def mean_of_the_best(scores, n):
    return sum(sorted(scores)[-n:]) / n


def first_draw(scores, n):
    return max(scores[:n])


def with_putting_back(scores, n):
    draws = list(itertools.product(scores, repeat=n))
    return sum(map(max, draws)) / len(draws)


def worst_of_n(scores, n):
    return sum(map(min, itertools.combinations(scores, n))) / math.comb(len(scores), n)


def mean_of_all(scores, n):
    return sum(scores) / len(scores)


def sum_of_draws(scores, n):
    return sum(map(max, itertools.combinations(scores, n)))


WRONG = {
    "bradley_terry": {
        positive_logarithm: "put a minus in front",
        sign_flipped: "punish the preferred",
        summed: "sum over the pairs",
        no_logarithm: "logarithm is missing",
        no_sigmoid: "by larger scores",
        mean_too_early: "mean before the logarithm",
        underflowing: "Use logsigmoid",
    },
    "matched_accuracy": {
        all_pairs: "You took all pairs",
        the_unmatched: "whose lengths differ",
        equal_only: "exactly one length",
        ranked_wrong: "ranked *wrong*",
        ties_lose: "A tie is a loss in yours",
        ties_win: "A tie is a win in yours",
        divided_by_all: "divided by all pairs",
        how_many: "how many, not which share",
        of_the_shorter: "tenth of the *shorter*",
    },
    "kl_penalized": {
        pays_for_moving: "reward the policy for moving",
        no_price: "β is missing",
        score_everywhere: "Every token got the score",
        score_first: "stands at the first token",
        all_at_the_end: "whole penalty stands at the end",
        no_score: "Only the penalty",
        no_reference: "reference is left out",
        of_probabilities: "difference of the probabilities",
    },
    "dpo": {
        prefers_the_other: "prefer the wrong one",
        reference_left_out: "reference is left out",
        mean_over_tokens: "mean over the tokens",
        prompt_included: "prompt and the padding",
        mean_over_everything: "over all positions",
        beta_left_out: "β is missing",
        negative_loss: "put a minus in front",
        probability: "probability that the preferred one wins",
    },
    "expected_best": {
        best_of_all: "best of all five",
        mean_of_the_best: "mean of the n best",
        first_draw: "first n only",
        with_putting_back: "putting back",
        worst_of_n: "kept the worst",
        mean_of_all: "mean of all scores",
        sum_of_draws: "sum over the draws",
    },
}

globals().update(closing_tests(nb09, "09_from_votes_to_rewards", WRONG))
