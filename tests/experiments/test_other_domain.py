"""Another domain: the halves make the whole text, tuning leaves the bot alone, and each row says what was measured."""

import sys

import pytest
import torch

from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.experiments import other_domain
from helpers.experiments.other_domain import bits_per_byte, descriptions, domain_rows, tuned
from tests import factories


@pytest.fixture
def course(tokenizer, checkpoint_folder, monkeypatch):  # noqa: F811
    """A folder with a tiny bot "gpt", two conversations, and short texts."""
    checkpoints.save(Bot(factories.gpt(len(tokenizer), n_layer=1), tokenizer, "gpt"), {}, {})
    talks = factories.conversations(4, ("Hello there!", "Hello to you too.", "How is the soup?"))
    monkeypatch.setattr(other_domain, "load", lambda: factories.corpus(talks, talks, talks))
    monkeypatch.setattr(other_domain, "CONTEXT", 16)
    texts = {"medicine": ("the soup is hot " * 10, "the soup is hot"), "wine": ("hello to you " * 10, "hello to you")}
    monkeypatch.setattr(other_domain, "descriptions", lambda: texts)
    other_domain._conversations.cache_clear()
    yield checkpoints.load("gpt")
    other_domain._conversations.cache_clear()


def test_the_halves_make_the_whole_and_end_with_a_line():
    from sklearn.datasets import load_wine

    texts = descriptions()
    assert "".join(texts["wine"]) == load_wine().DESCR and all(first.endswith("\n") for first, _ in texts.values())
    assert all(0.4 < len(first) / len(first + second) < 0.6 for first, second in texts.values())
    assert "breast" in texts["medicine"][0]


def test_bits_per_byte_of_a_plain_text(course):
    even = factories.gpt(len(course.tokenizer), n_layer=1, scale=0.0)  # every token is as likely
    text = "the soup"
    expected = len(course.tokenizer.encode(text)) * torch.log2(torch.tensor(len(course.tokenizer))).item() / 8
    assert bits_per_byte(even, course.tokenizer, text) >= expected - 1e-4


def test_tuning_lowers_what_it_reads_and_leaves_the_bot_alone(course):
    before = {name: value.clone() for name, value in course.model.state_dict().items()}
    text = "the soup is hot " * 10
    after = tuned(course.model, course.tokenizer, text, steps=10)
    assert bits_per_byte(after, course.tokenizer, text) < bits_per_byte(course.model, course.tokenizer, text)
    assert all(torch.equal(value, before[name]) for name, value in course.model.state_dict().items())


def test_each_variant_reads_its_own_text_and_is_measured_on_both(course, monkeypatch):
    read = []
    monkeypatch.setattr(other_domain, "tuned", lambda model, tokenizer, text, *how: read.append(text[:5]) or model)
    rows = [domain_rows(variant, seed=0) for variant in other_domain.VARIANTS]
    assert read == ["the s", "hello"] and rows[0] == rows[1] == rows[2]
    assert [row["measure"].split()[-1] for row in rows[0]] == ["medicine", "wine", "conversations"]
    assert [row["count"] for row in rows[0]] == [15, 12, other_domain.CHATS]


def test_a_missing_library_gets_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        descriptions()
