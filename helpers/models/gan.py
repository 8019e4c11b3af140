"""The small networks of notebook 08: a generator and a discriminator for points, for digits, and translators of digits.

A generator has ``noise``, how many random numbers it is given; a discriminator returns logits, above 0 for "real".
"""

import torch
from torch import nn


class PointGenerator(nn.Module):
    """Noise [B, noise] to points in the plane [B, 2]: an MLP with two hidden layers."""

    def __init__(self, noise: int = 2, hidden_size: int = 128):
        super().__init__()
        self.noise, self.net = noise, _mlp(noise, hidden_size, 2, nn.ReLU())

    def forward(self, z):
        return self.net(z)


class PointDiscriminator(nn.Module):
    """Points [B, 2] to logits [B / pack]: it classifies ``pack`` points at a time (PacGAN, Lin et al. 2017, 1712.04086).

    Raises ValueError for anything but points, and for a number of them that is not a multiple of ``pack``.
    """

    def __init__(self, hidden_size: int = 128, pack: int = 1):
        super().__init__()
        self.pack, self.net = pack, _mlp(2 * pack, hidden_size, 1, nn.LeakyReLU())

    def forward(self, points):
        if points.ndim != 2 or points.shape[1] != 2:
            raise ValueError(f"the discriminator reads points [B, 2], what the generator puts out: got {_shape(points)}")
        return self.net(_packed(points, self.pack).flatten(1))[:, 0]


class DigitGenerator(nn.Module):
    """Noise [B, noise] to images [B, 1, 8, 8] between −1 and 1: 2 × 2, 4 × 4, 8 × 8 (after DCGAN, Radford et al. 2015)."""

    def __init__(self, noise: int = 32, channels: int = 32):
        super().__init__()
        self.noise, self.start = noise, nn.Linear(noise, 8 * channels)
        self.up = _up(channels, nn.ReLU())

    def forward(self, z):
        return self.up(self.start(z).unflatten(1, (-1, 2, 2)))


class DigitDiscriminator(nn.Module):
    """Images [B, 1, 8, 8] to logits [B / pack]; several at a time as in PointDiscriminator, and the same errors."""

    def __init__(self, channels: int = 32, pack: int = 1):
        super().__init__()
        self.pack, self.down = pack, _down(pack, channels)
        self.net = nn.Sequential(nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(8 * channels, 1))

    def forward(self, images):
        x = _packed(_images(images, "discriminator"), self.pack).flatten(1, 2)  # [B / pack, pack, 8, 8]
        return self.net(self.down(x))[:, 0]


class DigitClassifier(nn.Module):
    """Images [B, 1, 8, 8] to scores of the ten digits [B, 10]: it measures a generator's samples, and is no part of the GAN."""

    def __init__(self, channels: int = 32):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(16 * channels, 10),
        )

    def forward(self, images):
        return self.net(_images(images, "classifier"))


class WideTranslator(nn.Module):
    """Images to images [B, 1, 8, 8] by way of 2 × 2: it sees the whole image and may draw anything, as DiscoGAN's do
    (Kim et al. 2017, 1703.05192).
    """

    def __init__(self, channels: int = 16):
        super().__init__()
        self.net = nn.Sequential(_down(1, channels), _up(channels, nn.LeakyReLU(0.2)))

    def forward(self, images):
        return self.net(_images(images, "translator"))


class LocalTranslator(nn.Module):
    """Images to images [B, 1, 8, 8] in which a pixel depends on the 7 × 7 around it: strokes can change, not their positions."""

    def __init__(self, channels: int = 16):
        super().__init__()
        first, middle, last = (nn.Conv2d(a, b, 3, padding=1) for a, b in ((1, channels), (channels, channels), (channels, 1)))
        self.net = nn.Sequential(first, nn.LeakyReLU(0.2), middle, nn.LeakyReLU(0.2), last, nn.Tanh())

    def forward(self, images):
        return self.net(_images(images, "translator"))


def _mlp(inputs: int, hidden_size: int, outputs: int, activation: nn.Module) -> nn.Sequential:
    first, second, last = nn.Linear(inputs, hidden_size), nn.Linear(hidden_size, hidden_size), nn.Linear(hidden_size, outputs)
    return nn.Sequential(first, activation, second, activation, last)


def _down(inputs: int, channels: int) -> nn.Sequential:
    """[B, inputs, 8, 8] to [B, 2 · channels, 2, 2], before an activation."""
    first, second = nn.Conv2d(inputs, channels, 4, 2, padding=1), nn.Conv2d(channels, 2 * channels, 4, 2, padding=1)
    return nn.Sequential(first, nn.LeakyReLU(0.2), second)


def _up(channels: int, activation: nn.Module) -> nn.Sequential:
    """[B, 2 · channels, 2, 2] to [B, 1, 8, 8] between −1 and 1; the activation is that after the first norm."""
    first, second = (nn.ConvTranspose2d(a, b, 4, 2, padding=1) for a, b in ((2 * channels, channels), (channels, 1)))
    norms = nn.BatchNorm2d(2 * channels), nn.BatchNorm2d(channels)
    return nn.Sequential(norms[0], activation, first, norms[1], nn.ReLU(), second, nn.Tanh())


def _packed(x: torch.Tensor, pack: int) -> torch.Tensor:
    """Return [B / pack, pack, …]: neighbors in the batch are classified as one."""
    if len(x) % pack:
        raise ValueError(f"{len(x)} cannot be classified {pack} at a time: give a batch that {pack} divides")
    return x.unflatten(0, (-1, pack))


def _images(x: torch.Tensor, network: str) -> torch.Tensor:
    if x.ndim != 4 or x.shape[1:] != (1, 8, 8):
        raise ValueError(f"the {network} reads images [B, 1, 8, 8]: got {_shape(x)}")
    return x


def _shape(x: torch.Tensor) -> str:
    return f"a tensor of shape {list(x.shape)}"
