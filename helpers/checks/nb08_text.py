"""Checks of the second lesson of notebook 08: gradients through sampled words, REINFORCE, and advantages."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import difference, gradient_of, refuse_known, same, scalar, shown, tensor
from helpers.checks.nb08_gan_step import check_reply_gan_step
from helpers.checks.nb08_verdict import check_quality_at, check_shuffled_rewards

__all__ = [
    "check_advantages",
    "check_quality_at",
    "check_reinforce_loss",
    "check_reply_gan_step",
    "check_shuffled_rewards",
    "check_straight_through",
]


@exercise
def check_straight_through(straight_through: Callable) -> str:
    """Build: logits and noise [..., V] and a temperature to one-hot vectors with the gradient of the soft ones."""
    import torch
    from torch.nn import functional

    logits = torch.tensor([1.0, 0.2, -0.5], dtype=torch.float64, requires_grad=True)
    noise, temperature = torch.tensor([-0.4, 1.1, 0.3], dtype=torch.float64), 0.7
    values = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)  # what is computed from the sample

    def soft(shift):
        return ((logits + shift) / temperature).softmax(-1)

    right = functional.one_hot(soft(noise).argmax(), 3).double()
    answer = tried(straight_through(logits, noise, temperature))
    if torch.is_tensor(answer) and answer.numel() == 1 and not answer.is_floating_point():
        raise Wrong("You returned the number of the sampled token. Return a vector: 1 at that token, 0 elsewhere.")
    answer = tensor(answer, (3,), "one weight for each token")
    known = {
        "These are the soft weights. Forward, straight-through gives exactly one 1; only the gradient is soft.": soft(
            noise
        ),
        "The one-hot vector and the soft weights are added. Subtract the soft weights again, detached: they cancel.": soft(
            noise
        )
        + right,
        "You took the most likely token. Without the noise it is not a sample: take the largest of logits *plus noise*.": (
            functional.one_hot(logits.argmax(), 3)
        ),
    }
    refuse_known(answer, known)
    if not same(answer, right):
        raise Wrong(f"I expected a 1 at the largest of logits + noise, {shown(right)}, and got {shown(answer)}.")
    gradient = gradient_of((answer * values).sum(), logits)
    if not gradient.any():
        raise Wrong("The sample is right and has no gradient: argmax and one_hot pass none. Add soft − soft.detach().")
    expected = gradient_of((soft(noise) * values).sum(), logits)
    wrong_weights = {
        "The temperature is missing: divide logits + noise by it before the softmax.": (logits + noise).softmax(-1),
        "You multiplied by the temperature. Divide by it: a low one makes the weights sharper.": (
            ((logits + noise) * temperature).softmax(-1)
        ),
        "Only the logits were divided by the temperature. Divide the sum of logits and noise.": (
            (logits / temperature + noise).softmax(-1)
        ),
        "The gradient is that of the weights without noise. Forward and backward use the same noise.": soft(0.0),
    }
    refuse_known(
        gradient, {text: gradient_of((weights * values).sum(), logits) for text, weights in wrong_weights.items()}
    )
    if same(gradient, -expected):
        raise Wrong("The gradient has the wrong sign: it is + soft − soft.detach(), not the other way around.")
    if not same(gradient, expected):
        raise Wrong(f"The sample is right; its gradient should be {shown(expected)} and is {shown(gradient)}.")
    rng = torch.Generator().manual_seed(0)
    rows, shift = (torch.randn(2, 4, 5, generator=rng).requires_grad_(grad) for grad in (True, False))
    many = tensor(straight_through(rows, shift, 1.0), (2, 4, 5), "one-hot vectors for [2, 4, 5] logits")
    if not same(many, functional.one_hot((rows + shift).argmax(-1), 5)):
        raise Wrong("One token is right, a batch is not: take argmax and softmax over the last dimension, dim=-1.")
    values = torch.randn(5, generator=rng)
    if not same(
        gradient_of((many * values).sum(), rows), gradient_of(((rows + shift).softmax(-1) * values).sum(), rows)
    ):
        raise Wrong("One token's gradient is right, those of several are not: take the softmax over the last dimension, dim=-1.")
    return "Hard forward, soft backward: a biased gradient, but a gradient."


@exercise
def check_reinforce_loss(reinforce_loss: Callable) -> str:
    """Build: log-probabilities, rewards, a baseline and a mask, all [B, T], to the loss, one number."""
    import torch

    log_p = torch.tensor([[-1.0, -0.2, -2.0], [-0.7, -1.5, -9.0]], dtype=torch.float64, requires_grad=True)
    rewards = torch.tensor([[1.0, 0.0, 3.0], [2.0, -1.0, 8.0]], dtype=torch.float64, requires_grad=True)
    baseline = torch.tensor([[0.5, 0.2, 1.0], [1.5, 0.5, 4.0]], dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True, True, True], [True, True, False]])

    def loss(advantages, weights=log_p, inside=mask):
        return -(weights * advantages.detach() * inside).sum() / 2

    advantages, right = rewards - baseline, loss(rewards - baseline)
    answer = scalar(tried(reinforce_loss(log_p, rewards, baseline, mask)), "the loss, one number")
    known = {
        "The sign is wrong: making the loss small must make tokens with a high reward more likely.": -right,
        "The baseline is not subtracted. Only what is better than expected should become more likely.": loss(rewards),
        "You added the baseline. An advantage is the reward minus the baseline.": loss(rewards + baseline),
        "Padding is counted: where the mask is False there is no token, whatever the numbers say.": loss(
            advantages, inside=torch.ones_like(mask)
        ),
        "You kept the padding and left the tokens out: the mask is True at tokens.": loss(advantages, inside=~mask),
        "You took the sum over the batch. Sum over the tokens of a reply, then take the mean over the replies.": 2
        * right,
        "You took the mean over all tokens. Sum over the tokens of a reply, then divide by the number of replies.": (
            2 * right / mask.sum()
        ),
        "You took the mean over all positions. Sum over the tokens, then divide by the number of replies.": right / 3,
        "You took each reply's mean over its tokens. Sum over the tokens of a reply; only the replies are averaged.": (
            -((log_p * advantages.detach() * mask).sum(1) / mask.sum(1)).mean()
        ),
        "You used probabilities. REINFORCE multiplies the *log*-probability.": loss(advantages, log_p.exp()),
    }
    refuse_known(answer, known)
    # The whole reply's reward or advantage for every token; with the padding in it, or without.
    whole = "You credit every token with the whole reply. Each token has its own advantage: its reward minus its baseline."
    for inside in (mask, torch.ones_like(mask)):
        rewarded = (rewards * inside).sum(1, keepdim=True)
        for credit in (rewarded, rewarded - baseline, (advantages * inside).sum(1, keepdim=True)):
            refuse_known(answer, {whole: loss(credit)})
    later = "You summed the rewards from each token on. Take them as they are: here the advantage is reward minus baseline."
    for sums in (rewards * mask, advantages * mask):
        to_go = sums.flip(1).cumsum(1).flip(1)
        for credit in (to_go, to_go - baseline):
            refuse_known(answer, {later: loss(credit)})
    if not same(answer, right):
        raise Wrong(f"For these two replies I expected {right.item():.3f} and got {shown(answer)}.")
    gradient, expected = gradient_of(answer, log_p), gradient_of(right, log_p)
    if not gradient.any():
        raise Wrong("No gradient reaches the log-probabilities. Detach the advantages, not them: they are what learns.")
    for source, who in ((baseline, "critic"), (rewards, "discriminator")):
        if gradient_of(answer, source).any():
            raise Wrong(
                f"A gradient reaches the {who}: detach rewards and baseline. (.detach() returns a new tensor; use the result.)"
            )
    if not same(gradient, expected):
        raise Wrong(f"The value is right, its gradient is not: {difference(gradient, expected)}.")
    one = scalar(reinforce_loss(log_p, rewards, torch.tensor(0.5).double(), mask), "the loss, one number")
    if not same(one, loss(rewards - 0.5)):
        raise Wrong("A baseline of one number for all tokens should broadcast: subtract it as it is.")
    return "What was better than expected becomes more likely, and no gradient had to pass through the words."


@exercise
def check_advantages(advantages: Callable) -> str:
    """Build: rewards, values and mask [B, T], gamma and clip to advantages and returns [B, T]."""
    import torch

    rewards = torch.tensor([[1.0, 0.0, 2.0, 4.0], [3.0, 1.0, 9.0, 9.0]], dtype=torch.float64)
    values = torch.tensor([[0.5, 1.0, -2.0, 1.0], [0.25, 4.0, 7.0, 7.0]], dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True] * 4, [True, True, False, False]])

    def ask(gamma, clip):
        answer = tried(advantages(rewards.clone(), values, mask, gamma, clip))
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise Wrong(f"Return two tensors, advantages and returns, and not {shown(answer)}.")
        return [
            tensor(part, (2, 4), f"{name}, one for each token") for part, name in zip(answer, ("advantages", "returns"))
        ]

    clean, inside = rewards * mask, mask.double()
    first, returns = ask(0.5, 100.0)
    right = _to_go(clean, 0.5) * inside
    known = {
        "Padding's rewards are counted: multiply the rewards by the mask before you add them up.": _to_go(rewards, 0.5),
        "Padding's rewards are counted, and hidden afterwards. Mask the rewards first.": _to_go(rewards, 0.5) * inside,
        "Nothing is discounted: the next return counts `gamma` times as much.": _to_go(clean, 1.0) * inside,
        "These are the rewards. A return adds gamma times the next return.": clean,
        "You added up the rewards *before* a token. It can only be credited with what comes after it.": (
            _to_go(clean.flip(1), 0.5).flip(1) * inside
        ),
        "A token's own reward is missing: its return begins with it.": right - clean,
        "The two are exchanged: return the advantages first.": (right - values) * inside,
    }
    refuse_known(returns, known)
    if not same(returns, right):
        raise Wrong(f"The returns are not right: {difference(returns, right)}.")
    if same(first, right - values):
        raise Wrong("There are advantages at padding: put 0 where the mask is False.")
    known = {
        "The critic's values are not subtracted: an advantage is return minus value.": right,
        "The sign is wrong: an advantage is return minus value, not value minus return.": (values - right) * inside,
        "You subtracted the values from the rewards. Subtract them from the returns.": (clean - values) * inside,
        "You added the values. An advantage is return *minus* value.": (right + values) * inside,
    }
    refuse_known(first, known)
    if not same(first, (right - values) * inside):
        raise Wrong(f"The advantages are not right: {difference(first, (right - values) * inside)}.")
    if gradient_of(first, values).any():
        raise Wrong("A gradient reaches the critic through the advantages: detach its values.")
    clipped, returns = ask(0.5, 1.5)
    if not same(returns, right):
        raise Wrong("The returns are clipped. Clip only the advantages: the critic learns the returns as they are.")
    if same(clipped, first):
        raise Wrong("The advantages are not clipped: keep them between −clip and clip.")
    if same(clipped, first.clamp(max=1.5)):
        raise Wrong("Only large advantages are clipped. Very negative ones need a limit too: −clip.")
    if not same(clipped, first.clamp(-1.5, 1.5)):
        raise Wrong(f"With clip 1.5: {difference(clipped, first.clamp(-1.5, 1.5))}.")
    return "Return minus what was expected, for tokens only, and never too large."


def _to_go(rewards, gamma: float):
    import torch

    result, later = torch.zeros_like(rewards), torch.zeros_like(rewards[:, 0])
    for step in reversed(range(rewards.shape[1])):
        later = rewards[:, step] + gamma * later
        result[:, step] = later
    return result
