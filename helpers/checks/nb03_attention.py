"""Checks of the attention and of the decoder's step that learners write in notebook 03; ``helpers.checks.nb03`` hands them on."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, kind, refuse_fixed_device, refuse_known, same
from helpers.checks.nb03_networks import (
    CHANGED,
    DEVICE,
    EMBEDDING,
    HIDDEN,
    OTHER,
    SPECIAL,
    VOCAB,
    batch,
    built,
    expect,
    random,
)


@exercise
def check_Attention(Attention: type) -> str:
    """Build: the context vector [B, M] and the attention weights [B, S] of a state s [B, H]."""
    import torch

    sizes = {"W.weight": (5, 4), "W.bias": (5,), "U.weight": (5, 3), "v": (5,)}
    attention = built(Attention, "a network", (4, 3, 5), sizes)
    s, hidden = random(3, 4), random(3, 6, 3, seed=2)
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
            "The mask is the wrong way around: True marks tokens, so hide where it is False.": weights_of(scores, mask),
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
        expect(answer[1], right, "the weights")
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
        expect(answer[0], context, "the context vector")
        wide, s, hidden, mask = (
            built(Attention, "a network", (2, 4, 3), {}),
            random(2, 2),
            random(2, 3, 4),
            mask[:2, 2:5],
        )
        scores = torch.tanh(wide.W(s)[:, None] + wide.keys(hidden)) @ wide.v
        expect(wide(s, wide.keys(hidden), hidden, mask)[1], weights_of(scores, ~mask), "the weights of a batch of two")
    s, keys, hidden, mask = (
        part.to("meta") for part in (random(3, 4), random(3, 6, 5), random(3, 6, 3), random(3, 6) > 0)
    )
    refuse_fixed_device(lambda: attention.to("meta")(s, keys, hidden, mask), DEVICE.format("s"))
    return "Scores, weights and context vector are right, and nothing leaks to the padding."


@exercise
def check_decoder_step(decoder_step: Callable) -> str:
    """Build: one step of a decoder with attention: logits [B, V], the new state [B, H], the weights [B, S]."""
    import torch

    from helpers.models.seq2seq import Seq2Seq
    from helpers.models.seq2seq import decoder_step as package_step

    model = built(Seq2Seq, "a network", (VOCAB, HIDDEN, EMBEDDING), {}, **SPECIAL)
    context, mask, inputs = batch()
    token, state = inputs[:, 0], random(3, HIDDEN)
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
        expect(answer[0], right, "the logits")
        if same(answer[1], state):
            raise Wrong("You returned the state from before the step. The next step needs the new one.")
        if same(answer[1], weights) or same(answer[2], new):
            raise Wrong("The order of what you return is: logits, new state, weights.")
        expect(answer[1], new, "the new state")
        expect(answer[2], weights, "the weights")
        wide = built(Seq2Seq, "a network", OTHER, {}, **SPECIAL)
        start, hidden, keys = wide.encode(context[:1], mask[:1])
        given = wide, token[:1], start, hidden, keys, mask[:1]
        for mine, right, what in zip(decoder_step(*given), package_step(*given), ("logits", "new state", "weights")):
            expect(mine, right, f"the {what} of a batch of one")
        wide, *given = (part.to("meta") for part in given)
    refuse_fixed_device(lambda: decoder_step(wide, *given), DEVICE.format("token"))
    return "Attend, read, predict: one step of Bahdanau's decoder."
