"""Wrong answers of notebook 12's second lesson, each with words of its own message: masks, distillation, a draft."""

import torch
from torch import nn
from torch.nn import functional

from helpers.generation.speculative_decoding import accept, residual


# -- Build: the mask of the smallest -----------------------------------------------------------------------------------
def without(values, number):
    mask = torch.ones(values.numel(), dtype=torch.bool)
    mask[values.flatten().argsort()[:number]] = False
    return mask.view(values.shape)


def right_mask(weight, share):
    return without(weight.abs(), round(share * weight.numel()))


def upside_down(weight, share):
    return ~right_mask(weight, share)


def with_their_sign(weight, share):
    return without(weight, round(share * weight.numel()))


def share_that_stays(weight, share):
    return right_mask(weight, 1 - share)


def row_by_row(weight, share):
    return torch.stack([right_mask(row, share) for row in weight])


def by_threshold(weight, share):
    number = round(share * weight.numel())
    return weight.abs() > (weight.abs().flatten().sort().values[number - 1] if number else -1)


def cut_down(weight, share):
    return without(weight.abs(), int(share * weight.numel()))


def already_pruned(weight, share):
    return weight * right_mask(weight, share)


def as_numbers(weight, share):
    return right_mask(weight, share).long()


def flat(weight, share):
    return right_mask(weight, share).flatten()


MASK = {
    upside_down: "other way around",
    with_their_sign: "take the absolute value",
    share_that_stays: "yours is what stays",
    row_by_row: "prunes each row by itself",
    by_threshold: "A threshold cannot part equals",
    cut_down: "Use round(), not int()",
    already_pruned: "That is the pruned matrix",
    as_numbers: "I expected a bool tensor",
    flat: "I expected a bool tensor",
}


# -- Build: a mask that survives the optimizer -------------------------------------------------------------------------
class Keeper:
    def __init__(self, masks):
        self.masks = masks


class Forgotten(Keeper):
    def __call__(self, history, model):
        for name, mask in self.masks.items():
            parameter = dict(model.named_parameters())[name]
            parameter = parameter * mask  # noqa: F841


class OnGradients(Keeper):
    def __call__(self, history, model):
        for name, mask in self.masks.items():
            dict(model.named_parameters())[name].grad.mul_(mask)


class Inverted(Keeper):
    @torch.no_grad()
    def __call__(self, history, model):
        for name, mask in self.masks.items():
            dict(model.named_parameters())[name].mul_(~mask)


class OnlyOne(Keeper):
    @torch.no_grad()
    def __call__(self, history, model):
        name, mask = next(iter(self.masks.items()))
        dict(model.named_parameters())[name].mul_(mask)


class Recorded(Keeper):
    def __call__(self, history, model):
        for name, mask in self.masks.items():
            dict(model.named_parameters())[name].mul_(mask)


class NewParameters(Keeper):
    def __call__(self, history, model):
        for name, mask in self.masks.items():
            layer, part = name.split(".")
            old = getattr(model[int(layer)], part)
            new = nn.Parameter(old.detach() * mask)
            new.grad = old.grad
            setattr(model[int(layer)], part, new)


class Everything(Keeper):
    @torch.no_grad()
    def __call__(self, history, model):
        for name, value in model.named_parameters():
            value.mul_(self.masks.get(name, 0))


class OnlyOnce(Keeper):
    @torch.no_grad()
    def __call__(self, history, model):
        for name, mask in self.masks.items():
            dict(model.named_parameters())[name].mul_(mask)
        self.masks = {}


def a_dictionary(masks):
    return dict(masks)


KEEP = {
    Forgotten: "makes a new tensor and forgets it",
    OnGradients: "You masked the gradients",
    Inverted: "You set to 0 what should stay",
    OnlyOne: "Only one of the two",
    Recorded: "with torch.no_grad()",
    NewParameters: "You put new parameters into the model",
    Everything: "a parameter that has no mask",
    OnlyOnce: "pruned weights are back",
    a_dictionary: "a class with __call__",
}


# -- Build: the distillation loss --------------------------------------------------------------------------------------
def loss(student, teacher, targets, temperature, soft, *, factor=None, hot_p=True, hot_q=True, hot_hard=False, swap=False,
         reduction="batchmean", counted=None, shares=None, entropy=False):  # fmt: skip
    """The right answer, with one thing in another way."""
    here = targets != -100
    u, t = (student[here], teacher[here]) if counted is None else (student.flatten(0, 1), teacher.flatten(0, 1))
    log_p = (t / (temperature if hot_p else 1)).log_softmax(-1)
    log_q = (u / (temperature if hot_q else 1)).log_softmax(-1)
    log_p, log_q = (log_q, log_p) if swap else (log_p, log_q)
    terms = log_p.exp() * (log_p - log_q)  # [N, V]
    kl = {"batchmean": terms.sum(-1).mean(), "sum": terms.sum(), "mean": terms.mean()}[reduction]
    if entropy:
        kl = kl - (log_p.exp() * log_p).sum(-1).mean()
    hard = functional.cross_entropy(student[here] / (temperature if hot_hard else 1), targets[here])
    a, b = shares or (soft, 1 - soft)
    return a * (temperature**2 if factor is None else factor) * kl + b * hard


def no_square(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft, factor=1)


def no_power(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft, factor=temperature)


def square_of_both(student, teacher, targets, temperature=1.0, soft=1.0):
    return temperature**2 * loss(student, teacher, targets, temperature, soft, factor=1)


def cold_student(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft, hot_q=False)


def cold_teacher(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft, hot_p=False)


def hot_text(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft, hot_hard=True)


def other_way_around(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft, swap=True)


def shares_swapped(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft, shares=(1 - soft, soft))


def over_the_vocabulary(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft, reduction="mean")


def summed(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft, reduction="sum")


def everything_counts(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft, counted=True)


def with_the_entropy(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft, entropy=True)


def the_soft_part(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft, shares=(soft, 0))


def without_shares(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft, shares=(1, 1))


def without_gradient(student, teacher, targets, temperature=1.0, soft=1.0):
    return loss(student, teacher, targets, temperature, soft).item()


def other_defaults(student, teacher, targets, temperature=2.0, soft=0.5):
    return loss(student, teacher, targets, temperature, soft)


DISTILL = {
    no_square: "The factor T² is missing",
    no_power: "The factor is T, and should be T²",
    square_of_both: "You multiplied the cross-entropy by it as well",
    cold_student: "divides only the teacher's logits",
    cold_teacher: "divides only the student's logits",
    hot_text: "has no temperature",
    other_way_around: "KL is the other way around",
    shares_swapped: "You swapped the two shares",
    over_the_vocabulary: "You divided by the vocabulary",
    summed: "is a sum over positions",
    everything_counts: "with the target −100",
    with_the_entropy: "KL subtracts the entropy",
    the_soft_part: "Only the soft term is there",
    without_shares: "without their shares",
    without_gradient: "no gradient for the student",
    other_defaults: "Without settings",
}


# -- Build: what replaces a rejected token -----------------------------------------------------------------------------
def the_target(p, q):
    return p


def not_scaled(p, q):
    return (p - q).clamp(min=0)


def wrong_difference(p, q):
    rest = (q - p).clamp(min=0)
    return rest / rest.sum()


def absolute(p, q):
    return (p - q).abs() / (p - q).abs().sum()


def negative(p, q):
    return p - q


def softmax_of_the_difference(p, q):
    return (p - q).softmax(0)


def softmax_of_the_rest(p, q):
    return (p - q).clamp(min=0).softmax(0)


def zero_by_zero(p, q):
    rest = (p - q).clamp(min=0)
    return rest / rest.sum()


def zeros_when_equal(p, q):
    rest = (p - q).clamp(min=0)
    return rest / rest.sum().clamp(min=1e-9)


def changes_p(p, q):
    p -= q
    return p.clamp(min=0) / p.clamp(min=0).sum()


RESIDUAL = {
    the_target: "That is p.",
    not_scaled: "It does not sum to 1",
    wrong_difference: "That is (q − p)₊",
    absolute: "absolute difference",
    negative: "negative for some tokens",
    softmax_of_the_difference: "gives probability to every token",
    softmax_of_the_rest: "tokens with nothing left",
    zero_by_zero: "you divide 0 by 0",
    zeros_when_equal: "residual returns p",
    changes_p: "You changed what you were given",
}


# -- Build: accept, or replace and stop --------------------------------------------------------------------------------
def draw(probabilities, rng):
    return int(torch.multinomial(probabilities, 1, generator=rng))


def steps(p, q, proposed, rng, *, stays=None, replace=residual, extra=True, go_on=False, stop_empty=False):
    """The right answer, with one thing in another way."""
    stays, kept = stays or (lambda ours, its, u: u * its < ours), []
    for k, token in enumerate(proposed):
        if stays(p[k, token], q[k, token], torch.rand((), generator=rng)):
            kept.append(token)
            continue
        if stop_empty:
            return kept
        kept.append(draw(replace(p[k], q[k]), rng))
        if not go_on:
            return kept
    return kept + [draw(p[-1], rng)] * extra


def never_one_more(p, q, proposed, rng):
    return steps(p, q, proposed, rng, extra=False)


def replaced_from_p(p, q, proposed, rng):
    return steps(p, q, proposed, rng, replace=lambda p, q: p)


def goes_on(p, q, proposed, rng):
    return steps(p, q, proposed, rng, go_on=True)


def not_replaced(p, q, proposed, rng):
    return steps(p, q, proposed, rng, stop_empty=True)


def with_probability_p(p, q, proposed, rng):
    if p.shape[1] == 2:
        return steps(p, q, proposed, rng, stays=lambda ours, its, u: u < ours)
    return accept(p, q, proposed, rng)


def only_where_larger(p, q, proposed, rng):
    return steps(p, q, proposed, rng, stays=lambda ours, its, u: ours >= its)


def always(p, q, proposed, rng):
    return steps(p, q, proposed, rng, stays=lambda ours, its, u: True)


def wherever_possible(p, q, proposed, rng):
    return steps(p, q, proposed, rng, stays=lambda ours, its, u: ours > 0)


def reversed_choice(p, q, proposed, rng):
    return steps(p, q, proposed, rng, stays=lambda ours, its, u: ours >= its or (u * its >= ours and ours > 0))


def own_random_numbers(p, q, proposed, rng):
    return steps(p, q, proposed, torch.Generator().manual_seed(int(torch.randint(10**6, ()))))


def appended(p, q, proposed, rng):
    answer = accept(p, q, proposed, rng)
    proposed.append(answer[-1])
    return answer


ACCEPT = {
    never_one_more: "one more token is due",
    replaced_from_p: "replaced by one from p itself",
    goes_on: "After a rejection you went on",
    not_replaced: "then comes what replaces the second",
    with_probability_p: "stays with probability p(x). It should",
    only_where_larger: "you always reject",
    always: "You kept a token that the target gives probability 0",
    wherever_possible: "you always accept",
    reversed_choice: "You accept where you should reject",
    own_random_numbers: "Twice with the same seed",
    appended: "You changed the list",
}


# -- Exercise 1: leave the outliers outside ----------------------------------------------------------------------------
def the_largest(weight, bits, percent):
    return weight.abs().amax(1) / (2 ** (bits - 1) - 1)


def of_w(weight, bits, percent):
    return torch.quantile(weight, percent / 100, 1) / (2 ** (bits - 1) - 1)


def of_the_matrix(weight, bits, percent):
    return (torch.quantile(weight.abs(), percent / 100) / (2 ** (bits - 1) - 1)).expand(len(weight))


def right_scale(weight, percent):
    return torch.quantile(weight.abs(), percent / 100, 1)


def divided_by_eight(weight, bits, percent):
    return right_scale(weight, percent) / 2 ** (bits - 1)


def divided_by_all(weight, bits, percent):
    return right_scale(weight, percent) / (2**bits - 1)


def the_percentile(weight, bits, percent):
    return right_scale(weight, percent)


def a_share_of_the_largest(weight, bits, percent):
    return percent / 100 * weight.abs().amax(1) / (2 ** (bits - 1) - 1)


def from_the_other_end(weight, bits, percent):
    return right_scale(weight, 100 - percent) / (2 ** (bits - 1) - 1)


def always_four_bits(weight, bits, percent):
    return right_scale(weight, percent) / 7


CLIPPED = {
    the_largest: "outliers and all",
    of_w: "percentile of w, not of |w|",
    of_the_matrix: "One percentile for the whole matrix",
    divided_by_eight: "You divided by 8",
    divided_by_all: "You divided by 15",
    the_percentile: "That is the percentile itself",
    a_share_of_the_largest: "share of the largest |w|",
    from_the_other_end: "from the other end",
    always_four_bits: "With 100 % and 3 bits",
}


# -- Exercise 2: a KV cache in few bits --------------------------------------------------------------------------------
def cached(x, bits, over, *, symmetric=False, back=lambda scale, codes, zero: scale * (codes - zero)):
    from tests.answers.nb12_bits_wrong import grid

    scale, zero = grid(x.amin(over, keepdim=True), x.amax(over, keepdim=True), bits, symmetric)
    return back(scale, ((x / scale).round() + zero).clamp(0, 2**bits - 1), zero)


EVERYTHING = (0, 1, 2, 3)


def per_tensor(x, bits=8, per="token"):
    return cached(x, bits, EVERYTHING)


def per_head(x, bits=8, per="token"):
    return cached(x, bits, (2, 3) if per == "token" else EVERYTHING)


def heads_together(x, bits=8, per="token"):
    return cached(x, bits, (1, 3) if per == "token" else EVERYTHING)


def per_entry(x, bits=8, per="token"):
    return cached(x, bits, (2,) if per == "token" else EVERYTHING)


def symmetric_cache(x, bits=8, per="token"):
    return cached(x, bits, (3,) if per == "token" else EVERYTHING, symmetric=True)


def the_codes(x, bits=8, per="token"):
    return cached(x, bits, (3,) if per == "token" else EVERYTHING, back=lambda scale, codes, zero: codes)


def not_subtracted(x, bits=8, per="token"):
    return cached(x, bits, (3,) if per == "token" else EVERYTHING, back=lambda scale, codes, zero: scale * codes)


def per_ignored(x, bits=8, per="token"):
    return cached(x, bits, (3,))


def untouched_cache(x, bits=8, per="token"):
    return x.clone()


CACHE = {
    per_tensor: "All numbers share one scale. Each",
    per_head: "one scale for all its tokens",
    heads_together: "one scale for all its heads",
    per_entry: "each of the D entries",
    symmetric_cache: "use the zero point",
    the_codes: "Those are the codes",
    not_subtracted: "the zero point is not subtracted",
    per_ignored: 'With per="tensor"',
    untouched_cache: "Nothing was rounded",
}


# -- Exercise 3: how far ahead? ----------------------------------------------------------------------------------------
def look(acceptance, cost, check, longest, *, more=1, checked=1, nothing=0, draft=1):
    best, fastest = nothing, 1.0
    for gamma in range(1, longest + 1):
        speed = sum(acceptance**k for k in range(gamma + more)) / (gamma * cost * draft + check(gamma + checked))
        if speed > fastest:
            best, fastest = gamma, speed
    return best


def checks_too_few(acceptance, cost, check, longest=16):
    return look(acceptance, cost, check, longest, checked=0)


def one_term_short(acceptance, cost, check, longest=16):
    return look(acceptance, cost, check, longest, more=0)


def a_free_draft(acceptance, cost, check, longest=16):
    return look(acceptance, cost, check, longest, draft=0)


def a_free_check(acceptance, cost, check, longest=16):
    return look(acceptance, cost, lambda tokens: 1.0, longest)


def at_least_one(acceptance, cost, check, longest=16):
    return look(acceptance, cost, check, longest, nothing=1)


def one_short(acceptance, cost, check, longest=16):
    return look(acceptance, cost, check, longest - 1)


def by_the_fraction(acceptance, cost, check, longest=16):
    speeds = {
        gamma: (1 - acceptance ** (gamma + 1)) / (1 - acceptance) / (gamma * cost + check(gamma + 1))
        for gamma in range(1, longest + 1)
    }
    best = max(speeds, key=speeds.get)
    return best if speeds[best] > 1 else 0


def as_fast_counts(acceptance, cost, check, longest=16):
    best = look(acceptance, cost, check, longest)
    return best if best or acceptance else 1


LOOK_AHEAD = {
    checks_too_few: "You check γ tokens",
    one_term_short: "Yours lacks the last",
    a_free_draft: "You left out the cost of the draft",
    a_free_check: "You ignore check",
    at_least_one: "return 0",
    one_short: "longest itself is allowed",
    by_the_fraction: "divides by zero",
    as_fast_counts: "is not faster",
}
