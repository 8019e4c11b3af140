"""Check of notebook 04's encoder layer: it is computed again from the parts that the learner's layer has.

The decoder's, in ``nb04_decoder``, uses the same inputs and runs.
"""

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, difference, module, refuse_known, same, tensor

CHANGED = "`x += …` changes the {} that was handed in, and torch still needs it for the gradient. Write x = x + …"
PARTS = ("self_attention", "feed_forward", "self_attention_norm", "feed_forward_norm")


def shaken(layer, names: tuple[str, ...]):
    """Give every parameter a random number, so that no two parts do the same by chance; see that the parts are there."""
    import torch

    for name in names:
        if not hasattr(layer, name):
            raise Wrong(f"Keep the parts of the stub: your layer has no {name}, and its name is used again.")
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            noise = torch.randn(parameter.shape, generator=rng) / 3
            parameter.copy_(1 + noise if name.endswith("norm.weight") else noise)
    return layer


def inputs():
    import torch

    rng = torch.Generator().manual_seed(1)
    return torch.randn(2, 5, 12, generator=rng), torch.randn(2, 7, 12, generator=rng)


def run(layer, *inputs):
    """Return the layer's output; name what its calls of attention were given when they stop, and inputs that it changed."""
    seen = {}
    for name in ("self_attention", "cross_attention"):
        if hasattr(layer, name):
            getattr(layer, name).register_forward_pre_hook(
                lambda _, given, named, name=name: seen.update({name: _arguments(*given, **named)}), with_kwargs=True
            )
    try:
        return call(layer, *inputs, changed=CHANGED.format("x" if len(inputs) == 2 else "x or memory"))
    except (RuntimeError, TypeError):
        import torch

        for name, (_, source, _) in seen.items():
            if torch.is_tensor(source) and source.dtype == torch.bool:
                raise Wrong(
                    f"A mask landed in `source`: {name} takes x, source, mask in this order, so write mask=mask."
                ) from None
        if "cross_attention" in seen:
            _, source, mask = seen["cross_attention"]
            if source is inputs[1] and torch.is_tensor(mask) and mask.shape != inputs[2].shape:
                raise Wrong(
                    f"Cross-attention got a mask of shape {list(mask.shape)}. It needs `mask`, the context's, [B, 1, 1, S]."
                ) from None
            if source is None:
                raise Wrong("Memory is not attended to: cross_attention got no source beside its norm of x.") from None
        elif "self_attention" in seen and len(inputs) == 3:
            mask = seen["self_attention"][2]
            if torch.is_tensor(mask) and mask.shape == inputs[2].shape:
                raise Wrong(
                    "Self-attention got the mask of the context. It needs causal_mask(x.shape[1]); `mask` is for cross-attention."
                ) from None
            if torch.is_tensor(mask):
                raise Wrong(
                    f"Self-attention got a mask of shape {list(mask.shape)} for a reply of {inputs[0].shape[1]} tokens. It needs "
                    "causal_mask(x.shape[1])."
                ) from None
        raise


def _arguments(x=None, source=None, mask=None, **others) -> tuple:
    return x, source, mask


@exercise
def check_EncoderLayer(EncoderLayer: type) -> str:
    """Build 4: self-attention and a feed-forward network, each normalized first (pre-norm) and added to x."""
    import torch

    layer = shaken(module(tried(EncoderLayer(12, 3, 20)), "EncoderLayer(12, 3, 20)"), PARTS)
    with torch.no_grad():
        x, _ = inputs()
        mask = torch.arange(5) < torch.tensor([5, 3])[:, None, None, None]
        _compare_feed_forward(layer, x)
        output = tensor(run(layer, x, mask), (2, 5, 12), "a tensor, x after the layer")
        _compare_encoder(layer, x, mask, output)
        if not same(layer(x), _encoded(layer, x, None)):
            raise Wrong("With a mask the layer is right, without one it is not: mask=None is handed on like any other.")
    return "Normalize, attend, add; normalize, feed forward, add: an encoder layer."


def _compare_feed_forward(layer, x) -> None:
    """See that the feed-forward network is one: two matrices with a ReLU between them."""
    feed = layer.feed_forward
    if (given := feed(x)) is None:
        try:
            tried(layer(x))  # both stubs are as they were
        except TypeError:  # x + None: the layer is written, its feed-forward network is not
            pass
        raise Wrong("FeedForward.forward returns nothing yet: fill it in, too. Or is a `return` missing?")
    known = {
        "FeedForward lacks its ReLU: without it two matrices do no more than one.": feed.down(feed.up(x)),
        "In FeedForward the ReLU stands at the end. It belongs between the two matrices.": feed.down(feed.up(x)).relu(),
    }
    refuse_known(given, known)
    if not same(given, feed.down(feed.up(x).relu())):
        raise Wrong("FeedForward should go up, through a ReLU, and down again: self.down(F.relu(self.up(x))).")


def _encoded(layer, x, mask):
    x = x + layer.self_attention(layer.self_attention_norm(x), mask=mask)
    return x + layer.feed_forward(layer.feed_forward_norm(x))


def _compare_encoder(layer, x, mask, output) -> None:
    attend, feed = layer.self_attention, layer.feed_forward
    norm, norm_2 = layer.self_attention_norm, layer.feed_forward_norm
    attended = attend(norm(x), mask=mask)
    after, raw, own = x + attended, x + attend(x, mask=mask), norm(x) + attended
    post, fed = norm(raw), x + feed(norm_2(x))
    behind = x + norm(attend(x, mask=mask))
    sourced = x + attend(norm(x), x, mask)
    known = {
        "Nothing is added: each part replaces x. Write x = x + …, twice.": feed(norm_2(attended)),
        "The first sum is missing: x = x + what self-attention gives.": attended + feed(norm_2(attended)),
        "The second sum is missing: x + what the feed-forward network gives.": feed(norm_2(after)),
        "Nothing is normalized: each part reads its norm of x.": raw + feed(raw),
        "The feed-forward network reads x as it is. It has a norm of its own: feed_forward_norm.": after + feed(after),
        "Self-attention reads x as it is. It has a norm of its own: self_attention_norm.": raw + feed(norm_2(raw)),
        "You normalize after adding, as in 2017 (post-norm). Here each part normalizes what it reads.": norm_2(
            post + feed(post)
        ),
        "You add to the normalized x. The norm is only for what a part reads; the stream itself stays as it is.": own
        + feed(norm_2(own)),
        "One norm does both jobs in your layer: the feed-forward network has feed_forward_norm.": after
        + feed(norm(after)),
        "Both parts read the same x. The feed-forward network reads what attention has added to.": after
        + feed(norm_2(x)),
        "The feed-forward network comes first in your layer. Attention comes first.": fed
        + attend(norm(fed), mask=mask),
        "The mask is not handed on to self-attention: padding is attended to.": _encoded(layer, x, None),
        "The feed-forward network is missing.": after,
        "You normalize what attention returns. The norm belongs before it: attention of norm(x).": behind
        + norm_2(feed(behind)),
        "Keys and values come from x as it is, because you pass x as the source. Self-attention needs no source.": sourced
        + feed(norm_2(sourced)),
        "The feed-forward network's result is added to the old x. Add it to what the first addition left.": x
        + feed(norm_2(after)),
    }
    refuse_known(output, known)
    if not same(output, _encoded(layer, x, mask)):
        where = difference(output, _encoded(layer, x, mask))
        raise Wrong(f"This is not x + attention of its norm, and then x + feed-forward of its norm: {where}.")
