"""Checks of notebook 10's second lesson: integrated gradients, a probe's control labels, steering, the induction score."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, difference, near, refuse_fixed_device, same, shown, tensor
from helpers.checks.nb10_heads import hook_of, refuse, replaced

CHANGED = "You changed a tensor that you were given. Compute a new one."


def _little_gpt(n_layer: int = 2):
    import torch

    from helpers.models.gpt import GPT, GPTConfig

    torch.manual_seed(0)
    model = GPT(GPTConfig.gpt2(17, context=16, n_embd=8, n_layer=n_layer, n_head=2)).eval()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.4)
    return model


@exercise
def check_integrated_gradients(integrated_gradients: Callable) -> str:
    """Build: the mean gradient between baseline and text, times the way, summed over the numbers of each token."""
    import torch

    model, ids, target, rng = _little_gpt(), torch.tensor([3, 7, 1, 9, 4]), 5, torch.Generator().manual_seed(1)
    baseline = 0.5 * torch.randn(8, generator=rng)
    with torch.no_grad():
        x = model.run_with_cache(ids[None], names=["hook_embed"])[1]["hook_embed"][0]  # [T, C]

    def f(points, at=-1, wanted=target, log=True, prob=False):
        with model.hooks({"hook_embed": lambda _: points}):
            logits = model(ids.expand(len(points), -1))[0][:, at]
        return (logits.softmax(-1) if prob else logits.log_softmax(-1) if log else logits)[:, wanted]

    def gradients(points, **how):
        points = points.detach().requires_grad_()
        with torch.enable_grad():
            return torch.autograd.grad(f(points, **how).sum(), points)[0]

    def path(steps, begin=0.5, start=baseline):
        alpha = ((torch.arange(steps) + begin) / steps)[:, None, None]
        return start + alpha * (x - start)

    given = call(lambda *tokens: integrated_gradients(model, *tokens), ids, target, baseline, 16, changed=CHANGED)
    if torch.is_tensor(given) and given.shape in ((5, 8), (1, 5, 8)):
        raise Wrong("One number per token, please: sum over the C numbers of each vector.")
    if torch.is_tensor(given) and given.shape == (1, 5):
        raise Wrong("Return [T], without the dimension of the batch.")
    answer = tensor(given, (5,), "a number for each token, [T]")
    if answer.requires_grad:
        raise Wrong("Your result still hangs on the network. Detach it: `.detach()`.")
    way, middle = x - baseline, gradients(path(16))
    right = (way * middle.mean(0)).sum(-1)
    zero = torch.zeros(8)
    refuse(
        answer,
        right,
        {
            "That is gradient × input: the gradient at the text itself. Average it over the points between.": (
                x * gradients(x[None])[0]
            ).sum(-1),
            "You took the gradient at the text only. Average it over the points between baseline and text.": (
                way * gradients(x[None])[0]
            ).sum(-1),
            "A factor is missing: multiply the mean gradient by x − baseline.": middle.mean(0).sum(-1),
            "You multiplied by x. The path starts at the baseline: x − baseline.": (x * middle.mean(0)).sum(-1),
            "The sign is the other way around: x − baseline, and log p, not a loss.": -right,
            "You divided by the number of steps twice: *sum* log p over the batch, then take the mean gradient.": right
            / 16,
            "You took the absolute value. Attributions have a sign: leave it.": right.abs(),
            "You summed the sizes of the products. Attributions have a sign: sum over C without `abs`.": (
                (way * middle.mean(0)).abs().sum(-1)
            ),
            "That is the length of the mean gradient. Multiply by x − baseline, and sum over C.": middle.mean(
                0
            ).norm(dim=-1),
            "Your line does not begin at the baseline: the points are baseline + α · (x − baseline).": (
                way * gradients(path(16) - baseline).mean(0)
            ).sum(-1),
            "Your line does not end at the text: the points are baseline + α · (x − baseline).": (
                way * gradients(baseline + path(16, start=zero)).mean(0)
            ).sum(-1),
            "You asked for the probability. f is log p: log_softmax.": (
                way * gradients(path(16), prob=True).mean(0)
            ).sum(-1),
            "Your points are those of `linspace(0, 1, steps)`, both ends included. Take the middles, (arange + 0.5) / steps.": (
                way * gradients(baseline + torch.linspace(0, 1, 16)[:, None, None] * way).mean(0)
            ).sum(-1),
            "I asked for 16 steps, and yours takes 32. Use `steps`.": (way * gradients(path(32)).mean(0)).sum(-1),
            "The gradients are summed over the points. Take their mean: divide by the number of steps.": 16 * right,
            "Your line starts at zeros, not at the baseline.": (x * gradients(path(16, start=zero)).mean(0)).sum(-1),
            "You took the length of each product. Attributions have a sign: sum over C.": (way * middle.mean(0)).norm(
                dim=-1
            ),
            "You took the mean over C. Sum, or completeness is lost.": right / 8,
            "You asked for the logit. f is log p: log_softmax first.": (
                way * gradients(path(16), log=False).mean(0)
            ).sum(-1),
            "You asked about the first position. The target comes after the *last* token.": (
                way * gradients(path(16), at=0).mean(0)
            ).sum(-1),
            "Your points begin at the baseline itself: (k − 1/2)/m is the middle of each stretch, (arange + 0.5) / steps.": (
                way * gradients(path(16, 0.0)).mean(0)
            ).sum(-1),
            "Your points end at the text itself: (k − 1/2)/m is the middle of each stretch, (arange + 0.5) / steps.": (
                way * gradients(path(16, 1.0)).mean(0)
            ).sum(-1),
        },
    )
    if not same(answer, right, 1e-4):
        raise Wrong(f"For my text of 5 tokens yours has {difference(answer, right)}.")
    few = integrated_gradients(model, ids, target, baseline, 3)
    if not same(few, (way * gradients(path(3)).mean(0)).sum(-1), 1e-4):
        raise Wrong("With 3 steps yours still takes another number of points. Use `steps`.")
    there = _little_gpt().to("meta")
    refuse_fixed_device(
        lambda: integrated_gradients(there, ids.to("meta"), target, baseline.to("meta"), 3),
        "A tensor of yours is always on the CPU: torch.arange(steps, device=x.device) lies where the model lies.",
    )
    return f"Complete: the attributions sum to {answer.sum():.3f}, and log p changes by {_change(f, x, baseline):.3f}."


def _change(f, x, baseline) -> float:
    import torch

    with torch.no_grad():
        return (f(x[None]) - f(baseline.expand_as(x)[None])).item()


@exercise
def check_control_labels(control_labels: Callable) -> str:
    """Build: a label per token type by the toss of a coin, the same wherever the token stands."""
    import numpy as np
    import torch

    ids = torch.from_numpy(np.random.default_rng(5).integers(0, 400, 3000))
    labels = _labels(call(control_labels, ids, 3, 0.5, changed=CHANGED), len(ids))
    rate = torch.zeros(400).scatter_reduce(0, ids, labels.float(), "mean", include_self=False)
    share = labels.float().mean().item()
    if share in (0.0, 1.0):
        raise Wrong(f"All my tokens got the label {int(share)}. Half of the types should get 1, half 0.")
    if ((rate > 0) & (rate < 1)).any():
        raise Wrong(
            "A token type has two labels in yours: toss a coin once for each *type*, not for each token; then look it up."
        )
    if labels.equal(ids % 2) or labels.equal((ids + 1) % 2) or labels.equal((ids > ids.float().median()).long()):
        raise Wrong(
            "Your labels follow from the number of the token: even or odd, small or large. They must be random."
        )
    if not _labels(control_labels(ids, 3, 0.5), len(ids)).equal(labels):
        raise Wrong(
            "Called twice with the same seed, yours gives different labels. Give the seed to `np.random.default_rng(seed)`."
        )
    again = _labels(control_labels(ids[500:1000], 3, 0.5), 500)
    if not again.equal(labels[500:1000]):
        raise Wrong(
            "In another text the same tokens get other labels: then training and test text disagree. "
            "The coins must depend on the seed and the token's id alone."
        )
    if _labels(control_labels(ids, 4, 0.5), len(ids)).equal(labels):
        raise Wrong("Another seed gives the same labels. Give it to `np.random.default_rng(seed)`.")
    few = _labels(control_labels(torch.arange(2000), 0, 0.1), 2000).float().mean().item()
    if near(few, 0.9, 0.05):
        raise Wrong("With share=0.1 nine tenths of yours are 1. A 1 must come with probability `share`: coins < share.")
    if not 0.05 < few < 0.15:
        raise Wrong(f"With share=0.1 a tenth of the labels should be 1; in yours it is {few:.2f}.")
    expected = (np.random.default_rng(3).random(int(ids.max()) + 1) < 0.5)[ids.numpy()]
    if not labels.equal(torch.from_numpy(expected).long()):
        raise Wrong(
            "These are fair coins, but not those of `np.random.default_rng(seed).random(n) < share`, one per type from id 0."
        )
    if not _labels(control_labels(ids), len(ids)).equal(_labels(control_labels(ids, 0, 0.5), len(ids))):
        raise Wrong("Without a seed it is 0, and without a share 0.5. Keep the defaults of the stub.")
    return "One coin per token type, the same one in every text: a probe that is right here has memorized."


def _labels(answer, count: int):
    import torch

    labels = tensor(answer, (count,), "a label, 0 or 1, for each token")
    if not torch.isin(labels, torch.tensor([0.0, 1.0]).double()).all():
        raise Wrong(f"A label is 0 or 1; in yours there is {shown(labels[(labels != 0) & (labels != 1)][0])}.")
    if answer.dtype != torch.int64:
        raise Wrong(f"Your labels are {answer.dtype}. A probe needs whole numbers, int64: `.long()`.")
    return answer.long()


@exercise
def check_steer_hook(steer_hook: Callable) -> str:
    """Build: a function that adds a multiple of a direction to the stream."""
    import torch

    rng = torch.Generator().manual_seed(0)
    x, direction = torch.randn(2, 3, 4, generator=rng), torch.randn(4, generator=rng)
    kept = direction.clone()
    hook = hook_of(steer_hook(direction, 3.0))
    answer = replaced(hook, x, "the stream after it")
    if not direction.equal(kept):
        raise Wrong("You changed the direction. It is needed for the next token, and for the next strength: no `*=`.")
    right = x + 3 * direction
    last, first = x.clone(), x.clone()
    last[:, -1] += 3 * direction
    first[:, 0] += 3 * direction
    refuse(
        answer,
        right,
        {
            "The strength is missing: add strength · direction.": x + direction,
            "You subtracted. Add strength · direction.": x - 3 * direction,
            "The direction took the stream's place. Add it.": (3 * direction).expand_as(x),
            "Only the last position was steered. Add it at every position.": last,
            "Only the first position was steered. Add it at every position.": first,
            "You multiplied the stream by the direction. Add it.": x * (3 * direction),
            "You scaled the stream as well: only the direction is multiplied by the strength.": 3 * (x + direction),
            "You scaled the direction to length 1 first. Its own length says how large a natural step is.": x
            + 3 * direction / direction.norm(),
            "The strength multiplies the stream in yours. It belongs to the direction.": 3 * x + direction,
            "You divided by the strength. Multiply the direction by it.": x + direction / 3,
            "You mixed the two, (1 − strength) · x + strength · direction. Leave x whole, and add.": 3 * direction
            - 2 * x,
            "The stream is unchanged.": x,
        },
    )
    if not same(answer, right):
        raise Wrong(f"For strength 3 yours has {difference(answer, right)}.")
    if not same(replaced(hook, x, "the stream"), right):
        raise Wrong("Called a second time, the same hook does something else. It is called once for every token.")
    if not same(replaced(hook_of(steer_hook(direction, -2.0)), x, "the stream"), x - 2 * direction):
        raise Wrong("With strength −2 yours does something else. A negative strength steers the other way.")
    if not same(replaced(hook_of(steer_hook(direction)), x, "the stream"), x + direction):
        raise Wrong("Without a strength it is 1.")
    if not same(replaced(hook_of(steer_hook(direction, 3.0)), x[:1, :1], "the stream of one token"), right[:1, :1]):
        raise Wrong("A bot that generates reads one token at a time: it must work for T = 1.")
    half = steer_hook(direction.double(), 1.0)(x)
    if half.dtype != x.dtype:
        raise Wrong(
            "With a direction in float64 the stream became float64, too. `direction.to(x)` takes its dtype and device."
        )
    refuse_fixed_device(
        lambda: steer_hook(direction)(x.to("meta")),
        "With the model on another device than the direction yours fails. `direction.to(x)` brings it there.",
    )
    return "Added at every position, as far as the strength says, in both directions."


@exercise
def check_induction_score(induction_score: Callable) -> str:
    """Build: the mean attention weight from each token of a repetition to what followed its last occurrence."""
    import torch

    rng = torch.Generator().manual_seed(0)
    period, T = 4, 11
    pattern = torch.rand(3, 2, T, T, generator=rng).tril()
    pattern = pattern / pattern.sum(-1, keepdim=True)

    def along(weights, offset, first=period, end=T):
        t = torch.arange(max(first, offset), end)
        return weights[:, :, t, t - offset].mean((0, 2))

    weights_from_0 = pattern[:, :, torch.arange(T), torch.arange(T) - period + 1].mean((0, 2))

    given = call(induction_score, pattern, period, changed=CHANGED)
    if torch.is_tensor(given) and given.shape == (3, 2):
        raise Wrong("One number per head, [n_head]: take the mean over the texts, too.")
    if torch.is_tensor(given) and given.ndim == 0:
        raise Wrong("One number per head, [n_head]: the heads, dimension 1, stay apart.")
    answer = tensor(given, (2,), "a score for each head, [n_head]")
    right = along(pattern, period - 1)
    refuse(
        answer,
        right,
        {
            "That is attention to the earlier occurrence itself, t − period. The token after it: t − period + 1.": along(
                pattern, period
            ),
            "One step in the wrong direction: the token after it is at t − period + 1, not t − period − 1.": along(
                pattern, period + 1
            ),
            "Queries and keys are swapped: dimension 2 holds the queries, 3 the keys.": along(
                pattern.transpose(2, 3), period - 1
            ),
            "Earlier queries count in yours: before position `period` nothing has come twice.": along(
                pattern, period - 1, period - 1
            ),
            "Your queries begin at 0, where t − period + 1 is negative. Begin at t = period.": weights_from_0,
            "You left out the last query. `torch.arange(period, T)` already ends at T − 1.": along(
                pattern, period - 1, end=T - 1
            ),
            "Only the first text counts in yours. Take the mean over all of them.": along(pattern[:1], period - 1),
            "You took a block: every query with every key. One key a query: `pattern[:, :, t, t - period + 1]`.": (
                pattern[:, :, period:, 1 : T - period + 1].mean((0, 2, 3))
            ),
            "Only the first repetition counts in yours. Take all queries from `period` on, up to T.": along(
                pattern[:, :, : 2 * period, : 2 * period], period - 1, end=2 * period
            ),
            "Only the last query counts in yours. Take the mean over all from `period` on.": along(
                pattern, period - 1, T - 1
            ),
            "You left out the query at position `period`: there the first token comes for the second time.": along(
                pattern, period - 1, period + 1
            ),
            "That is the previous-token score: attention to t − 1.": along(pattern, 1),
            "You added up the weights. Take their mean.": along(pattern, period - 1) * (T - period),
            "You divided by all T queries. Only those from `period` on count.": along(pattern, period - 1)
            * (T - period)
            / T,
            "That is the largest weight. Take the mean.": pattern[
                :, :, torch.arange(period, T), torch.arange(1, T - period + 1)
            ]
            .amax(2)
            .mean(0),
        },
    )
    if not same(answer, right):
        raise Wrong(f"For my two heads, with period 4, yours has {difference(answer, right)}.")
    if not same(induction_score(pattern, 6), along(pattern, 5, 6)):
        raise Wrong("With period 6 yours is wrong: does it use 4?")
    refuse_fixed_device(
        lambda: induction_score(pattern.to("meta"), period),
        "A tensor of yours is always on the CPU: create it with device=pattern.device.",
    )
    return "Every token of the repetition asks for what came next last time."
