"""A small student that learns from a large teacher's probabilities, not from the text alone (Hinton et al. 2015; notebook 12).

The text says which token came next. The teacher says how likely each token was: that "hi" would have done as well as "hello"
is knowledge, too, and the student need not wait for an example of each. ``Distillation`` is a ``loss`` for ``fit``.
"""

import torch
from torch.nn import functional

from helpers.corpus.batches.base import IGNORED, Batch
from helpers.models.gpt_config import GPTConfig
from helpers.models.utils import evaluating


def soft_targets(logits: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
    """Return the probabilities softmax(logits / T) [..., V], float32, of logits [..., V]: a higher T makes them more even.

    Raises ValueError when the temperature is not above 0.
    """
    _check(temperature)
    return (logits.float() / temperature).softmax(dim=-1)


def distillation_loss(
    student: torch.Tensor,
    teacher: torch.Tensor,
    targets: torch.Tensor,
    temperature: float = 1.0,
    soft: float = 1.0,
) -> torch.Tensor:
    """Return soft · T² · KL(p ‖ q) + (1 − soft) · cross-entropy, in nats: a mean over the targets that are not −100.

    ``student`` and ``teacher`` are logits [B, T, V], ``targets`` [B, T] int64 the tokens that came next. p and q are the
    teacher's and the student's ``soft_targets``. Gradients of the first part shrink as 1 / T²; the factor T² undoes it, so
    ``soft`` means the same at every temperature. KL(p ‖ q) is the cross-entropy with soft targets of the paper without the
    entropy of p, which no student can change: 0 where both agree. Raises ValueError for shapes that do not fit, a temperature
    not above 0, and ``soft`` outside 0 to 1.
    """
    _check(temperature, soft)
    if student.shape != teacher.shape or student.shape[:-1] != targets.shape:
        raise ValueError(
            f"student {list(student.shape)}, teacher {list(teacher.shape)} and targets {list(targets.shape)} do not fit: give "
            "logits [B, T, V] of one vocabulary twice, and targets [B, T]"
        )
    counted, loss = targets != IGNORED, student.new_zeros(())
    if soft:
        p = soft_targets(teacher[counted], temperature)
        log_q = (student[counted].float() / temperature).log_softmax(dim=-1)
        loss = loss + soft * temperature**2 * functional.kl_div(log_q, p, reduction="batchmean")
    if soft < 1:
        loss = loss + (1 - soft) * functional.cross_entropy(student[counted].float(), targets[counted])
    return loss


class Distillation:
    """The loss of a student that is trained by ``fit(student, batches, loss=Distillation(teacher))``.

    ``loss(model, batch)`` has the teacher and the model read ``batch.inputs`` and returns their ``distillation_loss``. The
    teacher is read in evaluation mode, without gradients, and stays as it is. Raises ValueError as ``distillation_loss`` does.
    """

    def __init__(self, teacher, temperature: float = 1.0, soft: float = 1.0):
        _check(temperature, soft)
        self.teacher, self.temperature, self.soft = teacher, temperature, soft

    def __call__(self, model, batch: Batch) -> torch.Tensor:
        with torch.no_grad(), evaluating(self.teacher):
            teacher, _ = self.teacher(batch.inputs)
        student, _ = model(batch.inputs)
        return distillation_loss(student, teacher, batch.targets, self.temperature, self.soft)


def student_config(vocab_size: int, context: int = 256) -> GPTConfig:
    """Return the architecture of gpt-small: a sixth of the parameters of gpt, half as wide and half as deep."""
    return GPTConfig.modern(vocab_size, context=context, n_embd=128, n_layer=2, n_head=4, bigram_rows=2_047)


def _check(temperature: float, soft: float = 1.0) -> None:
    if not 0 < temperature < float("inf"):
        raise ValueError(f"temperature is {temperature}: give a number above 0, usually 1 to 4")
    if not 0 <= soft <= 1:
        raise ValueError(f"soft is {soft}: give the share of the teacher's probabilities in the loss, from 0 to 1")
