"""Checks of the networks that learners write in notebook 03; ``helpers.checks.nb03`` hands them on.

A class is built, its weights are replaced by larger ones, and what it computes is held against the formula and against what
known mistakes would give with exactly these weights.
"""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, kind, module, refuse_known, same

SPECIAL = {"speakers": (3, 4), "pad": 0, "end": 2}
VOCAB, HIDDEN, EMBEDDING = 11, 6, 5
CHANGED = "You changed a tensor you were given. Make new ones."


def _built(cls, what: str, sizes: tuple, parts: dict, **special):
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


def _random(*shape, seed: int = 1):
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _batch() -> tuple:
    """Return a context [3, 5] with rows of 5, 3 and 1 tokens, its mask, and inputs [3, 4]."""
    import torch

    rng = torch.Generator().manual_seed(0)
    context, inputs = (torch.randint(5, VOCAB, (3, length), generator=rng) for length in (5, 4))
    mask = torch.arange(5) < torch.tensor([[5], [3], [1]])
    return context.masked_fill(~mask, 0), mask, inputs


def _expect(answer, right, what: str) -> None:
    """Raise Wrong when an answer is not the right tensor."""
    import torch

    if not torch.is_tensor(answer):
        raise Wrong(f"I expected {what} and got {kind(answer)}.")
    if answer.shape != right.shape:
        raise Wrong(f"I expected {what}, shape {list(right.shape)}, and got shape {list(answer.shape)}.")
    if not same(answer, right):
        raise Wrong(f"The shape of {what} is right, the numbers are not. Go through the formula again.")


@exercise
def check_OneVector(OneVector: type) -> str:
    """Build: encode(context, mask) -> the vector [B, H]; decode(inputs, vector, mask, state) -> logits, last state."""
    import torch

    parts = {"embed.weight": (VOCAB, EMBEDDING), "encoder.weight_ih_l0": (3 * HIDDEN, EMBEDDING)}
    parts |= {"decoder.weight_hh_l0": (3 * HIDDEN, HIDDEN), "combine.weight": (EMBEDDING, HIDDEN)}
    model = _built(OneVector, "a network", (VOCAB, HIDDEN, EMBEDDING), parts, **SPECIAL)
    context, mask, inputs = _batch()
    with torch.no_grad():
        answer = call(model.encode, context, mask, changed=CHANGED)
        hidden, last = model.encoder(model.embed(context))
        right = hidden[torch.arange(3), mask.sum(-1) - 1]
        mistakes = {
            "Your encoder reads on through the padding. Take each row's hidden state at its last real token.": last[0],
            "torch's GRU hands over its last state as [1, B, H], padding included. Index the outputs instead.": last,
            "You returned the hidden states at all tokens. One vector a row is to pass: the one at the last token.": hidden,
            "This is the hidden state after the first token. The whole context should be read: take the last one.": hidden[
                :, 0
            ],
            "You averaged the hidden states. The decoder starts from the last one.": hidden.mean(1),
            "You read the context with the decoder. The encoder has a GRU of its own.": model.decoder(
                model.embed(context)
            )[0][torch.arange(3), mask.sum(-1) - 1],
        }
        refuse_known(answer, mistakes)
        _expect(answer, right, "encode's vector")
        _check_decode(model, inputs, mask)
    return "Encoder and decoder are right: all that passes between them is one vector, and padding changes nothing."


def _check_decode(model, inputs, mask) -> None:
    vector, other = _random(3, HIDDEN), _random(3, HIDDEN, seed=2)
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
    _expect(logits, right, "decode's logits")
    mistakes = {
        "torch's GRU hands over its state as [1, B, H]. Return it as [B, H]: last[0].": last,
        "You returned the states after all tokens. To go on, the last one is needed.": outputs,
        "You returned the state that the decoder began with. Return the one after the last token.": vector,
    }
    refuse_known(state, mistakes)
    _expect(state, last[0], "decode's state")
    logits, _ = pair(inputs, vector, mask, other)
    if same(logits, right):
        raise Wrong("A state was given, and decode began with the vector again. A reply goes on from its state.")
    _expect(logits, logits_of(model.decoder(embedded, other[None])[0]), "the logits from a given state")


@exercise
def check_Attention(Attention: type) -> str:
    """Build: the context vector [B, M] and the attention weights [B, S] of a state s [B, H]."""
    import torch

    sizes = {"W.weight": (5, 4), "W.bias": (5,), "U.weight": (5, 3), "v": (5,)}
    attention = _built(Attention, "a network", (4, 3, 5), sizes)
    s, hidden = _random(3, 4), _random(3, 6, 3, seed=2)
    mask = torch.arange(6) < torch.tensor([[6], [4], [1]])
    with torch.no_grad():
        keys, query, v = hidden @ attention.U.weight.T, attention.W(s)[:, None], attention.v
        answer = call(attention, s, keys, hidden, mask, changed=CHANGED)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise Wrong(f"forward returns two things, context vector and weights; I got {kind(answer)}.")
        scores = torch.tanh(query + keys) @ v

        def weights_of(scores, hide=~mask, dim=-1):
            return scores.masked_fill(hide, float("-inf")).softmax(dim)

        right = weights_of(scores)
        context = (right[..., None] * hidden).sum(1)
        if same(answer[0], right) and same(answer[1], context):
            raise Wrong("The right two things in the wrong order: first the context vector, then the weights.")
        mistakes = {
            "You did not use the mask: padding gets some of the weight.": scores.softmax(-1),
            "You set weights to 0 after the softmax, so the rows no longer sum to 1. Mask the scores.": scores.softmax(
                -1
            )
            * mask,
            "You set hidden scores to 0. A score of 0 still gets weight (e⁰ is 1): it must be −∞.": (
                scores * mask
            ).softmax(-1),
            "The mask is the wrong way around: True marks tokens, so hide where it is False.": weights_of(
                scores, mask
            ),
            "You took the softmax over the rows of the batch. Each row attends for itself: dim=-1.": weights_of(
                scores, dim=0
            ),
            "These are scores: the softmax is missing.": scores.masked_fill(~mask, float("-inf")),
            "The tanh is missing: without it the state adds the same to every score.": weights_of((query + keys) @ v),
            "The tanh comes before v, on all A numbers, not after it on the score.": weights_of(
                torch.tanh((query + keys) @ v)
            ),
            "The state changes no weight here. Add query and key first: they must meet inside one tanh.": weights_of(
                (query.tanh() + keys.tanh()) @ v
            ),
            "You multiplied query and key. In additive attention they are added (notebook 04 multiplies).": weights_of(
                torch.tanh(query * keys) @ v
            ),
            "v is missing: it says how much each of the A numbers counts.": weights_of(
                torch.tanh(query + keys).sum(-1)
            ),
        }
        refuse_known(answer[1], mistakes)
        _expect(answer[1], right, "the weights")
        mistakes = {
            "You took the hidden state with the largest weight. The context vector is the weighted sum of all of them.": hidden[
                torch.arange(3), right.argmax(-1)
            ],
            "Your context vector is a plain sum: the weights are not in it.": hidden.sum(1),
            "You summed the keys. The weights belong to the hidden states: the keys only serve to score.": (
                right[..., None] * keys
            ).sum(1),
        }
        refuse_known(answer[0], mistakes)
        _expect(answer[0], context, "the context vector")
    return "Scores, weights and context vector are right, and nothing leaks to the padding."


@exercise
def check_decoder_step(decoder_step: Callable) -> str:
    """Build: one step of a decoder with attention: logits [B, V], the new state [B, H], the weights [B, S]."""
    import torch

    from helpers.models.seq2seq import Seq2Seq

    model = _built(Seq2Seq, "a network", (VOCAB, HIDDEN, EMBEDDING), {}, **SPECIAL)
    context, mask, inputs = _batch()
    token, state = inputs[:, 0], _random(3, HIDDEN)
    with torch.no_grad():
        _, hidden, keys = model.encode(context, mask)
        answer = call(lambda *rest: decoder_step(model, *rest), token, state, hidden, keys, mask, changed=CHANGED)
        if not isinstance(answer, tuple | list) or len(answer) != 3:
            raise Wrong(f"A step returns three things, logits, state and weights; I got {kind(answer)}.")
        embedded = model.embed(token)

        def decoder(*parts, before=state):
            return model.decoder(torch.cat(parts, -1), before)

        def logits_of(*parts):
            return model.head(model.combine(torch.cat(parts, -1)).tanh())

        vector, weights = model.attention(state, keys, hidden, mask)
        new = decoder(embedded, vector)
        late = model.attention(new, keys, hidden, mask)[0]
        right, swapped = logits_of(new, vector), decoder(vector, embedded)
        mistakes = {
            "In the GRU's input the embedded token comes first, then the context vector.": logits_of(swapped, vector),
            "For combine the state comes first, then the context vector.": logits_of(vector, new),
            "You attend again with the new state. One context vector serves both uses.": logits_of(new, late),
            "The word is chosen from the new state; you used the one before.": logits_of(state, vector),
            "The tanh between combine and head is missing.": model.head(model.combine(torch.cat([new, vector], -1))),
            "These are probabilities. Return the logits; the loss takes their softmax itself.": right.softmax(-1),
        }
        refuse_known(answer[0], mistakes)
        _expect(answer[0], right, "the logits")
        if same(answer[1], state):
            raise Wrong("You returned the state from before the step. The next step needs the new one.")
        if same(answer[1], weights) or same(answer[2], new):
            raise Wrong("The order of what you return is: logits, new state, weights.")
        _expect(answer[1], new, "the new state")
        _expect(answer[2], weights, "the weights")
    return "Attend, read, predict: one step of Bahdanau's decoder."
