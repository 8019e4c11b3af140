"""The experiment about heads: kinds of tokens, costs with their errors, shuffled copies, and rows that the notebook may trust."""

import csv

import numpy as np
import pytest
import torch

from helpers import data_path
from helpers.bots.bot import Bot
from helpers.experiments import inside_heads
from helpers.experiments.inside_heads import (
    COLUMNS,
    HeadsRun,
    ablation_costs,
    attention_to_the_word,
    cost,
    held_out,
    main,
    model_of,
    rows_of,
    tokens_of,
)
from helpers.io import read_rows
from tests import factories


class Words:
    """A tokenizer of whole words, each with the space before it; the special tokens come first."""

    tokens = ("<pad>", "<unknown>", "<end>", "<A>", "<B>", "<other>", " he", " she", " they", " my", " brother", " sister",
              " like", " movies", " music", " what", " him", "he")  # fmt: skip
    end = 2

    def __len__(self):
        return len(self.tokens)

    def speaker(self, name):
        return 3 + "AB".index(name)

    def encode(self, text):
        words = text.replace(" ", "| ").strip("|").split("|")
        return [i for word in words for i in ([self.tokens.index(word)] if word in self.tokens else [1, 1])]

    def encode_conversation(self, talk):
        return [token for turn in talk.turns for token in (self.speaker(turn.speaker), *self.encode(turn.text))]


PAIR = torch.tensor([[2, 3, 9, 10, 4, 15], [2, 3, 9, 11, 4, 15]])


@pytest.fixture
def words(monkeypatch):
    monkeypatch.setattr(inside_heads, "LENGTH", 10)
    monkeypatch.setattr(inside_heads, "topic_pairs", lambda tokenizer: [PAIR])
    model = factories.gpt(len(Words()), std=0.5, embedding=1)
    return Bot(model, Words(), "gpt")


def talks(number=6):
    lines = (
        [" my brother like movies", " what like he"],
        [" my sister like music", " what like she"],
        [" my my my my", " like my they"],
    )
    return [factories.conversation(*lines[place % 3], name=f"c{place}") for place in range(number)]


def test_forms_of_a_word_are_single_tokens():
    assert tokens_of(Words(), ("he", "him", "uncle")) == [6, 16, 17]


def test_pronouns_come_from_further_conversations_and_the_rest_from_the_first(words):
    text = held_out(words.tokenizer, talks(12), length=10, plain=3)
    assert text.ids.shape == (9, 10)  # the first three, and of nine others the six with a pronoun
    assert text.kinds["all"].sum() == 3 * 9 and text.kinds["pronouns"].any(dim=1).sum() == 8
    assert not (text.kinds["others"] & (text.kinds["pronouns"] | text.kinds["they"])).any()
    assert text.kinds["others"].sum() + text.kinds["pronouns"][:3].sum() + text.kinds["they"][:3].sum() == 27


def test_a_cost_has_the_error_of_whole_conversations():
    change, mask = torch.tensor([[1.0, 3.0], [0.0, 9.0], [2.0, 2.0]]), torch.tensor([[1, 1], [1, 0], [0, 0]]).bool()
    mean, error = cost(change, mask)
    assert mean == pytest.approx(4 / 3)
    assert error == pytest.approx(np.sqrt((4 - 8 / 3) ** 2 + (0 - 4 / 3) ** 2) / 3)


@pytest.mark.parametrize("replacement", ["mean", "zero", "resample"])
def test_a_head_that_says_nothing_costs_nothing(words, replacement):
    torch.nn.init.zeros_(words.model.blocks[1].attention.output.weight[:, :8])  # what the first head of layer 1 writes
    text = held_out(words.tokenizer, talks(12), length=10, plain=3)
    rows = {(row["layer"], row["head"]): row for row in ablation_costs(words.model, text, replacement)}
    assert len(rows) == 4 and abs(rows[1, 0]["all"]) < 1e-6 < abs(rows[1, 1]["all"])
    assert rows[1, 0]["right"] == rows[1, 0]["right_whole"] <= rows[1, 0]["asked"] == 8


def test_attention_is_that_from_the_last_token_to_the_word(words):
    weights = torch.stack(words.model.attention_weights(PAIR[:1]))[..., -1, 3]
    other = torch.stack(words.model.attention_weights(PAIR[1:]))[..., -1, 3]
    assert torch.allclose(attention_to_the_word(words.model, PAIR), (weights + other) / 2, atol=1e-6)


def test_rows_hold_every_column(words):
    run = HeadsRun("gpt", "trained", "mean")
    rows = rows_of(run, words, talks(), [PAIR])
    assert len(rows) == 4 and set(rows[0]) == set(COLUMNS)
    assert all(row["restored_low"] <= row["restored"] <= row["restored_high"] for row in rows)
    assert "restored" not in rows_of(run._replace(replacement="zero"), words, talks(), [PAIR])[0]
    shuffled = model_of(run._replace(weights="shuffled 1"), words)
    assert model_of(run, words) is words.model and not torch.equal(shuffled.embed.weight, words.model.embed.weight)


def test_the_command_runs_what_the_table_lacks(words, tmp_path, monkeypatch):
    monkeypatch.setattr(inside_heads, "data_path", lambda: tmp_path)
    monkeypatch.setattr(inside_heads, "load", lambda name: factories.corpus(test=talks(3), val=talks(3)))
    monkeypatch.setattr(inside_heads.checkpoints, "load", lambda name: words)
    monkeypatch.setattr(inside_heads, "pronoun_pairs", lambda tokenizer: [PAIR])
    monkeypatch.setattr(inside_heads, "RUNS", (HeadsRun("gpt", "trained", "mean"), HeadsRun("gpt", "trained", "zero")))
    main()
    monkeypatch.setattr(inside_heads, "rows_of", None)  # a second time nothing is run
    main()
    assert len(read_rows(tmp_path / "heads.csv")) == 8


def test_the_table_says_what_the_notebook_says():
    with (data_path() / "heads.csv").open(encoding="utf-8", newline="") as file:
        assert tuple(next(csv.reader(file))) == COLUMNS
    rows = read_rows(data_path() / "heads.csv")
    for bot in ("gpt", "gpt-chat", "dpo"):
        heads = {(row["layer"], row["head"]): row for row in rows
                 if (row["bot"], row["weights"], row["replacement"]) == (bot, "trained", "mean")}  # fmt: skip
        one = heads[2, 3]
        assert one["restored"] >= 0.8 and all(row["restored"] < 0.2 for place, row in heads.items() if place != (2, 3))
        assert one["pronouns"] >= 10 * one["others"]
    shuffled = [row for row in rows if row["weights"] != "trained"]
    assert len(shuffled) == 32 and all(abs(row["pronouns"]) < 0.3 for row in shuffled)
