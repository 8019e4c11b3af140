"""Checks of the encoder and decoder that learners write in notebook 03; ``helpers.checks.nb03`` hands them on.

A class is built, its weights are replaced by larger ones, and what it computes is held against the formula and against what
known mistakes would give with exactly these weights.
"""

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, difference, kind, module, refuse_fixed_device, refuse_known, same

SPECIAL = {"speakers": (3, 4), "pad": 0, "end": 2}
VOCAB, HIDDEN, EMBEDDING = 11, 6, 5
OTHER = (13, 8, 7)  # right for these, too: no size is written down as a number
CHANGED = "You changed a tensor you were given. Make new ones."
DEVICE = "A tensor that you make here stays on the CPU, so it fails on a GPU. Create it with device={}.device."


def built(cls, what: str, sizes: tuple, parts: dict, **special):
    """Return a network of the learner's class, in float64, with weights so large that every mistake shows."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = module(tried(cls(*sizes, **special) if isinstance(cls, type) else cls(*sizes)), what).double()
        held = {name: tuple(value.shape) for name, value in network.named_parameters()}
        for name, shape in parts.items():
            if held.get(name) != shape:
                raise Wrong(f"I expected a part {name} of shape {list(shape)}. Leave __init__ as the stub has it.")
        for value in network.parameters():
            value.data = 0.8 * torch.randn(value.shape, dtype=torch.float64)
    return network.eval()


def random(*shape, seed: int = 1):
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def batch() -> tuple:
    """Return a context [3, 5] with rows of 5, 3 and 1 tokens, its mask, and inputs [3, 4]."""
    import torch

    rng = torch.Generator().manual_seed(0)
    context, inputs = (torch.randint(5, VOCAB, (3, length), generator=rng) for length in (5, 4))
    mask = torch.arange(5) < torch.tensor([[5], [3], [1]])
    return context.masked_fill(~mask, 0), mask, inputs


def expect(answer, right, what: str) -> None:
    """Raise Wrong when an answer is not the right tensor."""
    import torch

    if not torch.is_tensor(answer):
        raise Wrong(f"I expected {what} and got {kind(answer)}.")
    if answer.shape != right.shape:
        raise Wrong(f"I expected {what}, shape {list(right.shape)}, and got shape {list(answer.shape)}.")
    if not same(answer, right):
        where = difference(answer, right)
        raise Wrong(f"The shape of {what} is right, the numbers are not: {where}. Go through the formula again.")


@exercise
def check_OneVector(OneVector: type) -> str:
    """Build: encode(context, mask) -> the vector [B, H]; decode(inputs, vector, mask, state) -> logits, last state."""
    import torch

    parts = {"embed.weight": (VOCAB, EMBEDDING), "encoder.weight_ih_l0": (3 * HIDDEN, EMBEDDING)}
    parts |= {"decoder.weight_hh_l0": (3 * HIDDEN, HIDDEN), "combine.weight": (EMBEDDING, HIDDEN)}
    model = built(OneVector, "a network", (VOCAB, HIDDEN, EMBEDDING), parts, **SPECIAL)
    context, mask, inputs = batch()
    with torch.no_grad():
        answer = call(model.encode, context, mask, changed=CHANGED)
        hidden, last = model.encoder(model.embed(context))
        right = hidden[torch.arange(3), mask.sum(-1) - 1]
        mistakes = {
            "Your encoder reads on through the padding. Take each row's hidden state at its last real token.": last[0],
            "torch's GRU hands over its last state as [1, B, H], padding included. Index the outputs instead.": last,
            "You returned the hidden states at all tokens. One vector per row is passed on: the one at the last token.": hidden,
            "This is the hidden state after the first token. The whole context should be read: take the last one.": hidden[
                :, 0
            ],
            "You averaged the hidden states. The decoder starts from the last one.": hidden.mean(1),
            "You read the context with the decoder. The encoder has a GRU of its own.": model.decoder(
                model.embed(context)
            )[0][torch.arange(3), mask.sum(-1) - 1],
        }
        refuse_known(answer, mistakes)
        expect(answer, right, "encode's vector")
        _check_decode(model, inputs, mask)
        wide = built(OneVector, "a network", OTHER, {}, **SPECIAL)
        vector, mask = wide.encode(context[1:, :3], mask[1:, :3]), mask[1:, :3]
        expect(vector, wide.encoder(wide.embed(context[1:, :3]))[0][[0, 1], [2, 0]], "the vector of a batch of two")
        outputs, _ = wide.decoder(wide.embed(inputs[1:, :2]), vector[None])
        logits = wide.head(wide.combine(outputs).tanh())
        expect(wide.decode(inputs[1:, :2], vector, mask)[0], logits, "the logits of a batch of two")
    _check_devices(model.to("meta"), context.to("meta"), batch()[1].to("meta"), inputs.to("meta"))
    return "Encoder and decoder are right: all that passes between them is one vector, and padding changes nothing."


def _check_decode(model, inputs, mask) -> None:
    vector, other = random(3, HIDDEN), random(3, HIDDEN, seed=2)
    embedded = model.embed(inputs)

    def logits_of(outputs):
        return model.head(model.combine(outputs).tanh())

    def pair(*given) -> tuple:
        answer = call(model.decode, *given, changed=CHANGED, first=len(given) == 3)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise Wrong(f"decode returns two things, the logits and the last state; I got {kind(answer)}.")
        return tuple(answer)

    logits, state = pair(inputs, vector, mask)
    outputs, last = model.decoder(embedded, vector[None])
    right = logits_of(outputs)
    mistakes = {
        "Your decoder starts from zeros: it knows nothing of the context. Give the GRU the vector, vector[None].": logits_of(
            model.decoder(embedded)[0]
        ),
        "The tanh between combine and head is missing.": model.head(model.combine(outputs)),
        "You returned the logits after the last token only. Teacher forcing scores all of them at once.": right[:, -1],
        "These are probabilities. Return the logits; the loss takes their softmax itself.": right.softmax(-1),
        "You wrote with the encoder. The decoder has a GRU of its own.": logits_of(
            model.encoder(embedded, vector[None])[0]
        ),
    }
    refuse_known(logits, mistakes)
    expect(logits, right, "decode's logits")
    mistakes = {
        "torch's GRU hands over its state as [1, B, H]. Return it as [B, H]: last[0].": last,
        "You returned the states after all tokens. To go on, the last one is needed.": outputs,
        "You returned the state that the decoder began with. Return the one after the last token.": vector,
    }
    refuse_known(state, mistakes)
    expect(state, last[0], "decode's state")
    logits, _ = pair(inputs, vector, mask, other)
    if same(logits, right):
        raise Wrong("A state was given, and decode began with the vector again. A reply goes on from its state.")
    expect(logits, logits_of(model.decoder(embedded, other[None])[0]), "the logits from a given state")


def _check_devices(model, context, mask, inputs) -> None:
    import torch

    refuse_fixed_device(lambda: model.encode(context, mask), DEVICE.format("context"))
    vector = torch.zeros(len(inputs), HIDDEN, dtype=torch.float64, device="meta")
    refuse_fixed_device(lambda: model.decode(inputs, vector, mask), DEVICE.format("inputs"))
