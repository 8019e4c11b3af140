"""What can be read off a GPT: labels look no further than their turn, the rule follows the person named last."""

import csv
from itertools import product

import numpy as np
import pytest
import torch

from helpers import data_path
from helpers.bots.bot import Bot
from helpers.experiments import inside, inside_features, inside_parts
from helpers.experiments.inside import COLUMNS, RUNS, InsideRun, main, rows_of
from helpers.experiments.inside_features import last_person
from helpers.experiments.inside_parts import question_ahead, row, speaker_b
from helpers.io import read_rows
from tests import factories

TEXTS = (
    "how is my brother?",
    "he is ok. and your sister",
    "she is fine, is he ok?",
    "yes he is ok",
    "what is it?",
    "it is tea",
)


def ids_of(tokenizer, *texts):
    return tokenizer.encode_conversation(factories.conversation(*texts))


def test_a_question_is_ahead_within_its_own_turn(tokenizer):
    ids = ids_of(tokenizer, "is it?x", "ok")
    assert [tokenizer.tokens[token] for token in ids][0] == "<A>"
    assert question_ahead(ids, tokenizer) == [0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]


def test_the_speaker_is_known_from_the_token_on(tokenizer):
    labels = speaker_b(ids_of(tokenizer, "ab", "cd", "e"), tokenizer)
    assert labels[:8] == [0, 0, 0, 1, 1, 1, 0, 0]


def test_the_rule_follows_the_person_named_last():
    tokens = ["<end>", "<A>", "My", " f", "ather", " is", " he", "llo", ".", "<B>", "She", "?", " The", "n", "<end>"]
    #         none yet; "father" is known when it is whole; "he" for a moment, then it is "hello"; "Then" is no person
    assert last_person(tokens) == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, 0]
    assert last_person([" mother", " the", " other"]) == [-1, -1, -1]


def test_a_row_has_a_mean_and_its_standard_error():
    assert row("a", "b", [1.0, 3.0]) == {"item": "a", "measure": "b", "value": 2.0, "spread": 1.0, "count": 2}
    assert row("a", "b", 0.5, 7) == {"item": "a", "measure": "b", "value": 0.5, "spread": None, "count": 7}


@pytest.fixture
def small(tokenizer, monkeypatch):
    """A tiny bot, a corpus of short talks, and parts that take seconds."""
    for name, value in {"LENGTH": 40, "SHORT": 30, "CONTEXTS": 2, "TOKENS": 4, "STRENGTHS": (4.0,)}.items():
        monkeypatch.setattr(inside_parts, name, value)
    monkeypatch.setattr(inside_features, "LENGTH", 40)
    monkeypatch.setattr(inside_features, "STREAM", "blocks.0.hook_resid_post")
    monkeypatch.setattr(inside_parts, "STEERED", "blocks.0.hook_resid_post")
    monkeypatch.setattr(inside_features, "HEAD", (1, 1))
    train = inside_features.train_autoencoder
    tiny = {"n_features": 32, "k": 4, "steps": 5, "batch_size": 64}
    monkeypatch.setattr(inside_features, "train_autoencoder", lambda values, seed: train(values, seed=seed, **tiny))
    monkeypatch.setattr(inside, "TRAIN", 6)
    monkeypatch.setattr(inside, "EACH", 2)
    talks = [factories.conversation(*TEXTS[place % 3 :], *TEXTS, name=f"c{place}") for place in range(20)]
    bot = Bot(factories.gpt(len(tokenizer), context=200, std=0.2), tokenizer, "gpt")
    return bot, factories.corpus(talks[:8], talks[8:14], talks[14:])


@pytest.mark.parametrize(("part", "weights"), list(product(inside.PARTS, ("trained", "shuffled"))))
def test_each_part_gives_rows_that_are_numbers(small, part, weights):
    rows = rows_of(InsideRun(part, "gpt", weights, 1), *small)
    assert rows and all(set(one) == set(COLUMNS) and np.isfinite(one["value"]) and one["count"] > 0 for one in rows)
    assert len({(one["item"], one["measure"]) for one in rows}) == len(rows)
    assert not small[0].model.hooked


def test_what_is_asked_without_steering_is_the_model_itself(small, monkeypatch):
    seen = []
    generate = inside_parts.generate_replies

    def record(model, *arguments, **settings):
        seen.append(model(torch.tensor([[2, 7, 8]]))[0])
        return generate(model, *arguments, **settings)

    monkeypatch.setattr(inside_parts, "generate_replies", record)
    rows_of(InsideRun("steering", "gpt", "trained", 0), *small)
    plain = small[0].model(torch.tensor([[2, 7, 8]]))[0]
    assert (
        torch.allclose(seen[0], plain) and not torch.allclose(seen[1], plain) and not torch.allclose(seen[1], seen[2])
    )


def test_the_command_runs_what_the_table_lacks(small, tmp_path, monkeypatch):
    monkeypatch.setattr(inside, "data_path", lambda: tmp_path)
    monkeypatch.setattr(inside, "load", lambda name: small[1])
    monkeypatch.setattr(inside.checkpoints, "load", lambda name: small[0])
    monkeypatch.setattr(
        inside, "RUNS", (InsideRun("explanation", "gpt", "trained", 0), InsideRun("explanation", "dpo", "trained", 0))
    )
    main()
    rows = read_rows(tmp_path / "inside.csv")
    monkeypatch.setattr(inside, "rows_of", None)  # a second time nothing is run
    main()
    assert {one["bot"] for one in rows} == {"gpt", "dpo"} and rows == read_rows(tmp_path / "inside.csv")


def test_the_table_says_what_the_notebook_says():
    with (data_path() / "inside.csv").open(encoding="utf-8", newline="") as file:
        assert tuple(next(csv.reader(file))) == COLUMNS
    rows = read_rows(data_path() / "inside.csv")
    assert {(one["part"], one["bot"], one["weights"], one["seed"]) for one in rows} == set(RUNS)
    values = {
        (one["part"], one["weights"], one["seed"], one["item"], one["measure"]): one["value"]
        for one in rows
        if one["bot"] == "gpt"
    }
    for seed in (0, 1, 2):
        asks = {item: values["steering", "trained", seed, item, "asks"] for item in
                ("none, strength 0", "question, strength 4", "question, strength -4", "random, strength 4")}  # fmt: skip
        assert asks["question, strength 4"] > 2 * max(asks["none, strength 0"], asks["random, strength 4"])
        assert asks["question, strength -4"] < 0.5 * asks["none, strength 0"]
        assert values["probes", "trained", seed, "speaker, layer 2", "selectivity"] > 0.1
        assert values["probes", "trained", seed, "question ahead, layer 2", "selectivity"] < 0.05
        if seed < 2:
            assert values["probes", "shuffled", seed, "speaker, layer 2", "selectivity"] < 0
        assert values["features", "trained", seed, "autoencoder", "share recovered"] > 0.9
    changed = {item: value for (part, weights, _, item, measure), value in values.items()
               if (part, weights, measure) == ("attribution", "trained", "KL after deletion, last 1 kept")}  # fmt: skip
    assert min(changed["saliency"], changed["occlusion"]) > 2 * changed["random"]
    assert changed["latest"] > 2 * changed["random"]  # and so does whoever names the last tokens
