"""Checks of the attention that learners write in notebook 06, without and with a cache; ``helpers.checks.nb06`` hands them on.

A class is given weights and held against the formula, computed here with exactly these weights, and against what known
mistakes would give with them.
"""

import math
from contextlib import contextmanager

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, difference, kind, module, refuse_fixed_device, refuse_known, same, tensor

SIZES = {"context": 8, "n_embd": 8, "n_layer": 2, "n_head": 2}
OTHER = {"context": 8, "n_embd": 12, "n_layer": 3, "n_head": 4}  # right for both: no size is written down as a number
DEVICE = "What you make in `forward` stays on the CPU, so it fails on a GPU: torch.ones(…, device=x.device)."
CHANGED = "You changed the vectors you were given. Compute new ones: the residual stream needs the old ones."


def config(sizes: dict = SIZES):
    from helpers.models.gpt_config import GPTConfig

    return GPTConfig.gpt2(11, **sizes)


@contextmanager
def numbers(seed: int = 0):
    """Inside, torch's chance starts from ``seed``; the notebook's own goes on undisturbed."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield torch


def built(cls, what: str, parts: dict, sizes: dict = SIZES):
    """Return a network of the learner's class in float64, its weights replaced by larger ones: then every mistake shows."""
    with numbers() as torch:
        layer = module(tried(cls(config(sizes))), what)
        held = {name: tuple(value.shape) for name, value in layer.named_parameters()}
        for name, shape in parts.items():
            if name not in held:
                raise Wrong(f"A part is missing: I find no {name} in your class. Take the names of the parts from the text.")
            if held[name] != shape:
                raise Wrong(f"{name} should have the shape {list(shape)}, and yours has {list(held[name])}.")
        layer = layer.double()
        for name, weights in layer.named_parameters():
            values = torch.randn(weights.shape, dtype=torch.float64) * 0.6
            weights.data = values + 1 if "norm" in name and name.endswith("weight") else values
    return layer.eval()


def _heads(parts: tuple, n_head: int) -> list:
    """Return queries, keys and values [B, n_head, T, D] of their three [B, T, C]."""
    return [part.unflatten(-1, (n_head, -1)).transpose(1, 2) for part in parts]


def _future(T: int, S: int = 0):
    import torch

    return torch.ones(T, S + T, dtype=torch.bool).triu(S + 1)


def _weights(q, k, scale: float, dim: int = -1, fill: float = -math.inf, mask=None):
    mask = _future(q.shape[2], k.shape[2] - q.shape[2]) if mask is None else mask
    return (q @ k.transpose(-2, -1) * scale).masked_fill(mask, fill).softmax(dim)


def _attention_mistakes(layer, x, n_head: int = SIZES["n_head"]) -> tuple:
    """Return the attention output of ``x``, and what known mistakes would give: {message: output}."""
    import torch

    parts = layer.qkv(x).chunk(3, dim=-1)
    q, k, v = _heads(parts, n_head)
    (T, D), scale = q.shape[2:], q.shape[-1] ** -0.5

    def merged(z):
        return layer.output(z.transpose(1, 2).flatten(2))

    weights, nothing = _weights(q, k, scale), torch.zeros(T, T, dtype=torch.bool)
    one = _heads(parts, 1)
    split_wrongly = [part.reshape(x.shape[0], n_head, T, D) for part in parts]
    unmasked = _weights(q, k, scale, mask=nothing)
    late = unmasked.masked_fill(_future(T), 0.0)
    past = torch.ones(T, T, dtype=torch.bool).tril(-1)
    return merged(weights @ v), {
        "There is no mask: every token sees the future. Fill the scores above the diagonal with −∞ before the softmax.": merged(
            unmasked @ v
        ),
        "Your mask hides the past and shows the future. True above the diagonal is the future: `triu(1)`.": merged(
            _weights(q, k, scale, mask=past) @ v
        ),
        "You masked after the softmax, so the weights of a row do not sum to 1. Mask the scores, then take the softmax.": merged(
            late @ v
        ),
        "You masked with 0. A score of 0 still gets weight after the softmax; −∞ gets none: `masked_fill(future, -math.inf)`.": (
            merged(_weights(q, k, scale, fill=0.0) @ v)
        ),
        "The division by √D is missing: without it large heads give scores so large that the softmax takes one token only.": (
            merged(_weights(q, k, 1.0) @ v)
        ),
        "You divided by √n_embd. Each head works with D = n_embd / n_head numbers: divide by the root of that.": merged(
            _weights(q, k, x.shape[-1] ** -0.5) @ v
        ),
        "You divided by D. Divide the scores by its root.": merged(_weights(q, k, 1 / D) @ v),
        "You divided by √2, which was right for the example's two numbers. Here D = n_embd / n_head.": merged(
            _weights(q, k, 2**-0.5) @ v
        ),
        "Your softmax runs over the queries. For each query the weights of all keys sum to 1: the last axis, dim=-1.": merged(
            _weights(q, k, scale, dim=-2) @ v
        ),
        "You have one head of all n_embd numbers. Split q, k and v into n_head heads first, each with its own weights.": merged(
            _weights(*one[:2], scale) @ one[2]
        ),
        "You have one head, scaled by its own size. Split q, k and v into n_head heads, each with its own weights.": merged(
            _weights(*one[:2], x.shape[-1] ** -0.5) @ one[2]
        ),
        "The heads are cut wrongly: [B, T, C] becomes [B, T, n_head, D] first (`unflatten`), then T and n_head are exchanged.": (
            merged(_weights(*split_wrongly[:2], scale) @ split_wrongly[2])
        ),
        "The heads are joined wrongly: exchange n_head and T again (`transpose(1, 2)`) before you flatten.": layer.output(
            (weights @ v).reshape(x.shape)
        ),
        "The last product is missing: pass the joined heads through `self.output`.": (weights @ v).transpose(1, 2).flatten(2),
        "Queries and keys are exchanged: the scores are `q @ k.transpose(-2, -1)`, a row for each query.": merged(
            _weights(k, q, scale) @ v
        ),
        "You added x. The addition to the residual stream is the Block's task; return the attention output alone.": x
        + merged(weights @ v),
    }


@exercise
def check_Attention(Attention: type) -> str:
    """Build: causal self-attention with n_head heads, x [B, T, C] -> [B, T, C]."""
    C = SIZES["n_embd"]
    layer = built(
        Attention, "a layer", {"qkv.weight": (3 * C, C), "qkv.bias": (3 * C,), "output.weight": (C, C), "output.bias": (C,)}
    )
    with numbers(1) as torch:
        x = torch.randn(2, 6, C, dtype=torch.float64)
    with torch.no_grad():
        answer = tensor(call(layer, x, changed=CHANGED), (2, 6, C), "the attention output, as large as x")
        if answer.isnan().any():
            raise Wrong(
                "Some results are not numbers: a softmax had nothing but −∞. Does every token see itself, mask `triu(1)`, "
                "and does the softmax run over the last axis, dim=-1?"
            )
        right, mistakes = _attention_mistakes(layer, x)
        refuse_known(answer, mistakes)
        if not same(answer, right):
            raise Wrong(f"The output differs from the formula: {difference(answer, right)}. Compare your steps with the "
                        "equation, one by one.")  # fmt: skip
        if not same(layer(x[:1, :1]), _attention_mistakes(layer, x[:1, :1])[0]):
            raise Wrong("A text of one token comes out wrong. Is a length written down as a number?")
        other, wide = built(Attention, "a layer", {}, OTHER), torch.cat((x, x[..., :4]), dim=-1)
        if not same(other(wide), _attention_mistakes(other, wide, OTHER["n_head"])[0]):
            raise Wrong("With four heads the output is another. Is a number of heads written down? It is self.n_head.")
    refuse_fixed_device(lambda: layer.to("meta")(x.to("meta")), DEVICE)
    return "Every token attends to itself and to what came before it, in every head at once."


@exercise
def check_CachedAttention(CachedAttention: type) -> str:
    """Build: attention of new tokens over cached ones, (x [B, T, C], past) -> (output [B, T, C], (keys, values))."""
    layer = built(CachedAttention, "a layer", {"qkv.weight": (24, 8), "output.weight": (8, 8)})
    with numbers(1) as torch:
        x = torch.randn(2, 6, 8, dtype=torch.float64)
    changed = "You changed the cache you were given. Make longer tensors with torch.cat: another reply may need the old one."
    with torch.no_grad():
        q, k, v = _heads(layer.qkv(x).chunk(3, dim=-1), 2)
        answer = tried(layer(x[:, :3]))
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            three = isinstance(answer, tuple | list) and len(answer) == 3
            what = "three: put the keys and the values in a pair" if three else kind(answer)
            raise Wrong(f"Return two things, the output and the pair (keys, values), and not {what}.")
        _compare_step(layer, q[:, :, :3], k[:, :, :3], v[:, :, :3], answer, read=0)
        # Several new tokens first: of a single one, a mask that hides itself and a cache it is not in are the same.
        for read, end in ((2, 6), (3, 4)):
            past = (k[:, :, :read].clone(), v[:, :, :read].clone())
            answer = call(layer, x[:, read:end], past, changed=changed, first=False)
            _compare_step(layer, q[:, :, read:end], k[:, :, :end], v[:, :, :end], answer, read=read)
    elsewhere = tuple(part.to("meta") for part in past)
    refuse_fixed_device(lambda: layer.to("meta")(x[:, 3:4].to("meta"), elsewhere), DEVICE)
    return "Each token is read once, and every later one still sees it. Your GPT writes with a cache from now on."


def _compare_step(layer, q, k, v, answer, read: int) -> None:
    """Raise ``Wrong`` when ``answer`` is not what new queries [B, n_head, T, D] give over all keys and values."""
    import torch

    T, D, new = q.shape[2], q.shape[-1], slice(read, None)
    if not isinstance(answer, tuple | list) or len(answer) != 2 or not isinstance(answer[1], tuple | list):
        raise Wrong("Return two things: the output, and the pair (keys, values).")
    output, kept = answer[0], list(answer[1])
    if len(kept) != 2 or not all(map(torch.is_tensor, kept)):
        raise Wrong("The second thing you return is a pair of tensors: all keys, and all values.")
    if same(kept[0], v) and same(kept[1], k):
        raise Wrong("Keys and values are mixed up in what you return: the keys come first.")
    if read and same(kept[0], k[:, :, new]):
        raise Wrong("The cache does not grow: return the old keys and values with the new ones after them.")
    if read and same(kept[0], torch.cat((k[:, :, new], k[:, :, :read]), dim=2)):
        raise Wrong("You put the new keys in front of the old ones. They come last, as the tokens do.")
    if read and same(kept[1], torch.cat((k[:, :, :read], v[:, :, new]), dim=2)):
        raise Wrong("Your old values are the old keys: the values of the cache are past[1].")
    if not same(kept[0], k) or not same(kept[1], v):
        raise Wrong(f"The keys and values you return should be those of all {read + T} tokens, [B, n_head, S + T, D] each.")

    def merged(weights, values=v):
        return layer.output((weights @ values).transpose(1, 2).flatten(2))

    scale, nothing = D**-0.5, torch.zeros(T, read + T, dtype=torch.bool)
    mistakes = {}
    if T > 1:
        mistakes["There is no mask: of several new tokens each sees those after it. Mask them as before."] = merged(
            _weights(q, k, scale, mask=nothing)
        )
    if T > 1 and read:
        mistakes["Your mask hides each new token from itself: it has position S + i and sees that one, too: `triu(S + 1)`."] = (
            merged(_weights(q, k, scale, mask=torch.ones(T, read + T, dtype=torch.bool).triu(read)))
        )
    if read:
        unshifted = torch.ones(T, read + T, dtype=torch.bool).triu(1)
        mistakes |= {
            "Your mask takes the new tokens for the first ones and hides the past. New token i is number S + i: "
            "`triu(S + 1)`.": merged(_weights(q, k, scale, mask=unshifted)),
            "The new tokens attend to themselves only. Append to the cache first, then score *all* keys.": merged(
                _weights(q, k[:, :, new], scale), v[:, :, new]
            ),
            "The new tokens attend to the old ones only. Each sees itself, too: append first, then attend.": merged(
                _weights(q, k[:, :, :read], scale, mask=nothing[:, :read]), v[:, :, :read]
            ),
        }
    mistakes["The division by √D is missing."] = merged(_weights(q, k, 1.0))
    mistakes["The last product is missing: self.output."] = (_weights(q, k, scale) @ v).transpose(1, 2).flatten(2)
    output = tensor(output, (q.shape[0], T, q.shape[1] * D), "the output for the new tokens")
    refuse_known(output, mistakes)
    if not same(output, merged(_weights(q, k, scale))):
        raise Wrong(f"With {read} tokens in the cache and {T} new ones, the output is not that of attention over all of them.")
