"""Notebook 09: every check accepts the solution the notebook shows and names each wrong answer's own mistake.

The wrong answers of the policy gradient and of DPO stand in ``nb09_wrong``.
"""

import itertools
import math

import numpy as np
import torch
from torch.nn.functional import logsigmoid

from helpers.checks import nb09
from helpers.training.reward_modeling import train_reward_head as right_head
from tests.answers import nb09_wrong
from tests.answers.common import closing_tests


# -- Build: the Bradley–Terry loss -------------------------------------------------------------------------------------
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


def a_python_number(chosen, rejected):
    return -logsigmoid(chosen - rejected).mean().item()


def without_gradient(chosen, rejected):
    return -logsigmoid(chosen - rejected).mean().detach()


def chosen_detached(chosen, rejected):
    return -logsigmoid(chosen.detach() - rejected).mean() + 0 * chosen.sum()


# -- Build: an interval by conversation --------------------------------------------------------------------------------
def interval(values, groups, rng, resamples=1000, number=None, cut=(2.5, 97.5), by_group=False):
    sums, sizes = np.bincount(groups, values), np.bincount(groups)
    if by_group:
        sums, sizes = sums / sizes, np.ones(len(sums))
    chosen = rng.integers(len(sums), size=(resamples, number or len(sums)))
    return tuple(np.percentile(sums[chosen].sum(1) / sizes[chosen].sum(1), cut))


def of_single_values(values, groups, rng, resamples=1000):
    return interval(values, np.arange(len(values)), rng, resamples)


def of_group_means(values, groups, rng, resamples=1000):
    return interval(values, groups, rng, resamples, by_group=True)


def as_many_groups_as_values(values, groups, rng, resamples=1000):
    return interval(values, groups, rng, resamples, number=len(values))


def never_the_last(values, groups, rng, resamples=1000):
    sums, sizes = np.bincount(groups, values), np.bincount(groups)
    chosen = rng.integers(groups.max(), size=(resamples, groups.max()))
    return tuple(np.percentile(sums[chosen].sum(1) / sizes[chosen].sum(1), (2.5, 97.5)))


def empty_groups_uncounted(values, groups, rng, resamples=1000):
    sums, sizes, number = np.bincount(groups, values), np.bincount(groups), len(np.unique(groups))
    chosen = rng.integers(number, size=(resamples, number))
    return tuple(np.percentile(sums[chosen].sum(1) / np.maximum(sizes[chosen].sum(1), 1), (2.5, 97.5)))


def ninety_percent(values, groups, rng, resamples=1000):
    return interval(values, groups, rng, resamples, cut=(5, 95))


def the_extremes(values, groups, rng, resamples=1000):
    return interval(values, groups, rng, resamples, cut=(0, 100))


def the_quartiles(values, groups, rng, resamples=1000):
    return interval(values, groups, rng, resamples, cut=(25, 75))


def swapped_ends(values, groups, rng, resamples=1000):
    return interval(values, groups, rng, resamples)[::-1]


def without_replacement(values, groups, rng, resamples=1000):
    means = [values[rng.permutation(len(values))].mean() for _ in range(resamples)]
    return tuple(np.percentile(np.round(means, 12), [2.5, 97.5]))


def a_fixed_seed(values, groups, rng, resamples=1000):
    return interval(values, groups, np.random.default_rng(0), resamples)


def its_own_generator(values, groups, rng, resamples=1000):
    return interval(values, groups, np.random.default_rng(), resamples)


def always_a_thousand(values, groups, rng, resamples=1000):
    return interval(values, groups, rng, 1000)


def one_standard_deviation(values, groups, rng, resamples=1000):
    low, high = interval(values, groups, rng, resamples, cut=(16, 84))
    return values.mean() - (high - low) / 2, values.mean() + (high - low) / 2


def counted_once(values, groups, rng, resamples=1000):
    size = groups.max() + 1
    means = [values[np.isin(groups, rng.integers(size, size=size))].mean() for _ in range(resamples)]
    return tuple(np.percentile(means, [2.5, 97.5]))


def by_all_values(values, groups, rng, resamples=1000):
    sums = np.bincount(groups, values)
    return tuple(
        np.percentile(sums[rng.integers(len(sums), size=(resamples, len(sums)))].sum(1) / len(values), [2.5, 97.5])
    )


def never_the_first(values, groups, rng, resamples=1000):
    sums, sizes = np.bincount(groups, values), np.bincount(groups)
    chosen = rng.integers(min(1, len(sums) - 1), len(sums), size=(resamples, len(sums)))
    return tuple(np.percentile(sums[chosen].sum(1) / sizes[chosen].sum(1), [2.5, 97.5]))


def inside_too(values, groups, rng, resamples=1000):
    members = [values[groups == group] for group in range(groups.max() + 1)]
    means = []
    for _ in range(min(resamples, 2000)):
        parts = [
            rng.choice(members[group], len(members[group])) for group in rng.integers(len(members), size=len(members))
        ]
        means.append(np.concatenate(parts).mean())
    return tuple(np.percentile(means, [2.5, 97.5]))


def fractions(values, groups, rng, resamples=1000):
    return interval(values, groups, rng, resamples, cut=(0.025, 0.975))


# -- Build: the training of the row of weights -------------------------------------------------------------------------
def head(pairs, steps, rate, optimizer=torch.optim.Adam, sign=1.0, clear=True, start=torch.zeros, step=True):
    weights = start(pairs.shape[-1]).requires_grad_()
    stepper = optimizer([weights], lr=rate)
    for _ in range(steps):
        loss = sign * -logsigmoid(pairs[:, 0] @ weights - pairs[:, 1] @ weights).mean()
        if clear:
            stepper.zero_grad()
        loss.backward()
        if step:
            stepper.step()
    return weights.detach()


def learns_the_rejected(pairs, steps=200, learning_rate=0.02):
    return head(pairs.flip(1), steps, learning_rate)


def climbs(pairs, steps=200, learning_rate=0.02):
    return head(pairs, steps, learning_rate, sign=-1.0)


def keeps_old_gradients(pairs, steps=200, learning_rate=0.02):
    return head(pairs, steps, learning_rate, clear=False)


def takes_no_step(pairs, steps=200, learning_rate=0.02):
    return head(pairs, steps, learning_rate, step=False)


def plain_descent(pairs, steps=200, learning_rate=0.02):
    return head(pairs, steps, learning_rate, optimizer=torch.optim.SGD)


def begins_at_random(pairs, steps=200, learning_rate=0.02):
    return head(pairs, steps, learning_rate, start=lambda size: torch.arange(1.0, size + 1))


def keeps_the_gradient(pairs, steps=200, learning_rate=0.02):
    return right_head(pairs, steps, learning_rate).requires_grad_()


def its_own_rate(pairs, steps=200, learning_rate=0.02):
    return head(pairs, steps, 0.02)


def its_own_steps(pairs, steps=200, learning_rate=0.02):
    return head(pairs, 200, learning_rate)


def rows_for_columns(pairs, steps=200, learning_rate=0.02):
    half = len(pairs) // 2
    return head(torch.stack((pairs[:half], pairs[half:]), 2).flatten(0, 1), steps, learning_rate)


def the_first_pair(pairs, steps=200, learning_rate=0.02):
    return head(pairs[:1], steps, learning_rate)


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def best_of_all(scores, n):
    return max(scores)


def mean_of_the_best(scores, n):
    return sum(sorted(scores)[-n:]) / n


def first_choice(scores, n):
    return max(scores[:n])


def with_replacement(scores, n):
    choices = list(itertools.product(scores, repeat=n))
    return sum(map(max, choices)) / len(choices)


def worst_of_n(scores, n):
    return sum(map(min, itertools.combinations(scores, n))) / math.comb(len(scores), n)


def mean_of_all(scores, n):
    return sum(scores) / len(scores)


def sum_of_choices(scores, n):
    return sum(map(max, itertools.combinations(scores, n)))


def without_ties(scores, n):
    choices = list(itertools.combinations(set(scores), n))
    return sum(map(max, choices)) / len(choices)


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def clipped(log_p, old, advantages, mask, epsilon, ratio=None, join=torch.minimum):
    ratio = (log_p - old).exp() if ratio is None else ratio
    return -join(ratio * advantages, ratio.clip(1 - epsilon, 1 + epsilon) * advantages)[mask].sum() / len(log_p)


def maximizes(log_p, old, advantages, mask, epsilon=0.2):
    return -clipped(log_p, old, advantages, mask, epsilon)


def never_clips(log_p, old, advantages, mask, epsilon=0.2):
    return clipped(log_p, old, advantages, mask, epsilon, join=lambda free, bounded: free)


def only_clips(log_p, old, advantages, mask, epsilon=0.2):
    return clipped(log_p, old, advantages, mask, epsilon, join=lambda free, bounded: bounded)


def takes_the_larger(log_p, old, advantages, mask, epsilon=0.2):
    return clipped(log_p, old, advantages, mask, epsilon, join=torch.maximum)


def old_to_new(log_p, old, advantages, mask, epsilon=0.2):
    return clipped(log_p, old, advantages, mask, epsilon, (old - log_p).exp())


def no_exponential(log_p, old, advantages, mask, epsilon=0.2):
    return clipped(log_p, old, advantages, mask, epsilon, log_p - old)


def padding_too(log_p, old, advantages, mask, epsilon=0.2):
    return clipped(log_p, old, advantages, torch.ones_like(mask), epsilon)


def always_a_fifth(log_p, old, advantages, mask, epsilon=0.2):
    return clipped(log_p, old, advantages, mask, 0.2)


def per_token(log_p, old, advantages, mask, epsilon=0.2):
    return clipped(log_p, old, advantages, mask, epsilon) * len(log_p) / mask.sum()


def smaller_ratio(log_p, old, advantages, mask, epsilon=0.2):
    ratio = (log_p - old).exp()
    return -(torch.minimum(ratio, ratio.clip(1 - epsilon, 1 + epsilon)) * advantages)[mask].sum() / len(log_p)


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def not_divided(weights, direction):
    return weights - (weights @ direction) * direction


def divided_once(weights, direction):
    return weights - (weights @ direction) / direction.norm() * direction


def the_direction_itself(weights, direction):
    return weights - direction


def the_part_along(weights, direction):
    return (weights @ direction) / (direction @ direction) * direction


def added(weights, direction):
    return weights + the_part_along(weights, direction)


def entries_set_to_0(weights, direction):
    return weights * (direction == 0)


def unchanged(weights, direction):
    return weights


def normalized(weights, direction):
    rest = weights - the_part_along(weights, direction)
    return rest / rest.norm()


def in_place(weights, direction):
    weights -= the_part_along(weights, direction)
    return weights


def only_positive(weights, direction):
    return weights - ((weights @ direction) / (direction @ direction)).clamp(min=0) * direction


WRONG = {
    "bradley_terry_loss": {
        positive_logarithm: "put a minus in front",
        sign_flipped: "punish the chosen",
        summed: "sum over the pairs",
        no_logarithm: "logarithm is missing",
        no_sigmoid: "can lower its loss forever",
        mean_too_early: "mean before the logarithm",
        underflowing: "Use logsigmoid",
        a_python_number: "not a Python number",
        without_gradient: "to both scores",
        chosen_detached: "to both scores",
    },
    "bootstrap_interval": {
        of_single_values: "You resampled single values",
        of_group_means: "averaged the means of the groups",
        as_many_groups_as_values: "as many groups as there are values",
        never_the_last: "last group is never chosen",
        empty_groups_uncounted: "a group is empty",
        ninety_percent: "90 % interval",
        the_extremes: "Your interval is too wide",
        counted_once: "chosen twice counts once",
        by_all_values: "number of all values",
        never_the_first: "the ends are 0 and 1",
        inside_too: "Within a group nothing",
        fractions: "not fractions",
        the_quartiles: "quartiles",
        swapped_ends: "ends are swapped",
        without_replacement: "without replacement",
        a_fixed_seed: "Another rng gives the same",
        its_own_generator: "same rng gives different",
        always_a_thousand: "one mean only",
        one_standard_deviation: "two thirds of the means",
    },
    "train_reward_head": {
        learns_the_rejected: "rejected messages score higher",
        climbs: "climb the loss",
        keeps_old_gradients: "Gradients of earlier steps",
        takes_no_step: "weights are still zero",
        plain_descent: "plain gradient descent",
        begins_at_random: "begin with zeros",
        keeps_the_gradient: "without a gradient",
        its_own_rate: "the default learning rate",
        its_own_steps: "trained for 200 steps",
        rows_for_columns: "two columns",
        the_first_pair: "first pair only",
    },
    **nb09_wrong.WRONG,
    "expected_best": {
        best_of_all: "best of all five",
        mean_of_the_best: "mean of the n best",
        first_choice: "first n only",
        with_replacement: "with replacement",
        worst_of_n: "kept the worst",
        mean_of_all: "mean of all scores",
        sum_of_choices: "sum over the choices",
        without_ties: "With two equal scores",
    },
    "clipped_policy_loss": {
        maximizes: "a loss is minimized",
        never_clips: "Nothing is clipped",
        only_clips: "Only the clipped product",
        takes_the_larger: "larger of the two",
        old_to_new: "old to new",
        smaller_ratio: "smaller *ratio*",
        no_exponential: "no exponential",
        padding_too: "Padding counts",
        always_a_fifth: "with ε = 0.5 it is not",
        per_token: "averaged over tokens",
    },
    "remove_direction": {
        not_divided: "did not divide",
        divided_once: "length once",
        the_direction_itself: "subtracted the direction itself",
        the_part_along: "part *along* the direction",
        added: "Subtract it.",
        entries_set_to_0: "set entries to 0",
        unchanged: "came back as they were",
        normalized: "do not normalize",
        in_place: "You changed the weights",
        only_positive: "w · d is negative",
    },
}

globals().update(closing_tests(nb09, "09_from_votes_to_rewards", WRONG))
