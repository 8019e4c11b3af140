"""Checks of notebook 10's first lesson: a head taken out, an activation patched, what heads write, the logit lens."""

from collections.abc import Callable
from functools import partial

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, difference, kind, refuse_fixed_device, refuse_known, same, tensor

CHANGED = "You changed a tensor that you were given: others still need it. Begin with `.clone()`."


def refuse(answer, right, mistakes: dict) -> None:
    """Raise ``Wrong`` for the answer of a known mistake, except where in this case it gives what is right."""
    refuse_known(answer, {message: wrong for message, wrong in mistakes.items() if not same(wrong, right)})


def hook_of(answer):
    """Return what a learner's function gave back, which must be a function for a hook point."""
    import torch

    if torch.is_tensor(tried(answer)) or not callable(answer):
        raise Wrong(f"Return a *function* that a hook point can call with the activation; I got {kind(answer)}.")
    return answer


def replaced(hook: Callable, x, what: str):
    """Return what a hook makes of the activation ``x``, as float64: a new tensor of its shape, with ``x`` as it was."""
    kept = x.clone()
    answer = hook(x)
    if not x.equal(kept):
        raise Wrong(CHANGED)
    if answer is None:
        raise Wrong("Your inner function gives back None. Is its `return` missing?")
    return tensor(answer, tuple(x.shape), what)


@exercise
def check_ablate_head(ablate_head: Callable) -> str:
    """Build: a function that replaces one head of z [B, n_head, T, D] by a value."""
    import torch

    z = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    mean, other = torch.arange(5.0), torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(1))
    for value in (mean, 0.0, other):
        answer = replaced(hook_of(ablate_head(1, value)), z, "the activation after it")
        right = z.clone()
        right[:, 1] = value
        everywhere, position, row, column = (z.clone() for _ in range(4))
        everywhere[:] = value[:, None] if value is other else value
        position[:, :, 1] = value[:, 1][:, None] if value is other else value
        row[1] = value[1] if value is other else value
        column[..., 1] = 0.0
        refuse(
            answer,
            right,
            {
                "All heads were replaced. Assign to one of them: `z[:, head]`.": everywhere,
                "You replaced a position in all heads. The heads are dimension 1: `z[:, head]`.": position,
                "You replaced a text of the batch. Dimension 0 counts texts, dimension 1 heads: `z[:, head]`.": row,
                "You replaced a number within every head. The heads are dimension 1: `z[:, head]`.": column,
                "The activation is unchanged. Assign `value` to head number `head` of the copy.": z,
                "You added the value. It takes the head's place.": right + _only(z, 1),
                "You put zeros in, whatever the value is.": _with(z, 1, 0.0),
                "You kept this head and replaced the others. It is the other way around.": _others(z, 1, value),
            },
        )
        if not same(answer, right):
            raise Wrong(f"With head 1 of 3 replaced, yours has {difference(answer, right)}.")
    first = replaced(hook_of(ablate_head(0, 0.0)), z, "the activation after it")
    if not same(first, _with(z, 0, 0.0)):
        raise Wrong("For head 0 yours does something else. Is there an `if head` in it? Head 0 is a head, too.")
    hook = hook_of(ablate_head(2, mean))
    if not same(replaced(hook, z[:1, :, :1], "the activation of one token"), _with(z[:1, :, :1], 2, mean)):
        raise Wrong("It must work for any number of texts and tokens: a bot that generates reads one token at a time.")
    return "One head says something else, the others what they said, and the original is untouched."


def _only(z, head: int):
    part = z * 0
    part[:, head] = z[:, head]
    return part


def _with(z, head: int, value):
    z = z.clone()
    z[:, head] = value
    return z


def _others(z, head: int, value):
    import torch

    kept = z.clone()
    value = torch.as_tensor(value)
    for other in range(z.shape[1]):
        if other != head:
            kept[:, other] = value
    return kept


@exercise
def check_patch_hook(patch_hook: Callable) -> str:
    """Build: a function that puts the clean run's activation in at one position, of one head or of the stream."""
    import torch

    rng = torch.Generator().manual_seed(0)
    x, clean = torch.randn(2, 4, 5, generator=rng), torch.randn(2, 4, 5, generator=rng)
    kept = clean.clone()
    answer = replaced(hook_of(patch_hook(clean, 2)), x, "the stream after it")
    if not clean.equal(kept):
        raise Wrong("You changed the clean run's activation. It is needed for the next patch: clone `x`, not `clean`.")
    right = _put(x, clean, (slice(None), 2))
    refuse(
        answer,
        right,
        {
            "The whole text was patched. Put in one position: `x[:, position]`.": clean,
            "Nothing was patched: the run keeps its own activation. Take that of `clean`.": x,
            "You patched one text of the batch, not one position. Dimension 0 counts texts.": _put(x, clean, 1),
            "You patched one of the C numbers at every position. The positions are dimension 1 of the stream.": _put(
                x, clean, (slice(None), slice(None), 2)
            ),
            "You put the activation of the run into the clean one. It is the other way around.": _put(
                clean, x, (slice(None), 2)
            ),
            "All positions up to this one were patched. Only one.": _put(x, clean, (slice(None), slice(0, 3))),
            "All positions from this one on were patched. Only one.": _put(x, clean, (slice(None), slice(2, None))),
            "The clean activation was added. It takes the place of the other.": _put(x, x + clean, (slice(None), 2)),
        },
    )
    if not same(answer, right):
        raise Wrong(f"For the stream, position 2, yours has {difference(answer, right)}.")
    z, clean = torch.randn(2, 3, 4, 5, generator=rng), torch.randn(2, 3, 4, 5, generator=rng)
    answer = replaced(hook_of(patch_hook(clean, -1, 1)), z, "the heads after it")
    right = _put(z, clean, (slice(None), 1, -1))
    refuse(
        answer,
        right,
        {
            "All heads were patched at this position. With a head given, patch only that one.": _put(
                z, clean, (slice(None), slice(None), -1)
            ),
            "The head was patched at all positions. Patch it at `position` only.": _put(z, clean, (slice(None), 1)),
            "Head and position are swapped: `hook_z` is [B, n_head, T, D].": _put(z, clean, (slice(None), -1, 1)),
            "With a head given, yours patches the stream's dimension 1, which is the heads here: `x[:, head, position]`.": _put(
                z, clean, (slice(None), -1)
            ),
            "With a head given, nothing was patched.": z,
        },
    )
    if not same(answer, right):
        raise Wrong(f"For head 1 at the last position yours has {difference(answer, right)}.")
    answer = replaced(hook_of(patch_hook(clean, 2, 0)), z, "the heads after it")
    if not same(answer, _put(z, clean, (slice(None), 0, 2))):
        raise Wrong("For head 0 yours does something else: `if head` is false for 0. Ask `if head is None`.")
    one = replaced(hook_of(patch_hook(clean[:1], -1, 2)), z, "the heads after it")
    if not same(one, _put(z, clean[:1], (slice(None), 2, -1))):
        raise Wrong("A clean run of one text must do for a batch of several: assign, and let it broadcast.")
    return "One position speaks of another sentence, and everything around it of this one."


def _put(x, clean, index):
    x = x.clone()
    x[index] = clean.expand_as(x)[index]
    return x


@exercise
def check_head_outputs(head_outputs: Callable) -> str:
    """Build: what each head adds to the stream, its columns of the output matrix times its weighted sum."""
    import torch

    rng = torch.Generator().manual_seed(0)
    for B, H, T, D in ((2, 3, 4, 5), (1, 4, 3, 4)):  # in the second W is square: rows and columns fit equally well
        weight, z = torch.randn(H * D if H == 4 else 7, H * D, generator=rng), torch.randn(B, H, T, D, generator=rng)
        C = len(weight)
        columns = weight.unflatten(1, (H, D))  # [C, H, D]
        right = torch.einsum("bhtd,chd->hbtc", z, columns)
        given = call(head_outputs, weight, z, changed="You changed a tensor that you were given. Compute new ones.")
        if torch.is_tensor(given) and given.shape == (B, T, C):
            raise Wrong("That is what all heads together add. Keep them apart: the heads are the first dimension.")
        if torch.is_tensor(given) and given.shape == (B, H, T, C) != (H, B, T, C):
            raise Wrong("The heads must be the first dimension, [n_head, B, T, C]; yours has the texts first.")
        answer = tensor(given, (H, B, T, C), "what each head adds, [n_head, B, T, C]")
        mistakes = {
            "Every head got the columns of head 0. Head h owns the columns from h · D on.": torch.einsum(
                "bhtd,cd->hbtc", z, columns[:, 0]
            ),
            "You took every n_head-th column. A head's columns stand side by side: h · D to (h + 1) · D.": (
                torch.einsum("bhtd,cdh->hbtc", z, weight.unflatten(1, (D, H)))
            ),
            "The heads' columns are in the opposite order.": torch.einsum("bhtd,chd->hbtc", z, columns.flip(1)),
            "Each head gets the sum of all. Multiply each with its own columns only.": right.sum(
                0, keepdim=True
            ).expand_as(right),
            "You divided by the number of heads. The heads are added, not averaged.": right / H,
        }
        if C == H * D:
            mistakes["You cut the *rows* of the matrix. nn.Linear computes x @ weight.T, so a head owns columns."] = (
                torch.einsum("bhtd,hdc->hbtc", z, weight.unflatten(0, (H, D)))
            )
        refuse(answer, right, mistakes)
        if not same(answer, right):
            raise Wrong(f"With {H} heads of {D} numbers yours has {difference(answer, right)}.")
    return "Each head's own part, and together they are the whole attention output."


def _capped(cap: float, logits):
    return cap * (logits / cap).tanh() if cap else logits


@exercise
def check_logit_lens(logit_lens: Callable) -> str:
    """Build: final norm, output matrix and cap, applied to the stream after any layer."""
    import torch

    from helpers.models.gpt import GPT, GPTConfig

    torch.manual_seed(0)
    for cap in (15.0, 0.0):
        model = GPT(GPTConfig.modern(23, context=16, n_embd=8, n_layer=2, n_head=2, logit_cap=cap)).eval()
        model.head.weight.data.normal_(std=3.0)
        stream = 3 * torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            given = call(partial(logit_lens, model), stream, changed="You changed the stream. Compute a new tensor.")
            answer = tensor(given, (2, 5, 23), "logits [B, T, V]")
            plain = model.head(model.norm(stream))
            capped = partial(_capped, cap)
            right = capped(plain)
            refuse(
                answer,
                right,
                {
                    "The final norm is missing: `model.norm(stream)` comes before `model.head`.": capped(
                        model.head(stream)
                    ),
                    "The final norm and the cap are missing.": model.head(stream),
                    "You squeezed the stream. The cap is for the logits, after `model.head`.": model.head(
                        model.norm(cap * torch.tanh(stream / (cap or 1)))
                    ),
                    "That are probabilities. Return the logits: no softmax.": right.softmax(-1),
                    "That are log-probabilities. Return the logits.": right.log_softmax(-1),
                }
                | (
                    {
                        "The cap is missing: this model squeezes its logits, 15 · tanh(logits / 15).": plain,
                        "The cap is half there: tanh(ℓ / c) lies between −1 and 1. Multiply by c again.": torch.tanh(
                            plain / cap
                        ),
                        "You forgot to divide by c inside of tanh.": cap * torch.tanh(plain),
                        "You clipped the logits. The cap is smooth: c · tanh(ℓ / c).": plain.clip(-cap, cap),
                    }
                    if cap
                    else {
                        "This model has no cap: where logit_cap is 0, return the logits as they are.": 15
                        * torch.tanh(plain / 15)
                    }
                ),
            )
        if not same(answer, right):
            raise Wrong(
                f"For a model {'with a cap of 15' if cap else 'without a cap'} yours has {difference(answer, right)}."
            )
        ids = torch.arange(6)[None]
        with torch.no_grad():
            (logits, _), cache = model.run_with_cache(ids, names=["blocks.1.hook_resid_post"])
            if not same(logit_lens(model, cache["blocks.1.hook_resid_post"]), logits):
                raise Wrong("After the last layer the lens must give the model's own logits, and yours does not.")
    refuse_fixed_device(
        lambda: logit_lens(model.to("meta"), stream.to("meta")), "A tensor of yours is always on the CPU."
    )
    return "After the last layer it is the model's own prediction; before it, what the model would say now."
