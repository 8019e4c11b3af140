"""Checks of notebook 08, *GAN replies*."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise, shown, tried


def _plain(value) -> str:
    """Show a tensor as rounded lists: its repr can take more than one line."""
    if isinstance(value, list | tuple):
        return shown([_rounded(part) for part in value])
    return shown(_rounded(value))


def _rounded(value):
    if hasattr(value, "detach"):
        value = value.detach().tolist()
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return round(value, 3) if isinstance(value, float) else value


def _number(answer, what: str):
    """Return an answer as a float64 scalar tensor that keeps its gradient. Raises Wrong when it is no single number."""
    import torch

    if isinstance(answer, int | float) and not isinstance(answer, bool):
        return torch.tensor(float(answer)).double()
    if not torch.is_tensor(answer) or answer.is_complex():
        raise Wrong(f"I expected {what} and got a {type(answer).__name__}: {_plain(answer)}.")
    if answer.numel() != 1 or answer.ndim:
        raise Wrong(f"I expected {what} and got a tensor of shape {list(answer.shape)}. Take the mean.")
    return answer.double()


def _tensor(answer, shape: tuple, what: str):
    """Return an answer as float64 with its gradient. Raises Wrong when it is no tensor of that shape."""
    import torch

    if not torch.is_tensor(answer) or answer.is_complex():
        raise Wrong(f"I expected {what} and got a {type(answer).__name__}: {_plain(answer)}.")
    if tuple(answer.shape) != shape:
        raise Wrong(f"I expected {what}, of shape {list(shape)}, and got shape {list(answer.shape)}.")
    return answer.double()


def _same(answer, expected) -> bool:
    import torch

    expected = torch.as_tensor(expected).double()
    return answer.shape == expected.shape and torch.allclose(answer.detach(), expected.detach(), rtol=1e-4, atol=1e-5)


def _gradient(answer, of):
    """Return the gradient of the sum of an answer, zeros where none flows."""
    import torch

    if not answer.requires_grad:
        return torch.zeros_like(of)
    return torch.autograd.grad(answer.sum(), of, retain_graph=True, allow_unused=True, materialize_grads=True)[0]


@exercise
def check_gan_losses(gan_losses: Callable) -> str:
    """Exercise 1: logits of real [B] and made [B] to the discriminator's loss and the generator's, two scalars."""
    import torch
    from torch.nn import functional

    def ask(real, made):
        answer = tried(gan_losses(real, made))
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise Wrong(f"Return two losses, the discriminator's and the generator's, and not {_plain(answer)}.")
        return [_number(part, "a loss, one number") for part in answer]

    real = torch.tensor([2.0, -0.5, 1.0], dtype=torch.float64)
    made = torch.tensor([-1.5, 0.3, -3.0], dtype=torch.float64, requires_grad=True)
    up, down = (functional.softplus(-part).mean() for part in (real, made))  # −log D
    caught = functional.softplus(made).mean()  # −log (1 − D(made))
    right, mine = (up + caught, down), ask(real, made)
    if _same(mine[0], right[1]) and _same(mine[1], right[0]):
        raise Wrong("The two are exchanged: return the discriminator's loss first.")
    if _same(mine[0], up):
        raise Wrong(
            "The made half of the discriminator's loss is always 0. Is log(1 − D) clamped? It is never above 0."
        )
    if _same(mine[0], caught):
        raise Wrong("The real half of the discriminator's loss is missing: it must call the real ones real, too.")
    if _same(mine[0], mine[1]):
        raise Wrong(
            "Both have the same loss, so they pull the same way. The generator wants the opposite: to be called real."
        )
    if _same(mine[0], 3 * right[0]) or _same(mine[1], 3 * right[1]):
        raise Wrong("You took the sum over the batch. Take the mean, or a larger batch has larger steps.")
    if _same(mine[0], right[0] / 2):
        raise Wrong(
            "You halved the discriminator's loss. Add the two means; half of it would do, but here they are added."
        )
    if _same(mine[0], -right[0]) or _same(mine[1], -right[1]):
        raise Wrong(
            "The sign of a loss is the wrong way round: a loss is *minus* the log, and becomes small when all is well."
        )
    if _same(mine[1], -caught):
        raise Wrong(
            "This is the saturating loss, log(1 − D(made)). Take −log D(made): it has a gradient where D is sure."
        )
    if _same(mine[1], up) or _same(mine[1], up + down):
        raise Wrong("The generator's loss reads the real data. Only what was made can change when it learns.")
    if not _same(mine[0], right[0]):
        raise Wrong(
            f"For real 2, −0.5, 1 and made −1.5, 0.3, −3 the discriminator's loss is {right[0]:.3f}; I got {_plain(mine[0])}."
        )
    if not _same(mine[1], right[1]):
        raise Wrong(f"For made −1.5, 0.3, −3 the generator's loss is {right[1]:.3f}; I got {_plain(mine[1])}.")
    if not _same(_gradient(mine[1], made), _gradient(right[1], made)):
        raise Wrong("The generator's loss has the right value and no gradient. Was something detached?")
    far = ask(torch.tensor([-300.0]), torch.tensor([300.0]))
    if not math.isclose(far[0].item(), 600, rel_tol=1e-4):
        raise Wrong(
            "A discriminator that is very wrong, logits −300 and 300, loses 600 nats. Don't take sigmoid and log one by one."
        )
    return "One wants to be right, the other to be believed, and both can learn when they are losing."


@exercise
def check_discounted_returns(discounted_returns: Callable) -> str:
    """Exercise 2: rewards [B, T], lengths [B] and gamma to returns [B, T], 0 at padding."""
    import torch

    def ask(rewards, lengths, gamma: float):
        kept = rewards.clone()
        answer = tried(discounted_returns(rewards, lengths, gamma))
        if not torch.equal(rewards, kept):
            raise Wrong("You changed the rewards you were given. Write into a new tensor.")
        return _tensor(answer, tuple(kept.shape), "returns, one for each reward")

    def returns(rewards, gamma: float):
        out, later = torch.zeros_like(rewards), torch.zeros_like(rewards[:, 0])
        for step in reversed(range(rewards.shape[1])):
            later = rewards[:, step] + gamma * later
            out[:, step] = later
        return out

    # The second reply has two tokens; behind it lies padding, and in it something that must not be counted.
    rewards = torch.tensor([[1.0, 0.0, 2.0, 4.0], [3.0, 1.0, 9.0, 9.0]], dtype=torch.float64)
    lengths, steps = torch.tensor([4, 2]), torch.arange(4)
    inside = steps < lengths[:, None]
    clean = rewards * inside
    right, answer = returns(clean, 0.5), ask(rewards, lengths, 0.5)
    if _same(answer, returns(rewards, 0.5)) or _same(answer, returns(rewards, 0.5) * inside):
        raise Wrong(
            "The padding's rewards were counted: the second reply ends after 2 tokens, what stands behind is nothing."
        )
    if _same(answer, returns(clean * (steps < lengths[:, None] - 1), 0.5)):
        raise Wrong("The last reward of each reply is missing: off by one. A reply of 2 tokens has rewards 0 *and* 1.")
    if _same(answer, right - clean):
        raise Wrong("A token's own reward is missing: its return begins with what itself has earned.")
    if _same(answer, returns(clean, 1.0)):
        raise Wrong("Nothing is discounted: each step further away counts `gamma` times less.")
    if _same(answer, returns(clean.flip(1), 0.5).flip(1)):
        raise Wrong("You added up what was earned *before*. A token can only be praised for what comes after it.")
    if _same(answer, returns(clean * 0.5**steps, 1.0)):
        raise Wrong(
            "You discounted from the beginning of the reply. Count the steps from the token whose return it is."
        )
    if _same(answer, clean):
        raise Wrong("These are the rewards. A return adds what comes later, discounted.")
    if _same(answer, right[:, :1] * inside) or _same(answer, right[:, :1].expand(2, 4)):
        raise Wrong("All tokens of a reply got the same number. The return of a later token begins later.")
    if not _same(answer[1, 2:], torch.zeros(2)):
        raise Wrong("There are returns at the padding. Nothing was said there: put 0.")
    if not _same(answer, right):
        raise Wrong(f"For rewards 1, 0, 2, 4 and gamma 0.5 I expected {_plain(right[0])} and got {_plain(answer[0])}.")
    if not _same(ask(clean, lengths, 0.0), clean):
        raise Wrong("With gamma 0 only the present counts: the returns are the rewards.")
    return "Every token is judged by what came of it, and by nothing else."


@exercise
def check_straight_through(straight_through: Callable) -> str:
    """Exercise 3: logits [V], Gumbel noise [V] and a temperature to a draw of 0 and 1 with the gradient of the soft one."""
    import torch
    from torch.nn import functional

    logits = torch.tensor([1.0, 0.2, -0.5], dtype=torch.float64, requires_grad=True)
    noise, temperature = torch.tensor([-0.4, 1.1, 0.3], dtype=torch.float64), 0.7
    values = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)  # what somebody makes of the draw

    def soft(shift):
        return ((logits + shift) / temperature).softmax(-1)

    right = functional.one_hot(soft(noise).argmax(), 3).double()
    answer = tried(straight_through(logits, noise, temperature))
    if torch.is_tensor(answer) and answer.numel() == 1 and not answer.is_floating_point():
        raise Wrong("You returned which token was drawn. Return a vector with a 1 at its place and 0 elsewhere.")
    answer = _tensor(answer, (3,), "one weight for each token")
    if _same(answer, soft(noise)):
        raise Wrong("This is the soft draw: weights between 0 and 1. Forward, straight through gives exactly one 1.")
    if _same(answer, soft(noise) + right):
        raise Wrong(
            "Draw and soft weights are added up. Subtract the soft weights once more, detached, so that they cancel."
        )
    if _same(answer, functional.one_hot(logits.argmax(), 3)):
        raise Wrong(
            "You took the likeliest token: without the noise it is no draw. The largest of logits *plus noise* wins."
        )
    if not _same(answer, right):
        raise Wrong(f"I expected a 1 at the largest of logits + noise, {_plain(right)}, and got {_plain(answer)}.")
    gradient = _gradient((answer * values).sum(), logits)
    if not gradient.any():
        raise Wrong(
            "The draw is right and has no gradient: argmax and one_hot pass none. Add soft − soft.detach() to it."
        )
    expected = _gradient((soft(noise) * values).sum(), logits)
    if _same(gradient, _gradient(((logits + noise).softmax(-1) * values).sum(), logits)):
        raise Wrong("The temperature is missing in the soft weights: divide logits + noise by it.")
    if _same(gradient, _gradient((((logits + noise) * temperature).softmax(-1) * values).sum(), logits)):
        raise Wrong("You multiplied by the temperature. Divide by it: a low one must make the weights sharper.")
    if _same(gradient, _gradient(((logits / temperature + noise).softmax(-1) * values).sum(), logits)):
        raise Wrong("Only the logits were divided by the temperature. Divide their sum with the noise.")
    if _same(gradient, _gradient((soft(0.0) * values).sum(), logits)):
        raise Wrong(
            "The gradient is that of the weights without noise. Draw and soft weights come from the same noise."
        )
    if _same(gradient, -expected):
        raise Wrong("The gradient is turned round: it is + soft − soft.detach(), not the other way.")
    if not _same(gradient, expected):
        raise Wrong(
            f"The draw is right; its gradient should be that of the soft weights, {_plain(expected)}, "
            f"and is {_plain(gradient)}."
        )
    return "Hard on the way there, soft on the way back: a useful lie."


@exercise
def check_reinforce(reinforce: Callable) -> str:
    """Exercise 4: log-probabilities, rewards and a critic's baseline, each [B], to the loss, one number."""
    import torch

    chance = torch.tensor([-1.0, -0.2, -2.0, -0.7], dtype=torch.float64, requires_grad=True)
    rewards = torch.tensor([1.0, 0.0, 3.0, 2.0], dtype=torch.float64, requires_grad=True)
    baseline = torch.tensor([0.5, 0.5, 1.0, 1.5], dtype=torch.float64, requires_grad=True)

    def loss(advantage, log_p=chance):
        return -(log_p * advantage.detach()).mean()

    right, answer = (
        loss(rewards - baseline),
        _number(tried(reinforce(chance, rewards, baseline)), "the loss, one number"),
    )
    if _same(answer, -right):
        raise Wrong("The sign is the wrong way round: making the loss small must make what earned more likelier.")
    if _same(answer, loss(rewards)):
        raise Wrong("The baseline is not used. Only what is better than expected should become likelier.")
    if _same(answer, loss(rewards + baseline)):
        raise Wrong("You added the baseline. The advantage is reward minus baseline: what came less what was expected.")
    if _same(answer, 4 * right):
        raise Wrong("You took the sum over the replies. Take the mean.")
    if _same(answer, loss(rewards - baseline, chance.exp())):
        raise Wrong(
            "You took probabilities. REINFORCE multiplies the *log*-probability: a rare draw must count as much as it does."
        )
    if _same(answer, -(chance.mean() * (rewards - baseline).mean())):
        raise Wrong("You multiplied two means. Each reply has its own advantage: multiply first, then take the mean.")
    if not _same(answer, right):
        raise Wrong(f"For these four replies I expected {right.item():.3f} and got {_plain(answer)}.")
    gradient = _gradient(answer, chance)
    if not gradient.any():
        raise Wrong("No gradient reaches the log-probabilities. Detach the advantage, not them: they are what learns.")
    if _gradient(answer, baseline).any():
        raise Wrong(
            "A gradient reaches the critic: this loss would teach it to be wrong. Detach the advantage, and use the "
            "result: .detach() changes nothing in place."
        )
    if _gradient(answer, rewards).any():
        raise Wrong(
            "A gradient reaches the rewards, so the discriminator would be changed by the generator's step. Detach them, too."
        )
    if not _same(gradient, _gradient(right, chance)):
        raise Wrong(
            f"The gradient should be minus the advantage over 4, {_plain(_gradient(right, chance))}; yours is {_plain(gradient)}."
        )
    return "Praise what was better than expected: no gradient had to pass through the words."


@exercise
def check_cycle_loss(cycle_loss: Callable) -> str:
    """Exercise 5: two translators and pictures of both worlds, [B, …] each, to the loss of the two round trips."""
    import torch

    def there(x):
        return 2 * x + 1

    def back(x):
        return 0.25 * x.square()

    left, right = (
        torch.tensor([[1.0, 0.0], [2.0, -1.0]]).double(),
        torch.tensor([[3.0, 1.0], [-1.0, 5.0], [0.0, 2.0]]).double(),
    )

    def square(a, b):
        return (a - b).square().mean()

    answer = _number(tried(cycle_loss(there, back, left, right)), "the loss, one number")
    first, second = square(back(there(left)), left), square(there(back(right)), right)
    if any(_same(answer, part) for part in (first, second)):
        raise Wrong("One round trip only. Add both: from the left there and back, and from the right.")
    if _same(answer, square(there(back(left)), left) + square(back(there(right)), right)):
        raise Wrong(
            "You began with the wrong translator: a picture of the left world goes *there* first, and then *back*."
        )
    if _same(answer, square(there(left), left) + square(back(right), right)):
        raise Wrong("You compared after one way: the translation *should* differ. Go back before you compare.")
    if _same(answer, (back(there(left)) - left).abs().mean() + (there(back(right)) - right).abs().mean()):
        raise Wrong("You took absolute values. DiscoGAN's distance is the mean square.")
    if _same(answer, (back(there(left)) - left).square().sum() + (there(back(right)) - right).square().sum()):
        raise Wrong("You took the sum over all pixels. Take the mean of each trip, then add the two.")
    if _same(answer, (first + second) / 2):
        raise Wrong("You took the mean of the two trips. Add them.")
    if _same(answer, first.sqrt() + second.sqrt()):
        raise Wrong("You took the root. The mean square itself is the loss.")
    if not _same(answer, first + second):
        raise Wrong(f"For these two worlds I expected {(first + second).item():.3f} and got {_plain(answer)}.")
    weight = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    through = _number(cycle_loss(lambda x: weight * x, back, left, right), "the loss, one number")
    if not _gradient(through, weight).any():
        raise Wrong("No gradient reaches the translators. Was something detached on the way?")
    return "There and back again: what comes home must be what left."
