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
    result = tensor(answer, tuple(x.shape), what)
    if answer.dtype != x.dtype:
        raise Wrong(
            f"The activation became {answer.dtype}, and the next layer needs {x.dtype}. Keep the dtype of the input."
        )
    return result


@exercise
def check_ablate_head(ablate_head: Callable) -> str:
    """Build: a function that replaces one head of z [B, n_head, T, D] by a value."""
    import torch

    z = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    mean, other = torch.arange(5.0), torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(1))
    for value in (mean, 0.5, other):  # no zero: added, subtracted and put in everywhere, it would hide what was done
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
                "The other heads became zeros. They stay as they were.": _only(right, 1),
                "You subtracted the value. It takes the head's place.": z - _only(_with(z, 1, value), 1),
                "Only the last token was changed. Replace the head at every position: `z[:, head]`.": _put(
                    z, right, (slice(None), slice(None), -1)
                ),
                "Only the first text was changed. Replace the head in all of them: `z[:, head]`.": _put(z, right, 0),
                "The heads up to this one were replaced. Only this one: `z[:, head]`.": _with(right, 0, value),
                "The heads from this one on were replaced. Only this one: `z[:, head]`.": _with(right, 2, value),
                "Head `head - 1` was replaced. Heads are counted from 0: `z[:, head]`.": _with(z, 0, value),
                "Head `head + 1` was replaced. Heads are counted from 0: `z[:, head]`.": _with(z, 2, value),
            },
        )
        if not same(answer, right):
            raise Wrong(f"With head 1 of 3 replaced, yours has {difference(answer, right)}.")
    zero = replaced(hook_of(ablate_head(1, 0.0)), z, "the activation after it")
    if not same(zero, _with(z, 1, 0.0)):
        raise Wrong("With the value 0.0 yours does something else. Is there an `if value` in it? 0 is a value, too.")
    first = replaced(hook_of(ablate_head(0, mean)), z, "the activation after it")
    if not same(first, _with(z, 0, mean)):
        raise Wrong("For head 0 yours does something else. Is there an `if head` in it? Head 0 is a head, too.")
    hook = hook_of(ablate_head(2, mean))
    if not same(replaced(hook, z[:1, :, :1], "the activation of one token"), _with(z[:1, :, :1], 2, mean)):
        raise Wrong("It must work for any number of texts and tokens: a bot that generates reads one token at a time.")
    refuse_fixed_device(
        lambda: [ablate_head(1, value)(z.to("meta")) for value in (0.0, mean.to("meta"))],
        "A tensor of yours is always on the CPU. A copy of z, `z.clone()`, lies where z lies.",
    )
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
            "You patched the last position, whatever `position` is.": _put(x, clean, (slice(None), -1)),
            "Only the first text of the batch was patched. Patch all of them: `x[:, position]`.": _put(
                x, clean, (0, 2)
            ),
            "Every text got the clean activation of the first one. Take all of them: `clean[:, position]`.": _put(
                x, clean[:1], (slice(None), 2)
            ),
            "You put zeros in. Take the activation of `clean`.": _put(x, 0 * clean, (slice(None), 2)),
            "Everything around the position became zeros. Begin with a copy of `x`.": _put(
                0 * x, clean, (slice(None), 2)
            ),
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
            "With a head given, nothing was patched. (A slice `position : position + 1` is empty for position −1.)": z,
            "With a head given, yours patches the stream's position as well. Is an `else` missing?": _put(
                right, clean, (slice(None), -1)
            ),
        },
    )
    if not same(answer, right):
        raise Wrong(f"For head 1 at the last position yours has {difference(answer, right)}.")
    answer = replaced(hook_of(patch_hook(clean, 2, 1)), z, "the heads after it")
    if same(answer, right):
        raise Wrong("With a head given, yours patches the last position, whatever `position` is.")
    if not same(answer, _put(z, clean, (slice(None), 1, 2))):
        raise Wrong(f"For head 1 at position 2 yours has {difference(answer, _put(z, clean, (slice(None), 1, 2)))}.")
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
    for B, H, T, D in ((1, 4, 3, 4), (2, 3, 4, 5)):  # in the first W is square: rows and columns fit equally well
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
            "Every head's columns got the z of head 0. Head h needs its own, `z[:, h]`.": torch.einsum(
                "btd,chd->hbtc", z[:, 0], columns
            ),
            "Yours add up from head to head. Keep each head's own part.": right.cumsum(0),
            "That is what all the *other* heads add.": right.sum(0) - right,
            "The columns of neighbors overlap in yours. Head h begins at column h · D, not h.": torch.stack(
                [z[:, h] @ weight[:, h : h + D].T for h in range(H)]
            ),
        }
        if C == H * D:
            mistakes["You cut the *rows* of the matrix. nn.Linear computes x @ weight.T, so a head owns columns."] = (
                torch.einsum("bhtd,hdc->hbtc", z, weight.unflatten(0, (H, D)))
            )
        refuse(answer, right, mistakes)
        if not same(answer, right):
            raise Wrong(f"With {H} heads of {D} numbers yours has {difference(answer, right)}.")
    refuse_fixed_device(
        lambda: head_outputs(weight.to("meta"), z.to("meta")),
        "A tensor of yours is always on the CPU. Create it with device=z.device, or stack the parts.",
    )
    return "Each head's own part, and together they are the whole attention output."


def _capped(cap: float, logits):
    return cap * (logits / cap).tanh() if cap else logits


def _lens_mistakes(model, stream, cap: float) -> dict:
    """Return what known mistakes make of the stream, by message, for a model with this cap (0: none)."""
    capped, plain = partial(_capped, cap), model.head(model.norm(stream))
    right = capped(plain)
    mistakes = {
        "The final norm is missing: `model.norm(stream)` comes before `model.head`.": capped(model.head(stream)),
        "Those are probabilities. Return the logits: no softmax.": right.softmax(-1),
        "Those are log-probabilities. Return the logits.": right.log_softmax(-1),
    }
    if not cap:
        fixed = {"This model has no cap: where logit_cap is 0, return the logits as they are.": _capped(15.0, plain)}
        return mistakes | fixed
    squeezed = "You squeezed the stream. The cap is for the logits, after `model.head`."
    return mistakes | {
        "The final norm and the cap are missing.": model.head(stream),
        squeezed: model.head(model.norm(capped(stream))),
        squeezed + " (Not between norm and head.)": model.head(capped(model.norm(stream))),
        f"The cap is missing: this model squeezes its logits, {cap:g} · tanh(logits / {cap:g}).": plain,
        "The cap is half there: tanh(ℓ / c) lies between −1 and 1. Multiply by c again.": (plain / cap).tanh(),
        "You forgot to divide by c inside of tanh.": cap * plain.tanh(),
        "You multiplied by c inside of tanh. Divide there, and multiply outside: c · tanh(ℓ / c).": cap
        * (plain * cap).tanh(),
        "You divided by c outside of tanh. Multiply there: c · tanh(ℓ / c).": (plain / cap).tanh() / cap,
        "You squeezed the logits twice. Once is enough.": capped(right),
        "You clipped the logits. The cap is smooth: c · tanh(ℓ / c).": plain.clip(-cap, cap),
        "You always squeeze by 15. The number is the model's own: `model.settings.logit_cap`.": _capped(15.0, plain),
    }


@exercise
def check_logit_lens(logit_lens: Callable) -> str:
    """Build: final norm, output matrix and cap, applied to the stream after any layer."""
    import torch

    from helpers.models.gpt import GPT, GPTConfig

    torch.manual_seed(0)
    settings = {"context": 16, "n_embd": 8, "n_layer": 2, "n_head": 2}
    for cap, config in (
        (15.0, GPTConfig.modern(23, logit_cap=15.0, **settings)),
        (0.0, GPTConfig.modern(23, logit_cap=0.0, **settings)),
        (6.0, GPTConfig.modern(23, logit_cap=6.0, **settings)),
        (0.0, GPTConfig.gpt2(23, **settings)),  # another norm, with parameters of its own
    ):
        model = GPT(config).eval()
        model.head.weight.data.normal_(std=3.0)
        for parameter in model.norm.parameters():
            parameter.data.uniform_(0.5, 2.0)
        stream = 3 * torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            given = call(partial(logit_lens, model), stream, changed="You changed the stream. Compute a new tensor.")
            answer = tensor(given, (2, 5, 23), "logits [B, T, V]")
            if not cap and (answer.isnan().any() or not answer.any()):
                raise Wrong(
                    "Where logit_cap is 0 yours divides by it. Ask first, `if cap`, and otherwise leave the logits as they are."
                )
            refuse(answer, _capped(cap, model.head(model.norm(stream))), _lens_mistakes(model, stream, cap))
            right = _capped(cap, model.head(model.norm(stream)))
            if not same(answer, right):
                case = f"with a cap of {cap:g}" if cap else "without a cap"
                case += (
                    ""
                    if config.norm == "rms"
                    else ", whose final norm has numbers of its own (use `model.norm`, once),"
                )
                raise Wrong(f"For a model {case} yours has {difference(answer, right)}.")
            if not same(logit_lens(model, stream[0]), right[0]):
                raise Wrong("It must work for a stream of any shape [..., C], for [T, C], too.")
            (logits, _), cache = model.run_with_cache(torch.arange(6)[None], names=["blocks.1.hook_resid_post"])
            if not same(logit_lens(model, cache["blocks.1.hook_resid_post"]), logits):
                raise Wrong("After the last layer the lens must give the model's own logits, and yours does not.")
        model, stream = model.to("meta"), stream.to("meta")
        refuse_fixed_device(partial(logit_lens, model, stream), "A tensor of yours is always on the CPU.")
    return "After the last layer it is the model's own prediction; before it, what the model would say now."
