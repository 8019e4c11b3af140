"""Checks of notebook 09's first lesson: Bradley–Terry loss, an interval by conversation, the training of a reward head."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, gradient_of, items, kind, refuse_known, same, scalar, shown, tensor


@exercise
def check_bradley_terry_loss(bradley_terry_loss: Callable) -> str:
    """Build: the mean of −log σ(chosen − rejected), from two tensors of scores [B]."""
    import torch
    from torch.nn.functional import logsigmoid

    chosen, rejected = torch.tensor([3.0, 0.0, 1.0], requires_grad=True), torch.tensor([2.0, 2.0, 0.5])
    answer = tried(bradley_terry_loss(chosen, rejected))
    if isinstance(answer, int | float):
        raise Wrong("Return a tensor, not a Python number: a gradient must flow back through it to the scores.")
    answer = scalar(answer, "a tensor with one number, the mean loss")
    differences = (chosen - rejected).detach()
    losses = -logsigmoid(differences)
    refuse_known(
        answer,
        {
            "Your loss is negative: the logarithm of a probability is, so put a minus in front.": -losses.mean(),
            "You punish the chosen replies: it is chosen − rejected, not the other way around.": -logsigmoid(
                -differences
            ).mean(),
            "That is the sum over the pairs. Take the mean, so that the size of a batch does not matter.": losses.sum(),
            "The logarithm is missing: that is the mean probability itself, and its gradient is another one.": -(
                torch.sigmoid(differences).mean()
            ),
            "That is the mean difference. Without σ a reward model can lower its loss forever.": -differences.mean(),
            "You took the mean before the logarithm. Each pair has its own loss; the mean comes last.": -logsigmoid(
                differences.mean()
            ),
        },
    )
    if not same(answer, losses.mean()):
        raise Wrong(f"For scores 3, 0, 1 against 2, 2, 0.5 I expected {losses.mean():.3f} and got {answer:.3f}.")
    far, other = torch.tensor([-200.0], requires_grad=True), torch.zeros(1, requires_grad=True)
    answer = bradley_terry_loss(far, other)
    if not (gradient_of(answer, far).any() and gradient_of(answer, other).any()):
        raise Wrong("A gradient must flow to both scores: compute the loss with torch, from the scores as they are.")
    if not same(answer.detach(), torch.tensor(200.0), 1e-2):
        raise Wrong(
            f"A pair that is wrong by 200 must cost 200, and yours costs {answer.item()}. Use logsigmoid: σ rounds to 0."
        )
    return "A model that cannot tell costs 0.693 nats; one that is wrong by many points costs as many."


def _clustered(rng) -> tuple:
    """Return values and groups: half of the 40 groups are large, those of a group are equal, large groups more often 1."""
    import numpy as np

    sizes = np.array([1, 3] * 20)
    ones = (rng.random(40) < np.where(sizes == 1, 0.3, 0.8)).astype(float)
    return np.repeat(ones, sizes), np.repeat(np.arange(40), sizes)


@exercise
def check_bootstrap_interval(bootstrap_interval: Callable) -> str:
    """Build: the 95 % interval of a mean, resampled by groups."""
    import numpy as np

    values, groups = _clustered(np.random.default_rng(3))
    answer = tried(bootstrap_interval(values, groups, np.random.default_rng(0), 10_000))
    if not all(map(np.array_equal, (values, groups), _clustered(np.random.default_rng(3)))):
        raise Wrong("You changed the values or the groups that you were given: they are needed again.")
    ends = items(answer, "two numbers, the ends of the interval")
    if len(ends) != 2 or not all(isinstance(end, int | float | np.number) for end in ends):
        raise Wrong(f"I expected two numbers, the ends of the interval, and got {kind(answer)}.")
    low, high = map(float, ends)
    sums, sizes = np.bincount(groups, values), np.bincount(groups)

    def means(number: int = 40, sums=sums, sizes=sizes, resamples: int = 10_000):
        chosen = np.random.default_rng(1).integers(len(sums), size=(resamples, number))
        return sums[chosen].sum(1) / sizes[chosen].sum(1)

    right = means()
    spread = right.std()

    def off(wanted) -> float:
        return max(abs(low - wanted[0]), abs(high - wanted[1])) / spread

    def cut(values, low=2.5, high=97.5):
        return np.percentile(values, [low, high])

    if low == high:
        raise Wrong(
            "Both ends are the same: you did not resample, or without replacement. A group may be chosen twice."
        )
    center = values.mean()
    chosen = np.random.default_rng(1).integers(40, size=(10_000, 40))
    picked = np.zeros((10_000, 40))
    np.put_along_axis(picked, chosen, 1.0, axis=1)
    mistakes = {
        "You resampled single values. Those of a group belong together: resample whole groups.": cut(
            means(len(values), values, np.ones_like(values))
        ),
        "You averaged the means of the groups. Large groups weigh more: take the mean over all values of the chosen groups.": cut(
            means(40, sums / sizes, np.ones(40))
        ),
        "You chose as many groups as there are values. Choose G of the G groups, or the interval is too narrow.": cut(
            means(len(values))
        ),
        "A group that was chosen twice counts once in yours. It counts twice.": cut((picked @ sums) / (picked @ sizes)),
        "You divided by the number of all values. Divide by the number of values in the chosen groups.": cut(
            sums[chosen].sum(1) / len(values)
        ),
        "You chose half as many groups as there are. Choose G of the G groups, or the interval is too wide.": cut(
            means(20)
        ),
        "The last group is never chosen: rng.integers(G) ends at G − 1 by itself.": cut(means(40, sums[:-1], sizes[:-1])),
        "That is an 80 % interval: cut off 2.5 % at each end, not 10 %.": cut(right, 10, 90),
        "That is a 90 % interval: cut off 2.5 % at each end, not 5 %.": cut(right, 5, 95),
        "Those are the quartiles: half of the means. Take the 2.5th and the 97.5th percentile of them.": cut(
            right, 25, 75
        ),
        "The ends are swapped: the lower one comes first.": cut(right)[::-1],
        "That is the mean ± one standard deviation. It holds two thirds of the means; take the percentiles.": (
            center - spread,
            center + spread,
        ),
        "Those are the mean and its standard error. Return the two ends of the interval.": (center, spread),
        "Your ends are sums, not means: divide by how many values the chosen groups have.": cut(means() * len(values)),
    }
    if off(cut(right)) > 0.16:
        message = min(mistakes, key=lambda known: off(mistakes[known]))
        if off(mistakes[message]) < 0.16:
            raise Wrong(message)
        if max(low, high) < center - spread:
            raise Wrong("Both ends lie below the mean. np.percentile takes percent, 2.5 and 97.5, not fractions.")
        if high - low > 5 * spread:
            raise Wrong(
                "Your interval is too wide. Take the 2.5th and the 97.5th percentile of means over G groups each."
            )
        raise Wrong(
            f"For my 80 values in 40 groups I expected about {shown(cut(right).round(2))} and got {shown([low, high])}."
        )
    _uses_its_arguments(bootstrap_interval, values, groups)
    return "Whole groups were resampled: values that belong together stay together."


def _uses_its_arguments(bootstrap_interval: Callable, values, groups) -> None:
    import numpy as np

    once, again, other = (
        tuple(bootstrap_interval(values, groups, np.random.default_rng(seed), 50)) for seed in (5, 5, 6)
    )
    if once != again:
        raise Wrong("The same rng gives different intervals: use the generator you are given for every random number.")
    if once == other:
        raise Wrong("Another rng gives the same interval: use the generator you are given, not one with a fixed seed.")
    two, ends = (np.array([1.0, 0.0, 1.0, 0.0]), np.array([0, 1, 0, 1])), []
    for data in (two, (two[0], np.zeros(4, dtype=int))):
        ends.append([round(float(end), 6) for end in bootstrap_interval(*data, np.random.default_rng(0), 400)])
    if ends[0] != [0, 1]:
        raise Wrong("Of two groups, one of ones and one of zeros, sometimes only one is chosen: the ends are 0 and 1.")
    if ends[1] != [0.5, 0.5]:
        raise Wrong("Within a group nothing is resampled: a chosen group brings all of its values.")
    ones = np.arange(12) > 10  # group 0 is empty, the last one alone has a 1
    if not bootstrap_interval(ones.astype(float), np.arange(1, 13), np.random.default_rng(0), 400)[1]:
        raise Wrong(
            "Where a group is empty, the last ones are never chosen in yours: G is groups.max() + 1, empty groups included."
        )
    low, high = bootstrap_interval(values, groups, np.random.default_rng(0), 1)
    if low != high:
        raise Wrong(
            "With resamples=1 there is one mean only, and both ends are that mean. Yours differ: use the argument."
        )


@exercise
def check_train_reward_head(train_reward_head: Callable) -> str:
    """Build: one row of weights [K], trained by Adam from zeros on the Bradley–Terry loss of pairs [N, 2, K]."""
    import torch
    from torch.nn.functional import logsigmoid

    rng = torch.Generator().manual_seed(0)
    pairs = torch.randn(40, 2, 5, generator=rng) + torch.tensor([[0.5, -0.3, 0.0, 0.2, 0.0], [0.0] * 5])

    def right(pairs, steps: int, rate: float, clear=True, optimizer=torch.optim.Adam, sign=1.0):
        weights = torch.zeros(pairs.shape[-1], requires_grad=True)
        stepper = optimizer([weights], lr=rate)
        for _ in range(steps):
            loss = sign * -logsigmoid(pairs[:, 0] @ weights - pairs[:, 1] @ weights).mean()
            if clear:
                stepper.zero_grad()
            loss.backward()
            stepper.step()
        return weights.detach()

    changed = "You changed the pairs that you were given: train the weights, not the features."
    answer = call(lambda data: train_reward_head(data, 12, 0.1), pairs, changed=changed)
    answer, free = tensor(answer, (5,), "a tensor, one row of weights"), not answer.requires_grad
    refuse_known(
        answer,
        {
            "The weights are still zero: after loss.backward() the optimizer has to take a step.": torch.zeros(5),
            "The rejected messages score higher in yours: it is chosen first, then rejected.": right(
                pairs.flip(1), 12, 0.1
            ),
            "Your weights climb the loss. Minimize it.": right(pairs, 12, 0.1, sign=-1.0),
            "Gradients of earlier steps are still in yours: call optimizer.zero_grad() in every step.": right(
                pairs, 12, 0.1, clear=False
            ),
            "You took plain gradient descent. Take torch.optim.Adam.": right(pairs, 12, 0.1, optimizer=torch.optim.SGD),
            "You trained with the default learning rate. Use the argument learning_rate.": right(pairs, 12, 0.02),
            "You trained with Adam's own learning rate of 0.001. Use the argument learning_rate.": right(
                pairs, 12, 0.001
            ),
            "You trained for 200 steps. Use the argument steps.": right(pairs, 200, 0.1),
            "You split the pairs into two halves. Chosen and rejected are the two columns of [N, 2]: .unbind(1).": right(
                torch.stack((pairs[:20], pairs[20:]), 2).flatten(0, 1), 12, 0.1
            ),
            "You trained on the first pair only. Use all pairs in every step.": right(pairs[:1], 12, 0.1),
        },
    )
    start = tensor(train_reward_head(pairs, 0, 0.1), (5,), "a tensor, one row of weights")
    if start.any():
        raise Wrong("Without a step the weights must be zeros: begin with zeros, not at random.")
    if not same(answer, right(pairs, 12, 0.1), 1e-3):
        raise Wrong(
            f"After 12 steps on my 40 pairs I expected {shown(right(pairs, 12, 0.1).numpy().round(2))} and got "
            f"{shown(answer.detach().numpy().round(2))}."
        )
    if not free:
        raise Wrong("The numbers are right. Return the weights without a gradient: weights.detach().")
    tensor(train_reward_head(pairs[:9, :, :3], 1), (3,), "three weights for features of three numbers")
    return "One row of weights, learned from which of two was chosen."
