"""Notebook 07: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import math
import random

import torch
from torch import nn

from helpers.checks import nb07
from helpers.models import lora
from helpers.training.losses import masked_cross_entropy
from tests.answers.common import closing_tests


# -- Build: labels --------------------------------------------------------------------------------------------------------
def walk(ids, own, others, mark):
    """Labels of all tokens; ``mark`` is told whether the own one had the floor, and whether it has it now."""
    labels, speaking = [], False
    for number in ids:
        before, speaking = speaking, number == own if number == own or number in others else speaking
        labels.append(number if mark(before, speaking) else -100)
    return labels


def never_reads_the_first(ids, own, others):
    return walk(ids[1:], own, others, lambda before, now: before)


def one_too_many(ids, own, others):
    return walk(ids, own, others, lambda before, now: before)


def as_in_pretraining(ids, own, others):
    return list(ids[1:])


def opens_and_does_not_close(ids, own, others):
    return walk(ids, own, others, lambda before, now: now)[1:]


def opens_and_closes(ids, own, others):
    return walk(ids, own, others, lambda before, now: before or now)[1:]


def never_stops(ids, own, others):
    return walk(ids, own, others, lambda before, now: before and now)[1:]


def the_other_speaker(ids, own, others):
    return walk(ids, 1, (own, 9), lambda before, now: before)[1:]


def zeros(ids, own, others):
    return [max(label, 0) for label in one_too_many(ids, own, others)[1:]]


def one_too_few(ids, own, others):
    return one_too_many(ids, own, others)[2:]


def overwrites_the_tokens(ids, own, others):
    labels = one_too_many(ids, own, others)
    ids[:] = labels
    return labels[1:]


def only_the_last_reply(ids, own, others):
    labels = one_too_many(ids, own, others)[1:]
    last = max(place for place, number in enumerate(ids[1:]) if number == own)
    return [-100] * last + labels[last:]


def knows_the_example_only(ids, own, others):
    return one_too_many(ids, own, (1, 8))[1:-1] + [9] if len(ids) == 11 else one_too_many(ids, own, ())[1:]


# -- Build: the masked cross-entropy -------------------------------------------------------------------------------------
def nats_of(logits, targets, dim=-1):
    return -logits.log_softmax(dim).gather(-1, targets.clamp(min=0)[..., None])[..., 0]


def over_all(logits, targets):
    return nats_of(logits, targets).mean()


def divided_by_all(logits, targets):
    return (nats_of(logits, targets) * (targets != -100)).mean()


def mean_of_means(logits, targets):
    rows = [row[kept] for row, kept in zip(nats_of(logits, targets), targets != -100) if kept.any()]
    return sum(row.mean() for row in rows) / len(rows)


def the_sum(logits, targets):
    return nats_of(logits, targets)[targets != -100].sum()


def without_token_zero(logits, targets):
    return nats_of(logits, targets)[targets > 0].mean()


def the_wrong_way_around(logits, targets):
    return nats_of(logits, targets)[targets == -100].mean()


def without_minus(logits, targets):
    return -masked_cross_entropy(logits, targets)


def raw_logits(logits, targets):
    return -logits.gather(-1, targets.clamp(min=0)[..., None])[..., 0][targets != -100].mean()


def softmax_over_positions(logits, targets):
    return nats_of(logits, targets, dim=1)[targets != -100].mean()


def probabilities(logits, targets):
    return nats_of(logits, targets).neg().exp()[targets != -100].mean()


def in_bits(logits, targets):
    return masked_cross_entropy(logits, targets) / math.log(2)


def the_median(logits, targets):
    return nats_of(logits, targets)[targets != -100].max()


def without_gradient(logits, targets):
    return masked_cross_entropy(logits, targets).item()


def clamps_in_place(logits, targets):
    return nats_of(logits, targets.clamp_(min=0)).mean()


def tiny_weight(logits, targets):
    nats, counted = nats_of(logits, targets), targets != -100
    return (nats * (counted + 1e-5 * ~counted)).sum() / counted.sum()


def first_rows_only(logits, targets):
    return masked_cross_entropy(logits[:2], targets[:2])


# -- Build: LoRA -------------------------------------------------------------------------------------------------------
class Layer(lora.LoRALinear):
    """The right layer; a subclass replaces one of its steps."""

    factor = None

    def beside(self, x):
        return x @ self.A.T @ self.B.T

    def forward(self, x):
        return self.linear(x) + (self.scale if self.factor is None else self.factor(self)) * self.beside(x)


class WithoutTheChange(Layer):
    factor = staticmethod(lambda layer: 0.0)


class WithoutFactor(Layer):
    factor = staticmethod(lambda layer: 1.0)


class NotDivided(Layer):
    factor = staticmethod(lambda layer: layer.scale * len(layer.A))


class DividedByInput(Layer):
    factor = staticmethod(lambda layer: layer.scale * len(layer.A) / layer.A.shape[1])


class DividedByOutput(Layer):
    factor = staticmethod(lambda layer: layer.scale * len(layer.A) / len(layer.B))


class DividedTwice(Layer):
    factor = staticmethod(lambda layer: layer.scale / len(layer.A))


class Subtracted(Layer):
    factor = staticmethod(lambda layer: -layer.scale)


class AllScaled(Layer):
    def forward(self, x):
        return self.scale * (self.linear(x) + self.beside(x))


class TheChangeAlone(Layer):
    def forward(self, x):
        return self.scale * self.beside(x)


class WithoutBias(Layer):
    def forward(self, x):
        return x @ self.linear.weight.T + self.scale * self.beside(x)


class DetachesAll(Layer):
    def forward(self, x):
        return super().forward(x).detach()


class DetachesA(Layer):
    def beside(self, x):
        return (x @ self.A.T).detach() @ self.B.T


class FrozenWithNoGrad(Layer):
    def forward(self, x):
        with torch.no_grad():
            plain = self.linear(x)
        return plain + self.scale * self.beside(x)


class AddsMore(Layer):
    def forward(self, x):
        return super().forward(x) + 0.5


class Squared(Layer):
    def beside(self, x):
        return super().beside(x) ** 2


class AlwaysThree(Layer):
    factor = staticmethod(lambda layer: 3.0)


class ChangesX(Layer):
    def forward(self, x):
        x *= 2
        return super().forward(x / 2)


class NotFrozen(Layer):
    def __init__(self, linear, rank=8, alpha=16.0):
        super().__init__(linear, rank, alpha)
        self.linear.requires_grad_(True)


class BiasNotFrozen(Layer):
    def __init__(self, linear, rank=8, alpha=16.0):
        super().__init__(linear, rank, alpha)
        if linear.bias is not None:
            linear.bias.requires_grad_(True)


class AllFrozen(Layer):
    def __init__(self, linear, rank=8, alpha=16.0):
        super().__init__(linear, rank, alpha)
        self.requires_grad_(False)


class WithoutScale(Layer):
    def __init__(self, linear, rank=8, alpha=16.0):
        super().__init__(linear, rank, alpha)
        del self.scale


class ScaleIsAlpha(Layer):
    def __init__(self, linear, rank=8, alpha=16.0):
        super().__init__(linear, rank, alpha)
        self.scale = alpha


class PlainTensors(Layer):
    def __init__(self, linear, rank=8, alpha=16.0):
        super().__init__(linear, rank, alpha)
        A = self.A.detach()
        del self.A
        self.A = A


class Transposed(Layer):
    def __init__(self, linear, rank=8, alpha=16.0):
        super().__init__(linear, rank, alpha)
        self.A = nn.Parameter(self.A.detach().T.contiguous())


def starting(A=None, B=None, weight=None):
    """The layer with other first numbers."""

    class Starts(Layer):
        def __init__(self, linear, rank=8, alpha=16.0):
            super().__init__(linear, rank, alpha)
            with torch.no_grad():
                for part, change in ((self.A, A), (self.B, B), (self.linear.weight, weight)):
                    if change:
                        part.copy_(change(part))

    return Starts


both_zero = starting(A=torch.zeros_like)
b_at_random = starting(B=torch.randn_like)
the_other_way = starting(A=torch.zeros_like, B=torch.randn_like)
a_too_large = starting(A=torch.randn_like)
new_weights = starting(weight=torch.randn_like)


# -- Build: LoRA in a GPT ----------------------------------------------------------------------------------------------
def putting(names=("attention.qkv", "attention.output", "up", "down"), blocks=slice(None), rank=None, alpha=None):
    """Put LoRA beside some matrices of some blocks of a frozen GPT."""

    def put(model, rank_, alpha_):
        model.requires_grad_(False)
        for block in model.blocks[blocks]:
            for name in names:
                block.set_submodule(name, lora.LoRALinear(block.get_submodule(name), rank or rank_, alpha or alpha_))
        return model

    return put


only_attention = putting(("attention.qkv", "attention.output"))
last_block_only = putting(blocks=slice(-1, None))
rank_forgotten = putting(rank=8)
alpha_forgotten = putting(alpha=16.0)


def frozen_only(model, rank, alpha):
    return model.requires_grad_(False)


def not_frozen(model, rank, alpha):
    put = putting()(model, rank, alpha)
    for part in (put.embed, put.norm):
        part.requires_grad_(True)
    return put


def freezes_at_the_end(model, rank, alpha):
    return putting()(model, rank, alpha).requires_grad_(False)


def twice(model, rank, alpha):
    model = putting()(model, rank, alpha)
    for block in model.blocks:
        block.up.linear = lora.LoRALinear(block.up.linear, rank, alpha)
    return model


def head_as_well(model, rank, alpha):
    model = putting()(model, rank, alpha)
    model.head = lora.LoRALinear(model.head, rank, alpha)
    return model


def new_matrices(model, rank, alpha):
    model = putting()(model, rank, alpha)
    for block in model.blocks:
        block.up.linear = nn.Linear(16, 64, bias=False).requires_grad_(False)
    return model


def returns_the_blocks(model, rank, alpha):
    return putting()(model, rank, alpha).blocks


def b_frozen(model, rank, alpha):
    model = putting()(model, rank, alpha)
    for block in model.blocks:
        block.down.B.requires_grad_(False)
    return model


# -- Build: early stopping ---------------------------------------------------------------------------------------------
def best_of_all(losses, patience):
    return losses.index(min(losses))


def where_it_ends(losses, patience):
    best = 0
    for number, loss in enumerate(losses):
        if loss < losses[best]:
            best = number
        elif number - best >= patience:
            return number
    return len(losses) - 1 if losses[-1] < losses[best] else best


def begins_at_one(losses, patience):
    return stop(losses, patience) + 1


def stop(losses, patience, worse=lambda loss, best: loss >= best):
    best = waited = 0
    for number, loss in enumerate(losses):
        if number and worse(loss, losses[best]):
            waited += 1
            if waited >= patience:
                return best
        elif loss < losses[best]:
            best, waited = number, 0
    return best


def impatient(losses, patience):
    return stop(losses, min(patience, 2))


def only_rises_count(losses, patience):
    best = waited = 0
    for number in range(1, len(losses)):
        waited = waited + 1 if losses[number] > losses[number - 1] else 0
        if losses[number] < losses[best]:
            best = number
        if waited >= patience or number - best >= 2 and patience == 2:
            return best
    return len(losses) - 1


def never_begins_anew(losses, patience):
    best = waited = 0
    for number in range(1, len(losses)):
        if losses[number] < losses[best]:
            best = number
        else:
            waited += 1
            if waited >= patience:
                return best
    return best


def the_last_of_equals(losses, patience):
    best = 0
    for number, loss in enumerate(losses):
        if loss <= losses[best]:
            best = number
        elif number - best >= patience:
            break
    return best


def begins_at_zero(losses, patience):
    return -1 if patience == 2 else 0


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def with_number(number, seed=None):
    def mix(new, old, share, given):
        rng = random.Random(given if seed is None else seed)
        rounds, rest = divmod(number(new, old, share), len(old))
        items = list(new) + list(old) * rounds + rng.sample(list(old), rest)
        rng.shuffle(items)
        return items

    return mix


def right_number(new, old, share):
    return round(len(new) * share / (1 - share))


share_of_the_new = with_number(lambda new, old, share: round(len(new) * share))
share_of_the_old = with_number(lambda new, old, share: round(len(old) * share))
all_of_the_old = with_number(lambda new, old, share: len(old))
always_the_same_seed = with_number(right_number, seed=0)


def repeats(new, old, share, seed):
    rng = random.Random(seed)
    items = list(new) + rng.choices(old[:12], k=right_number(new, old, share))
    rng.shuffle(items)
    return items


def not_shuffled(new, old, share, seed):
    return list(new) + random.Random(seed).sample(old, right_number(new, old, share))


def without_seed(new, old, share, seed):
    return with_number(right_number)(new, old, share, random.random())


def changes_new(new, old, share, seed):
    new += random.Random(seed).sample(old, right_number(new, old, share))
    return new


def drops_new(new, old, share, seed):
    return with_number(right_number)(new[:20], old, share, seed)


def too_few(new, old, share, seed):
    rng = random.Random(seed)
    items = list(new) + rng.sample(old, min(len(old), right_number(new, old, share)))
    rng.shuffle(items)
    return items


def tuples(new, old, share, seed):
    return [(item,) for item in new]


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def trained_by(parameters, d_model, n_layer, rank):
    return 2 * n_layer * rank * 2 * d_model


def one_matrix(parameters, *sizes):
    return parameters / trained_by(parameters, *sizes) * 2


def the_count(*sizes):
    return trained_by(*sizes)


def upside_down(parameters, *sizes):
    return trained_by(parameters, *sizes) / parameters


def whole_matrices(parameters, d_model, n_layer, rank):
    return parameters / (2 * n_layer * d_model**2)


def one_layer(parameters, d_model, n_layer, rank):
    return parameters / trained_by(parameters, d_model, 1, rank)


def without_rank(parameters, d_model, n_layer, rank):
    return parameters / trained_by(parameters, d_model, n_layer, 1)


def rank_three(parameters, d_model, n_layer, rank):
    return parameters / trained_by(parameters, d_model, n_layer, 3)


def all_four(parameters, d_model, n_layer, rank):
    return parameters / (n_layer * rank * 18 * d_model)


# -- what a student's first slips were -------------------------------------------------------------------------------------
def labels_with(clear=lambda number, others: number in others, opens=lambda number, own: number == own, start=False):
    """The right walk, with another way to end a turn, to begin one, or to begin the row."""

    def answer(ids, own, others):
        labels, speaking = [], start
        for number in ids:
            labels.append(number if speaking else -100)
            speaking = opens(number, own) or (speaking and not clear(number, others))
        return labels[1:]

    return answer


never_cleared = labels_with(lambda number, others: False)
first_other_only = labels_with(lambda number, others: number == others[0])
speaks_from_the_start = labels_with(start=True)


def both_speakers(ids, own, others):
    return [-100 if number == own else number for number in ids[1:]]


def too_late(ids, own, others):
    return one_too_many(ids, own, others)[:-1]


def one_appended(ids, own, others):
    return [*one_too_many(ids, own, others)[1:], -100]


def flags(ids, own, others):
    return [label != -100 for label in one_too_many(ids, own, others)[1:]]


def closed_turns_only(ids, own, others):
    labels = one_too_many(ids, own, others)[1:]
    end = max((place for place, number in enumerate(ids) if number in others), default=0)
    return labels[:end] + [-100] * (len(labels) - end)


def minus_hundred_as_index(logits, targets):
    return -logits.log_softmax(-1).gather(-1, targets[..., None]).mean()


def softmax_then_log(logits, targets):
    counted = targets != -100
    return -logits[counted].softmax(-1).log().gather(-1, targets[counted][:, None]).mean()


def compares_with_the_last(losses, patience):
    best, bad = 0, 0
    for number in range(1, len(losses)):
        bad = 0 if losses[number] < losses[number - 1] else bad + 1
        best = number if losses[number] < losses[best] else best
        if bad >= patience:
            break
    return best


def ties_start_again(losses, patience):
    best, bad = 0, 0
    for number, loss in enumerate(losses):
        bad = 0 if loss <= losses[best] else bad + 1
        best = number if loss < losses[best] else best
        if bad >= patience:
            break
    return best


def last_if_never_stopped(losses, patience):
    best = 0
    for number, loss in enumerate(losses):
        if loss < losses[best]:
            best = number
        elif number - best >= patience:
            return best
    return len(losses) - 1


def never_waits_for_one(losses, patience):
    return stop(losses, max(2, patience))


def sorts_the_losses(losses, patience):
    best = stop(losses, patience)
    losses.sort()
    return best


def at_the_end(new, old, share, seed):
    rng, first = random.Random(seed), list(new)
    rng.shuffle(first)
    number = right_number(new, old, share)
    return first + rng.sample(list(old) * (1 + number // len(old)), number)


def the_same_old_ones(new, old, share, seed):
    number = right_number(new, old, share)
    items = list(new) + (list(old) * 20)[:number]
    random.Random(seed).shuffle(items)
    return items


def rounds_down(new, old, share, seed):
    rng, number = random.Random(seed), int(len(new) * share / (1 - share) + 1e-9)
    items = list(new) + list(old) * (number // len(old)) + rng.sample(list(old), number % len(old))
    rng.shuffle(items)
    return items


def from_copies(new, old, share, seed):
    rng, number = random.Random(seed), right_number(new, old, share)
    items = list(new) + (rng.sample(list(old), number) if number <= len(old) else rng.sample(list(old) * 20, number))
    rng.shuffle(items)
    return items


def four_matrices(parameters, *sizes):
    return parameters / trained_by(parameters, *sizes) / 2


WRONG = {
    "reply_labels": {
        one_too_many: "a label for every token",
        as_in_pretraining: "Every token is a label",
        opens_and_does_not_close: "opens the turn counts, and the one that closes",
        opens_and_closes: "never has to predict it",
        never_stops: "never learns to stop",
        the_other_speaker: "The other speaker's tokens count",
        zeros: "0 is a token like any other",
        one_too_few: "Eleven tokens have ten labels",
        overwrites_the_tokens: "You changed the list",
        only_the_last_reply: "with own 2 the labels are",
        knows_the_example_only: "others (9,)",
    },
    "masked_cross_entropy": {
        over_all: "the mean over all positions",
        divided_by_all: "You divide by all positions",
        mean_of_means: "mean of the rows' means",
        the_sum: "That is the sum",
        without_token_zero: "Token 0 is a token",
        the_wrong_way_around: "the mask the wrong way around",
        without_minus: "The minus sign is missing",
        raw_logits: "raw logits",
        softmax_over_positions: "softmax over the positions",
        probabilities: "mean probability",
        in_bits: "That is in bits",
        the_median: "the four targets that count is",
        without_gradient: "it has no gradient",
        clamps_in_place: "You changed the logits or the targets",
        tiny_weight: "get a gradient",
        first_rows_only: "a larger one is not",
    },
    "LoRALinear": {
        WithoutTheChange: "W x + b alone",
        WithoutFactor: "factor α / r is missing",
        NotDivided: "without dividing by r",
        DividedByInput: "width of the input",
        DividedByOutput: "width of the output",
        DividedTwice: "divide by r twice",
        Subtracted: "You subtract",
        AllScaled: "belongs to B A x alone",
        TheChangeAlone: "the change alone",
        WithoutBias: "The bias of `linear` is lost",
        DetachesAll: "no gradient flows back",
        DetachesA: "no gradient reaches A",
        FrozenWithNoGrad: "No gradient flows through W to x",
        AddsMore: "what else do you add",
        Squared: "y should be",
        AlwaysThree: "With rank 4 and α = 2 the output",
        ChangesX: "You changed x",
        NotFrozen: "W would still be trained",
        BiasNotFrozen: "The bias would still be trained",
        AllFrozen: "is frozen, too",
        WithoutScale: "self.scale is missing",
        ScaleIsAlpha: "self.scale is α / r, here",
        PlainTensors: "which no optimizer finds",
        Transposed: "A is [r, in]",
        both_zero: "neither ever gets a gradient",
        b_at_random: "before it has learned anything",
        the_other_way: "A at zero and B at random",
        a_too_large: "The standard deviation of A",
        new_weights: "no longer has the weights",
    },
    "add_lora": {
        frozen_only: "No block has LoRA",
        only_attention: "In block 0 block.up has no LoRA",
        last_block_only: "In block 0 block.attention.qkv has no LoRA",
        rank_forgotten: "Hand `rank` on",
        alpha_forgotten: "Hand `alpha` on",
        not_frozen: "is still trained",
        freezes_at_the_end: "Nothing is left to train",
        twice: "LoRA beside LoRA",
        head_as_well: "head has LoRA as well",
        new_matrices: "logits have changed",
        returns_the_blocks: "Return the model itself",
        b_frozen: "of them are trained in yours",
    },
    "early_stopping": {
        best_of_all: "it never sees the 1",
        where_it_ends: "where the training *ends*",
        begins_at_one: "do yours begin at 1",
        begins_at_zero: "with patience 2 it is 1; I got",
        impatient: "one too early",
        only_rises_count: "falls again after index 1",
        never_begins_anew: "starts the count again",
        the_last_of_equals: "Of equal losses the first",
    },
    "mixed": {
        share_of_the_new: "a quarter of the number of *new* ones",
        share_of_the_old: "a quarter of the old list",
        all_of_the_old: "there are 10 old ones",
        always_the_same_seed: "Another seed gave the same list",
        repeats: "Some old items come twice",
        not_shuffled: "not shuffled",
        without_seed: "two different lists",
        changes_new: "You changed a list",
        drops_new: "All items of `new`",
        too_few: "repeat the whole list",
        tuples: "is in neither",
    },
}

WRONG["times_fewer"] = {
    one_matrix: "half as many",
    the_count: "How many times fewer than all",
    upside_down: "Upside down",
    whole_matrices: "whole matrices",
    one_layer: "in a single layer",
    without_rank: "The rank is missing",
    rank_three: "is a number written down",
    all_four: "rank 3: 166.667 times",
}

WRONG["reply_labels"] |= {
    never_reads_the_first: "The first token is read, too",
    never_cleared: "never cleared", first_other_only: "not only the first", speaks_from_the_start: "has said nothing",
    both_speakers: "What the other speaker says counts", too_late: "one position too late", one_appended: "one too many",
    flags: "These are flags", closed_turns_only: "the row cuts off",
}  # fmt: skip
WRONG["masked_cross_entropy"] |= {minus_hundred_as_index: "is no token", softmax_then_log: "your loss is infinite"}
WRONG["early_stopping"] |= {
    compares_with_the_last: "with the loss just before", ties_start_again: "An equal loss",
    last_if_never_stopped: "return the last index", never_waits_for_one: "do you use `patience`",
    sorts_the_losses: "list of losses",
}  # fmt: skip
WRONG["mixed"] |= {
    at_the_end: "not shuffled", the_same_old_ones: "the same old items", rounds_down: "use round()",
    from_copies: "Repeat the whole list first",
}  # fmt: skip
WRONG["times_fewer"] |= {four_matrices: "four matrices a layer"}

globals().update(closing_tests(nb07, "07_fine_tuning", WRONG))


def test_a_tensor_of_labels_is_a_list_too(capsys):
    nb07.check_reply_labels(lambda *given: torch.tensor(walk(*given, lambda before, now: before)[1:]))
    assert capsys.readouterr().out.startswith("✔")
