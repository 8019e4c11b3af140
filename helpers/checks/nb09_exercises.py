"""Checks of notebook 09's exercises: the mean of the best of n, PPO's clipped loss, a direction taken out of a reward model."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, difference, near, number, refuse_known, same, scalar, tensor


@exercise
def check_expected_best(expected_best: Callable) -> str:
    """Exercise 1: the mean score of the best of n, over all choices of n from a list of scores."""
    import itertools

    def right(scores, n) -> float:
        chosen = list(itertools.combinations(scores, n))
        return sum(map(max, chosen)) / len(chosen)

    def ask(scores, n) -> float:
        return number(tried(expected_best(list(scores), n)), "a mean score")

    scores, n = [1.0, 5.0, 2.0, 9.0, 3.0], 2
    answer, best_first = ask(scores, n), sorted(scores, reverse=True)
    chances = list(itertools.product(scores, repeat=n))
    if near(answer, max(scores)):
        raise Wrong("That is the best of all five. Of two random ones the best is often a lesser one.")
    if near(answer, sum(best_first[:n]) / n):
        raise Wrong(
            "You took the mean of the n best. Choose n, take the best of *those*, and average over all choices."
        )
    if near(answer, max(scores[:n])):
        raise Wrong("You took the first n only: that is one choice of many. Average over all of them.")
    if near(answer, sum(map(max, chances)) / len(chances)):
        raise Wrong("You chose with replacement: the same reply may stand twice in your choice. Use combinations.")
    if near(answer, sum(map(min, itertools.combinations(scores, n))) / math.comb(len(scores), n)):
        raise Wrong("You kept the worst of each choice. It is the best.")
    if near(answer, sum(scores) / len(scores)):
        raise Wrong("That is the mean of all scores, the best of one. Take the best of each choice.")
    if near(answer, sum(map(max, itertools.combinations(scores, n)))):
        raise Wrong("That is the sum over the choices. Divide by their number.")
    if not near(answer, right(scores, n)):
        raise Wrong(f"For the scores 1, 5, 2, 9, 3 and n = 2 I expected {right(scores, n)} and got {answer}.")
    for n in (1, 4, 5):
        if not near(answer := ask(scores, n), right(scores, n)):
            raise Wrong(f"For n = {n} I expected {right(scores, n)} and got {answer}.")
    if not near(ask([2.0, 5.0, 2.0, 1.0], 2), right([2.0, 5.0, 2.0, 1.0], 2)):
        raise Wrong("With two equal scores in the list yours is wrong: both count, each reply is one of its own.")
    return "One sample of replies gives the whole curve, averaged over all choices."


@exercise
def check_clipped_policy_loss(clipped_policy_loss: Callable) -> str:
    """Exercise 2: PPO's loss, −min(ρ A, clip(ρ) A), summed over the tokens of a reply, averaged over replies."""
    import torch

    log_p = torch.tensor([[-1.0, -0.6, -2.0, -9.0], [-0.3, -1.6, -4.0, -5.0], [-2.2, -0.9, -1.4, -0.2]])
    old = torch.tensor([[-1.5, -0.5, -1.9, -1.0], [-1.1, -1.0, -1.0, -1.0], [-2.2, -1.5, -0.8, -0.3]])
    advantages = torch.tensor([[1.0, -2.0, 0.5, 7.0], [-1.0, -0.7, 3.0, 3.0], [0.4, -1.2, 1.1, -0.6]])
    mask = torch.tensor([[True, True, True, False], [True, True, False, False], [True] * 4])

    def right(epsilon: float, ratio=None, join=torch.minimum, keep=mask, divide=3.0):
        ratio = (log_p - old).exp() if ratio is None else ratio
        return -join(ratio * advantages, ratio.clip(1 - epsilon, 1 + epsilon) * advantages)[keep].sum() / divide

    given = [value.clone() for value in (log_p, old, advantages, mask)]
    answer = scalar(tried(clipped_policy_loss(*given, 0.2)), "one number, the loss")
    refuse_known(
        answer,
        {
            "The sign is the other way around: a loss is minimized, so it is *minus* the minimum.": -right(0.2),
            "Nothing is clipped in yours: that is ρ A alone.": right(0.2, join=lambda free, clipped: free),
            "Only the clipped product is left. Take the smaller of it and of ρ A, or a step that went wrong stays.": right(
                0.2, join=lambda free, clipped: clipped
            ),
            "You took the smaller *ratio*, and multiplied then. Where the advantage is negative that is the larger product.": -(
                torch.minimum((log_p - old).exp(), (log_p - old).exp().clip(0.8, 1.2)) * advantages
            )[mask].sum()
            / 3,
            "You took the larger of the two. PPO takes the smaller one: the pessimistic one.": right(
                0.2, join=torch.maximum
            ),
            "Your ratio is old to new. It is new to old: exp(log_p − old_log_p).": right(0.2, (old - log_p).exp()),
            "Your ratio is one of logarithms. The ratio of probabilities is exp(log_p − old_log_p).": right(
                0.2, log_p / old
            ),
            "Your ratio has no exponential: log_p − old_log_p is its logarithm.": right(0.2, log_p - old),
            "Padding counts in yours. Sum where the mask is True.": right(0.2, keep=torch.ones_like(mask)),
            "You averaged over tokens. Sum over the tokens, and divide by the number of replies.": right(
                0.2, divide=float(mask.sum())
            ),
            "You took the sum over the replies, too. Divide by their number.": right(0.2, divide=1.0),
        },
    )
    if not same(answer, right(0.2)):
        raise Wrong(f"For my three replies I expected {right(0.2):.3f} and got {answer:.3f}.")
    if not near(scalar(clipped_policy_loss(*given, 0.5), "the loss"), float(right(0.5))):
        raise Wrong("With ε = 0.2 it is right, with ε = 0.5 it is not: use the argument.")
    moving = log_p.clone().requires_grad_()
    loss = clipped_policy_loss(moving, old, advantages, mask, 0.2)
    if not torch.is_tensor(loss) or not loss.requires_grad:
        raise Wrong("The loss has no gradient: compute it with torch, from log_p as it is.")
    gradient = torch.autograd.grad(loss, moving)[0]
    if gradient[0, 0] != 0 or gradient[0, 1] == 0:
        raise Wrong(
            "The gradient should be 0 where the ratio left the interval in the direction of its advantage, only there."
        )
    return "The policy is rewarded up to the edge of the interval, and no further."


@exercise
def check_remove_direction(remove_direction: Callable) -> str:
    """Exercise 3: weights [K] without their part along a direction [K]."""
    import torch

    weights, direction = torch.tensor([3.0, 1.0, 2.0, 0.5]), torch.tensor([1.0, 2.0, 0.0, -2.0])
    length, along = direction.norm(), weights @ direction
    unit = direction / length
    answer = tensor(
        call(
            remove_direction,
            weights,
            direction,
            changed="You changed the weights that you were given: compute new ones.",
        ),
        (4,),
        "a tensor, the new weights",
    )
    right = weights - (weights @ unit) * unit
    refuse_known(
        answer,
        {
            "You did not divide by the direction's length, squared: w − (w·d) d is right only for a d of length 1.": weights
            - along * direction,
            "You divided by the length once. It is its square, d · d: d stands in the formula twice.": weights
            - along / length * direction,
            "You subtracted the direction itself. Subtract its share in the weights: (w·d) / (d·d) times d.": weights
            - direction,
            "You subtracted a unit vector. Subtract as much of it as there is in the weights.": weights - unit,
            "That is the part *along* the direction. What is asked for is the rest.": (weights @ unit) * unit,
            "You added the part along the direction. Subtract it.": weights + (weights @ unit) * unit,
            "You set entries to 0 where the direction has one. A direction is a mixture of entries: subtract its share.": (
                weights * (direction == 0)
            ),
            "The weights came back as they were.": weights,
            "The length was changed, too: subtract only, do not normalize.": right / right.norm(),
        },
    )
    if not same(answer, right):
        raise Wrong(f"Something else is in yours: {difference(answer, right)}.")
    if not same(remove_direction(torch.tensor([1.0, 1.0]), torch.tensor([0.0, 3.0])), torch.tensor([1.0, 0.0])):
        raise Wrong("With two weights it is wrong: use the length of what you are given.")
    if not same(remove_direction(-weights, direction), -right):
        raise Wrong("Where w · d is negative yours is wrong: the part along the direction has a sign.")
    return "The weights no longer point along that direction at all; what is left is as it was."
