"""Vowels made of numbers: speech so simple that a small GPT can hear it (notebook 16).

The source–filter model (Fant 1960): the vocal folds give pulses at the pitch of the voice; mouth and throat ring at a few
frequencies, the formants, and these make the vowel. The mean formants of men, and how voices differ, are after Peterson and
Barney (1952), rounded. Nothing is recorded.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch

RATE = 8_000  # samples a second: what a telephone carries
FORMANTS = {  # hertz: the first three
    "ah": (730, 1090, 2440),
    "eh": (530, 1840, 2480),
    "ee": (270, 2290, 3010),
    "aw": (570, 840, 2410),
    "oo": (300, 870, 2240),
}
VOWELS = tuple(FORMANTS)
BANDWIDTHS = (80.0, 110.0, 160.0)  # hertz: how fast each formant dies away
LOW, HIGH = (90.0, 160.0), (200.0, 300.0)  # hertz: the pitch of low voices and of high ones
SHORTER = 1.17  # the vocal tract of high voices is shorter: their formants are higher by this factor
FLOOR = 1e-3  # added to a magnitude before the logarithm


class Vowels(NamedTuple):
    """``sounds`` float32 [N, samples]; ``labels`` int64 [N], numbers of VOWELS; ``pitches`` float32 [N], hertz."""

    sounds: torch.Tensor
    labels: torch.Tensor
    pitches: torch.Tensor


def synthesize(vowel: str, pitch: float = 120.0, seconds: float = 0.25, scale: float = 1.0, formants=None, noise=None):
    """Return a vowel as sound, float32 [samples] between −1 and 1, 8,000 samples a second.

    ``pitch`` in hertz; ``scale`` multiplies the formants (a shorter vocal tract: above 1); ``formants`` replaces those of the
    vowel. ``noise``, a generator of NumPy, adds breath. Raises ValueError for an unknown vowel, or a pitch or length that makes
    no sense.
    """
    if formants is None and vowel not in FORMANTS:
        raise ValueError(f"there is no vowel {vowel!r}; known are {', '.join(VOWELS)}")
    if not 20 <= pitch <= RATE / 4 or not 0.02 <= seconds <= 10:
        raise ValueError(
            f"a pitch of {pitch} hertz for {seconds} seconds: give 20 to {RATE // 4} hertz, 0.02 to 10 seconds"
        )
    samples = round(seconds * RATE)
    phase = np.arange(samples) * pitch / RATE
    source = np.diff(np.floor(phase), prepend=-1.0)  # a pulse at each new period
    if noise is not None:
        source = source + 0.02 * noise.standard_normal(samples)
    sound = source
    for center, width in zip(formants or FORMANTS[vowel], BANDWIDTHS):
        sound = _ring(sound, center * scale, width)
    sound = np.convolve(sound, [1.0, -0.9])[:samples]  # lips let high tones out more easily
    return torch.tensor(sound / max(np.abs(sound).max(), 1e-9), dtype=torch.float32)


def _ring(sound: np.ndarray, center: float, width: float) -> np.ndarray:
    """Return sound after a resonance at ``center`` hertz, ``width`` hertz wide: y[t] = x[t] + 2 r cos(θ) y[t−1] − r² y[t−2]."""
    r, theta = math.exp(-math.pi * width / RATE), 2 * math.pi * min(center, 0.48 * RATE) / RATE
    one, two, before, last = 2 * r * math.cos(theta), -r * r, 0.0, 0.0
    out = []
    for value in sound.tolist():
        before, last = last, value + one * last + two * before
        out.append(last)
    return np.array(out)


def vowel_set(number: int, voices: str = "low", seed: int = 0, seconds: float = 0.25) -> Vowels:
    """Return ``number`` vowels, as many of each, of "low" voices, "high" ones or "both" in turn; no two sound alike.

    Each has its own pitch, a vocal tract up to 8 % longer or shorter, formants off by up to 5 % each, and breath. High voices
    have higher formants too. Raises ValueError for other voices or no number.
    """
    if voices not in ("low", "high", "both"):
        raise ValueError(f"there are no voices {voices!r}; known are low, high, both")
    if number < 1:
        raise ValueError(f"number is {number}: give at least 1")
    rng, sounds, pitches = np.random.default_rng(seed), [], []
    labels = torch.arange(number) % len(VOWELS)
    for index, label in enumerate(labels.tolist()):
        high = voices == "high" or voices == "both" and index // len(VOWELS) % 2 == 1
        pitch, scale = rng.uniform(*(HIGH if high else LOW)), rng.uniform(0.92, 1.08) * (SHORTER if high else 1.0)
        formants = [center * rng.uniform(0.95, 1.05) for center in FORMANTS[VOWELS[label]]]
        sounds.append(synthesize(VOWELS[label], pitch, seconds, scale, formants, noise=rng))
        pitches.append(pitch)
    return Vowels(torch.stack(sounds), labels, torch.tensor(pitches, dtype=torch.float32))


def log_spectrum(sounds: torch.Tensor, size: int = 128, hop: int = 128) -> torch.Tensor:
    """Return how loud each frequency is in each frame: [..., F, size / 2 + 1] for sounds [..., samples], float32.

    A frame is ``size`` samples under a Hann window, the next begins ``hop`` later; then the natural logarithm of the magnitude
    of its Fourier transform + 0.001. What does not fill a frame is left out. Raises ValueError when nothing does.
    """
    if size < 2 or hop < 1 or sounds.shape[-1] < size:
        raise ValueError(f"frames of {size} samples every {hop} from {sounds.shape[-1]} samples: give a longer sound")
    frames = sounds.unfold(-1, size, hop) * torch.hann_window(size)
    return (torch.fft.rfft(frames).abs() + FLOOR).log()
