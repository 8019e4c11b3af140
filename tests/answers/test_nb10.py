"""Notebook 10: every check accepts the solution the notebook shows and names each wrong answer's own mistake.

The wrong answers of the first lesson stand in ``nb10_wrong``.
"""

import numpy as np
import torch

from helpers.checks import nb10
from tests.answers import nb10_wrong
from tests.answers.common import closing_tests


# -- Build: integrated gradients -----------------------------------------------------------------------------------------
def integrated(model, ids, target, baseline, steps=32, start=None, shift=0.5, log=True, at=-1, points=None):
    """The way [T, C] and the gradients [m, T, C] along it, or along what is changed."""
    with torch.no_grad():
        x = model.run_with_cache(ids[None], names=["hook_embed"])[1]["hook_embed"]
    start = baseline if start is None else start
    alpha = ((torch.arange(steps) + shift) / steps)[:, None, None]
    points = (start + alpha * (x - start) if points is None else points(x)).detach().requires_grad_()
    with model.hooks({"hook_embed": lambda _: points}):
        logits = model(ids.expand(len(points), -1))[0][:, at]
    value = (logits.log_softmax(-1) if log else logits)[:, target].sum()
    return (x - start)[0], torch.autograd.grad(value, points)[0], x[0]


def attributed(sum_of=lambda product: product.sum(-1), **how):
    """Return a wrong integrated_gradients: as it should be, but for what ``how`` changes."""

    def integrated_gradients(model, ids, target, baseline, steps=32):
        way, gradients, _ = integrated(model, ids, target, baseline, steps, **how)
        return sum_of(way * gradients.mean(0))

    return integrated_gradients


zero_baseline = attributed(start=torch.zeros(8))
from_the_left, from_the_right = attributed(shift=0.0), attributed(shift=1.0)
of_the_logit, of_the_first = attributed(log=False), attributed(at=0)
at_the_text_only = attributed(points=lambda x: x)
a_vector_each = attributed(sum_of=lambda product: product)
lengths, mean_over_c = attributed(sum_of=lambda p: p.norm(dim=-1)), attributed(sum_of=lambda p: p.mean(-1))
other_sign = attributed(sum_of=lambda product: -product.sum(-1))
batch_left = attributed(sum_of=lambda product: product.sum(-1)[None])


def without_the_way(model, ids, target, baseline, steps=32):
    return integrated(model, ids, target, baseline, steps)[1].mean(0).sum(-1)


def times_x(model, ids, target, baseline, steps=32):
    _, gradients, x = integrated(model, ids, target, baseline, steps)
    return (x * gradients.mean(0)).sum(-1)


def gradient_times_input(model, ids, target, baseline, steps=32):
    _, gradients, x = integrated(model, ids, target, baseline, points=lambda x: x)
    return (x * gradients[0]).sum(-1)


def summed_gradients(model, ids, target, baseline, steps=32):
    way, gradients, _ = integrated(model, ids, target, baseline, steps)
    return (way * gradients.sum(0)).sum(-1)


def always_16_steps(model, ids, target, baseline, steps=32):
    return attributed()(model, ids, target, baseline, 16)


# -- Build: the labels of a control task ---------------------------------------------------------------------------------
def coins(ids, seed, share, size=None):
    return np.random.default_rng(seed).random(size or int(ids.max()) + 1) < share


def a_coin_per_token(ids, seed=0, share=0.5):
    return torch.from_numpy(np.random.default_rng(seed).random(len(ids)) < share).long()


def even_or_odd(ids, seed=0, share=0.5):
    return ids % 2


def all_zero(ids, seed=0, share=0.5):
    return torch.zeros_like(ids)


def no_seed(ids, seed=0, share=0.5):
    return torch.from_numpy(coins(ids, 0, share)).long()[ids]


def the_other_way(ids, seed=0, share=0.5):
    return 1 - torch.from_numpy(coins(ids, seed, share)).long()[ids]


def always_half(ids, seed=0, share=0.5):
    return torch.from_numpy(coins(ids, seed, 0.5)).long()[ids]


def by_this_texts_types(ids, seed=0, share=0.5):
    types, index = ids.unique(return_inverse=True)
    order = torch.from_numpy(np.random.default_rng([seed, len(types)]).random(len(types)) < share).long()
    return order[index]


def booleans(ids, seed=0, share=0.5):
    return torch.from_numpy(coins(ids, seed, share))[ids]


def torchs_coins(ids, seed=0, share=0.5):
    return (torch.rand(2100, generator=torch.Generator().manual_seed(seed)) < share).long()[ids]


# -- Build: a hook that steers -------------------------------------------------------------------------------------------
def no_strength(direction, strength=1.0):
    return lambda x: x + direction.to(x)


def subtracted(direction, strength=1.0):
    return lambda x: x - strength * direction.to(x)


def replaced(direction, strength=1.0):
    return lambda x: (strength * direction.to(x)).expand_as(x)


def last_position(direction, strength=1.0):
    return nb10_wrong._hook(lambda x: x[:, -1].add_(strength * direction.to(x)))


def multiplied(direction, strength=1.0):
    return lambda x: x * strength * direction.to(x)


def normalized(direction, strength=1.0):
    return lambda x: x + strength * (direction / direction.norm()).to(x)


def added_in_place(direction, strength=1.0):
    def hook(x):
        x += strength * direction
        return x

    return hook


def only_upwards(direction, strength=1.0):
    return lambda x: x + abs(strength) * direction.to(x)


def other_default(direction, strength=4.0):
    return lambda x: x + strength * direction.to(x)


def on_the_cpu(direction, strength=1.0):
    return lambda x: x + (strength * direction).to(x.dtype)


def in_float64(direction, strength=1.0):
    return lambda x: x + strength * direction


def steered_at_once(direction, strength=1.0):
    return strength * direction


# -- Build: the induction score ------------------------------------------------------------------------------------------
def weights_at(pattern, offset, first):
    t = torch.arange(max(first, offset), pattern.shape[2])
    return pattern[:, :, t, t - offset]


def the_occurrence_itself(pattern, period):
    return weights_at(pattern, period, period).mean((0, 2))


def one_too_early(pattern, period):
    return weights_at(pattern, period + 1, period).mean((0, 2))


def swapped_dimensions(pattern, period):
    return weights_at(pattern.transpose(2, 3), period - 1, period).mean((0, 2))


def all_queries(pattern, period):
    return pattern.diagonal(1 - period, dim1=2, dim2=3).mean((0, 2))


def one_query_less(pattern, period):
    return weights_at(pattern, period - 1, period + 1).mean((0, 2))


def previous_token(pattern, period):
    return weights_at(pattern, 1, period).mean((0, 2))


def added_up(pattern, period):
    return weights_at(pattern, period - 1, period).sum(2).mean(0)


def over_all_queries(pattern, period):
    return weights_at(pattern, period - 1, period).sum(2).mean(0) / pattern.shape[2]


def for_each_text(pattern, period):
    return weights_at(pattern, period - 1, period).mean(2)


def all_heads_together(pattern, period):
    return weights_at(pattern, period - 1, period).mean()


def always_4(pattern, period):
    return weights_at(pattern, 3, 4).mean((0, 2))


# -- Exercise 1: attention rollout ---------------------------------------------------------------------------------------
def rolled(mix=None, heads=None, layers=None, product=torch.matmul):
    """Return a wrong rollout: as it should be, but for what is given."""

    def rollout(patterns):
        mean = patterns.mean(1) if heads is None else heads(patterns)
        eye = torch.eye(patterns.shape[-1], device=patterns.device)
        mixed = (mean + eye) / 2 if mix is None else mix(mean, eye)
        reached, *rest = list(mixed if layers is None else layers(mixed))
        for layer in rest:
            reached = product(layer, reached)
        return reached

    return rollout


no_residual, not_halved = rolled(mix=lambda mean, eye: mean), rolled(mix=lambda mean, eye: mean + eye)
reversed_order, last_layer = rolled(layers=lambda mixed: mixed.flip(0)), rolled(layers=lambda mixed: mixed[-1:])
mean_of_layers = rolled(layers=lambda mixed: mixed.mean(0)[None])
entry_by_entry = rolled(product=torch.mul)
first_head, summed_heads = rolled(heads=lambda patterns: patterns[:, 0]), rolled(heads=lambda patterns: patterns.sum(1))


def transposed(patterns):
    return rolled()(patterns).T


def identity_on_the_cpu(patterns):
    return rolled(mix=lambda mean, eye: (mean + torch.eye(mean.shape[-1])) / 2)(patterns)


# -- Exercise 2: a translator for the lens -------------------------------------------------------------------------------
def solved(stream, final):
    solution = torch.linalg.lstsq(torch.cat((stream, torch.ones(len(stream), 1)), 1), final).solution
    return solution[:-1], solution[-1]


def no_bias(stream, final):
    return torch.linalg.lstsq(stream, final).solution, torch.zeros(stream.shape[1])


def backwards(stream, final):
    return solved(final, stream)


def matrix_transposed(stream, final):
    matrix, bias = solved(stream, final)
    return matrix.T, bias


def bias_left_out(stream, final):
    return solved(stream, final)[0], torch.zeros(stream.shape[1])


def difference_of_means(stream, final):
    return solved(stream, final)[0], final.mean(0) - stream.mean(0)


def of_the_change(stream, final):
    return solved(stream, final - stream)


def one_tensor(stream, final):
    return torch.linalg.lstsq(torch.cat((stream, torch.ones(len(stream), 1)), 1), final).solution


# -- Exercise 3: the purity of a feature ---------------------------------------------------------------------------------
def purity(features, ids, top, count, largest=True):
    values, strongest = features.topk(top, dim=0, largest=largest)
    return torch.stack([count(ids[strongest[:, f]], values[:, f]) for f in range(features.shape[1])])


def commonest(types):
    return types.bincount().max() / len(types)


def without_nan(features, ids, top=20):
    return purity(features, ids, top, lambda types, values: commonest(types))


def zero_for_rare(features, ids, top=20):
    return purity(features, ids, top, lambda types, values: commonest(types) if values[-1] > 0 else torch.tensor(0.0))


def graded(types, values, share):
    return share if values[-1] > 0 else torch.tensor(torch.nan)


def different_types(features, ids, top=20):
    return purity(features, ids, top, lambda t, v: graded(t, v, torch.tensor(len(t.unique()) / len(t))))


def as_counts(features, ids, top=20):
    return purity(features, ids, top, lambda t, v: graded(t, v, commonest(t) * len(t)))


def all_active(features, ids, top=20):
    active = features > 0
    return torch.stack(
        [
            commonest(ids[active[:, f]]) if active[:, f].sum() >= top else torch.tensor(torch.nan)
            for f in range(features.shape[1])
        ]
    )


def always_4_tokens(features, ids, top=20):
    return purity(features, ids, 4, lambda t, v: graded(t, v, commonest(t)))


WRONG = {
    **nb10_wrong.WRONG,
    "integrated_gradients": {
        zero_baseline: "starts at zeros",
        from_the_left: "begin at the baseline itself",
        from_the_right: "end at the text itself",
        of_the_logit: "asked for the logit",
        of_the_first: "first position",
        at_the_text_only: "at the text only",
        a_vector_each: "One number per token",
        lengths: "took the length",
        mean_over_c: "mean over C",
        other_sign: "sign is the other way",
        batch_left: "without the dimension of the batch",
        without_the_way: "The way is missing",
        times_x: "You multiplied by x",
        gradient_times_input: "That is gradient × input",
        summed_gradients: "summed over the points",
        always_16_steps: "another number of points",
    },
    "control_labels": {
        a_coin_per_token: "has two labels",
        even_or_odd: "even or odd",
        all_zero: "All my tokens",
        no_seed: "Another seed gives the same",
        the_other_way: "nine tenths",
        always_half: "a tenth of the labels",
        by_this_texts_types: "In another text",
        booleans: "whole numbers, int64",
        torchs_coins: "not those of",
    },
    "steer_hook": {
        no_strength: "strength is missing",
        subtracted: "You subtracted",
        replaced: "took the stream's place",
        last_position: "Only the last position",
        multiplied: "multiplied the stream",
        normalized: "to length 1",
        added_in_place: "You changed a tensor",
        only_upwards: "With strength −2",
        other_default: "Without a strength",
        on_the_cpu: "on another device",
        in_float64: "became float64",
        steered_at_once: "Return a *function*",
    },
    "induction_score": {
        the_occurrence_itself: "earlier occurrence itself",
        one_too_early: "One the wrong way",
        swapped_dimensions: "Queries and keys are swapped",
        all_queries: "Earlier queries count",
        one_query_less: "left out the query",
        previous_token: "previous-token score",
        added_up: "added up the weights",
        over_all_queries: "divided by all T",
        for_each_text: "mean over the texts",
        all_heads_together: "stay apart",
        always_4: "does it use 4",
    },
    "rollout": {
        no_residual: "residual connection is missing",
        not_halved: "without halving",
        reversed_order: "order is reversed",
        last_layer: "last layer alone",
        mean_of_layers: "averaged the layers",
        entry_by_entry: "entry by entry",
        first_head: "first head only",
        summed_heads: "heads are summed",
        transposed: "Rows and columns are swapped",
        identity_on_the_cpu: "always on the CPU",
    },
    "fit_translator": {
        no_bias: "no bias while it is fitted",
        backwards: "goes back",
        matrix_transposed: "is transposed",
        bias_left_out: "bias is all zeros",
        difference_of_means: "ignores the matrix",
        of_the_change: "for the *change*",
        one_tensor: "Return two tensors",
    },
    "token_purity": {
        without_nan: "has no purity: NaN.",
        zero_for_rare: "NaN, not 0",
        different_types: "how many different types",
        as_counts: "These are counts",
        all_active: "took all tokens",
        always_4_tokens: "With top=2",
    },
}

globals().update(closing_tests(nb10, "10_looking_inside", WRONG))
