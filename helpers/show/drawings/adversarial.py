"""Two networks against each other: the GAN loop, and two of them joined in a cycle (built for notebook 08)."""

from __future__ import annotations

from helpers.show.diagram import LEFT, RIGHT, Diagram
from helpers.show.drawings.parts import parameter_count, short
from helpers.show.lettering import Formula
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import CRIMSON, INK, ORANGE


def _size(model, otherwise: str) -> str:
    return otherwise if model is None else f"{short(parameter_count(model))} parameters"


def gan_loop(generator=None, discriminator=None) -> Drawing:
    """Draw the two steps of a GAN, with the path of each gradient; parameter counts where the networks are given."""
    figure = Diagram("One round of a GAN: two steps, two losses, two optimizers")
    y, high = TITLE_HEIGHT + 34, 54
    figure.label(LEFT, y - 12, "1 · The discriminator learns to tell them apart", 13, "start", INK, bold=True)
    noise = figure.tensor(LEFT, y, 84, high, "noise", "z")
    network = figure.box(LEFT + 118, y, 158, high, "generator G", "kept", _size(generator, "as it is"))
    fake = figure.tensor(LEFT + 344, y, 92, high, "G(z)", "generated")
    real = figure.tensor(LEFT + 344, y + 76, 92, high, "x", "real")
    critic = figure.box(LEFT + 488, y + 38, 158, high, "discriminator D", "new", _size(discriminator, "learns"))
    loss = figure.box(RIGHT - 118, y + 38, 118, high, Formula("−log D(x)\n−log(1 − D(G(z)))"), "loss", size=11.5)
    figure.arrow(noise.right_middle, network.left_middle, width=1.8)
    figure.arrow(network.right_middle, fake.left_middle, width=1.8)
    figure.label((network.right + fake.x) / 2, fake.center[1] - 10, "detach", 12, color=INK, bold=True)
    cut = (network.right + fake.x) / 2 - 6
    for shift in (0, 7):
        figure.line((cut + shift, fake.center[1] + 9), (cut + shift + 6, fake.center[1] - 5), color=CRIMSON, width=2.4)
    figure.arrow(fake.right_middle, (critic.x - 26, fake.center[1]), (critic.x - 26, critic.center[1] - 10),
                 (critic.x, critic.center[1] - 10), width=1.8)  # fmt: skip
    figure.arrow(real.right_middle, (critic.x - 26, real.center[1]), (critic.x - 26, critic.center[1] + 10),
                 (critic.x, critic.center[1] + 10), width=1.8)  # fmt: skip
    figure.arrow(critic.right_middle, loss.left_middle, width=1.8)
    back = loss.bottom + 18
    figure.arrow((loss.center[0], loss.bottom), (loss.center[0], back), (critic.center[0], back), critic.bottom_middle,
                 color=ORANGE, width=2.4)  # fmt: skip
    figure.label((loss.center[0] + critic.center[0]) / 2 + 26, back + 17, "gradient, into D only", 12, color=INK)

    y += 192
    figure.label(LEFT, y - 12, "2 · The generator learns to be called real", 13, "start", INK, bold=True)
    noise = figure.tensor(LEFT, y, 84, high, "noise", "z")
    network = figure.box(LEFT + 118, y, 158, high, "generator G", "new", "learns")
    fake = figure.tensor(LEFT + 344, y, 92, high, "G(z)", "generated")
    critic = figure.box(LEFT + 488, y, 158, high, "discriminator D", "kept", "as it is")
    loss = figure.box(RIGHT - 118, y, 118, high, "−log D(G(z))", "loss", size=12)
    for before, after in ((noise, network), (network, fake), (fake, critic), (critic, loss)):
        figure.arrow(before.right_middle, after.left_middle, width=1.8)
    back = y + high + 20
    figure.arrow((loss.center[0], loss.bottom), (loss.center[0], back), (network.center[0], back), network.bottom_middle,
                 color=ORANGE, width=2.4)  # fmt: skip
    figure.label((loss.center[0] + network.center[0]) / 2, back + 17, "gradient, through D and into G", 12, color=INK)
    return figure.finish(
        "One round of a GAN. Step 1: the discriminator reads real x and generated G(z) and lowers −log D(x) − log(1 − D(G(z))); "
        "G(z) is detached, so the gradient reaches the discriminator only. Step 2: the generator lowers −log "
        "D(G(z)); the gradient "
        "passes through the discriminator, which stays as it is, into the generator.",
        "Orange: learns in this step, and the path of its gradient. Blue: stays as it is.",
    )


def cycle_consistency() -> Drawing:
    """Draw two translators and two discriminators of a DiscoGAN: there and back again, and the cycle loss."""
    figure = Diagram("Cycle consistency: go there and back, and be where you began")
    y, high = TITLE_HEIGHT + 30, 54
    start = figure.tensor(LEFT, y, 104, high, "x", "written")
    there = figure.box(LEFT + 142, y, 130, high, "F: there", "new", "translator")
    away = figure.tensor(LEFT + 314, y, 104, high, "F(x)", "lit?")
    back = figure.box(LEFT + 456, y, 130, high, "G: back", "feed-forward", "translator")
    home = figure.tensor(RIGHT - 164, y, 164, high, "G(F(x))", "written again?")
    for before, after in ((start, there), (there, away), (away, back), (back, home)):
        figure.arrow(before.right_middle, after.left_middle, width=1.8)
    critic = figure.box(LEFT + 281, y + 96, 170, high, "discriminator", "gate", "is it a lit digit?")
    figure.arrow(away.bottom_middle, critic.top_middle, width=1.8)
    figure.label(critic.center[0] + 12, y + high + 24, "adversarial loss", 12, "start", INK)
    low = y + high + 126
    loss = figure.box(LEFT + 281, low, 170, 46, Formula("cycle loss\n‖G(F(x)) − x‖^{2}"), "loss", size=12.5)
    for end, side in ((start, loss.left_middle), (home, loss.right_middle)):
        figure.arrow(end.bottom_middle, (end.center[0], loss.center[1]), side, color=CRIMSON, width=2)
    figure.label(LEFT + 366, loss.bottom + 20, "and the same from the other side: F(G(y)) against y", 12, color=INK)
    return figure.finish(
        "Cycle consistency. The translator F turns a written digit x into F(x); a discriminator says whether it looks like a lit "
        "digit: the adversarial loss. The translator G turns it back; the cycle loss compares G(F(x)) with x. "
        "The same happens from "
        "the other side, F(G(y)) against y."
    )
