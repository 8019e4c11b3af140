"""Checks of notebook 09's DPO: its loss, and the log-probability of a whole reply."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, difference, gradient_of, refuse_known, same, scalar, tensor

CHANGED = "You changed a tensor that you were given: it is needed again. Compute a new one."


@exercise
def check_dpo_loss(dpo_loss: Callable) -> str:
    """Build: the mean of −log σ(β [(log π_c − log π_ref,c) − (log π_r − log π_ref,r)])."""
    import torch
    from torch.nn.functional import logsigmoid

    chosen, rejected = torch.tensor([-10.0, -7.0, -4.0]), torch.tensor([-21.0, -6.0, -9.0])
    ref_chosen, ref_rejected = torch.tensor([-12.0, -6.5, -5.5]), torch.tensor([-20.0, -8.0, -9.5])
    given, beta = (chosen, rejected, ref_chosen, ref_rejected), 0.3
    answer = scalar(tried(call(dpo_loss, *given, beta, changed=CHANGED)), "one number, the mean loss")
    if not torch.is_tensor(dpo_loss(*given, beta)):
        raise Wrong("Return a tensor, not a Python number: a gradient must flow back through it.")
    margin = (chosen - ref_chosen) - (rejected - ref_rejected)
    losses = -logsigmoid(beta * margin)
    refuse_known(
        answer,
        {
            "The sign of the reference is wrong: of each reply subtract its own reference's log-probability.": -logsigmoid(
                beta * (chosen + ref_chosen - rejected - ref_rejected)
            ).mean(),
            "A pair of brackets is missing: the reference of the rejected reply is subtracted as well. (…) − (…).": -logsigmoid(
                beta * (chosen - ref_chosen - rejected - ref_rejected)
            ).mean(),
            "β multiplies the policy only. It multiplies the whole difference.": -logsigmoid(
                beta * chosen - ref_chosen - (beta * rejected - ref_rejected)
            ).mean(),
            "The reference is left out. Then a reply loses for being unlikely in the first place.": -logsigmoid(
                beta * (chosen - rejected)
            ).mean(),
            "Yours prefers the rejected reply: it is chosen minus rejected.": -logsigmoid(-beta * margin).mean(),
            "β is missing: it says how far a pair may pull the policy away from its reference.": -logsigmoid(
                margin
            ).mean(),
            "β stands outside of the logarithm. It multiplies the difference, inside of σ.": beta
            * -logsigmoid(margin).mean(),
            "Your loss is negative: put a minus in front of the logarithm.": -losses.mean(),
            "That is the sum over the pairs. Take the mean.": losses.sum(),
            "You took the mean before the logarithm. Each pair has its own loss; the mean comes last.": -logsigmoid(
                beta * margin.mean()
            ),
            "The logarithm is missing: that is a probability.": -torch.sigmoid(beta * margin).mean(),
            "You took ratios of the log-probabilities. The logarithm of a ratio is a difference of logarithms.": -logsigmoid(
                beta * (chosen / ref_chosen - rejected / ref_rejected)
            ).mean(),
        },
    )
    if not same(answer, losses.mean()):
        raise Wrong(f"For my three pairs I expected {losses.mean():.4f} and got {answer.item():.4f}.")
    if not same(dpo_loss(chosen, rejected, chosen, rejected, 0.1), torch.tensor(math.log(2))):
        raise Wrong("Where the policy is its own reference, the loss must be ln 2 = 0.693.")
    far, other = torch.tensor([-300.0], requires_grad=True), torch.zeros(1, requires_grad=True)
    answer = dpo_loss(far, other, torch.zeros(1), torch.zeros(1), 1.0)
    if not torch.is_tensor(answer) or not torch.isfinite(answer):
        raise Wrong(
            "A pair that is 300 nats off must cost 300. Use logsigmoid: σ rounds to 0, and its logarithm is −∞."
        )
    if not (gradient_of(answer, far).any() and gradient_of(answer, other).any()):
        raise Wrong("A gradient must flow to both replies' log-probabilities: use them as they are, without detach.")
    return "At the start it is ln 2, and every nat gained on the reference counts."


@exercise
def check_reply_log_probability(reply_log_probability: Callable) -> str:
    """Build: log p of each reply [B], summed over the tokens whose label is not −100."""
    import torch

    rng = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(3, 6, 7, generator=rng)
    labels = torch.tensor([[-100, -100, 3, 0, 5, -100], [-100, 2, 6, 1, 4, 0], [-100, -100, -100, 6, -100, -100]])
    answer = call(reply_log_probability, logits, labels, changed=CHANGED)
    if torch.is_tensor(answer) and answer.ndim == 0:
        raise Wrong("That is one number for all rows. Sum over the tokens, dimension 1, and keep one number per reply.")
    answer = tensor(answer, (3,), "a tensor with one log-probability per reply")
    mask, index = labels != -100, labels.clamp(min=0)[..., None]

    def pick(values):
        return values.gather(-1, index)[..., 0]

    log_p = pick(logits.log_softmax(-1))
    right = (log_p * mask).sum(1)
    late = logits[:, :-1].log_softmax(-1).gather(-1, index[:, 1:])[..., 0] * mask[:, 1:]
    early = logits[:, 1:].log_softmax(-1).gather(-1, index[:, :-1])[..., 0] * mask[:, :-1]
    refuse_known(
        answer,
        {
            "You took the mean over the tokens. The log-probability of a reply is the *sum* of its tokens'.": right
            / mask.sum(1),
            "You took the mean over all positions, context and padding too. Sum where the label is not −100.": right
            / 6,
            "Context and padding count in yours: where the label is −100, nothing may be added.": log_p.sum(1),
            "You took the mean, and over context and padding too. Sum where the label is not −100.": log_p.mean(1),
            "Token 0 is left out in yours. Only −100 marks what does not count.": (log_p * (labels > 0)).sum(1),
            "Those are raw logits. Without log_softmax they are no log-probabilities.": (pick(logits) * mask).sum(1),
            "You summed probabilities. Take their logarithms: log_softmax instead of softmax.": (
                pick(logits.softmax(-1)) * mask
            ).sum(1),
            "Your softmax runs over the positions. It runs over the vocabulary, the last dimension.": (
                pick(logits.log_softmax(1)) * mask
            ).sum(1),
            "The sign is the other way around: that is the cross-entropy. A log-probability is negative.": -right,
            "You shifted the labels by one. They are aligned already: labels[b, t] belongs to logits[b, t].": late.sum(
                1
            ),
            "You shifted the logits by one. They are aligned already: labels[b, t] belongs to logits[b, t].": early.sum(
                1
            ),
            "You summed over the vocabulary. Pick the log-probability of each label: gather.": (
                logits.log_softmax(-1).sum(-1) * mask
            ).sum(1),
            "You took the likeliest token instead of the label.": (logits.log_softmax(-1).amax(-1) * mask).sum(1),
        },
    )
    if not same(answer, right):
        raise Wrong(f"For my three rows yours has {difference(answer, right)}.")
    far = torch.tensor([[[0.0, 200.0]]], requires_grad=True)
    answer = reply_log_probability(far, torch.tensor([[0]]))
    if not torch.isfinite(answer).all():
        raise Wrong("A token that is 200 nats away gives −inf or NaN. Use log_softmax: the softmax rounds to 0.")
    if not gradient_of(answer, far).any():
        raise Wrong("No gradient flows through yours: compute it with torch, from the logits as they are.")
    return "One number per reply: the log-probability of all its tokens together."
