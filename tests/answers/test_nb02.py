"""Notebook 02: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import math
from collections import Counter

import torch

from helpers.checks import nb02
from tests.answers.common import closing_tests


def places(text, context):
    length = len(context)
    return [i for i in range(len(text) - length + 1) if text[i : i + length] == context]


def followers(text, context):
    ends = [i + len(context) for i in places(text, context)]
    return Counter(text[end] for end in ends if end < len(text))


def shares(counts, total):
    return {character: count / total for character, count in counts.items()}


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def raw_counts(text, context):
    return dict(followers(text, context))


def the_one_before(text, context):
    counts = Counter(text[i - 1] for i in places(text, context) if i > 0)
    return shares(counts, max(1, counts.total()))


def by_the_length_of_the_text(text, context):
    return shares(followers(text, context), len(text))


def without_overlaps(text, context):
    counts = Counter(part[:1] for part in text.split(context)[1:] if part)
    return shares(counts, max(1, counts.total()))


def counts_the_end_too(text, context):
    return shares(followers(text, context), len(places(text, context)) or 1)


def finds_from_behind(text, context):
    ends, start = [], 0
    while (place := text.find(context, start)) >= 0:
        start = place + len(context)  # jumps over what overlaps
        ends.append(start)
    counts = Counter(text[end] for end in ends if end < len(text))
    return shares(counts, max(1, counts.total()))


def stops_for_the_unseen(text, context):
    counts = followers(text, context)
    share = 1 / counts.total()
    return {character: count * share for character, count in counts.items()}


def one_for_nothing(text, context):
    counts = followers(text, context)
    return shares(counts, counts.total()) if counts else {"": 1.0}


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def stays_in_nats(nats, text):
    return nats / len(text.encode())


def multiplies_by_ln_2(nats, text):
    return nats * math.log(2) / len(text.encode())


def of_the_whole_text(nats, text):
    return nats / math.log(2)


def divides_by_eight(nats, text):
    return nats / 8 / len(text.encode())


def a_perplexity(nats, text):
    return 2 ** math.exp(nats / len(text.encode()))


def another_sign(nats, text):
    return -nats / math.log(2) / len(text.encode())


def by_characters(nats, text):
    return nats / math.log(2) / len(text)


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def greedy(logits):
    return torch.nn.functional.one_hot(logits.argmax(), len(logits)).to(logits.dtype)


def multiplies(logits, temperature):
    return torch.softmax(logits * temperature, -1)


def divides_the_probabilities(logits, temperature):
    heated = torch.softmax(logits, -1) / temperature
    return heated / heated.sum()


def divides_by_zero(logits, temperature):
    return torch.softmax((logits - logits.max()) / temperature, -1)


def overflows_when_cold(logits, temperature):
    return greedy(logits) if temperature == 0 else torch.softmax(logits / temperature, -1)


def own_softmax(logits, temperature):
    if temperature < 1e-6:
        return greedy(logits)
    raised = torch.exp(logits / temperature)
    return raised / raised.sum()


def in_place(logits, temperature):
    logits /= temperature
    return torch.softmax(logits, -1)


def names_the_winner(logits, temperature):
    return logits.argmax() if temperature == 0 else torch.softmax((logits - logits.max()) / temperature, -1)


def writes_into_the_logits(logits, temperature):
    if temperature == 0:
        logits[:] = greedy(logits)
        return logits
    return torch.softmax((logits - logits.max()) / temperature, -1)


def two_winners(logits, temperature):
    if temperature == 0:
        return (logits == logits.max()).float()
    return torch.softmax((logits - logits.max()) / temperature, -1)


def never_below(logits, temperature):
    return greedy(logits) if temperature == 0 else torch.softmax((logits - logits.max()) / max(temperature, 0.1), -1)


def never_above(logits, temperature):
    return greedy(logits) if temperature == 0 else torch.softmax((logits - logits.max()) / min(temperature, 1.0), -1)


# -- Exercise 4 --------------------------------------------------------------------------------------------------------
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


# -- Exercise 5 --------------------------------------------------------------------------------------------------------
def backward(x, h, z, into_h):
    return torch.outer(x, z), torch.outer(h, z), z, into_h


def no_tanh(x, h, h_new, U, d):
    return backward(x, h, d, d @ U.T)


def slope_of_the_old(x, h, h_new, U, d):
    z = d * (1 - h**2)
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


def memory_before_b(x, h, h_new, U, d):
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
    "next_characters": {
        raw_counts: "These are counts",
        the_one_before: "before the context",
        by_the_length_of_the_text: "length of the text",
        without_overlaps: "jumped over it",
        finds_from_behind: "may overlap",
        counts_the_end_too: "At the very end",
        stops_for_the_unseen: "your code stopped with ZeroDivisionError: return {}",
        one_for_nothing: "an empty dictionary",
    },
    "bits_per_byte": {
        stays_in_nats: "This is in nats",
        multiplies_by_ln_2: "You multiplied by ln 2",
        of_the_whole_text: "bits of the whole text",
        divides_by_eight: "You divided by 8 bits",
        a_perplexity: "This is a perplexity",
        another_sign: "sign is the wrong way round",
        by_characters: "You divided by characters",
    },
    "with_temperature": {
        multiplies: "You multiplied by the temperature",
        divides_the_probabilities: "You divided the probabilities",
        divides_by_zero: "you divide by zero",
        overflows_when_cold: "At a temperature of 1e-38",
        own_softmax: "With large logits",
        in_place: "You changed the logits",
        writes_into_the_logits: "You changed the logits",
        two_winners: "Two logits tie",
        never_below: "Is there a lower bound",
        never_above: "so that the gaps shrink",
        names_the_winner: "return a probability for each token",
    },
    "clip_gradients": {
        each_by_itself: "each tensor by itself",
        each_number: "cut off single numbers",
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
        w_the_wrong_way: "gradient of W is the wrong way round",
        u_the_wrong_way: "gradient of U is the wrong way round",
        u_with_the_new: "not with h_new",
        another_order: "order is not right",
        u_first: "order is not right",
        memory_before_b: "order is not right",
        tanh_twice: "You took the tanh twice",
        slope_forgotten_for_h: "gradient of the old hidden state h differs",
        overwrites_its_argument: "You changed what you were given",
        numpy_arrays: "Return four gradients",
        only_three: "Return four gradients",
    },
}


globals().update(closing_tests(nb02, "02_the_rnn_reddit_bot", WRONG))
