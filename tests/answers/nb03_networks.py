"""Wrong answers to the build cells of notebook 03 that are networks: each is the solution with one mistake."""

import torch

from helpers.models.seq2seq import AdditiveAttention, Seq2Seq, decoder_step


# -- Build: encoder and decoder ----------------------------------------------------------------------------------------
def one_vector(name, encode=None, decode=None):
    """Return Seq2Seq without attention under a name, with another encode or decode."""

    class Mistaken(Seq2Seq):
        def __init__(self, *sizes, **special):
            super().__init__(*sizes, attention=False, **special)

    Mistaken.__name__ = name
    if encode:
        Mistaken.encode = encode
    if decode:
        Mistaken.decode = lambda self, inputs, vector, mask, state=None: decode(self, inputs, vector, state)
    return Mistaken


def last_of(model, context, mask):
    return model.encoder(model.embed(context))[0][torch.arange(len(mask)), mask.sum(1) - 1]


def written(model, inputs, start, network=None):
    outputs, last = (network or model.decoder)(model.embed(inputs), start[None])
    return model.head(torch.tanh(model.combine(outputs))), last[0], outputs


ONE_VECTOR = {
    one_vector("padded", lambda self, c, m: self.encoder(self.embed(c))[1][0]): "reads on through the padding",
    one_vector("with_a_layer", lambda self, c, m: self.encoder(self.embed(c))[1]): "as [1, B, H], padding included",
    one_vector("all_states", lambda self, c, m: self.encoder(self.embed(c))[0]): "hidden states at all tokens",
    one_vector("first_token", lambda self, c, m: self.encoder(self.embed(c))[0][:, 0]): "after the first token",
    one_vector("average", lambda self, c, m: self.encoder(self.embed(c))[0].mean(1)): "You averaged",
    one_vector(
        "wrong_network", lambda self, c, m: self.decoder(self.embed(c))[0][torch.arange(3), m.sum(1) - 1]
    ): "You read the context with the decoder",
    one_vector("squashed", lambda self, c, m: torch.tanh(last_of(self, c, m))): "of encode's vector is right",
    one_vector("a_number", lambda self, c, m: last_of(self, c, m).sum(-1)): "encode's vector, shape [3, 6]",
    one_vector("forgets_the_vector", decode=lambda m, x, v, s: written(m, x, 0 * v)[:2]): "starts from zeros",
    one_vector(
        "no_tanh", decode=lambda m, x, v, s: (m.head(m.combine(written(m, x, v)[2])), written(m, x, v)[1])
    ): "tanh between combine and head",
    one_vector(
        "last_only", decode=lambda m, x, v, s: (written(m, x, v)[0][:, -1], written(m, x, v)[1])
    ): "after the last token only",
    one_vector(
        "probabilities", decode=lambda m, x, v, s: (written(m, x, v)[0].softmax(-1), written(m, x, v)[1])
    ): "These are probabilities",
    one_vector("with_the_encoder", decode=lambda m, x, v, s: written(m, x, v, m.encoder)[:2]): "wrote with the encoder",
    one_vector("logits_only", decode=lambda m, x, v, s: written(m, x, v)[0]): "decode returns two things",
    one_vector("layered", decode=lambda m, x, v, s: (written(m, x, v)[0], written(m, x, v)[1][None])): "last[0]",
    one_vector(
        "every_state", decode=lambda m, x, v, s: (written(m, x, v)[0], written(m, x, v)[2])
    ): "the states after all tokens",
    one_vector("old_state", decode=lambda m, x, v, s: (written(m, x, v)[0], v)): "the decoder began with",
    one_vector(
        "of_three_rows", lambda self, c, m: self.encoder(self.embed(c))[0][[0, 1, 2], m.sum(1) - 1]
    ): "stopped with IndexError",
    one_vector("on_the_cpu", lambda self, c, m: last_of(self, c, m) + torch.zeros(len(c), 1)): "device=context.device",
    one_vector(
        "five_tokens", lambda self, c, m: last_of(self, c, m) + (0 if c.shape[1] == 5 else 1)
    ): "vector of a batch of two",
    one_vector(
        "start_on_the_cpu",
        decode=lambda m, x, v, s: written(m, x, (v if s is None else s) + torch.zeros(len(x), 1))[:2],
    ): "Create it with device=inputs",
    one_vector("begins_anew", decode=lambda m, x, v, s: written(m, x, v)[:2]): "began with the vector again",
}


# -- Build: additive attention -----------------------------------------------------------------------------------------
def attention(name, forward):
    """Return AdditiveAttention under a name with another forward, given (self, query, keys, hidden, mask)."""

    class Mistaken(AdditiveAttention):
        def forward(self, s, keys, hidden, mask):
            return forward(self, self.W(s)[:, None], keys, hidden, mask)

    Mistaken.__name__ = name
    return Mistaken


def weighted(scores, hidden, mask):
    weights = scores.masked_fill(~mask, float("-inf")).softmax(-1)
    return (weights[:, None] @ hidden)[:, 0], weights


def given(weights, hidden):
    return (weights[:, None] @ hidden)[:, 0], weights


def right(self, q, k, h, m):
    return weighted(torch.tanh(q + k) @ self.v, h, m)


def hard(self, q, k, h, m):
    weights = right(self, q, k, h, m)[1]
    return h[torch.arange(len(h)), weights.argmax(-1)], weights


ATTENTION = {
    attention("no_mask", lambda s, q, k, h, m: given((torch.tanh(q + k) @ s.v).softmax(-1), h)): "did not use the mask",
    attention(
        "mask_afterwards", lambda s, q, k, h, m: given((torch.tanh(q + k) @ s.v).softmax(-1) * m, h)
    ): "after the softmax",
    attention("zeros", lambda s, q, k, h, m: given((torch.tanh(q + k) @ s.v * m).softmax(-1), h)): "scores to 0",
    attention("inverted", lambda s, q, k, h, m: weighted(torch.tanh(q + k) @ s.v, h, ~m)): "the wrong way around",
    attention(
        "over_rows",
        lambda s, q, k, h, m: given((torch.tanh(q + k) @ s.v).masked_fill(~m, float("-inf")).softmax(0), h),
    ): "over the rows of the batch",
    attention(
        "scores", lambda s, q, k, h, m: given((torch.tanh(q + k) @ s.v).masked_fill(~m, float("-inf")), h)
    ): "the softmax is missing",
    attention("no_tanh", lambda s, q, k, h, m: weighted((q + k) @ s.v, h, m)): "The tanh is missing",
    attention("late_tanh", lambda s, q, k, h, m: weighted(torch.tanh((q + k) @ s.v), h, m)): "tanh comes before v",
    attention("two_tanhs", lambda s, q, k, h, m: weighted((q.tanh() + k.tanh()) @ s.v, h, m)): "meet inside one tanh",
    attention("multiplied", lambda s, q, k, h, m: weighted(torch.tanh(q * k) @ s.v, h, m)): "You multiplied query",
    attention("blind", lambda s, q, k, h, m: weighted(k.tanh() @ s.v, h, m)): "meet inside one tanh",
    attention("no_v", lambda s, q, k, h, m: weighted(torch.tanh(q + k).sum(-1), h, m)): "v is missing",
    attention("half", lambda s, q, k, h, m: weighted(torch.tanh(q + k) @ s.v / 2, h, m)): "the weights is right",
    attention("exchanged", lambda *a: right(*a)[::-1]): "in the wrong order",
    attention("hard", hard): "with the largest weight",
    attention("plain_sum", lambda s, q, k, h, m: (h.sum(1), right(s, q, k, h, m)[1])): "a plain sum",
    attention(
        "of_keys", lambda s, q, k, h, m: (given(right(s, q, k, h, m)[1], k)[0], right(s, q, k, h, m)[1])
    ): "You summed the keys",
    attention(
        "fills_from_the_cpu",
        lambda s, q, k, h, m: given(
            torch.tanh(q + k).matmul(s.v).where(m, torch.full(m.shape, -1e9).double()).softmax(-1), h
        ),
    ): "device=s.device",
    attention(
        "scaled_for_five", lambda s, q, k, h, m: weighted(torch.tanh(q + k) @ s.v * k.shape[-1] / 5, h, m)
    ): "weights of a batch of two",
    attention("one_thing", lambda *a: right(*a)[0]): "forward returns two things",
}


# -- Build: one step of the decoder ------------------------------------------------------------------------------------
def step(name, order=(0, 1), final=(0, 1), again=False, old=False, tanh=True, finish=lambda answer, state: answer):
    """Return decoder_step with parts exchanged, or what it returns changed by ``finish``."""

    def mistaken(model, token, state, hidden, keys, mask):
        context, weights = model.attention(state, keys, hidden, mask)
        parts = model.embed(token), context
        new = model.decoder(torch.cat([parts[i] for i in order], -1), state)
        if again:
            context = model.attention(new, keys, hidden, mask)[0]
        parts = state if old else new, context
        features = model.combine(torch.cat([parts[i] for i in final], -1))
        return finish((model.head(features.tanh() if tanh else features), new, weights), state)

    mistaken.__name__ = name
    return mistaken


def changes_the_state(model, token, state, hidden, keys, mask):
    logits, new, weights = decoder_step(model, token, state, hidden, keys, mask)
    state.copy_(new)
    return logits, state, weights


STEP = {
    step("context_first", order=(1, 0)): "the embedded token comes first",
    step("state_last", final=(1, 0)): "For combine the state comes first",
    step("attends_again", again=True): "You attend again",
    step("old_state", old=True): "you used the one before",
    step("no_tanh", tanh=False): "The tanh between combine and head",
    step("probabilities", finish=lambda a, s: (a[0].softmax(-1), *a[1:])): "These are probabilities",
    step("keeps_the_state", finish=lambda a, s: (a[0], s, a[2])): "The next step needs the new one",
    step("exchanged", finish=lambda a, s: (a[0], a[2], a[1])): "The order of what you return",
    step("two_things", finish=lambda a, s: a[:2]): "returns three things",
    step("halved", finish=lambda a, s: (a[0] / 2, *a[1:])): "the logits is right, the numbers",
    changes_the_state: "You changed a tensor",
}


def on_the_cpu(model, token, state, hidden, keys, mask):
    return decoder_step(model, token, state + torch.zeros(len(state), 1), hidden, keys, mask)


def of_six_numbers(model, token, state, hidden, keys, mask):
    logits, new, weights = decoder_step(model, token, state, hidden, keys, mask)
    return logits * (6 / state.shape[1]), new, weights


STEP |= {
    on_the_cpu: "device=token.device",
    of_six_numbers: "logits of a batch of one",
}

NETWORKS = {"OneVector": ONE_VECTOR, "Attention": ATTENTION, "decoder_step": STEP}
