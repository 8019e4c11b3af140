"""The letter classifier: letters there and back, padding that counts for nothing, and a training that learns."""

import numpy as np
import pytest
import torch

from helpers.robustness.letter_classifier import (
    ALPHABET,
    PAD,
    LetterBatches,
    LetterClassifier,
    accuracy,
    decode_letters,
    encode_letters,
    predictions,
    train_classifier,
)
from helpers.robustness.noise import random_letters
from helpers.robustness.questions import Examples


def examples(number=60):
    """Sentences that are questions when they begin with "what"."""
    rng = np.random.default_rng(0)
    words = ["soup", "fish", "rain", "music", "books"]
    labels = np.arange(number) % 2
    texts = [f"{('the', 'what')[label]} {' '.join(rng.choice(words, 3))} {place}" for place, label in enumerate(labels)]
    return Examples(texts, labels)


def test_letters_there_and_back():
    ids = encode_letters(["what's up 24", "Hi!", ""], 12)
    assert ids.shape == (3, 12) and ids.dtype == torch.int64 and ids[2].eq(PAD).all()
    assert [decode_letters(row) for row in ids] == ["what's up 24", "hi", ""]
    assert decode_letters(encode_letters([ALPHABET.strip()])[0]) == ALPHABET.strip() and ALPHABET[0] == " "
    assert decode_letters(encode_letters(["a" * 99], 8)[0]) == "a" * 8
    with pytest.raises(TypeError, match="put it into a list"):
        encode_letters("what")


def test_padding_counts_for_nothing(device):
    torch.manual_seed(0)
    model = LetterClassifier().eval().to(device)
    short, long = encode_letters(["what is it"], 10).to(device), encode_letters(["what is it"], 40).to(device)
    torch.testing.assert_close(model(short), model(long))
    assert not torch.allclose(model(long), model(encode_letters(["what is up"], 40).to(device)))


def test_the_vectors_of_the_letters_have_length_1():
    model = LetterClassifier()
    model.embed.parametrizations.weight.original.data *= 7
    torch.testing.assert_close(model.embed.weight.norm(dim=1), torch.ones(len(ALPHABET) + 1))
    torch.testing.assert_close(model.embed(torch.tensor([[3]]))[0, 0], model.embed.weight[3])
    with pytest.raises(ValueError, match="width is 4"):
        LetterClassifier(width=4)


def test_it_learns_and_the_seed_decides():
    data = examples()
    model = train_classifier(data, steps=40, seed=1)
    assert accuracy(model, data) > 0.95 and not model.training
    again = train_classifier(data, steps=40, seed=1)
    assert np.array_equal(predictions(model, data.texts), predictions(again, data.texts))
    other = train_classifier(data, steps=40, seed=2)
    assert not np.array_equal(predictions(model, data.texts), predictions(other, data.texts))


def test_predictions_are_made_without_dropout():
    model = LetterClassifier().train()
    np.testing.assert_allclose(predictions(model, ["what is it"] * 3), predictions(model, ["what is it"])[0], atol=1e-6)
    assert model.training and predictions(model, []).shape == (0,)


def test_noise_changes_half_of_a_batch_anew_in_each_pass():
    data = examples(8)
    batches = LetterBatches(data, 8, noise=lambda text, rng: "zz" + random_letters(text, rng, 1.0))
    plain = set(data.texts)
    first, again, later = (([decode_letters(row) for row in batches[number].ids]) for number in (0, 0, 1))
    assert first == again and sum(text in plain for text in first) == sum(text in plain for text in later) == 4
    assert {text for text in first if text not in plain} != {text for text in later if text not in plain}
    assert [decode_letters(row) in plain for row in LetterBatches(data, 8)[3].ids] == [True] * 8


def test_accuracy_wants_a_text_for_each_label():
    model, data = LetterClassifier(), examples(4)
    with pytest.raises(ValueError, match="3 texts for 4 labels"):
        accuracy(model, data, data.texts[:3])
    with pytest.raises(ValueError, match="0 texts"):
        accuracy(model, Examples([], np.array([], int)))
