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


def always_32_steps(model, ids, target, baseline, steps=32):
    return attributed()(model, ids, target, baseline, 32)


def mean_of_the_batch(model, ids, target, baseline, steps=32):
    return attributed()(model, ids, target, baseline, steps) / steps


def with_both_ends(model, ids, target, baseline, steps=32):
    def points(x):
        return baseline + torch.linspace(0, 1, steps)[:, None, None] * (x - baseline)

    return attributed(points=points)(model, ids, target, baseline, steps)


def toward_the_sum(model, ids, target, baseline, steps=32):
    def points(x):
        return baseline + ((torch.arange(steps) + 0.5) / steps)[:, None, None] * x

    return attributed(points=points)(model, ids, target, baseline, steps)


def from_nowhere(model, ids, target, baseline, steps=32):
    def points(x):
        return ((torch.arange(steps) + 0.5) / steps)[:, None, None] * (x - baseline)

    return attributed(points=points)(model, ids, target, baseline, steps)


def lengths_of_gradients(model, ids, target, baseline, steps=32):
    return integrated(model, ids, target, baseline, steps)[1].mean(0).norm(dim=-1)


absolute, sizes = attributed(sum_of=lambda p: p.sum(-1).abs()), attributed(sum_of=lambda p: p.abs().sum(-1))


def steps_on_the_cpu(model, ids, target, baseline, steps=32):
    return attributed()(model, ids, target, baseline, steps)


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


def in_order_of_appearance(ids, seed=0, share=0.5):
    rng, coin = np.random.default_rng(seed), {}
    return torch.tensor([coin.setdefault(token, int(rng.random() < share)) for token in ids.tolist()])


def no_seed_at_all(ids, seed=0, share=0.5):
    return torch.from_numpy(np.random.default_rng().random(int(ids.max()) + 1) < share).long()[ids]


def in_int32(ids, seed=0, share=0.5):
    return torch.from_numpy(coins(ids, seed, share)).int()[ids]


def other_defaults(ids, seed=1, share=0.3):
    return torch.from_numpy(coins(ids, seed, share)).long()[ids]


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


def direction_changed(direction, strength=1.0):
    direction *= strength
    return lambda x: x + direction.to(x)


def direction_changed_by_the_hook(direction, strength=1.0):
    def hook(x):
        d = direction.to(x)
        d *= strength
        return x + d

    return hook


def ever_farther(direction, strength=1.0):
    steps = [direction]

    def hook(x):
        steps.append(steps[-1] * strength)
        return x + steps[-1].to(x)

    return hook


def stream_scaled(direction, strength=1.0):
    return lambda x: strength * x + direction.to(x)


def strength_divides(direction, strength=1.0):
    return lambda x: x + direction.to(x) / strength


def mixed(direction, strength=1.0):
    return lambda x: (1 - strength) * x + strength * direction.to(x)


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


def from_query_0(pattern, period):
    t = torch.arange(pattern.shape[2])
    return pattern[:, :, t, t - period + 1].mean((0, 2))


def without_the_last_query(pattern, period):
    return weights_at(pattern, period - 1, period)[..., :-1].mean((0, 2))


def of_the_first_text(pattern, period):
    return weights_at(pattern, period - 1, period)[0].mean(-1)


def a_block(pattern, period):
    return pattern[:, :, period:, 1 : pattern.shape[2] - period + 1].mean((0, 2, 3))


def first_repetition(pattern, period):
    return weights_at(pattern, period - 1, period)[..., :period].mean((0, 2))


def of_the_last_query(pattern, period):
    return pattern[:, :, -1, -period].mean(0)


def mask_on_the_cpu(pattern, period):
    T = pattern.shape[2]
    mask = torch.eye(T).roll(1 - period, dims=1)
    mask[:period] = 0
    return (pattern * mask).sum((2, 3)).mean(0) / (T - period)


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


attention_halved_only = rolled(mix=lambda mean, eye: mean / 2)
attention_whole, identity_whole = (
    rolled(mix=lambda mean, eye: mean + eye / 2),
    rolled(mix=lambda mean, eye: mean / 2 + eye),
)
half_everywhere = rolled(mix=lambda mean, eye: mean / 2 + 0.5)
without_last, without_first = rolled(layers=lambda mixed: mixed[:-1]), rolled(layers=lambda mixed: mixed[1:])
first_twice = rolled(layers=lambda mixed: torch.cat((mixed[:1], mixed)))
layers_averaged = rolled(heads=lambda patterns: patterns.mean(0))
two_heads = rolled(heads=lambda patterns: patterns[:, :2].mean(1))


def residual_at_the_end(patterns):
    return (rolled(mix=lambda mean, eye: mean)(patterns) + torch.eye(patterns.shape[-1])) / 2


def heads_apart(patterns):
    return torch.stack([rolled()(patterns[:, head : head + 1]) for head in range(patterns.shape[1])]).mean(0)


def four_heads(patterns):
    return rolled(heads=lambda patterns: patterns.sum(1) / 4)(patterns)


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


def ones_first(stream, final):
    solution = torch.linalg.lstsq(torch.cat((torch.ones(len(stream), 1), stream), 1), final).solution
    return solution[:-1], solution[-1]


def other_sign_of_the_bias(stream, final):
    matrix, bias = solved(stream, final)
    return matrix, -bias


def mean_as_bias(stream, final):
    return solved(stream, final)[0], final.mean(0)


def for_60_tokens(stream, final):
    matrix, bias = solved(stream, final)
    return (matrix, bias) if len(stream) == 60 else (matrix, 0 * bias)


def ones_on_the_cpu(stream, final):
    return solved(stream, final)


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


def more_than_top(features, ids, top=20):
    enough = (features > 0).sum(0) > top
    return purity(features, ids, top, lambda t, v: commonest(t)).where(enough, torch.nan)


def of_the_sizes(features, ids, top=20):
    return purity(features.abs(), ids, top, lambda t, v: graded(t, v, commonest(t)))


def of_the_strongest(features, ids, top=20):
    return purity(features, ids, top, lambda t, v: graded(t, v, (t == t[0]).float().mean()))


def of_the_whole_text(features, ids, top=20):
    return purity(features, ids, top, lambda t, v: graded(t, v, (t == ids.mode().values).float().mean()))


def which_type(features, ids, top=20):
    return purity(features, ids, top, lambda t, v: graded(t, v, t.bincount().argmax() / top))


def numbers_of_tokens(features, ids, top=20):
    return purity(features, torch.arange(len(ids)), top, lambda t, v: graded(t, v, commonest(t)))


def all_by_20(features, ids, top=20):
    return purity(features, ids, top, lambda t, v: graded(t, v, commonest(t) * len(t) / 20))


def types_besides_one(features, ids, top=20):
    return purity(features, ids, top, lambda t, v: graded(t, v, torch.tensor(1 - (len(t.unique()) - 1) / len(t))))


def by_those_there_are(features, ids, top=20):
    counts = (features > 0).sum(0).clamp(max=top).tolist()
    return torch.stack([commonest(ids[features[:, f].topk(k).indices]) for f, k in enumerate(counts)])


def left_out(features, ids, top=20):
    grades = purity(features, ids, top, lambda t, v: graded(t, v, commonest(t)))
    return grades[~grades.isnan()]


def first_of_the_text(features, ids, top=20):
    return purity(features, ids, top, lambda t, v: graded(t, v, commonest(ids[:top])))


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
        without_the_way: "A factor is missing",
        times_x: "You multiplied by x",
        gradient_times_input: "That is gradient × input",
        summed_gradients: "summed over the points",
        always_16_steps: "another number of points",
        always_32_steps: "yours takes 32",
        mean_of_the_batch: "number of steps twice",
        with_both_ends: "both ends included",
        toward_the_sum: "does not end at the text",
        from_nowhere: "does not begin at the baseline",
        lengths_of_gradients: "length of the mean gradient",
        absolute: "took the absolute value",
        sizes: "sizes of the products",
        steps_on_the_cpu: "always on the CPU",
    },
    "control_labels": {
        a_coin_per_token: "has two labels",
        even_or_odd: "even or odd",
        all_zero: "All my tokens",
        no_seed: "Another seed gives the same",
        the_other_way: "nine tenths",
        always_half: "a tenth of the labels",
        by_this_texts_types: "In another text",
        booleans: "Your labels are torch.bool",
        in_int32: "Your labels are torch.int32",
        in_order_of_appearance: "In another text",
        no_seed_at_all: "Called twice with the same seed",
        other_defaults: "Keep the defaults",
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
        direction_changed: "You changed the direction",
        direction_changed_by_the_hook: "You changed the direction",
        ever_farther: "Called a second time",
        stream_scaled: "strength multiplies the stream",
        strength_divides: "divided by the strength",
        mixed: "You mixed the two",
    },
    "induction_score": {
        the_occurrence_itself: "earlier occurrence itself",
        one_too_early: "One step in the wrong direction",
        swapped_dimensions: "Queries and keys are swapped",
        all_queries: "Earlier queries count",
        one_query_less: "left out the query",
        previous_token: "previous-token score",
        added_up: "added up the weights",
        over_all_queries: "divided by all T",
        for_each_text: "mean over the texts",
        all_heads_together: "stay apart",
        always_4: "does it use 4",
        from_query_0: "is negative",
        without_the_last_query: "left out the last query",
        of_the_first_text: "Only the first text",
        a_block: "You took a block",
        first_repetition: "Only the first repetition",
        of_the_last_query: "Only the last query",
        mask_on_the_cpu: "always on the CPU",
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
        attention_halved_only: "left out the identity",
        attention_whole: "attention is not halved",
        identity_whole: "identity is not halved",
        half_everywhere: "to every entry",
        without_last: "last layer is missing",
        without_first: "first layer is missing",
        first_twice: "counts twice",
        layers_averaged: "averaged dimension 0",
        two_heads: "first two heads",
        residual_at_the_end: "only once, at the end",
        heads_apart: "each head by itself",
        four_heads: "of 3 heads and 7 tokens",
    },
    "fit_translator": {
        no_bias: "no bias while it is fitted",
        backwards: "goes back",
        matrix_transposed: "is transposed",
        bias_left_out: "bias is all zeros",
        difference_of_means: "ignores the matrix",
        of_the_change: "for the *change*",
        one_tensor: "Return two tensors",
        ones_first: "stands first",
        other_sign_of_the_bias: "other sign",
        mean_as_bias: "for a centered stream",
        for_60_tokens: "For 40 tokens",
        ones_on_the_cpu: "always on the CPU",
    },
    "token_purity": {
        without_nan: "has no purity: NaN.",
        zero_for_rare: "NaN, not 0",
        different_types: "how many different types",
        as_counts: "These are counts",
        all_active: "took all tokens",
        always_4_tokens: "and top=2",
        more_than_top: "NaN is for *fewer*",
        of_the_sizes: "largest sizes",
        of_the_strongest: "type of the strongest token",
        of_the_whole_text: "of the whole text",
        which_type: "*which* type",
        numbers_of_tokens: "not their types",
        all_by_20: "divided by 20",
        types_besides_one: "*besides* one",
        by_those_there_are: "divided by those there are",
        left_out: "You left out",
        first_of_the_text: "first tokens of the text",
    },
}

globals().update(closing_tests(nb10, "10_looking_inside", WRONG))
