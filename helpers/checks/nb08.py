"""Checks of notebook 08, *GAN replies*."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, gradient_of, same, scalar, shown, tensor


@exercise
def check_gan_losses(gan_losses: Callable) -> str:
    """Exercise 1: logits of real [B] and generated [B] to the discriminator's loss and the generator's, two scalars."""
    import torch
    from torch.nn import functional

    def ask(real, generated):
        answer = tried(gan_losses(real, generated))
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise Wrong(f"Return two losses, the discriminator's and the generator's, and not {shown(answer)}.")
        return [scalar(part, "a loss, one number") for part in answer]

    real = torch.tensor([2.0, -0.5, 1.0], dtype=torch.float64)
    generated = torch.tensor([-1.5, 0.3, -3.0], dtype=torch.float64, requires_grad=True)
    up, down = (functional.softplus(-part).mean() for part in (real, generated))  # −log D
    caught = functional.softplus(generated).mean()  # −log (1 − D(generated))
    right, mine = (up + caught, down), ask(real, generated)
    if same(mine[0], right[1]) and same(mine[1], right[0]):
        raise Wrong("The two are exchanged: return the discriminator's loss first.")
    if same(mine[0], up):
        raise Wrong(
            "The generated half of the discriminator's loss is always 0. Is log(1 − D) clamped? It is never above 0."
        )
    if same(mine[0], caught):
        raise Wrong("The real half of the discriminator's loss is missing: it must call the real ones real, too.")
    if same(mine[0], mine[1]):
        raise Wrong(
            "Both have the same loss, so they pull the same way. The generator wants the opposite: to be called real."
        )
    if same(mine[0], 3 * right[0]) or same(mine[1], 3 * right[1]):
        raise Wrong("You took the sum over the batch. Take the mean, or a larger batch has larger steps.")
    if same(mine[0], right[0] / 2):
        raise Wrong(
            "You halved the discriminator's loss. Add the two means; half of it would do, but here they are added."
        )
    if same(mine[0], -right[0]) or same(mine[1], -right[1]):
        raise Wrong(
            "The sign of a loss is the wrong way around: a loss is *minus* the log, and becomes small when all is well."
        )
    if same(mine[1], -caught):
        raise Wrong(
            "This is the saturating loss, log(1 − D(generated)). Take −log D(generated): it has a gradient where D is sure."
        )
    if same(mine[1], up) or same(mine[1], up + down):
        raise Wrong("The generator's loss reads the real data. Only what is generated can change when it learns.")
    if not same(mine[0], right[0]):
        raise Wrong(
            f"For real 2, −0.5, 1 and generated −1.5, 0.3, −3 the discriminator's loss is {right[0]:.3f}; I got {shown(mine[0])}."
        )
    if not same(mine[1], right[1]):
        raise Wrong(f"For generated −1.5, 0.3, −3 the generator's loss is {right[1]:.3f}; I got {shown(mine[1])}.")
    if not same(gradient_of(mine[1], generated), gradient_of(right[1], generated)):
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
        changed = "You changed the rewards you were given. Write into a new tensor."
        answer = call(discounted_returns, rewards, lengths, gamma, changed=changed)
        return tensor(answer, tuple(rewards.shape), "returns, one for each reward")

    def returns(rewards, gamma: float):
        out, later = torch.zeros_like(rewards), torch.zeros_like(rewards[:, 0])
        for step in reversed(range(rewards.shape[1])):
            later = rewards[:, step] + gamma * later
            out[:, step] = later
        return out

    # The second reply has two tokens; behind it lies padding, and in it something that must not count.
    rewards = torch.tensor([[1.0, 0.0, 2.0, 4.0], [3.0, 1.0, 9.0, 9.0]], dtype=torch.float64)
    lengths, steps = torch.tensor([4, 2]), torch.arange(4)
    inside = steps < lengths[:, None]
    clean = rewards * inside
    right, answer = returns(clean, 0.5), ask(rewards, lengths, 0.5)
    if same(answer, returns(rewards, 0.5)) or same(answer, returns(rewards, 0.5) * inside):
        raise Wrong(
            "You took the padding's rewards in: the second reply ends after 2 tokens, what stands behind is nothing."
        )
    if same(answer, returns(clean * (steps < lengths[:, None] - 1), 0.5)):
        raise Wrong("The last reward of each reply is missing: off by one. A reply of 2 tokens has rewards 0 *and* 1.")
    if same(answer, right - clean):
        raise Wrong("A token's own reward is missing: its return begins with its own.")
    if same(answer, returns(clean, 1.0)):
        raise Wrong("Nothing is discounted: each step further away counts `gamma` times less.")
    if same(answer, returns(clean.flip(1), 0.5).flip(1)):
        raise Wrong("You added up the rewards *before*. A token can only be praised for what comes after it.")
    if same(answer, returns(clean * 0.5**steps, 1.0)):
        raise Wrong(
            "You discounted from the beginning of the reply. Count the steps from the token whose return it is."
        )
    if same(answer, clean):
        raise Wrong("These are the rewards. A return adds what comes later, discounted.")
    if same(answer, right[:, :1] * inside) or same(answer, right[:, :1].expand(2, 4)):
        raise Wrong("All tokens of a reply got the same number. The return of a later token begins later.")
    if not same(answer[1, 2:], torch.zeros(2)):
        raise Wrong("There are returns at the padding. There is no token there: put 0.")
    if not same(answer, right):
        raise Wrong(f"For rewards 1, 0, 2, 4 and gamma 0.5 I expected {shown(right[0])} and got {shown(answer[0])}.")
    if not same(ask(clean, lengths, 0.0), clean):
        raise Wrong("With gamma 0 only the present counts: the returns are the rewards.")
    return "Every token is rated by what came of it, and by nothing else."


@exercise
def check_straight_through(straight_through: Callable) -> str:
    """Exercise 3: logits [V], Gumbel noise [V] and a temperature to a draw of 0 and 1 with the gradient of the soft one."""
    import torch
    from torch.nn import functional

    logits = torch.tensor([1.0, 0.2, -0.5], dtype=torch.float64, requires_grad=True)
    noise, temperature = torch.tensor([-0.4, 1.1, 0.3], dtype=torch.float64), 0.7
    values = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)  # what is computed from the draw

    def soft(shift):
        return ((logits + shift) / temperature).softmax(-1)

    right = functional.one_hot(soft(noise).argmax(), 3).double()
    answer = tried(straight_through(logits, noise, temperature))
    if torch.is_tensor(answer) and answer.numel() == 1 and not answer.is_floating_point():
        raise Wrong("You returned which token was sampled. Return a vector with a 1 at its place and 0 elsewhere.")
    answer = tensor(answer, (3,), "one weight for each token")
    if same(answer, soft(noise)):
        raise Wrong("This is the soft draw: weights between 0 and 1. Forward, straight through gives exactly one 1.")
    if same(answer, soft(noise) + right):
        raise Wrong(
            "Draw and soft weights are added up. Subtract the soft weights once more, detached, so that they cancel."
        )
    if same(answer, functional.one_hot(logits.argmax(), 3)):
        raise Wrong(
            "You took the likeliest token: without the noise it is no draw. The largest of logits *plus noise* wins."
        )
    if not same(answer, right):
        raise Wrong(f"I expected a 1 at the largest of logits + noise, {shown(right)}, and got {shown(answer)}.")
    gradient = gradient_of((answer * values).sum(), logits)
    if not gradient.any():
        raise Wrong(
            "The draw is right and has no gradient: argmax and one_hot pass none. Add soft − soft.detach() to it."
        )
    expected = gradient_of((soft(noise) * values).sum(), logits)
    if same(gradient, gradient_of(((logits + noise).softmax(-1) * values).sum(), logits)):
        raise Wrong("The temperature is missing in the soft weights: divide logits + noise by it.")
    if same(gradient, gradient_of((((logits + noise) * temperature).softmax(-1) * values).sum(), logits)):
        raise Wrong("You multiplied by the temperature. Divide by it: a low one must make the weights sharper.")
    if same(gradient, gradient_of(((logits / temperature + noise).softmax(-1) * values).sum(), logits)):
        raise Wrong("Only the logits were divided by the temperature. Divide their sum with the noise.")
    if same(gradient, gradient_of((soft(0.0) * values).sum(), logits)):
        raise Wrong(
            "The gradient is that of the weights without noise. Draw and soft weights come from the same noise."
        )
    if same(gradient, -expected):
        raise Wrong("The gradient is turned round: it is + soft − soft.detach(), not the other way.")
    if not same(gradient, expected):
        raise Wrong(
            f"The draw is right; its gradient should be that of the soft weights, {shown(expected)}, "
            f"and is {shown(gradient)}."
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
        scalar(tried(reinforce(chance, rewards, baseline)), "the loss, one number"),
    )
    if same(answer, -right):
        raise Wrong("The sign is the wrong way around: making the loss small must make what got more reward likelier.")
    if same(answer, loss(rewards)):
        raise Wrong("The baseline is not used. Only what is better than expected should become likelier.")
    if same(answer, loss(rewards + baseline)):
        raise Wrong("You added the baseline. The advantage is reward minus baseline: what came less what was expected.")
    if same(answer, 4 * right):
        raise Wrong("You took the sum over the replies. Take the mean.")
    if same(answer, loss(rewards - baseline, chance.exp())):
        raise Wrong(
            "You took probabilities. REINFORCE multiplies the *log*-probability: a rare draw must count as much as it does."
        )
    if same(answer, -(chance.mean() * (rewards - baseline).mean())):
        raise Wrong("You multiplied two means. Each reply has its own advantage: multiply first, then take the mean.")
    if not same(answer, right):
        raise Wrong(f"For these four replies I expected {right.item():.3f} and got {shown(answer)}.")
    gradient = gradient_of(answer, chance)
    if not gradient.any():
        raise Wrong("No gradient reaches the log-probabilities. Detach the advantage, not them: they are what learns.")
    if gradient_of(answer, baseline).any():
        raise Wrong(
            "A gradient reaches the critic: this loss would teach it to be wrong. Detach the advantage, and use the "
            "result: .detach() changes nothing in place."
        )
    if gradient_of(answer, rewards).any():
        raise Wrong(
            "A gradient reaches the rewards, so the discriminator would be changed by the generator's step. Detach them, too."
        )
    if not same(gradient, gradient_of(right, chance)):
        raise Wrong(
            f"The gradient should be minus the advantage over 4, {shown(gradient_of(right, chance))}; yours is {shown(gradient)}."
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

    answer = scalar(tried(cycle_loss(there, back, left, right)), "the loss, one number")
    first, second = square(back(there(left)), left), square(there(back(right)), right)
    if any(same(answer, part) for part in (first, second)):
        raise Wrong("One round trip only. Add both: from the left there and back, and from the right.")
    if same(answer, square(there(back(left)), left) + square(back(there(right)), right)):
        raise Wrong(
            "You began with the wrong translator: a picture of the left world goes *there* first, and then *back*."
        )
    if same(answer, square(there(left), left) + square(back(right), right)):
        raise Wrong("You compared after one way: the translation *should* differ. Go back before you compare.")
    if same(answer, (back(there(left)) - left).abs().mean() + (there(back(right)) - right).abs().mean()):
        raise Wrong("You took absolute values. DiscoGAN's distance is the mean square.")
    if same(answer, (back(there(left)) - left).square().sum() + (there(back(right)) - right).square().sum()):
        raise Wrong("You took the sum over all pixels. Take the mean of each trip, then add the two.")
    if same(answer, (first + second) / 2):
        raise Wrong("You took the mean of the two trips. Add them.")
    if same(answer, first.sqrt() + second.sqrt()):
        raise Wrong("You took the root. The mean square itself is the loss.")
    if not same(answer, first + second):
        raise Wrong(f"For these two worlds I expected {(first + second).item():.3f} and got {shown(answer)}.")
    weight = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    through = scalar(cycle_loss(lambda x: weight * x, back, left, right), "the loss, one number")
    if not gradient_of(through, weight).any():
        raise Wrong("No gradient reaches the translators. Was something detached on the way?")
    return "There and back again: what comes home must be what left."
