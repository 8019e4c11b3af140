"""Checks of notebook 08's last exercises: a control for a reward, and quality at equal diversity."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import difference, near, number, refuse_known, same, shown, tensor


@exercise
def check_shuffled_rewards(shuffled_rewards: Callable) -> str:
    """Exercise: rewards and mask [B, T] and a permutation [B] to rewards [B, T] that know nothing of the reply."""
    import torch

    rewards = torch.tensor([[1.0, 2.0, 3.0], [0.5, -1.0, 9.0], [4.0, 8.0, 7.0]], dtype=torch.float64)
    mask = torch.tensor([[True, True, True], [True, True, False], [True, False, False]])
    order = torch.tensor([1, 2, 0])
    answer = tensor(tried(shuffled_rewards(rewards.clone(), mask, order)), (3, 3), "rewards, one for each token")

    def at(values, positions):
        return torch.zeros_like(rewards).scatter(1, positions[:, None], values.double()[:, None])

    returns, last, end = (rewards * mask).sum(1), mask.sum(1) - 1, torch.tensor([2, 2, 2])
    right = at(returns[order], last)
    known = {
        "Each reply got its own return: take that of reply order[b].": at(returns, last),
        "Padding is counted in the returns: sum the rewards inside the mask only.": at(rewards.sum(1)[order], last),
        "The returns stand in the last column, at padding for short replies. A reply's last token is at mask.sum(1) − 1.": at(
            returns[order], end
        ),
        "The returns stand at the first token. Put them at the last.": at(returns[order], 0 * end),
        "You shuffled whole rows: a reward for every token of another reply. Only the last token gets one, the return.": rewards[
            order
        ],
        "You shuffled rows and masked them. Only the last token gets a reward, the return of the other reply.": rewards[
            order
        ]
        * mask,
        "You shuffled the rows after placing the returns: what reply b gets must stand at *its own* last token.": at(
            returns, last
        )[order],
        "Every reply got the mean: that is the other control, the constant reward.": at(returns.mean().expand(3), last),
        "You put reply b's return to reply order[b]. It is the other way around: reply b gets that of reply order[b].": at(
            returns[order.argsort()], last
        ),
    }
    refuse_known(answer, known)
    if not same(answer, right):
        raise Wrong(f"The rewards are not right: {difference(answer, right)}.")
    return "A reward that knows nothing of the reply: what it changes is noise."


@exercise
def check_quality_at(quality_at: Callable) -> str:
    """Exercise: diversities, qualities and a level to the quality at that level, on straight lines, or None outside."""
    diversity, quality = [0.8, 0.2, 0.5, 0.9], [4.0, 2.0, 2.5, 6.0]  # in no order
    first = number(tried(quality_at(list(diversity), list(quality), 0.6)), "a quality")
    known = {
        "You interpolate between points in the order given. Sort them by diversity first.": 2.5 + 2.0,
        "This is the quality of the nearest point below. Interpolate on the line to the next.": 2.5,
        "This is the quality of the nearest point above. Interpolate on the line from the one before.": 4.0,
        "This is the mean of the two neighbors. The nearer one counts more.": 3.25,
        "The weights are exchanged: at the lower neighbor the quality is the lower neighbor's.": 3.5,
    }
    for message, wrong in known.items():
        if near(first, wrong):
            raise Wrong(message)
    if not near(first, 3.0):
        raise Wrong(f"Between (0.5, 2.5) and (0.8, 4.0) the quality at 0.6 is 3.0; I got {shown(first)}.")
    for level, right in ((0.2, 2.0), (0.9, 6.0), (0.5, 2.5)):
        if not near(quality_at(list(diversity), list(quality), level), right):
            raise Wrong(f"At a measured point, diversity {level}, the quality is the measured one, {right}.")
    for level in (0.1, 0.95):
        answer = quality_at(list(diversity), list(quality), level)
        if answer is not None:
            raise Wrong(f"At {level} there is nothing measured: return None, and not {shown(answer)}.")
    return "Two curves can be compared where both were measured, and nowhere else."
