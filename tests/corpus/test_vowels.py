"""Vowels: pulses at the pitch, rings at the formants, a spectrum equal to NumPy's, high voices unlike low ones."""

import numpy as np
import pytest
import torch

from helpers.corpus.vowels import FORMANTS, HIGH, LOW, RATE, VOWELS, log_spectrum, synthesize, vowel_set


def strength(sound, hertz, width=40):
    """Return how strong a sound is around a frequency."""
    spectrum = np.abs(np.fft.rfft(sound.numpy() * np.hanning(len(sound))))
    frequencies = np.fft.rfftfreq(len(sound), 1 / RATE)
    return spectrum[np.abs(frequencies - hertz) <= width].max()


@pytest.mark.parametrize("vowel", VOWELS)
def test_a_vowel_rings_at_its_formants(vowel):
    sound = synthesize(vowel, pitch=100, seconds=0.5)
    assert sound.shape == (4000,) and sound.dtype == torch.float32 and sound.abs().max() == pytest.approx(1)
    first, second, _ = FORMANTS[vowel]
    between = (first + second) / 2
    if second - first > 500:  # apart enough to have a valley between them
        assert strength(sound, first, 60) > 2 * strength(sound, between, 60)
        assert strength(sound, second, 60) > 2 * strength(sound, (second + 2 * between) / 3, 60)


def test_a_vowel_repeats_at_its_pitch():
    for pitch in (100, 160, 250):
        sound = synthesize("ah", pitch, 0.5).numpy()[2000:]
        likeness = [np.corrcoef(sound[:1500], sound[lag : lag + 1500])[0, 1] for lag in range(20, 120)]
        assert 20 + int(np.argmax(likeness)) == pytest.approx(RATE / pitch, abs=1)


def test_a_shorter_tract_rings_higher():
    low, high = (synthesize("ee", 50, 0.5, scale=scale) for scale in (1.0, 1.2))
    assert strength(low, 2290) > 2 * strength(high, 2290) and strength(high, 2290 * 1.2) > 1.5 * strength(low, 2290 * 1.2)


def test_the_spectrum_is_numpys():
    sounds = torch.randn(2, 500)
    spectrum = log_spectrum(sounds, size=128, hop=50)
    assert spectrum.shape == (2, 8, 65)
    frame = sounds[1, 150:278].double().numpy() * np.hanning(129)[:128]  # torch's window is periodic
    assert np.allclose(spectrum[1, 3], np.log(np.abs(np.fft.rfft(frame)) + 1e-3), atol=1e-3)
    assert torch.equal(log_spectrum(sounds[0], 128, 50), spectrum[0])
    assert log_spectrum(torch.zeros(128)).unique().item() == pytest.approx(np.log(1e-3), abs=1e-5)


def test_a_set_has_as_many_of_each_vowel_and_its_voices():
    low, high, both = (vowel_set(20, voices) for voices in ("low", "high", "both"))
    assert low.sounds.shape == (20, 2000) and low.labels.bincount().tolist() == [4] * 5
    assert low.pitches.min() >= LOW[0] and low.pitches.max() <= LOW[1]
    assert high.pitches.min() >= HIGH[0] and high.pitches.max() <= HIGH[1]
    voices = both.pitches > 180
    assert voices.sum() == 10 and both.labels[voices].bincount().tolist() == [2] * 5
    assert len(low.sounds.unique(dim=0)) == 20
    assert torch.equal(low.sounds, vowel_set(20).sounds) and not torch.equal(low.sounds, vowel_set(20, seed=1).sounds)


def test_what_makes_no_sense_is_refused():
    for call, words in (
        (lambda: synthesize("uh"), "known are ah, eh, ee, aw, oo"),
        (lambda: synthesize("ah", pitch=5), "20 to 2000 hertz"),
        (lambda: synthesize("ah", seconds=0), "0.02 to 10 seconds"),
        (lambda: vowel_set(5, "deep"), "known are low, high, both"),
        (lambda: vowel_set(0), "at least 1"),
        (lambda: log_spectrum(torch.zeros(100)), "give a longer sound"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
