"""The control of notebook 03: both networks read and are measured alike, and only what is missing is run."""

import numpy as np
import pytest

from helpers.experiments import reply_attention
from helpers.experiments.reply_attention import ReplyRun, Texts, context_bits, gradient_reach
from helpers.io import read_rows
from tests import factories


@pytest.fixture
def texts(monkeypatch):
    from helpers.corpus.batches.context_reply_pairs import pairs
    from helpers.corpus.tokenizers.characters import CharTokenizer

    monkeypatch.setattr(reply_attention, "CONTEXT", 6)
    monkeypatch.setattr(reply_attention, "SIZES", {"hidden_size": 4, "embedding_size": 4, "context_tokens": 6})
    tokenizer = CharTokenizer("abcdef")
    talks = [factories.conversation("abcabc", "defdefdef", "fedcba", "abcdefabc") for _ in range(10)]
    read = pairs(talks, tokenizer, 6, 9)
    return Texts(tokenizer, read, read, ["abc", "fed"], [["a", "b"], ["c", "d"]])


def test_the_stored_table_has_every_run():
    from helpers import data_path

    rows = read_rows(data_path("reply_attention.csv"))
    assert {(row["attention"], row["seed"]) for row in rows} == {tuple(run) for run in reply_attention.RUNS}
    assert {row["steps"] for row in rows} == {reply_attention.STEPS}


def test_the_reach_is_measured_in_tokens(texts):
    model = factories.seq2seq(len(texts.tokenizer), hidden_size=4, embedding_size=4, context_tokens=6, scale=3).eval()
    half, ninety = gradient_reach(model, texts.val)
    assert 1 <= half <= ninety <= 6 + reply_attention.READ + 1


def test_uniform_weights_take_no_notice_of_the_state():
    import torch

    attention, memory = reply_attention.UniformAttention(6, 4, 5), torch.randn(2, 3, 4)
    mask = torch.tensor([[True, True, True], [True, True, False]])
    context, weights = attention(torch.randn(2, 6), attention.keys(memory), memory, mask)
    assert weights.tolist() == [pytest.approx([1 / 3] * 3), [0.5, 0.5, 0]]
    torch.testing.assert_close(context, torch.stack([memory[0].mean(0), memory[1, :2].mean(0)]))


def test_the_control_of_one_vector_hands_over_what_each_gru_has_at_its_end():
    import torch

    attention, memory = reply_attention.EndStates(6, 4, 5), torch.randn(2, 3, 4)
    mask = torch.tensor([[True, True, True], [True, False, False]])
    context, weights = attention(torch.randn(2, 6), attention.keys(memory), memory, mask)
    torch.testing.assert_close(context, torch.stack([torch.cat([memory[0, 2, :2], memory[0, 0, 2:]]), memory[1, 0]]))
    assert weights.tolist() == [[0.5, 0, 0.5], [1, 0, 0]]


def test_through_the_control_a_changed_word_passes_only_by_the_states_at_the_ends():
    import torch

    model = factories.seq2seq(9, hidden_size=4, embedding_size=4, scale=3).eval()
    model.attention = reply_attention.EndStates(4, 4, 2)
    mask = torch.ones(1, 5, dtype=torch.bool)
    start, hidden, keys = model.encode(torch.tensor([[6, 7, 8, 7, 6]]), mask)
    changed = hidden.clone()
    changed[:, 1:-1] += 1
    logits = [model.decode(torch.tensor([[3, 6]]), (start, states, keys), mask)[0] for states in (hidden, changed)]
    torch.testing.assert_close(*logits)


def test_a_bot_that_reads_no_context_saves_nothing_by_it(texts):
    from helpers.bots.bot import Bot

    bot = Bot(factories.ngram(len(texts.tokenizer), order=1), texts.tokenizer)
    saved = context_bits(bot, texts.replies, texts.before)
    assert saved.shape == (2,) and np.allclose(saved, 0)


def test_only_what_is_missing_is_run(texts, tmp_path, monkeypatch):
    monkeypatch.setattr(reply_attention, "data_path", lambda: tmp_path)
    monkeypatch.setattr(reply_attention, "load_texts", lambda: texts)
    monkeypatch.setattr(reply_attention, "STEPS", 1)
    train_one, trained = reply_attention.train_one, []
    monkeypatch.setattr(
        reply_attention, "train_one", lambda texts, *run: trained.append(run) or train_one(texts, *run, steps=1)
    )
    four = tuple(ReplyRun(name, 0) for name in ("none", "ends", "uniform", "learned"))
    for runs in (four[:1], four):
        monkeypatch.setattr(reply_attention, "RUNS", runs)
        reply_attention.main()
    rows = read_rows(tmp_path / "reply_attention.csv")
    assert [row["attention"] for row in rows] == [run[0] for run in trained] == ["none", "ends", "uniform", "learned"]
    assert tuple(rows[0]) == reply_attention.COLUMNS and all(row["nats"] > 0 for row in rows)
