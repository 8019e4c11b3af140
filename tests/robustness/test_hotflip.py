"""HotFlip: the scores are first-order changes of the loss, and what is attacked is a text."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from helpers.robustness.hotflip import (
    AttackResult,
    embedding_gradient,
    hotflip,
    hotflips,
    random_flips,
    swap_scores,
    under_attack,
)
from helpers.robustness.letter_classifier import (
    IDS,
    PAD,
    LetterClassifier,
    accuracy,
    decode_letters,
    encode_letters,
    predictions,
    train_classifier,
)
from helpers.robustness.noise import LETTERS
from helpers.robustness.questions import Examples
from tests.robustness.test_letter_classifier import examples


@pytest.fixture(scope="module")
def trained():
    return train_classifier(examples(), steps=40, seed=1)


def test_the_gradient_is_that_of_the_loss_without_dropout(device):
    torch.manual_seed(0)
    model = LetterClassifier(dropout=0.9).double().train().to(device)
    ids, targets = encode_letters(["what is it", "the soup"], 12).to(device), torch.tensor([1, 0]).to(device)
    gradient = embedding_gradient(model, ids, targets)
    assert torch.equal(gradient, embedding_gradient(model, ids, targets)) and model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert gradient[1, 8:].eq(0).all() and gradient[1, :8].ne(0).any(dim=1).all()
    model.eval()
    step = torch.zeros_like(gradient)
    step[0, 3, 5] = 1e-6
    x, mask = model.embed(ids), ids != PAD
    losses = [
        functional.cross_entropy(model.from_embedded(x + s, mask), targets, reduction="sum") for s in (step, -step)
    ]
    assert (losses[0] - losses[1]).item() / 2e-6 == pytest.approx(float(gradient[0, 3, 5]), rel=1e-4)
    with torch.no_grad():  # an attack within an evaluation
        torch.testing.assert_close(embedding_gradient(model, ids, targets), gradient)


def test_the_scores_are_those_of_each_swap():
    torch.manual_seed(0)
    gradient, table, ids = torch.randn(4, 3), torch.randn(6, 3), torch.tensor([5, 1, 1, 0])
    scores = swap_scores(gradient, table, ids)
    assert scores.shape == (4, 6) and scores.gather(1, ids[:, None]).abs().max() < 1e-6
    for position in range(4):
        for letter in range(6):
            by_hand = (table[letter] - table[ids[position]]) @ gradient[position]
            assert float(scores[position, letter]) == pytest.approx(float(by_hand), abs=1e-5)


def test_an_attack_is_a_text_of_the_same_words_borders(trained):
    data = examples()
    attacked = hotflips(trained, data.texts, data.labels, 2)
    for text, other in zip(data.texts, attacked):
        changed = [place for place, (a, b) in enumerate(zip(text, other)) if a != b]
        assert len(text) == len(other) and len(changed) <= 2
        assert all(text[place].isalpha() and other[place] in LETTERS for place in changed)
    # Read again it is exactly the letters that were attacked.
    ids = encode_letters(attacked)
    assert [decode_letters(row) for row in ids] == attacked
    assert [hotflip(trained, text, label, 2) for text, label in zip(data.texts[:3], data.labels[:3])] == attacked[:3]


def test_the_gradient_beats_chance_and_the_count_is_kept(trained):
    data = examples()
    found, chance = under_attack(trained, data, 2), under_attack(trained, data, 2, np.random.default_rng(0))
    assert found.clean == chance.clean == accuracy(trained, data)
    assert found.flipped > chance.flipped + 0.2 and found.attacked < chance.attacked
    harder = Examples(data.texts, np.where(np.arange(len(data.labels)) < 20, 1 - data.labels, data.labels))
    found = under_attack(trained, harder, 2)
    assert found.clean < 0.7 and found.flipped == pytest.approx((found.clean - found.attacked) / found.clean)
    found = under_attack(trained, data, 2)
    assert under_attack(trained, data, 0) == AttackResult(found.clean, found.clean, 0.0)
    assert under_attack(trained, data, 1).flipped <= found.flipped


def test_it_takes_the_best_swap_and_stops_at_a_wrong_answer(trained):
    data = examples()
    text, label = data.texts[1], int(data.labels[1])
    gradient = embedding_gradient(trained, encode_letters([text]), torch.tensor([label]))[0]
    ids = encode_letters([text])[0]
    scores = swap_scores(gradient, trained.embed.weight, ids)
    letters, table = [IDS[letter] for letter in LETTERS], {}
    for place, letter in enumerate(text):
        if letter in LETTERS:
            table.update({(place, v): scores[place, v].item() for v in letters if v != ids[place]})
    place, letter = max(table, key=table.get)
    assert hotflip(trained, text, label, 1) == text[:place] + LETTERS[letter - IDS["a"]] + text[place + 1 :]
    assert hotflip(trained, text, 1 - label, 3) == text  # that answer is wrong already
    many = hotflips(trained, data.texts, data.labels, 30)
    few = [
        min(n for n in range(31) if hotflip(trained, t, y, n) == after)
        for t, y, after in zip(data.texts[:4], data.labels, many)
    ]
    assert max(few) < 15 and ((predictions(trained, many) > 0.5) != (data.labels == 1)).mean() > 0.9


def test_each_position_is_swapped_once(trained):
    assert len(hotflip(trained, "a b", 0, 5)) == 3 and hotflip(trained, "7 7", 0, 5) == "7 7"
    rng, text = np.random.default_rng(0), "what soup"
    texts = random_flips(trained, [text] * 20, [1] * 20, 1, rng)
    assert len(set(texts)) > 10 and all(sum(a != b for a, b in zip(text, other)) == 1 for other in texts)
    stubborn = LetterClassifier()
    torch.nn.init.zeros_(stubborn.head.weight)
    stubborn.head.bias.data = torch.tensor([0.0, 9.0])  # always says 1: no attack ends early
    for other in (*random_flips(stubborn, [text] * 5, [1] * 5, 8, rng), hotflip(stubborn, text, 1, 8)):
        assert [a != b for a, b in zip(text, other)] == [a != " " for a in text]


def test_bad_input_is_told(trained):
    with pytest.raises(ValueError, match="flips is -1"):
        hotflip(trained, "what", 1, -1)
    with pytest.raises(ValueError, match="1 texts and 2 labels"):
        hotflips(trained, ["what"], [1, 0], 1)
    assert hotflips(trained, [], [], 1) == []
    wrong = Examples(["the soup", "the fish"], np.array([1, 1]))
    with pytest.raises(ValueError, match="no example is answered right"):
        under_attack(trained, wrong, 1)
