"""The small networks of notebook 08: a generator and a discriminator for points, for digits, and translators of digits.

A generator has ``noise``, how many random numbers it is given; a discriminator returns logits, above 0 for "real".
"""

import torch
from torch import nn
from torch.nn import functional


class PointGenerator(nn.Module):
    """Noise [B, noise] to points in the plane [B, 2]: an MLP with two hidden layers."""

    def __init__(self, noise: int = 2, width: int = 128):
        super().__init__()
        self.noise = noise
        self.net = nn.Sequential(
            nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2)
        )

    def forward(self, z):
        return self.net(z)


class PointDiscriminator(nn.Module):
    """Points [B, 2] to logits [B / pack]: it judges ``pack`` points at a time (PacGAN, Lin et al. 2017, 1712.04086).

    Raises ValueError for anything but points, and for a number of them that is not a multiple of ``pack``.
    """

    def __init__(self, width: int = 128, pack: int = 1):
        super().__init__()
        self.pack = pack
        self.net = nn.Sequential(
            nn.Linear(2 * pack, width), nn.LeakyReLU(), nn.Linear(width, width), nn.LeakyReLU(), nn.Linear(width, 1)
        )

    def forward(self, points):
        if points.ndim != 2 or points.shape[1] != 2:
            raise ValueError(
                f"the discriminator reads points [B, 2], what the generator puts out: got {_shape(points)}"
            )
        return self.net(_packed(points, self.pack).flatten(1))[:, 0]


class DigitGenerator(nn.Module):
    """Noise [B, noise] to images [B, 1, 8, 8] between −1 and 1: 2 × 2, 4 × 4, 8 × 8 (after DCGAN, Radford et al. 2015)."""

    def __init__(self, noise: int = 32, channels: int = 32):
        super().__init__()
        self.noise, self.channels = noise, channels
        self.start, self.norm_1 = nn.Linear(noise, 8 * channels), nn.BatchNorm2d(2 * channels)
        self.up_1 = nn.ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1)
        self.norm_2 = nn.BatchNorm2d(channels)
        self.up_2 = nn.ConvTranspose2d(channels, 1, 4, stride=2, padding=1)

    def forward(self, z):
        x = functional.relu(self.norm_1(self.start(z).unflatten(1, (2 * self.channels, 2, 2))))  # [B, 2C, 2, 2]
        x = functional.relu(self.norm_2(self.up_1(x)))  # [B, C, 4, 4]
        return torch.tanh(self.up_2(x))  # [B, 1, 8, 8]


class DigitDiscriminator(nn.Module):
    """Images [B, 1, 8, 8] to logits [B / pack]; several at a time as in PointDiscriminator, and the same errors."""

    def __init__(self, channels: int = 32, pack: int = 1):
        super().__init__()
        self.pack = pack
        self.down_1 = nn.Conv2d(pack, channels, 4, stride=2, padding=1)
        self.down_2 = nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1)
        self.head = nn.Linear(8 * channels, 1)

    def forward(self, images):
        x = _packed(_images(images, "discriminator"), self.pack).flatten(1, 2)  # [B / pack, pack, 8, 8]
        x = functional.leaky_relu(self.down_1(x), 0.2)  # [B, C, 4, 4]
        x = functional.leaky_relu(self.down_2(x), 0.2)  # [B, 2C, 2, 2]
        return self.head(x.flatten(1))[:, 0]


class DigitClassifier(nn.Module):
    """Images [B, 1, 8, 8] to scores of the ten digits [B, 10]: the measure of what a generator makes, not a part of it."""

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
    """Images to images [B, 1, 8, 8] by way of 2 × 2: it sees the whole and may draw anything, as DiscoGAN's do
    (Kim et al. 2017, 1703.05192).
    """

    def __init__(self, channels: int = 16):
        super().__init__()
        self.down_1 = nn.Conv2d(1, channels, 4, stride=2, padding=1)
        self.down_2 = nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1)
        self.norm_1 = nn.BatchNorm2d(2 * channels)
        self.up_1 = nn.ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1)
        self.norm_2 = nn.BatchNorm2d(channels)
        self.up_2 = nn.ConvTranspose2d(channels, 1, 4, stride=2, padding=1)

    def forward(self, images):
        x = functional.leaky_relu(self.down_1(_images(images, "translator")), 0.2)  # [B, C, 4, 4]
        x = functional.leaky_relu(self.norm_1(self.down_2(x)), 0.2)  # [B, 2C, 2, 2]
        x = functional.relu(self.norm_2(self.up_1(x)))  # [B, C, 4, 4]
        return torch.tanh(self.up_2(x))  # [B, 1, 8, 8]


class LocalTranslator(nn.Module):
    """Images to images [B, 1, 8, 8] in which a pixel depends on the 7 × 7 around it: strokes can change, not their places."""

    def __init__(self, channels: int = 16):
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Conv2d(a, b, 3, padding=1) for a, b in ((1, channels), (channels, channels), (channels, 1))]
        )

    def forward(self, images):
        x = _images(images, "translator")
        for layer in self.layers[:-1]:
            x = functional.leaky_relu(layer(x), 0.2)
        return torch.tanh(self.layers[-1](x))


def _packed(x: torch.Tensor, pack: int) -> torch.Tensor:
    """Return [B / pack, pack, …]: neighbors in the batch are judged together."""
    if len(x) % pack:
        raise ValueError(f"{len(x)} cannot be judged {pack} at a time: give a batch that {pack} divides")
    return x.unflatten(0, (-1, pack))


def _images(x: torch.Tensor, who: str) -> torch.Tensor:
    if x.ndim != 4 or x.shape[1:] != (1, 8, 8):
        raise ValueError(f"the {who} reads images [B, 1, 8, 8]: got {_shape(x)}")
    return x


def _shape(x: torch.Tensor) -> str:
    return f"a tensor of shape {list(x.shape)}"
