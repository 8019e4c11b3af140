"""Check of notebook 04's decoder layer: it is computed again from the parts that the learner's layer has."""

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import difference, module, refuse_fixed_device, refuse_known, same, tensor
from helpers.checks.nb04_layers import PARTS, inputs, run, shaken

DEVICE = "The causal mask stays on the CPU, so it fails beside an x on a GPU: causal_mask(x.shape[1]).to(x.device)."


@exercise
def check_DecoderLayer(DecoderLayer: type) -> str:
    """Build 5: causal self-attention, cross-attention to memory, feed-forward; each normalized first and added to x."""
    import torch

    layer = module(tried(DecoderLayer(12, 3, 20)), "DecoderLayer(12, 3, 20)")
    layer = shaken(layer, (*PARTS, "cross_attention", "cross_attention_norm"))
    with torch.no_grad():
        x, memory = inputs()
        mask = torch.arange(7) < torch.tensor([7, 3])[:, None, None, None]
        output = tensor(run(layer, x, memory, mask), (2, 5, 12), "a tensor, x after the layer, as long as the reply")
        _compare_decoder(layer, x, memory, mask, output)
        if not same(layer(x, memory), _decoded(layer, x, memory, None)):
            raise Wrong("With a mask the layer is right, without one it is not: mask=None is handed on like any other.")
        _one_token_less(layer, x[:, :4], memory, mask)
    layer = layer.to("meta")
    refuse_fixed_device(lambda: layer(x.to("meta"), memory.to("meta"), mask.to("meta")), DEVICE)
    return "Attend to the reply so far, attend to the context, feed forward: a decoder layer, and nothing in it sees the future."


def _one_token_less(layer, x, memory, mask) -> None:
    """See that the length of the reply is not written down as a number."""
    try:
        answer = layer(x, memory, mask)
    except RuntimeError:
        answer = None
    if not same(answer, _decoded(layer, x, memory, mask)):
        raise Wrong(
            "A reply of five tokens is right, one of four is not: the length is x.shape[1], causal_mask(x.shape[1])."
        )


def _decoded(layer, x, memory, mask, sees="past", order=("self", "cross", "feed")):
    """The layer with its sub-layers in another order or without one; a sub-layer that is left out adds nothing."""
    import torch

    past = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    triangle = {"past": past, "future": ~past, "all": None}[sees]
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
        "The future is open: self-attention needs the causal mask.": decoded(sees="all"),
        "Your causal mask is turned around: True in it means “may attend”, so no ~ here.": decoded(sees="future"),
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
    refuse_known(output, known | _sums_and_norms(layer, x, memory, mask))
    if not same(output, _decoded(layer, x, memory, mask)):
        where = difference(output, _decoded(layer, x, memory, mask))
        raise Wrong(
            "This is not x + causal self-attention, x + cross-attention to memory, x + feed-forward, each of a norm of x: "
            f"{where}."
        )


def _sums_and_norms(layer, x, memory, mask) -> dict:
    """Return what the encoder's mistakes would give here: {message: output}."""
    import torch

    past = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    norms = layer.self_attention_norm, layer.cross_attention_norm, layer.feed_forward_norm

    def decoded(norms, adds=(True, True, True), post=False, old=False):
        """The layer with these norms; ``old``: every part reads the x that came in."""
        parts = (
            lambda y: layer.self_attention(y, mask=past),
            lambda y: layer.cross_attention(y, memory, mask),
            layer.feed_forward,
        )
        stream = x
        for part, norm, add in zip(parts, norms, adds):
            read = x if old else stream
            output = part(read) if post else part(norm(read))
            stream = stream + output if add else output
            stream = norm(stream) if post else stream
        return stream

    one = "One norm does more than one job: self_attention_norm, cross_attention_norm and feed_forward_norm, one for each part."
    return {
        "You normalize after adding. We normalize before: each part reads its norm of x, and the sum stays as it is.": decoded(
            norms, post=True
        ),
        "The first sum is missing: x = x + …": decoded(norms, (False, True, True)),
        "The last sum is missing: x + feed-forward.": decoded(norms, (True, True, False)),
        "Nothing is added: three times x + …": decoded(norms, (False, False, False)),
        "All parts read the same x. Each reads what the one before it has added to.": decoded(norms, old=True),
        one: decoded((norms[0],) * 3),
        one + " ": decoded((norms[0], norms[0], norms[2])),
        one + "  ": decoded((norms[0], norms[1], norms[1])),
        "The feed-forward network comes before cross-attention in your layer. It comes last.": _decoded(
            layer, x, memory, mask, order=("self", "feed", "cross")
        ),
    }
