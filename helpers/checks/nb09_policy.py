"""Checks of notebook 09's RLHF step: leave-one-out advantages, rewards with a KL penalty, the policy-gradient loss."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import (
    call,
    difference,
    gradient_of,
    refuse_fixed_device,
    refuse_known,
    same,
    scalar,
    tensor,
)

CHANGED = "You changed a tensor that you were given: it is needed again. Compute a new one."


@exercise
def check_leave_one_out_advantages(leave_one_out_advantages: Callable) -> str:
    """Build: each score minus the mean of the others in its row, [C, n]."""
    import torch

    scores = torch.tensor([[1.0, 2.0, 6.0, 0.0], [0.0, 3.0, 3.0, -1.0], [0.5, 0.5, 1.0, -4.0]])
    answer = tensor(call(leave_one_out_advantages, scores, changed=CHANGED), (3, 4), "a tensor of advantages")
    rows, everything = scores.sum(1, keepdim=True), scores.sum()
    right = scores - (rows - scores) / 3
    refuse_known(
        answer,
        {
            "Your baseline includes the reply itself: that is the mean of all n. Leave it out, and divide by n − 1.": scores
            - rows / 4,
            "You left the reply out and divided by n. There are n − 1 others.": scores - (rows - scores) / 4,
            "You subtracted the *sum* of the others. Take their mean: divide by n − 1.": scores - (rows - scores),
            "Your baseline comes from the columns: replies to other contexts. Sum over the row, dimension 1.": scores
            - (scores.sum(0, keepdim=True) - scores) / 2,
            "Your baseline comes from the whole batch. Compare replies to one context: sum over the row.": (
                scores - (everything - scores) / 11
            ),
            "The sign is the other way around: score minus baseline.": -right,
            "Your baseline is the mean of the whole batch. Take the others in the same row.": scores - scores.mean(),
            "That is the baseline. The advantage is the score minus it.": (rows - scores) / 3,
            "You divided by the standard deviation, as GRPO does. Here only the mean of the others is subtracted.": (
                scores - rows / 4
            )
            / scores.std(1, keepdim=True),
            "You divided by the standard deviation as well. Only the mean of the others is subtracted here.": right
            / scores.std(1, keepdim=True),
        },
    )
    if not same(answer, right):
        raise Wrong(f"For my three contexts yours has {difference(answer, right)}.")
    if not same(leave_one_out_advantages(torch.tensor([[1.0, 3.0]])), torch.tensor([[-2.0, 2.0]])):
        raise Wrong("With two replies, 1 and 3, the advantages are −2 and 2. Use the number of columns, not a fixed n.")
    return "What is above the others is pushed up, what is below them down."


@exercise
def check_kl_penalized_rewards(kl_penalized_rewards: Callable) -> str:
    """Build: −β (log π − log π_ref) at each token, the score at a reply's last one, 0 at the padding."""
    import torch

    log_p = torch.tensor([[-1.0, -0.5, -2.0, -0.7], [-0.2, -3.0, -9.0, -9.0], [-1.5, -0.9, -0.4, -8.0]])
    log_p_ref = torch.tensor([[-1.5, -0.5, -1.0, -0.9], [-2.0, -1.0, -1.0, -1.0], [-1.0, -1.3, -0.6, -1.0]])
    mask = torch.tensor([[True] * 4, [True, True, False, False], [True, True, True, False]])
    scores, beta = torch.tensor([2.0, -1.0, 0.5]), 0.1
    rows, last = torch.arange(3), mask.sum(1) - 1
    moved = (log_p - log_p_ref) * mask

    def at(positions, values=scores):
        return torch.zeros(3, 4).index_put((rows, torch.as_tensor(positions)), values)

    given = (scores, log_p, log_p_ref, beta, mask)
    answer = tensor(call(kl_penalized_rewards, *given, changed=CHANGED), (3, 4), "a tensor of rewards")
    right = -beta * moved + at(last)
    unmasked = -beta * (log_p - log_p_ref)
    refuse_known(
        answer,
        {
            "The sign of the KL penalty is wrong: you reward the policy for moving away. It is *minus* β times the difference.": (
                beta * moved + at(last)
            ),
            "β is missing: it says how much a nat of distance costs.": -moved + at(last),
            "Every token got the score. Then a longer reply gets more: the score comes once, at the last token.": (
                -beta * moved + scores[:, None] * mask
            ),
            "The score stands in the last column, at the padding of shorter replies. It belongs at its own last token.": (
                -beta * moved + at([3, 3, 3])
            ),
            "The score stands one position after the last token. With T tokens the last is at T − 1.": -beta * moved
            + at((last + 1).clamp(max=3)),
            "The score stands at the first token. It is known only when the reply is finished: at the last.": -beta
            * moved
            + at([0, 0, 0]),
            "Each score stands in the rows of the other replies, too: give `rewards[rows, last]` the row numbers as well.": (
                -beta * moved + torch.zeros(4).index_put((last,), scores)
            ),
            "The whole penalty stands at the last token. Each token has its own.": at(
                last, scores - beta * moved.sum(1)
            ),
            "The score replaces the penalty of the last token. Add it to that.": (-beta * moved).index_put(
                (rows, last), scores
            ),
            "The score is subtracted. A high score is a reward: add it.": -beta * moved - at(last),
            "The score stands one token too early. The last token is at mask.sum(1) − 1.": -beta * moved
            + at((last - 1).clamp(min=0)),
            "Only the penalty is there, no score: add the score at the last token of each reply.": -beta * moved,
            "Only the score is there, no penalty.": at(last),
            "The reference is left out: then every unlikely token gets a bonus. The penalty is on log_p − log_p_ref.": (
                -beta * log_p * mask + at(last)
            ),
            "You took the difference of the probabilities. It is the difference of their logarithms.": (
                -beta * (log_p.exp() - log_p_ref.exp()) * mask + at(last)
            ),
            "Padding is penalized in yours: rewards there must be 0.": unmasked + at(last),
            "The score is multiplied by β as well. β belongs to the penalty only.": beta * (at(last) - moved),
        },
    )
    if not same(answer, right):
        raise Wrong(f"For my three replies yours has {difference(answer, right)}.")
    single = (torch.tensor([3.0]), torch.tensor([[-1.0]]), torch.tensor([[-2.0]]), 0.5, torch.tensor([[True]]))
    if not same(kl_penalized_rewards(*single), torch.tensor([[2.5]])):
        raise Wrong("For one reply of a single token, with score 3, β 0.5 and one nat of distance, the reward is 2.5.")
    meta = [value.to("meta") if torch.is_tensor(value) else value for value in given]
    refuse_fixed_device(
        lambda: kl_penalized_rewards(*meta),
        "A tensor of yours is always on the CPU. On a GPU that fails: create it with device=mask.device.",
    )
    return "Every token carries its part of the penalty, and the last one the score."


def _returns(rewards):
    return rewards.flip(1).cumsum(1).flip(1)


@exercise
def check_policy_gradient_loss(policy_gradient_loss: Callable) -> str:
    """Build: −Σ whitened return · log p over a reply's tokens, the mean over replies."""
    import torch

    rng = torch.Generator().manual_seed(0)
    log_p = -torch.rand(3, 5, generator=rng) - 0.1
    mask = torch.arange(5) < torch.tensor([[5], [2], [4]])
    rewards = torch.randn(3, 5, generator=rng) * mask
    returns = _returns(rewards)

    def white(values, keep=mask, correction=0, center=True, scale=True):
        values = values - values[keep].mean() if center else values
        return values / values[keep].std(correction=correction) if scale else values

    def loss(advantages, divide: float = 3.0, keep=mask):
        return -(advantages * log_p)[keep].sum() / divide

    def by_row(values, inside, correction):
        rows = [row - row[keep].mean() for row, keep in zip(values, inside)]
        return torch.stack([row / row[keep].std(correction=correction) for row, keep in zip(rows, inside)])

    everything = torch.ones_like(mask)
    answer = scalar(call(policy_gradient_loss, log_p, rewards, mask, changed=CHANGED), "one number, the loss")
    right = loss(white(returns))
    refuse_known(
        answer,
        {
            "The sign is the other way around: a high return must make a token *more* likely.": -right,
            "You whitened the rewards. First sum them from each token on: a token is responsible for what comes after it.": loss(
                white(rewards)
            ),
            "Your returns add up what came *before* a token. Sum from each token to the end: flip, cumsum, flip.": loss(
                white(rewards.cumsum(1))
            ),
            "Every token of a reply got the whole reply's return. Sum from each token on.": loss(
                white(rewards.sum(1, keepdim=True).expand(3, 5))
            ),
            "The returns are not whitened: subtract their mean over the mask, divide by their standard deviation.": loss(
                returns
            ),
            "The mean is subtracted, but nothing is divided by the standard deviation.": loss(
                white(returns, scale=False)
            ),
            "You divided by the standard deviation, but did not subtract the mean.": loss(
                returns / returns[mask].std(correction=0)
            ),
            "Padding counts in your mean and standard deviation: take them over returns[mask].": loss(
                white(returns, everything)
            ),
            "Padding counts in your sum: its advantage is not 0 after whitening. Sum where the mask is True.": loss(
                white(returns), keep=everything
            ),
            "You took each reply's mean over its tokens. Sum over the tokens of a reply; only the replies are averaged.": (
                -((white(returns) * log_p * mask).sum(1) / mask.sum(1)).mean()
            ),
            "You took the mean over tokens. Sum over the tokens of a reply, and divide by the number of replies.": loss(
                white(returns), float(mask.sum())
            ),
            "You took the sum over the replies. Divide by their number.": loss(white(returns), 1.0),
            "That is the sample standard deviation, with n − 1. Take the population's: correction=0.": loss(
                white(returns, correction=1)
            ),
        },
    )
    alone = "You whitened each reply by itself. Then good and bad replies have the same advantages: whiten over the batch."
    for inside in (mask, everything):
        refuse_known(answer, {alone: loss(by_row(returns, inside, 0))})
        refuse_known(answer, {alone: loss(by_row(returns, inside, 1))})
    if not same(answer, right):
        raise Wrong(f"For my three replies I expected {right:.5f} and got {answer.item():.5f}.")
    moving = log_p.clone().requires_grad_()
    linked = rewards - 0.5 * (moving - moving.detach()) * mask  # the same numbers, computed from log_p
    answer = policy_gradient_loss(moving, linked, mask)
    if not torch.is_tensor(answer) or not answer.requires_grad:
        raise Wrong("The loss has no gradient: only rewards and returns are detached, log_p is not.")
    if not same(gradient_of(answer, moving), -white(returns) * mask / 3):
        raise Wrong(
            "Gradient flows through your advantages, because the KL penalty was computed from log_p. Detach them: "
            "they are constants."
        )
    return "The advantages are constants, and the gradient is that of REINFORCE."
