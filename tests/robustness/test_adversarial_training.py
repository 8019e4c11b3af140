"""Steps on embeddings: their size and direction, the control beside them, and losses without a gradient through the step."""

import numpy as np
import pytest
import torch

from helpers.models.gpt_classifier import LabeledBatch
from helpers.robustness.adversarial_training import (
    DIRECTIONS,
    HotFlipLoss,
    PerturbedLoss,
    accuracy_after_step,
    embedding_steps,
    gradient_step,
    perturbed_loss,
    random_step,
    sign_step,
)
from helpers.robustness.hotflip import hotflips
from helpers.robustness.letter_classifier import (
    LetterClassifier,
    accuracy,
    class_loss,
    decode_letters,
    encode_letters,
    train_classifier,
)
from tests.robustness.test_letter_classifier import examples

MASK = torch.tensor([[True, True, False], [True, False, False]])


def batch():
    data = examples(8)
    ids = encode_letters(data.texts, 30)
    return LabeledBatch(ids, (ids != 0).sum(1), torch.as_tensor(data.labels))


def test_a_step_has_the_length_epsilon_and_the_gradients_direction():
    torch.manual_seed(0)
    gradient = torch.randn(2, 3, 4)
    step = gradient_step(gradient, 0.5, MASK)
    torch.testing.assert_close(step.flatten(1).norm(dim=1), torch.tensor([0.5, 0.5]))
    assert step[0, 2].eq(0).all() and step[1, 1:].eq(0).all()
    ratio = step[0, :2] / gradient[0, :2]
    torch.testing.assert_close(ratio, ratio[0, 0].expand_as(ratio))
    assert ratio[0, 0] > 0  # uphill
    assert gradient_step(torch.zeros(2, 3, 4), 0.5, MASK).eq(0).all()


def test_the_sign_step_moves_every_number_by_epsilon():
    step = sign_step(torch.tensor([[[2.0, -0.1], [3.0, 0.0], [1.0, 1.0]], [[-1.0, 1.0]] * 3]), 0.1, MASK)
    torch.testing.assert_close(step[0], torch.tensor([[0.1, -0.1], [0.1, 0.0], [0.0, 0.0]]))


def test_the_control_is_as_long_and_points_anywhere():
    like = torch.zeros(2, 3, 4)
    step = random_step(like, 0.5, MASK, torch.Generator().manual_seed(0))
    torch.testing.assert_close(step.flatten(1).norm(dim=1), torch.tensor([0.5, 0.5]))
    assert torch.equal(step, random_step(like, 0.5, MASK, torch.Generator().manual_seed(0)))
    assert not torch.equal(step, random_step(like, 0.5, MASK, torch.Generator().manual_seed(1)))
    assert step[~MASK].eq(0).all()


def test_the_gradients_direction_hurts_and_a_random_one_does_not():
    data = examples()
    model = train_classifier(data, steps=40)
    clean, size = accuracy(model, data), 4.0
    found = {direction: accuracy_after_step(model, data, size, direction) for direction in DIRECTIONS}
    assert found["none"] == clean == accuracy_after_step(model, data, 0.0)
    assert found["gradient"] < found["random"] - 0.2 and found["random"] > clean - 0.1


def test_half_of_the_loss_is_clean_and_the_step_is_a_constant():
    torch.manual_seed(0)
    model, data = LetterClassifier(dropout=0.0), batch()
    clean = class_loss(model, data)
    torch.testing.assert_close(PerturbedLoss(0.3, "none")(model, data), clean)
    step = embedding_steps(model, data.ids, data.targets, 0.3, "gradient")
    logits = model.from_embedded(model.embed(data.ids) + step, data.ids != 0)
    by_hand = 0.5 * clean + 0.5 * torch.nn.functional.cross_entropy(logits, data.targets)
    loss = PerturbedLoss(0.3)(model, data)
    torch.testing.assert_close(perturbed_loss(model, data, step), by_hand)
    moving = step.clone().requires_grad_()
    assert torch.autograd.grad(perturbed_loss(model, data, moving), moving, allow_unused=True)[0] is None
    torch.testing.assert_close(loss, by_hand)
    assert loss > clean
    gradients = [torch.autograd.grad(value, model.head.weight)[0] for value in (loss, by_hand)]
    torch.testing.assert_close(*gradients)
    assert not step.requires_grad
    randoms = [PerturbedLoss(0.3, "random", seed)(model, data).item() for seed in (0, 0, 1)]
    assert randoms[0] == randoms[1] != randoms[2]


def test_the_gradient_for_the_step_is_taken_without_dropout():
    torch.manual_seed(0)
    model, data = LetterClassifier(dropout=0.9).train(), batch()
    steps = [embedding_steps(model, data.ids, data.targets, 0.3, "gradient") for _ in range(2)]
    assert torch.equal(*steps) and model.training


def test_half_of_the_loss_is_of_texts_that_are_attacked_anew():
    data = examples()
    model, part = train_classifier(data, steps=20), batch()
    texts = [decode_letters(row) for row in part.ids]
    attacked = encode_letters(hotflips(model, texts, part.targets.tolist(), 2), 30)
    assert (attacked != part.ids).any(dim=1).sum() > 4
    by_hand = 0.5 * class_loss(model, part) + 0.5 * class_loss(model, part._replace(ids=attacked))
    torch.testing.assert_close(HotFlipLoss(2)(model, part), by_hand)
    assert by_hand > class_loss(model, part)
    assert accuracy(train_classifier(data, steps=40, loss=HotFlipLoss(1)), data) > 0.9


def test_bad_input_is_told():
    model, data = LetterClassifier(), batch()
    with pytest.raises(ValueError, match="epsilon is -1"):
        PerturbedLoss(-1)
    with pytest.raises(ValueError, match="epsilon is nan"):
        gradient_step(torch.ones(2, 3, 4), np.nan, MASK)
    with pytest.raises(ValueError, match="no direction 'up'; known are gradient, random, none"):
        PerturbedLoss(1, "up")(model, data)
