"""Measuring a bot: the same questions for all, seeds of their own, and diversity on equally many words."""

import pytest

from helpers.bots import measure
from tests.factories import SOUP, conversation
from tests.factories import conversations as talks


class Parrot:
    """A bot that repeats itself, in other words for each seed and after each context; notes what it was asked."""

    class model:
        parameter_count = staticmethod(lambda: 7)

    tokenizer, words = None, 400

    def __init__(self):
        self.asked = []

    def reply(self, history, temperature, seed):
        self.asked.append((tuple(history), temperature, seed))
        return " ".join(f"{seed}-{number}" for number in range(self.words))


@pytest.fixture
def parrot(monkeypatch):
    monkeypatch.setattr(measure, "bits_per_byte_on", lambda model, tokenizer, test: 1.5)
    return Parrot()


def test_every_bot_is_asked_the_same_with_a_seed_of_its_own_for_each_reply(parrot):
    measure.measure(parrot, [*talks(2), conversation(*SOUP[:3], name="short"), *talks(1)])
    context = tuple(turn.text for turn in talks(1)[0].turns[:3])
    assert parrot.asked == [(context, 0.7, seed) for seed in range(3)]
    parrot.asked.clear()
    measure.measure(parrot, talks(201))
    assert [seed for _, _, seed in parrot.asked] == list(range(200))


def test_diversity_is_that_of_the_first_thousand_words_and_the_length_that_of_all(parrot, monkeypatch):
    seen = []
    for name in ("distinct", "entropy"):
        monkeypatch.setattr(measure, name, lambda texts, n: seen.append(sum(map(len, texts))) or 0.5)
    monkeypatch.setattr(measure, "self_bleu", lambda texts, n: seen.append(sum(map(len, texts))) or 0.5)
    figures = measure.measure(parrot, talks(5))
    assert seen == [1000, 1000, 1000, 2000] and figures["reply length"] == 400
    assert figures["parameters"] == 7 and figures["bits per byte"] == 1.5 and figures["seconds per reply"] >= 0


def test_diversity_is_measured_on_equally_many_words():
    replies = [["a", "b"], [], ["c", "d", "e"], ["f"]]
    assert measure.first_words(replies, 4) == [["a", "b"], [], ["c", "d"]]
    assert measure.first_words(replies, 2) == [["a", "b"]] and measure.first_words(replies, 100) == replies
