"""Notebook 02: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import math
from collections import Counter

import pytest
import torch

from helpers.checks import nb02
from tests.answers.solutions import run, solutions

SOLUTIONS = solutions("02_the_rnn_reddit_bot")


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


def changes_its_argument(gradients, limit):
    length = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
    return [gradient.mul_(min(1.0, limit / length)) for gradient in gradients]


def zero_by_zero(gradients, limit):
    length = torch.sqrt(sum((gradient**2).sum() for gradient in gradients))
    return [gradient / length * torch.minimum(length, torch.tensor(limit)) for gradient in gradients]


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


def only_three(x, h, h_new, U, d):
    z = d * (1 - h_new**2)
    return torch.outer(x, z), torch.outer(h, z), z


WRONG = {
    "next_characters": {
        raw_counts: "These are counts",
        the_one_before: "before the context",
        by_the_length_of_the_text: "length of the text",
        without_overlaps: "may overlap",
        counts_the_end_too: "At the very end",
        one_for_nothing: "an empty dictionary",
    },
    "bits_per_byte": {
        stays_in_nats: "This is in nats",
        multiplies_by_ln_2: "You multiplied by ln 2",
        of_the_whole_text: "bits of the whole text",
        divides_by_eight: "You divided by 8 bits",
        by_characters: "You counted characters",
    },
    "with_temperature": {
        multiplies: "You multiplied by the temperature",
        divides_the_probabilities: "You divided the probabilities",
        divides_by_zero: "you divide by zero",
        overflows_when_cold: "temperature of 1e-38",
        own_softmax: "With large logits",
        in_place: "You changed the logits",
        names_the_winner: "return a probability for each token",
    },
    "clip_gradients": {
        each_by_itself: "each tensor by itself",
        each_number: "cut off single numbers",
        always_to_the_limit: "you made it longer",
        sum_of_lengths: "added up the lengths",
        changes_its_argument: "You changed the gradients",
        zero_by_zero: "Gradients of zero",
    },
    "step_backward": {
        no_tanh: "The tanh is missing",
        slope_of_the_old: "not 1 − h²",
        not_transposed: "transpose it",
        w_the_wrong_way: "gradient of W is the wrong way round",
        u_the_wrong_way: "gradient of U is the wrong way round",
        u_with_the_new: "not with h_new",
        another_order: "order is not right",
        only_three: "Return four gradients",
    },
}


def verdict(exercise, answer, capsys):
    getattr(nb02, f"check_{exercise}")(answer)
    return capsys.readouterr().out


@pytest.mark.parametrize("exercise", WRONG)
def test_the_shown_solution_passes(exercise, capsys):
    assert verdict(exercise, run(SOLUTIONS[exercise], exercise), capsys).startswith("✔ ")


@pytest.mark.parametrize("exercise", WRONG)
def test_an_untouched_stub_is_not_a_mistake(exercise, capsys):
    assert "Not tried yet" in verdict(exercise, lambda *arguments: ..., capsys)
    assert "Not tried yet" in verdict(exercise, lambda *arguments: None, capsys)


@pytest.mark.parametrize(
    "exercise, answer, words", [(e, a, w) for e, wrong in WRONG.items() for a, w in wrong.items()]
)
def test_each_wrong_answer_hears_its_own_mistake(exercise, answer, words, capsys):
    said = verdict(exercise, answer, capsys)
    assert said.startswith("✘ ") and words in said
    assert not any(other in said for other in WRONG[exercise].values() if other != words)
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize("exercise", WRONG)
@pytest.mark.parametrize("answer", [1 / 3, "text", [], {}, torch.zeros(1), [1, 2, 3, 4]])
def test_an_answer_of_another_kind_gets_a_sentence(exercise, answer, capsys):
    said = verdict(exercise, lambda *arguments: answer, capsys)
    assert said.startswith("✘ ") and len(said.strip().splitlines()) == 1


@pytest.mark.parametrize("exercise", WRONG)
def test_an_answer_that_crashes_gets_a_sentence(exercise, capsys):
    assert "stopped with ZeroDivisionError" in verdict(exercise, lambda *arguments: 1 / 0, capsys)


def test_every_exercise_of_the_notebook_is_tested():
    assert set(SOLUTIONS) == set(WRONG)
