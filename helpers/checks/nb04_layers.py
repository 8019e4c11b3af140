"""Checks of notebook 04's build cells on whole layers: each is computed again from the parts that the learner's layer has."""

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import module, refuse_known, same, tensor

PARTS = ("self_attention", "feed_forward", "self_attention_norm", "feed_forward_norm")


def _shaken(layer, names: tuple[str, ...]):
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


def _inputs():
    import torch

    rng = torch.Generator().manual_seed(1)
    return torch.randn(2, 5, 12, generator=rng), torch.randn(2, 7, 12, generator=rng)


@exercise
def check_EncoderLayer(EncoderLayer: type) -> str:
    """Build 4: self-attention and a feed-forward network, each normalized first (pre-norm) and added to x."""
    import torch

    layer = _shaken(module(tried(EncoderLayer(12, 3, 20)), "EncoderLayer(12, 3, 20)"), PARTS)
    with torch.no_grad():
        x, _ = _inputs()
        mask = torch.arange(5) < torch.tensor([5, 3])[:, None, None, None]
        _compare_feed_forward(layer, x)
        output = tensor(tried(layer(x, mask)), (2, 5, 12), "a tensor, x after the layer")
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
        raise Wrong("FeedForward.forward returns nothing yet: fill it in, too.")
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
    }
    refuse_known(output, known)
    if not same(output, _encoded(layer, x, mask)):
        raise Wrong("This is not x + attention of its norm, and then x + feed-forward of its norm.")


@exercise
def check_DecoderLayer(DecoderLayer: type) -> str:
    """Build 5: causal self-attention, cross-attention to memory, feed-forward; each normalized first and added to x."""
    import torch

    layer = module(tried(DecoderLayer(12, 3, 20)), "DecoderLayer(12, 3, 20)")
    layer = _shaken(layer, (*PARTS, "cross_attention", "cross_attention_norm"))
    with torch.no_grad():
        x, memory = _inputs()
        mask = torch.arange(7) < torch.tensor([7, 3])[:, None, None, None]
        output = tensor(tried(layer(x, memory, mask)), (2, 5, 12), "a tensor, x after the layer, as long as the reply")
        _compare_decoder(layer, x, memory, mask, output)
        if not same(layer(x, memory), _decoded(layer, x, memory, None)):
            raise Wrong("With a mask the layer is right, without one it is not: mask=None is handed on like any other.")
    return "Attend to the reply so far, attend to the context, feed forward: a decoder layer, and nothing in it sees the future."


def _decoded(layer, x, memory, mask, causal=True, order=("self", "cross", "feed")):
    """The layer with its sub-layers in another order or without one; a sub-layer that is left out adds nothing."""
    import torch

    triangle = torch.ones(5, 5, dtype=torch.bool).tril() if causal else None
    parts = {
        "self": lambda x: layer.self_attention(layer.self_attention_norm(x), mask=triangle),
        "cross": lambda x: layer.cross_attention(layer.cross_attention_norm(x), memory, mask),
        "feed": lambda x: layer.feed_forward(layer.feed_forward_norm(x)),
        "cross to itself": lambda x: layer.cross_attention(layer.cross_attention_norm(x)),
        "cross without norm": lambda x: layer.cross_attention(x, memory, mask),
        "norm of memory": lambda x: layer.cross_attention(
            layer.cross_attention_norm(x), layer.cross_attention_norm(memory), mask
        ),
    }
    for name in order:
        x = x + parts[name](x)
    return x


def _compare_decoder(layer, x, memory, mask, output) -> None:
    import torch

    def decoded(*order, **settings):
        return _decoded(layer, x, memory, mask, order=order or ("self", "cross", "feed"), **settings)

    attended = decoded("self")
    crossed = layer.cross_attention(layer.cross_attention_norm(attended), memory, mask)
    everything = torch.ones(1, 1, 1, 7, dtype=torch.bool)
    known = {
        "The future is open: self-attention needs the causal mask.": decoded(causal=False),
        "Memory is not attended to: hand it to cross_attention, after its norm of x.": decoded(
            "self", "cross to itself", "feed"
        ),
        "Cross-attention is missing: this is an encoder layer with a causal mask.": decoded("self", "feed"),
        "Cross-attention comes first in your layer. First the reply so far, then the context.": decoded(
            "cross", "self", "feed"
        ),
        "The feed-forward network is missing, or its result is not returned.": decoded("self", "cross"),
        "What cross-attention gives replaces x. Add it: x = x + …": crossed
        + layer.feed_forward(layer.feed_forward_norm(crossed)),
        "Cross-attention reads x as it is. It has a norm of its own: cross_attention_norm.": decoded(
            "self", "cross without norm", "feed"
        ),
        "You normalized memory, too. The encoder has done that; the norm is for x.": decoded(
            "self", "norm of memory", "feed"
        ),
        "The mask is not handed on to cross-attention: padding of the context is attended to.": _decoded(
            layer, x, memory, everything
        ),
    }
    refuse_known(output, known)
    if not same(output, _decoded(layer, x, memory, mask)):
        raise Wrong(
            "This is not x + causal self-attention, x + cross-attention to memory, x + feed-forward, each of a norm of x."
        )
