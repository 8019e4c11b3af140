"""Checks of notebook 12's second lesson: the mask of the smallest, a mask that survives training, the distillation loss."""

from collections.abc import Callable

from helpers.checks import Untouched, Wrong, exercise, tried
from helpers.checks.compare import (
    call,
    difference,
    gradient_of,
    kind,
    refuse_fixed_device,
    refuse_known,
    same,
    scalar,
    shown,
)

CHANGED = "You changed a tensor that you were given: it is needed again. Compute a new one."


@exercise
def check_magnitude_mask(magnitude_mask: Callable) -> str:
    """Build: all but the share of the numbers with the smallest absolute value."""
    import torch

    weight = torch.tensor([[0.9, -0.1, 0.3, -2.0, 0.6], [0.2, -0.7, 0.05, 1.5, -0.25]])
    answer = call(magnitude_mask, weight, 0.3, changed=CHANGED)
    if torch.is_tensor(answer) and answer.is_floating_point() and same(answer, weight * (weight.abs() > 0.22)):
        raise Wrong("That is the pruned matrix. Return the mask: True where a number stays.")
    if not torch.is_tensor(answer) or answer.dtype != torch.bool or answer.shape != weight.shape:
        raise Wrong(f"I expected a bool tensor of shape [2, 5] and got {kind(answer)}.")
    refuse_known(
        answer.float(),
        {
            "The mask is the other way around: True is what stays.": (weight.abs() <= 0.22).float(),
            "You compared the numbers with their sign. −2.0 is large: take the absolute value.": (
                weight > -0.25
            ).float(),
            "share is what goes, and yours is what stays.": (weight.abs() > 0.75).float(),
            "share is a share of the numbers, 3 of 10, and you compared the numbers with it: sort them.": (
                (weight.abs() > 0.3).float()
            ),
            "Yours prunes each row by itself. The smallest of the whole matrix go.": torch.tensor(
                [[1.0, 0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0, 1.0]]
            ),
        },
    )
    if not answer.equal(weight.abs() > 0.22):
        raise Wrong(
            f"Of my ten numbers the three smallest are 0.05, −0.1 and 0.2. Yours keeps {shown(weight[answer])}."
        )
    equal = magnitude_mask(torch.ones(3, 4), 0.5)
    if int(equal.sum()) != 6:
        raise Wrong(
            f"Of 12 equal numbers exactly 6 must go, not {12 - int(equal.sum())}. A threshold cannot part equals: sort."
        )
    if int((~magnitude_mask(torch.arange(1.0, 12).view(1, 11), 0.6)).sum()) != 7:
        raise Wrong("60 % of 11 numbers are 6.6: 7 must go. Use round(), not int().")
    if int((~magnitude_mask(torch.arange(1.0, 12).view(1, 11), 0.3)).sum()) != 3:
        raise Wrong("30 % of 11 numbers are 3.3: 3 must go. Use round(), not ceil().")
    for share, number in ((0.0, 10), (1.0, 0)):
        if int(magnitude_mask(weight, share).sum()) != number:
            raise Wrong(f"With share {share} there should stay {number} of 10 numbers.")
    refuse_fixed_device(
        lambda: magnitude_mask(weight.to("meta"), 0.3),
        "Your mask is always on the CPU. On a GPU that fails: make it with device=weight.device.",
    )
    return "The smallest go, exactly as many as you ask for."


# -- a mask that survives ----------------------------------------------------------------------------------------------
@exercise
def check_KeepPruned(KeepPruned: Callable) -> str:  # noqa: N802, N803
    """Build: a callback that sets what was pruned back to 0."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    masks = {name: torch.rand(dict(model.named_parameters())[name].shape) > 0.5 for name in ("0.weight", "1.weight")}
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    objects, callback = dict(model.named_parameters()), tried(KeepPruned(masks))
    if not callable(callback):
        raise Wrong(
            f"KeepPruned(masks) must give something that can be called: a class with __call__. I got {kind(callback)}."
        )
    for value in model.parameters():
        value.grad = torch.ones_like(value)
    _call(callback, model)
    now = dict(model.named_parameters())
    if any(now[name] is not objects[name] for name in objects):
        raise Wrong(
            "You put new parameters into the model: the optimizer still holds the old ones. Change them in place."
        )
    if all(now[name].equal(before[name]) for name in now):
        if not vars(callback):
            raise Untouched
        if any((now[name].grad == 0).any() for name in masks):
            raise Wrong("You masked the gradients. Momentum would move the zeros all the same: mask the weights.")
        raise Wrong(
            "No weight has changed. `parameter = parameter * mask` makes a new tensor and forgets it: use .mul_(mask)."
        )
    if all(now[name].equal(before[name] * ~masks[name]) for name in masks):
        raise Wrong(
            "You set to 0 what should stay. The mask is True where a weight stays: multiply by the mask itself."
        )
    if sum(now[name].equal(before[name] * masks[name]) for name in masks) == 1:
        raise Wrong("Only one of the two masked matrices was pruned. Go through all masks.")
    for name, mask in masks.items():
        if not now[name].equal(before[name] * mask):
            raise Wrong(f"{name}: {difference(now[name], before[name] * mask)}.")
    if any(not now[name].equal(before[name]) for name in now if name not in masks):
        raise Wrong("You changed a parameter that has no mask. Only those named in masks are touched.")
    _check_training(KeepPruned, model, masks)
    return "Zeros stay zeros, whatever the optimizer does."


def _call(callback: Callable, model) -> None:
    try:
        callback(None, model)
    except RuntimeError as error:
        if "leaf" in str(error):
            raise Wrong("torch records what you do with a parameter. Put `with torch.no_grad():` around it.") from None
        raise


def _check_training(KeepPruned: Callable, model, masks: dict) -> None:  # noqa: N803
    import torch

    optimizer, callback = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9), KeepPruned(masks)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.ones(1, 4)).square().sum().backward()
        optimizer.step()
        callback(None, model)
    parameters = dict(model.named_parameters())
    if any((parameters[name][~mask] != 0).any() for name, mask in masks.items()):
        raise Wrong(
            "After three steps of training pruned weights are back. The callback must set them to 0 every time."
        )
    if any(not parameters[name][mask].all() for name, mask in masks.items()):
        raise Wrong("In training more weights became 0 than were pruned. Keep the masks you were given.")


# -- distillation ------------------------------------------------------------------------------------------------------
@exercise
def check_distillation_loss(distillation_loss: Callable) -> str:
    """Build: soft · T² · KL(p ‖ q) + (1 − soft) · cross-entropy, over the targets that count."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    torch.manual_seed(0)
    student, teacher, targets = (
        torch.randn(2, 3, 5),
        2 * torch.randn(2, 3, 5),
        torch.tensor([[1, -100, 4], [0, 2, -100]]),
    )
    counted = targets != -100
    u, t, y = student[counted], teacher[counted], targets[counted]

    def value(T=3.0, soft=0.3, factor=None, T_teacher=None, T_student=None, T_hard=1.0, swap=False, u=u, t=t, here=student):  # noqa: N803
        p, q = (t / (T_teacher or T)).log_softmax(-1), (u / (T_student or T)).log_softmax(-1)
        p, q = (q, p) if swap else (p, q)
        kl = (p.exp() * (p - q)).sum(-1).mean()
        return soft * (T**2 if factor is None else factor) * kl, (1 - soft) * F.cross_entropy(
            here[counted] / T_hard, y
        )

    def total(**settings):
        return sum(value(**settings))

    answer = scalar(
        call(distillation_loss, student, teacher, targets, 3.0, 0.3, changed=CHANGED), "the loss, one number"
    )
    soft, hard = value()
    entropy = -((t / 3).softmax(-1) * (t / 3).log_softmax(-1)).sum(-1).mean()
    whole = value(u=student.flatten(0, 1), t=teacher.flatten(0, 1))[0]
    refuse_known(
        answer,
        {
            "The factor T² is missing from the soft term.": total(factor=1.0),
            "The factor is T, and should be T².": total(factor=3.0),
            "T² belongs to the soft term alone. You multiplied the cross-entropy by it as well.": soft + 9 * hard,
            "The temperature is for both: yours divides only the teacher's logits.": total(T_student=1.0),
            "The temperature is for both: yours divides only the student's logits.": total(T_teacher=1.0),
            "The cross-entropy with the text has no temperature: it uses the student's logits as they are.": total(
                T_hard=3.0
            ),
            "KL is the other way around: KL(p ‖ q), p the teacher's. In F.kl_div the student's log comes first.": total(
                swap=True
            ),
            "soft is the share of the teacher. You swapped the two shares.": soft / 0.3 * 0.7 + hard / 0.7 * 0.3,
            "You divided by the vocabulary, too: reduction='mean' does. Use 'batchmean'.": soft / 5 + hard,
            "The sum over positions is not divided by their number.": 4 * (soft + hard),
            "The soft term is a sum over positions. Take the mean: reduction='batchmean'.": 4 * soft + hard,
            "Positions with the target −100 are in your soft term. Leave them out.": whole + hard,
            "The soft term is divided by the number of rows, not of positions: take student[counted] first.": 2 * soft
            + hard,
            "That is the cross-entropy with soft targets. KL subtracts the entropy of p: it is 0 where both agree.": (
                soft + 0.3 * 9 * entropy + hard
            ),
            "The cross-entropy is a sum over positions. Take its mean.": soft + 4 * hard,
            "Positions with the target −100 still count in the number you divide by. Leave them out first.": soft * 4 / 6 + hard,
            "Positions with the target −100 are in your soft term, and it is divided by the number of rows.": 3 * whole + hard,
            "The cross-entropy is the teacher's. The student is to learn the text.": soft + 0.7 * F.cross_entropy(t, y),
            "Your softmaxes have no temperature: divide both logits by it first.": total(T_student=1.0, T_teacher=1.0),
            "The second term lacks its share, 1 − soft.": soft + hard / 0.7,
            "Only the soft term is there.": soft,
            "The two terms are added without their shares, soft and 1 − soft.": soft / 0.3 + hard / 0.7,
        },
        lambda mine, wrong: same(mine, wrong, 1e-6),
    )
    if answer.isnan():
        raise Wrong("The loss is NaN. F.kl_div wants the student's log_softmax first, then the teacher's softmax, without log.")
    if not same(answer, soft + hard):
        raise Wrong(f"For my logits the loss is {(soft + hard).item():.4f}, and yours is {answer.item():.4f}.")
    if not same(scalar(distillation_loss(student, teacher, targets), "the loss"), total(T=1.0, soft=1.0)):
        raise Wrong("Without settings temperature is 1 and soft is 1: KL alone.")
    moving = student.clone().requires_grad_()
    slope = gradient_of(scalar(distillation_loss(moving, teacher, targets, 3.0, 0.5), "the loss"), moving)
    if not slope.any():
        raise Wrong("The loss has no gradient for the student: is there a .item() or .detach() in it?")
    if not same(slope, gradient_of(total(soft=0.5, u=moving[counted], here=moving), moving)):
        raise Wrong("Only a part of the loss has a gradient for the student: is there a .item() or .detach() in a term?")
    return "Both agree: 0. The less they agree, the more there is to learn."
