"""Check of notebook 08's build cell on the step of the message → reply GAN: who learns what, from which pair of texts."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import number, shown


@exercise
def check_reply_gan_step(reply_gan_step: Callable) -> str:
    """Build: generator, discriminator, optimizers, messages and replies to a step of both and their losses."""
    losses, players, optimizers = _after(reply_gan_step)
    if not isinstance(losses, tuple | list) or len(losses) != 2:
        raise Wrong(f"Return two losses, the discriminator's and the generator's, and not {shown(losses)}.")
    losses = [number(loss, "a loss") for loss in losses]
    generator, discriminator = players
    if not generator.calls:
        raise Wrong("The generator is never asked for replies: generator(messages).")
    for mistake, message in MISTAKES.items():
        if _alike(players, _after(lambda *given, mistake=mistake: _step(*given, mistake=mistake))[1]):
            raise Wrong(message)
    if not _alike(players, _after(_step)[1]):
        raise Wrong(
            "After two steps the weights are not what they should be. Follow the three numbered steps of the task."
        )
    right = _after(_step)[0]
    if abs(losses[0] - right[1]) < 1e-6 and abs(losses[1] - right[0]) < 1e-6:
        raise Wrong("Both networks learn as they should. Return the discriminator's loss first.")
    if any(abs(mine - other) > 1e-6 for mine, other in zip(losses, right)):
        raise Wrong(
            f"Both networks learn as they should; the losses are {shown(list(right))}, and you return {shown(losses)}."
        )
    if sum(words.requires_grad for _, words in discriminator.calls) > 2:
        raise Wrong(
            "The discriminator's loss sends a gradient into the generator. Here it is thrown away, at the cost of a backward "
            "pass: detach the sampled replies in the discriminator's step."
        )
    return "The discriminator learns what is real, the generator how to pass for it, each from its own loss."


MISTAKES = {
    "messages as real": "You show the discriminator *messages* as real replies: the defect of the listing. Show it `replies`.",
    "one loss": "Both networks follow the discriminator's loss. The generator needs its own: −log D(sampled).",
    "nothing real": "The discriminator never sees a real reply: its loss has two terms, −log D(real) − log (1 − D(sampled)).",
    "nothing sampled": "The discriminator never sees a sampled reply: its loss has two terms.",
    "saturating": "This is the saturating loss, log (1 − D). The generator's is −log D(sampled).",
    "no zero_grad": "Gradients of the step before are still there: call zero_grad() of an optimizer before its backward().",
    "zero_grad of the generator only": "The generator's loss leaves a gradient in the discriminator: call "
    "optimizer_d.zero_grad() before the discriminator's backward().",
    "generator detached": "The generator never moves: in its own loss the sampled replies keep their gradient, without detach().",
    "discriminator never moves": "The discriminator never moves: call optimizer_d.step() after its backward().",
    "generator first": "The generator moves first. Train the discriminator first, then ask it again for the generator's loss.",
    "before its step": "The generator's loss comes from the discriminator *before* its step. Ask the discriminator again.",
    "both halved": "You take half of the discriminator's loss. Add the two means as they are.",
    "sums": "You took sums over the batch. Take means.",
    "exchanged": "The optimizers are exchanged: optimizer_g is the generator's, optimizer_d the discriminator's.",
}


def _networks():
    """Return two tiny players that note their calls: no noise, so that every step can be repeated."""
    import torch
    from torch import nn

    class Generator(nn.Module):
        def __init__(self):
            super().__init__()
            rng = torch.Generator().manual_seed(0)
            self.weight, self.calls = nn.Parameter(torch.randn(4, 5, generator=rng).double()), 0

        def forward(self, messages):
            self.calls += 1
            return (self.weight[:3] * (1 + messages[..., None] / 5)).softmax(-1)  # [B, 3, 5]

    class Discriminator(nn.Module):
        def __init__(self):
            super().__init__()
            rng = torch.Generator().manual_seed(1)
            self.weight, self.calls = nn.Parameter(torch.randn(5, 5, generator=rng).double()), []

        def forward(self, messages, replies):
            if replies.ndim != 3 or not replies.is_floating_point() or replies.shape[-1] != 5:
                raise Wrong(
                    "The discriminator reads one-hot replies [B, T, V], numbers like the sampled ones: turn `replies` into "
                    "one-hot vectors of V words first."
                )
            self.calls.append((messages, replies))
            pairs = torch.nn.functional.one_hot(messages, 5).double().transpose(1, 2) @ replies.double()
            return (pairs * self.weight).sum((1, 2))

    return Generator(), Discriminator()


def _after(step: Callable):
    """Return the first losses and the players after two steps, and their optimizers."""
    import torch

    players = _networks()
    optimizers = tuple(torch.optim.SGD(network.parameters(), lr=rate) for network, rate in zip(players, (0.5, 0.3)))
    messages, replies = torch.tensor([[1, 2, 0], [3, 3, 1]]), torch.tensor([[4, 0, 1], [2, 1, 1]])
    losses = tried(step(*players, *optimizers, messages, replies))
    step(*players, *optimizers, messages, replies)
    return losses, players, optimizers


def _alike(players, others) -> bool:
    import torch

    return all(torch.allclose(mine.weight, other.weight, atol=1e-9) for mine, other in zip(players, others))


def _step(generator, discriminator, optimizer_g, optimizer_d, messages, replies, mistake: str = ""):
    """The step, and the step with one of MISTAKES."""
    import torch
    from torch.nn.functional import one_hot, softplus

    first, second = (optimizer_d, optimizer_g) if mistake == "exchanged" else (optimizer_g, optimizer_d)
    reduce = torch.sum if mistake == "sums" else torch.mean

    def zero(optimizer):
        if mistake != "no zero_grad" and not (mistake == "zero_grad of the generator only" and optimizer is second):
            optimizer.zero_grad()

    def train_generator(loss):
        zero(first)
        if loss.requires_grad:
            loss.backward()
        first.step()

    def fooling_loss():
        words = sampled.detach() if mistake == "generator detached" else sampled
        logits = discriminator(messages, words)
        return -reduce(softplus(logits)) if mistake == "saturating" else reduce(softplus(-logits))

    sampled = generator(messages)
    if mistake == "generator first":
        train_generator(fooling_loss())
        sampled = generator(messages)
    real = one_hot(messages if mistake == "messages as real" else replies, 5).double()
    on_real, on_sampled = (
        reduce(softplus(-discriminator(messages, real))),
        reduce(softplus(discriminator(messages, sampled.detach()))),
    )
    loss = {"nothing real": on_sampled, "nothing sampled": on_real, "both halved": (on_real + on_sampled) / 2}.get(
        mistake, on_real + on_sampled
    )
    early = fooling_loss()
    if mistake == "one loss":
        loss = on_real + reduce(softplus(discriminator(messages, sampled)))
        zero(first), zero(second)
        loss.backward()
        first.step(), second.step()
        return loss.item(), loss.item()
    if mistake == "before its step":
        train_generator(early)
    zero(second)
    loss.backward()
    if mistake != "discriminator never moves":
        second.step()
    if mistake in ("generator first", "before its step"):
        return loss.item(), early.item()
    fooling = fooling_loss()
    train_generator(fooling)
    return loss.item(), fooling.item()
