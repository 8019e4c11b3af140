"""One step of a GAN and the cycle loss of two translators, plain: what notebook 08 lets learners write.

``helpers.training.gan`` does the same with a record, and stops when a loss is no number.
"""

import torch

from helpers.training import gan


def gan_step(generator, discriminator, optimizer_g, optimizer_d, real: torch.Tensor, noise: torch.Tensor) -> tuple[float, float]:
    """Let the discriminator learn from one batch, then the generator; return their losses in nats.

    ``real`` [B, …] are real examples, ``noise`` [B, noise] is what the generator starts from. The samples are generated once:
    the discriminator reads them detached, so its step leaves the generator as it is (Goodfellow et al. 2014, algorithm 1).
    """
    generated = generator(noise)
    loss_d = gan.discriminator_loss(discriminator(real), discriminator(generated.detach()))
    optimizer_d.zero_grad()
    loss_d.backward()
    optimizer_d.step()

    loss_g = gan.generator_loss(discriminator(generated))
    optimizer_g.zero_grad()
    loss_g.backward()
    optimizer_g.step()
    return loss_d.item(), loss_g.item()


def cycle_loss(there, back, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the mean square by which x and y [N, …] of two domains differ from themselves after both trips, added up.

    ``there`` translates from the domain of x to that of y, ``back`` the other way; N may differ (Kim et al. 2017, 1703.05192).
    """
    return gan.cycle_loss(x, back(there(x))) + gan.cycle_loss(y, there(back(y)))
