"""Distillation: the loss by hand, T² in its place, a teacher that stays as it is, and a student that learns what it knows."""

import math

import pytest
import torch
from torch.nn import functional

from helpers.compression.distillation import Distillation, distillation_loss, soft_targets, student_config
from helpers.corpus.batches.base import Batch
from helpers.corpus.batches.token_stream import WindowBatches
from helpers.models.gpt import GPT
from helpers.training import fit, mean_loss, next_token_loss
from tests.factories import gpt


def logits(*rows):
    return torch.tensor([rows], dtype=torch.float32, requires_grad=True)


def test_soft_targets_by_hand():
    """Logits ln 1, ln 4, ln 16: at temperature 2 their odds are 1 : 2 : 4."""
    scores = torch.tensor([1.0, 4.0, 16.0]).log()
    torch.testing.assert_close(soft_targets(scores), torch.tensor([1.0, 4.0, 16.0]) / 21)
    torch.testing.assert_close(soft_targets(scores, 2.0), torch.tensor([1.0, 2.0, 4.0]) / 7)


def test_the_loss_by_hand():
    """Teacher (½, ½), student (¼, ¾): KL = ½ ln 2 + ½ ln ⅔, and the token that came has probability ¾."""
    student, teacher = logits([0.0, math.log(3)]), logits([0.0, 0.0])
    kl, hard = 0.5 * math.log(2) + 0.5 * math.log(2 / 3), -math.log(0.75)
    target = torch.tensor([[1]])
    assert distillation_loss(student, teacher, target).item() == pytest.approx(kl)
    assert distillation_loss(student, teacher, target, soft=0).item() == pytest.approx(hard)
    assert distillation_loss(student, teacher, target, soft=0.25).item() == pytest.approx(0.25 * kl + 0.75 * hard)


def test_the_gradient_keeps_its_size_at_a_high_temperature():
    """T² in front: as T grows the gradient tends to (z − v) / V, for logits of mean 0 (section 2.1 of the paper)."""
    z, v = torch.tensor([0.5, 0.0, -0.5]), torch.tensor([-1.0, 1.0, 0.0])
    for temperature, close in ((30.0, 0.05), (100.0, 0.02)):
        student = logits(z.tolist())
        distillation_loss(student, logits(v.tolist()), torch.tensor([[0]]), temperature).backward()
        torch.testing.assert_close(student.grad[0, 0], (z - v) / 3, atol=close, rtol=0)


def test_targets_of_minus_100_count_for_nothing():
    student, teacher = torch.randn(2, 3, 5), torch.randn(2, 3, 5)
    targets = torch.tensor([[1, -100, 2], [-100, -100, 4]])
    counted = targets >= 0
    for soft in (0, 0.5, 1):
        wanted = distillation_loss(student[counted][None], teacher[counted][None], targets[counted][None], 2.0, soft)
        torch.testing.assert_close(distillation_loss(student, teacher, targets, 2.0, soft), wanted)


def test_without_the_teacher_it_is_the_next_token_loss():
    model, batch = gpt(std=0.3), Batch(torch.randint(16, (2, 9)), torch.randint(16, (2, 9)), True)
    torch.testing.assert_close(Distillation(gpt(seed=1, std=0.3), soft=0)(model, batch), next_token_loss(model, batch))


def test_the_teacher_is_read_without_dropout_and_stays_as_it_is():
    teacher, student = gpt(std=0.3, dropout=0.5).train(), gpt(seed=1, std=0.3)
    before = [parameter.clone() for parameter in teacher.parameters()]
    batch = Batch(torch.randint(16, (2, 9)), torch.randint(16, (2, 9)), True)
    loss = Distillation(teacher)
    assert loss(student, batch).item() == loss(student, batch).item() and teacher.training
    loss(student, batch).backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    fit(student, WindowBatches(torch.randint(16, (200,)), 2, 8), steps=2, loss=loss, progress=False)
    assert all(torch.equal(old, new) for old, new in zip(before, teacher.parameters()))


def test_a_student_of_the_teachers_probabilities_comes_closer_than_one_of_the_samples():
    """A teacher of hardly any certainty writes a little text: its probabilities say in few steps what samples say in many."""
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(8, 8, generator=generator)

    def teacher(ids, state=None):
        return table[ids], None

    ids = [0]
    for _ in range(600):
        ids.append(int(torch.multinomial(table[ids[-1]].softmax(-1), 1, generator=generator)))
    batches, distance = WindowBatches(torch.tensor(ids), 4, 16), {}
    for name, loss in (("text", next_token_loss), ("teacher", Distillation(teacher))):
        student = gpt(8, recipe="gpt2")
        fit(student, batches, steps=60, learning_rate=1e-2, loss=loss, progress=False)
        distance[name] = mean_loss(student, batches, loss=Distillation(teacher))
    assert distance["teacher"] < 0.6 * distance["text"]


def test_the_student_of_the_course_has_a_sixth_of_the_parameters():
    assert GPT(student_config(2048)).parameter_count() == 917_376 and student_config(9, 64).context == 64


def test_what_makes_no_sense_is_said():
    x = torch.zeros(1, 2, 3)
    with pytest.raises(ValueError, match="temperature is 0"):
        soft_targets(x, 0)
    with pytest.raises(ValueError, match="soft is 1.5"):
        Distillation(None, soft=1.5)
    for student, teacher, targets in ((x, torch.zeros(1, 2, 4), x[..., 0]), (x, x, torch.zeros(2, 2))):
        with pytest.raises(ValueError, match="do not fit: give logits"):
            distillation_loss(student, teacher, targets.long())


def test_cross_entropy_with_soft_targets_differs_by_the_teachers_entropy_alone():
    student, teacher = torch.randn(1, 4, 6), torch.randn(1, 4, 6)
    p = soft_targets(teacher)[0]
    entropy = -(p * p.log()).sum(-1).mean()
    soft = functional.cross_entropy(student[0], p)
    torch.testing.assert_close(distillation_loss(student, teacher, torch.zeros(1, 4).long()), soft - entropy)
