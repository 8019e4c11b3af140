"""Notebook 02: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import math
from collections import Counter, defaultdict

import torch
from torch import nn

from helpers.checks import nb02
from helpers.models.rnn import LSTMCell
from tests.answers.common import closing_tests


# -- Build: count n-grams ----------------------------------------------------------------------------------------------
def counted(tokens, lengths, first=None, key=lambda context: context, table=Counter):
    counts = defaultdict(table)
    for length in lengths:
        for i in range(length if first is None else first, len(tokens)):
            counts[key(tokens[i - length : i])][tokens[i]] += 1
    return dict(counts)


def without_the_empty_context(tokens, n):
    return counted(tokens, range(1, n))


def one_length_only(tokens, n):
    return counted(tokens, [n - 1])


def one_too_long(tokens, n):
    return counted(tokens, range(n + 1))


def one_too_short(tokens, n):
    return counted(tokens, range(n - 1))


def from_the_same_start(tokens, n):
    return counted(tokens, range(n), first=n - 1)


def in_tuples(tokens, n):
    return counted(tokens, range(n), key=tuple)


def in_plain_dictionaries(tokens, n):
    return counted(tokens, range(n), table=lambda: defaultdict(int))


def up_to_three(tokens, n):
    return counted(tokens, range(3))


KEPT: dict = {}


def in_one_table(tokens, n):
    KEPT.update(counted(tokens, range(n)))
    return KEPT


def jumps_one(tokens, n):
    counts = defaultdict(Counter)
    for length in range(n):
        for i in range(length, len(tokens) - 1):
            counts[tokens[i - length : i]][tokens[i + 1]] += 1
    return counts


def what_came_before(tokens, n):
    counts = defaultdict(Counter)
    for length in range(n):
        for i in range(len(tokens) - length):
            counts[tokens[i + 1 : i + 1 + length]][tokens[i]] += 1
    return counts


def probabilities(tokens, n):
    counts = counted(tokens, range(n))
    return {h: Counter({w: c / each.total() for w, c in each.items()}) for h, each in counts.items()}


def counts_the_end_too(tokens, n):
    counts = counted(tokens, range(n))
    counts[tokens[len(tokens) - 1 :] + tokens[:1]] = Counter()
    return counts


def strings_only(tokens, n):
    return counted("".join(tokens), range(n))


def no_overlaps(tokens, n):
    counts = counted(tokens, range(n))
    counts["a"] = Counter({"b": 1})
    return counts


# -- Build: the mixed probability --------------------------------------------------------------------------------------
def mixture(shorten=lambda h: h[1:], trust=lambda total, kinds: total / (total + kinds), base=lambda V: 1 / V, swap=False):
    def mixed(counts, context, token, vocab_size):
        shorter = mixed(counts, shorten(context), token, vocab_size) if context else base(vocab_size)
        followed = counts.get(context)
        if not followed:
            return shorter
        total = followed.total()
        weight = trust(total, len(followed))
        mine, other = followed[token] / total, shorter
        return weight * other + (1 - weight) * mine if swap else weight * mine + (1 - weight) * other

    return mixed


drops_the_newest = mixture(shorten=lambda h: h[:-1])
twenty_six_letters = mixture(base=lambda V: 1 / 26)
half_and_half = mixture(trust=lambda total, kinds: 0.5)
exchanged_weights = mixture(swap=True)
without_a_base = mixture(base=lambda V: 0.0)


def plain_share(counts, context, token, vocab_size):
    followed = counts.get(context) or counts[""]
    return followed[token] / followed.total()


def kinds_of_the_vocabulary(counts, context, token, vocab_size):
    return mixture(trust=lambda total, kinds: total / (total + vocab_size))(counts, context, token, vocab_size)


def unweighted(counts, context, token, vocab_size):
    shorter = unweighted(counts, context[1:], token, vocab_size) if context else 1 / vocab_size
    followed = counts.get(context)
    return shorter + (followed[token] / followed.total() if followed else 0)


def straight_to_the_base(counts, context, token, vocab_size):
    followed = counts.get(context)
    if not followed:
        return straight_to_the_base(counts, context[1:], token, vocab_size)
    weight = followed.total() / (followed.total() + len(followed))
    return weight * followed[token] / followed.total() + (1 - weight) / vocab_size


def plain_below(counts, context, token, vocab_size):
    followed = counts.get(context)
    if not followed:
        return plain_below(counts, context[1:], token, vocab_size)
    below = counts[context[1:]][token] / counts[context[1:]].total() if context else 1 / vocab_size
    weight = followed.total() / (followed.total() + len(followed))
    return weight * followed[token] / followed.total() + (1 - weight) * below


def square_brackets(counts, context, token, vocab_size):
    shorter = square_brackets(counts, context[1:], token, vocab_size) if context else 1 / vocab_size
    followed = counts[context]
    weight = followed.total() / (followed.total() + len(followed))
    return weight * followed[token] / followed.total() + (1 - weight) * shorter


def divides_by_nothing(counts, context, token, vocab_size):
    shorter = divides_by_nothing(counts, context[1:], token, vocab_size) if context else 1 / vocab_size
    followed = counts.get(context, Counter())
    weight = followed.total() / (followed.total() + len(followed))
    return weight * followed[token] / followed.total() + (1 - weight) * shorter


def adds_entries(counts, context, token, vocab_size):
    counts.setdefault(context + "?", Counter())
    return mixture()(counts, context, token, vocab_size)


def unseen_tokens_unweighted(counts, context, token, vocab_size):
    shorter = unseen_tokens_unweighted(counts, context[1:], token, vocab_size) if context else 1 / vocab_size
    followed = counts.get(context)
    if not followed or token not in followed:
        return shorter
    weight = followed.total() / (followed.total() + len(followed))
    return weight * followed[token] / followed.total() + (1 - weight) * shorter


def asks_for_the_empty_string(counts, context, token, vocab_size):
    shorter = 1 / vocab_size if context == "" else asks_for_the_empty_string(counts, context[1:], token, vocab_size)
    followed = counts.get(context)
    if not followed:
        return shorter
    weight = followed.total() / (followed.total() + len(followed))
    return weight * followed[token] / followed.total() + (1 - weight) * shorter


def nothing_for_the_unseen(counts, context, token, vocab_size):
    return 0.0 if context not in counts else mixture()(counts, context, token, vocab_size)


def without_an_end(counts, context, token, vocab_size):
    return without_an_end(counts, context[1:], token, vocab_size)


# -- Build: from logits to probabilities -------------------------------------------------------------------------------
def sampler(exp=None, heat=None, greedy=None, cut_k=None, cut_p=None, last=True):
    """Return the solution with one of its parts replaced."""

    def sample(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0 and greedy is not False:
            return (greedy or one_winner)(logits)
        p = (heat or (lambda z, T: (exp or softmax)(z / T)))(logits, temperature)
        if top_k:
            p = (cut_k or keep_k)(p, top_k)
        if top_p is not None:
            p = (cut_p or keep_p)(p, top_p)
        return p / p.sum() if last else p

    return sample


def softmax(z):
    raised = torch.exp(z - z.max())
    return raised / raised.sum()


def one_winner(z):
    return torch.nn.functional.one_hot(z.argmax(), len(z)).to(z.dtype)


def keep_k(p, k):
    return p.index_fill(0, p.argsort(descending=True)[k:], 0.0)


def keep_p(p, top_p, shift=1):
    order = p.argsort(descending=True)
    before = p[order].cumsum(0) - shift * p[order]
    return p.index_fill(0, order[before >= top_p], 0.0)


no_sum = sampler(exp=torch.exp, last=False)
overflows = sampler(exp=lambda z: torch.exp(z) / torch.exp(z).sum())
multiplies = sampler(heat=lambda z, T: softmax(z * T))
divides_the_probabilities = sampler(heat=lambda z, T: softmax(z) / T)
never_above = sampler(heat=lambda z, T: softmax(z / min(T, 1.0)))
divides_by_zero = sampler(greedy=False)
two_winners = sampler(greedy=lambda z: (z == z.max()).to(z.dtype))
names_the_winner = sampler(greedy=lambda z: z.argmax())
forbidden_is_nan = sampler(exp=lambda z: softmax(z * (z > -1e300)))
ignores_k = sampler(cut_k=lambda p, k: p)
keeps_the_unlikely = sampler(cut_k=lambda p, k: p.index_fill(0, p.argsort()[k:], 0.0))
sorts_k = sampler(cut_k=lambda p, k: torch.cat([p.sort(descending=True).values[:k], torch.zeros(max(0, len(p) - k))]))
first_k = sampler(cut_k=lambda p, k: p * (torch.arange(len(p)) < k))
not_rescaled = sampler(last=False)
ignores_p = sampler(cut_p=lambda p, top_p: p)
stops_early = sampler(cut_p=lambda p, top_p: keep_p(p, top_p, shift=0))
sorts_p = sampler(cut_p=lambda p, top_p: keep_p(p.sort(descending=True).values, top_p))
keeps_the_tail = sampler(cut_p=lambda p, top_p: p - keep_p(p, top_p))
one_too_many = sampler(cut_p=lambda p, top_p: keep_p(p, top_p, shift=2))


def more_than_k_crashes_not(logits, temperature=1.0, top_k=None, top_p=None):
    good = sampler()(logits, temperature, top_k, top_p)
    return one_winner(logits) if top_k and top_k > len(logits) else good


def in_place(logits, temperature=1.0, top_k=None, top_p=None):
    if temperature:
        logits /= temperature
    return sampler()(logits, 1.0 if temperature else 0, top_k, top_p)


def rescaled_only_after_p(logits, temperature=1.0, top_k=None, top_p=None):
    p = sampler()(logits, temperature, top_k)
    return p if top_p is None else keep_p(p, top_p)


def counts_before_the_temperature(logits, temperature=1.0, top_k=None, top_p=None):
    p = sampler()(logits, temperature, top_k)
    if top_p is None:
        return p
    likely = softmax(logits)
    order = likely.argsort(descending=True)
    cut = order[likely[order].cumsum(0) - likely[order] >= top_p]
    p = p.index_fill(0, cut, 0.0)
    return p / p.sum()


def one_cut_only(logits, temperature=1.0, top_k=None, top_p=None):
    return sampler()(logits, temperature, top_k, None if top_k else top_p)


def rescales_between(logits, temperature=1.0, top_k=None, top_p=None):
    p = sampler()(logits, temperature, top_k)
    return sampler()(p.log(), 1.0, None, top_p) if temperature else p


def shares_at_zero(logits, temperature=1.0, top_k=None, top_p=None):
    return sampler()(logits, max(temperature, 1e-3), top_k, top_p)


def keeps_a_tie(p, top_p):
    order = p.argsort(descending=True)
    return p.index_fill(0, order[p[order].cumsum(0) - p[order] > top_p], 0.0)


strictly_more = sampler(cut_p=keeps_a_tie)


def first_wins(logits, temperature=1.0, top_k=None, top_p=None):
    p = torch.zeros_like(logits)
    p[0] = 1
    return p if temperature == 0 else sampler()(logits, temperature, top_k, top_p)


def cuts_before_the_temperature(logits, temperature=1.0, top_k=None, top_p=None):
    kept = sampler()(logits, 1.0, top_k, top_p) > 0
    return sampler()(logits.masked_fill(~kept, -math.inf), temperature)


def nothing_stays(logits, temperature=1.0, top_k=None, top_p=None):
    p = sampler()(logits, temperature, top_k, top_p)
    return torch.zeros_like(p) if top_p is not None and p.max() == 1 and temperature else p


# -- Build: the training loop ------------------------------------------------------------------------------------------
def loop(*order, keep=lambda value: value.item(), give=lambda losses: losses, clip_with=nn.utils.clip_grad_norm_, pick=None):
    """Return a training loop whose calls come in this order."""

    def train(model, batches, optimizer, loss, clip=1.0):
        losses, seen = [], []
        for batch in batches:
            seen.append(batch)
            batch = pick(seen) if pick else batch
            value = loss(model, batch) if order[0] != "step" else None
            for call in order:
                if call == "clear":
                    optimizer.zero_grad()
                elif call == "step":
                    optimizer.step()
                    value = loss(model, batch) if value is None else value
                elif call == "backward":
                    value.backward()
                elif call == "clip":
                    clip_with(model.parameters(), clip)
            losses.append(keep(value) if keep else loss(model, batch).item())
        return give(losses)

    return train


RIGHT = ("clear", "backward", "clip", "step")
no_backward = loop("clear", "step")
no_step = loop("clear", "backward", "clip")
clears_too_late = loop("backward", "clear", "clip", "step")
never_clears = loop("backward", "clip", "step")
steps_first = loop("step", "clear", "backward", "clip")
never_clips = loop("clear", "backward", "step")
clips_after_the_step = loop("clear", "backward", "step", "clip")
clips_values = loop(*RIGHT, clip_with=nn.utils.clip_grad_value_)
clips_each = loop(*RIGHT, clip_with=lambda parameters, clip: [nn.utils.clip_grad_norm_([p], clip) for p in parameters])
first_batch_only = loop(*RIGHT, pick=lambda seen: seen[0])
measures_afterwards = loop(*RIGHT, keep=None)
keeps_tensors = loop(*RIGHT, keep=lambda value: value)
returns_the_last = loop(*RIGHT, give=lambda losses: losses[-1])
returns_nothing = loop(*RIGHT, give=lambda losses: None)
misses_one = loop(*RIGHT, give=lambda losses: losses[1:])
rounds = loop(*RIGHT, give=lambda losses: [round(value, 1) for value in losses])


def clips_to_half(model, batches, optimizer, loss, clip=1.0):
    return loop(*RIGHT)(model, batches, optimizer, loss, clip / 2)


def adds_noise(model, batches, optimizer, loss, clip=1.0):
    losses = loop(*RIGHT)(model, batches, optimizer, loss, clip)
    with torch.no_grad():
        next(model.parameters()).add_(0.01 * torch.randn(3, 2, generator=torch.Generator().manual_seed(0)))
    return losses


def asks_for_the_length(model, batches, optimizer, loss, clip=1.0):
    return loop(*RIGHT)(model, [batches[i] for i in range(len(batches))], optimizer, loss, clip)


def asks_the_loss_twice(model, batches, optimizer, loss, clip=1.0):
    losses = []

    def again(model, batch):
        losses.append(loss(model, batch).item())
        return loss(model, batch)

    loop(*RIGHT)(model, batches, optimizer, again, clip)
    return losses


def calls_it_loss(model, batches, optimizer, loss, clip=1.0):
    for batch in batches:
        loss = loss(model, batch)
        loss.backward()


def clips_at_one(model, batches, optimizer, loss, clip=1.0):
    return loop(*RIGHT)(model, batches, optimizer, loss, 1.0)


def scaled(parameters, clip):
    gradients = [weights.grad for weights in parameters]
    length = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
    for gradient in gradients:
        gradient *= clip / length


always_scales = loop(*RIGHT, clip_with=scaled)
steps_between = loop("clear", "step", "backward", "clip")


def own_optimizer(model, batches, optimizer, loss, clip=1.0):
    return loop(*RIGHT)(model, batches, torch.optim.SGD(model.parameters(), lr=0.3), loss, clip)


def reads_twice(model, batches, optimizer, loss, clip=1.0):
    first = sum(1 for _ in batches)
    return loop(*RIGHT)(model, batches, optimizer, loss, clip) if first else []


# -- Build: the LSTM cell ----------------------------------------------------------------------------------------------
def cell(c=lambda i, f, g, o, c: s(f) * c + s(i) * t(g), h=lambda o, new, old: s(o) * t(new), give=lambda h, c: (h, c), bias=1):
    class Cell(LSTMCell):
        def forward(self, x, state):
            old_h, old = state
            i, f, g, o = (x @ self.W_xh + old_h @ self.W_hh + bias * self.b).chunk(4, dim=-1)
            new = c(i, f, g, o, old)
            return give(h(o, new, old), new)

    return Cell


s, t = torch.sigmoid, torch.tanh
returns_c_first = cell(give=lambda h, c: (c, h))
returns_h_only = cell(give=lambda h, c: h)
no_bias = cell(bias=0)
swaps_gates = cell(lambda i, f, g, o, c: s(i) * c + s(f) * t(g))
swaps_candidate = cell(lambda i, f, g, o, c: s(f) * c + s(i) * t(o), h=lambda o, new, old: new)
squashed_candidate = cell(lambda i, f, g, o, c: s(f) * c + s(i) * s(g))
open_gates = cell(lambda i, f, g, o, c: f * c + i * t(g))
no_input_gate = cell(lambda i, f, g, o, c: s(f) * c + t(g))
no_forget_gate = cell(lambda i, f, g, o, c: c + s(i) * t(g))
forgets_what_it_keeps = cell(lambda i, f, g, o, c: (1 - s(f)) * c + s(i) * t(g))
tanh_in_the_way = cell(lambda i, f, g, o, c: t(s(f) * c + s(i) * t(g)))
nothing_kept = cell(lambda i, f, g, o, c: s(i) * t(g))
old_cell_state = cell(lambda i, f, g, o, c: c)
something_else = cell(lambda i, f, g, o, c: s(f) * c - s(i) * t(g))
h_without_tanh = cell(h=lambda o, new, old: s(o) * new)
h_of_the_old = cell(h=lambda o, new, old: s(o) * t(old))
no_output_gate = cell(h=lambda o, new, old: t(new))
open_output_gate = cell(h=lambda o, new, old: o * t(new))
h_is_c = cell(h=lambda o, new, old: new)
another_h = cell(h=lambda o, new, old: s(o) * t(new) + 1)


class ChangesItsState(LSTMCell):
    def forward(self, x, state):
        state[1].mul_(2)
        return super().forward(x, state)


class CutsTheState(LSTMCell):
    def forward(self, x, state):
        return super().forward(x, tuple(part.detach() for part in state))


class CutsTheAnswer(LSTMCell):
    def forward(self, x, state):
        return tuple(part.detach() for part in super().forward(x, state))


class CutsH(LSTMCell):
    def forward(self, x, state):
        return super().forward(x, (state[0].detach(), state[1]))


class FixedForgetGate(LSTMCell):
    def forward(self, x, state):
        i, f, g, o = (x @ self.W_xh + state[0] @ self.W_hh + self.b).chunk(4, dim=-1)
        new = s(f).detach() * state[1] + s(i) * t(g)
        return s(o) * t(new), new


def sized(cut):
    class Cell(LSTMCell):
        def forward(self, x, state):
            i, f, g, o = cut(x @ self.W_xh + state[0] @ self.W_hh + self.b)
            new = s(f) * state[1] + s(i) * t(g)
            return s(o) * t(new), new

    return Cell


chunks_rows = sized(lambda z: z.chunk(4))
sigmoid_first = cell(lambda i, f, g, o, c: s(f) * c + s(i) * t(s(g)))
four_texts = sized(lambda z: z.view(4, 4, -1).unbind(1))
three_units = sized(lambda z: z.split(3, dim=-1)[:4])
twelve_units = sized(lambda z: (z[:, 0:3], z[:, 3:6], z[:, 6:9], z[:, 9:12]))


class OtherShapes(LSTMCell):
    def __init__(self, input_size, hidden_size):
        super().__init__(hidden_size, input_size)


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def min_p(keep=lambda p, m: p >= m * p.max(), rescale=True):
    def cut(probabilities, min_p):
        kept = probabilities * keep(probabilities, min_p)
        return kept / kept.sum() if rescale else kept

    return cut


min_p_alone = min_p(lambda p, m: p >= m * (p > -1))
strictly_above = min_p(lambda p, m: p > m * p.max())
min_p_not_rescaled = min_p(rescale=False)
cuts_nothing = min_p(lambda p, m: p >= 0)
keeps_the_rest = min_p(lambda p, m: p < m * p.max())
never_one_alone = min_p(lambda p, m: p >= min(m, 0.5) * p.max())


def min_p_in_place(probabilities, min_p):
    probabilities[probabilities < min_p * probabilities.max()] = 0
    return probabilities / probabilities.sum()


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def each_by_itself(gradients, limit):
    return [gradient * min(1.0, limit / float(gradient.norm())) for gradient in gradients]


def each_number(gradients, limit):
    return [gradient.clamp(-limit, limit) for gradient in gradients]


def always_to_the_limit(gradients, limit):
    length = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
    return [gradient * (limit / length) for gradient in gradients]


def sum_of_lengths(gradients, limit):
    length = sum(float(gradient.norm()) for gradient in gradients)
    return [gradient * min(1.0, limit / length) for gradient in gradients]


def without_the_root(gradients, limit):
    length = sum(float((gradient**2).sum()) for gradient in gradients)
    return [gradient * min(1.0, limit / length) if length else gradient for gradient in gradients]


def to_length_one(gradients, limit):
    length = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
    return [gradient / length if length > limit else gradient for gradient in gradients]


def forgets_the_short(gradients, limit):
    length = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
    if length > limit:
        return [gradient * limit / length for gradient in gradients]


def changes_its_argument(gradients, limit):
    length = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
    return [gradient.mul_(min(1.0, limit / length)) for gradient in gradients]


def zero_by_zero(gradients, limit):
    length = torch.sqrt(sum((gradient**2).sum() for gradient in gradients))
    return [gradient / length * torch.minimum(length, torch.tensor(limit)) for gradient in gradients]


def stops_at_zero(gradients, limit):
    length = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
    return [gradient * min(1.0, limit / length) for gradient in gradients]


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def backward(x, h, z, into_h):
    return torch.outer(x, z), torch.outer(h, z), z, into_h


def no_tanh(x, h, h_new, U, d):
    return backward(x, h, d, d @ U.T)


def slope_of_the_old(x, h, h_new, U, d):
    z = d * (1 - h**2)
    return backward(x, h, z, z @ U.T)


def no_square(x, h, h_new, U, d):
    z = d * (1 - h_new)
    return backward(x, h, z, z @ U.T)


def slope_alone(x, h, h_new, U, d):
    z = 1 - h_new**2
    return backward(x, h, z, z @ U.T)


def not_transposed(x, h, h_new, U, d):
    z = d * (1 - h_new**2)
    return backward(x, h, z, z @ U)


def w_the_wrong_way(x, h, h_new, U, d):
    z = d * (1 - h_new**2)
    return torch.outer(z, x), torch.outer(h, z), z, z @ U.T


def u_the_wrong_way(x, h, h_new, U, d):
    z = d * (1 - h_new**2)
    return torch.outer(x, z), torch.outer(z, h), z, z @ U.T


def u_with_the_new(x, h, h_new, U, d):
    z = d * (1 - h_new**2)
    return torch.outer(x, z), torch.outer(h_new, z), z, z @ U.T


def another_order(x, h, h_new, U, d):
    z = d * (1 - h_new**2)
    return torch.outer(x, z), z, torch.outer(h, z), z @ U.T


def u_first(x, h, h_new, U, d):
    z = d * (1 - h_new**2)
    return torch.outer(h, z), torch.outer(x, z), z, z @ U.T


def state_before_b(x, h, h_new, U, d):
    z = d * (1 - h_new**2)
    return torch.outer(x, z), torch.outer(h, z), z @ U.T, z


def tanh_twice(x, h, h_new, U, d):
    z = d * (1 - torch.tanh(h_new) ** 2)
    return backward(x, h, z, z @ U.T)


def slope_forgotten_for_h(x, h, h_new, U, d):
    return backward(x, h, d * (1 - h_new**2), d @ U.T)


def overwrites_its_argument(x, h, h_new, U, d):
    d *= 1 - h_new**2
    return backward(x, h, d, d @ U.T)


def numpy_arrays(x, h, h_new, U, d):
    z = d * (1 - h_new**2)
    return tuple(part.numpy() for part in backward(x, h, z, z @ U.T))


def only_three(x, h, h_new, U, d):
    z = d * (1 - h_new**2)
    return torch.outer(x, z), torch.outer(h, z), z


WRONG = {
    "count_ngrams": {
        without_the_empty_context: "The empty context is missing",
        one_length_only: "one length of context only",
        one_too_long: "have up to n tokens",
        one_too_short: "longest contexts are too short",
        jumps_one: "You jump over a token",
        what_came_before: "You counted backward",
        from_the_same_start: "missing from the short contexts",
        in_tuples: "Your contexts are tuples",
        probabilities: "These are probabilities",
        no_overlaps: "is followed by",
        counts_the_end_too: "a context that nothing follows",
        up_to_three: "Their lengths are `range(n)`",
        in_one_table: "an earlier call",
        in_plain_dictionaries: "Keep the counts of a context in a `Counter`",
        strings_only: "fails on `bytes`",
    },
    "mixed_probability": {
        plain_share: "This is the plain share",
        without_a_base: "below the empty context is missing",
        exchanged_weights: "weights are exchanged",
        kinds_of_the_vocabulary: "with N(h) the number",
        half_and_half: "Half and half is not it",
        unweighted: "are added, but not weighted",
        straight_to_the_base: "went straight to 1 / vocab_size",
        plain_below: "is not mixed: call",
        drops_the_newest: "dropped the newest token",
        square_brackets: "so it is not in the table",
        divides_by_nothing: "and you divide by 0",
        adds_entries: "You changed the counts",
        nothing_for_the_unseen: "never occurred says nothing",
        without_an_end: "never stops calling itself",
        unseen_tokens_unweighted: "never by 'c'",
        asks_for_the_empty_string: "fails on `bytes`",
        twenty_six_letters: "for any size of the vocabulary",
    },
    "sampling_probabilities": {
        no_sum: "These are the exponentials",
        multiplies: "You multiplied by the temperature",
        divides_the_probabilities: "The temperature changed nothing",
        never_above: "so that the gaps shrink",
        divides_by_zero: "you divide by zero",
        two_winners: "Two logits tie",
        names_the_winner: "1 for the highest, 0 for the others",
        overflows: "With large logits",
        forbidden_is_nan: "a forbidden token",
        ignores_k: "top_k changed nothing",
        not_rescaled: "After the cut the rest does not sum to 1",
        keeps_the_unlikely: "kept the k unlikeliest",
        sorts_k: "The probabilities came back sorted",
        first_k: "first k of the vocabulary",
        more_than_k_crashes_not: "above the number of tokens nothing is cut",
        ignores_p: "top_p changed nothing",
        stops_early: "You stop before p is reached",
        rescaled_only_after_p: "After the cut by top_p the rest",
        sorts_p: "After the cut by top_p the probabilities came back sorted",
        keeps_the_tail: "You kept the tail",
        one_too_many: "one token too many",
        nothing_stays: "one token always remains",
        cuts_before_the_temperature: "The temperature comes first",
        counts_before_the_temperature: "The temperature comes first",
        one_cut_only: "not both together",
        rescales_between: "rescaled between the two cuts",
        shares_at_zero: "even if two logits tie",
        strictly_more: "one reaches top_p=0.5",
        first_wins: "for logits 0, 3, 1, 2",
        in_place: "You changed the numbers",
    },
    "train": {
        no_backward: "There are no gradients",
        no_step: "The weights did not change",
        clears_too_late: "clear the gradients after computing",
        never_clears: "gradients of all batches add up",
        steps_first: "step comes before the gradients",
        never_clips: "was not clipped before the step",
        clips_after_the_step: "was not clipped before the step",
        clips_values: "You clipped single numbers",
        clips_each: "You clipped each tensor",
        first_batch_only: "made with the first batch",
        clips_to_half: "0.5 times as long",
        adds_noise: "Compare line by line",
        measures_afterwards: "not one computed afterwards",
        keeps_tensors: "These losses are tensors",
        returns_the_last: "I expected a list of losses",
        returns_nothing: "nothing came back",
        misses_one: "I expected 4 losses",
        rounds: "the losses are not: I expected",
        asks_for_the_length: "a stream without a length",
        reads_twice: "I expected 4 losses",
        asks_the_loss_twice: "you called `loss` 8 times",
        calls_it_loss: "You called the number `loss`",
        clips_at_one: "whatever `clip` says",
        steps_between: "step comes before the gradients",
        always_scales: "A gradient shorter than `clip`",
        own_optimizer: "not by the optimizer you were given",
    },
    "LSTMCell": {
        returns_c_first: "first h, then c",
        returns_h_only: "Return two tensors",
        no_bias: "The bias b is missing",
        swaps_gates: "are exchanged. The order of the four parts",
        swaps_candidate: "the third is the candidate",
        squashed_candidate: "The candidate g goes through tanh",
        open_gates: "The gates are not squashed",
        no_input_gate: "The input gate is missing",
        no_forget_gate: "The forget gate is missing",
        forgets_what_it_keeps: "by 1 − f",
        tanh_in_the_way: "No tanh stands between",
        nothing_kept: "The old cell state is missing",
        old_cell_state: "This is the old c, unchanged",
        something_else: "The new c differs",
        h_without_tanh: "h lacks its tanh",
        h_of_the_old: "made from the old cell state",
        no_output_gate: "The output gate is missing",
        open_output_gate: "The output gate is not squashed",
        h_is_c: "This h is the same as c",
        another_h: "c is right, h is not",
        ChangesItsState: "You changed the state",
        OtherShapes: "should have the shape",
        CutsTheState: "the gradient of the old c is",
        CutsTheAnswer: "the gradient of the old c is",
        CutsH: "the gradient of the old c is",
        FixedForgetGate: "the gradient of the old c is",
        chunks_rows: "cuts the rows",
        sigmoid_first: "g went through the sigmoid first",
        four_texts: "write no size into the code",
        three_units: "write no size into the code",
        twelve_units: "write no size into the code",
    },
    "min_p_probabilities": {
        strictly_above: "compare with >=",
        min_p_alone: "You compared with min_p itself",
        min_p_not_rescaled: "Divide by its sum",
        cuts_nothing: "Nothing was cut",
        keeps_the_rest: "what lies below the threshold",
        never_one_alone: "At min_p=1 only the likeliest",
        min_p_in_place: "You changed the numbers",
    },
    "clip_gradients": {
        each_by_itself: "each tensor by itself",
        each_number: "You clipped single numbers, so the gradient changes direction",
        always_to_the_limit: "Clipping only ever shortens",
        sum_of_lengths: "added up the lengths",
        without_the_root: "forgot the square root",
        to_length_one: "came back with length 1",
        forgets_the_short: "nothing came back",
        changes_its_argument: "You changed the gradients",
        zero_by_zero: "Gradients of zero",
        stops_at_zero: "Gradients of zero",
    },
    "step_backward": {
        no_tanh: "The tanh is missing",
        slope_of_the_old: "not 1 − h²",
        not_transposed: "transpose it",
        w_the_wrong_way: "gradient of W_xh is transposed",
        u_the_wrong_way: "gradient of W_hh is transposed",
        u_with_the_new: "not with h_new",
        another_order: "order is not right",
        u_first: "order is not right",
        state_before_b: "order is not right",
        no_square: "with a square",
        slope_alone: "the slope of the tanh alone",
        tanh_twice: "You took the tanh twice",
        slope_forgotten_for_h: "gradient of the old hidden state h differs",
        overwrites_its_argument: "You changed what you were given",
        numpy_arrays: "Return four gradients",
        only_three: "Return four gradients",
    },
}


globals().update(closing_tests(nb02, "02_the_rnn_reddit_bot", WRONG))
