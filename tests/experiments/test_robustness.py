"""The runs of notebook 11, first half: replies that fit, the same replies for every change, tuning beside its control."""

import numpy as np
import pytest

from helpers import data_path
from helpers.bots.bot import Bot
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.experiments import robustness
from helpers.experiments.robustness import (
    CHANGES,
    CONTROLS,
    COST_RUNS,
    DEFENCE_RUNS,
    DEFENCES,
    CostRun,
    DefenceRun,
    contexts_of,
    cost_rows,
    defence_row,
    main,
    sample,
    tune,
)
from helpers.io import read_rows
from helpers.robustness.noise import upper_case
from helpers.training.history import History
from tests import factories
from tests.robustness.test_letter_classifier import examples

TEXTS = (
    "how is the soup today?",
    "the soup is fine",
    "hello to you too",
    "what do you like?",
    "fish, and you?",
    "so do I",
    "ok",
)


def talks(number, first=0):
    return [
        factories.conversation(*(f"{text} {first + place}" for text in TEXTS), name=f"c{first + place}")
        for place in range(number)
    ]


@pytest.fixture
def small(monkeypatch):
    tokenizer = BPETokenizer.train((turn.text for talk in talks(9) for turn in talk.turns), 290)

    def load(name):
        return Bot(factories.gpt(len(tokenizer), std=0.3, context=200), tokenizer, name)

    monkeypatch.setattr(robustness.checkpoints, "load", load)
    return factories.corpus(talks(8), talks(4, 8), talks(6, 12))


def test_a_sample_holds_what_the_bot_sees_in_capitals(small):
    bot = robustness.checkpoints.load("gpt")
    data = sample(bot, small.test, 0)
    assert len(data.replies) == 18 == len(data.groups) and all(len(context) == 4 for context in data.contexts)
    one = (sample(bot, small.test, seed, 1).replies for seed in (0, 0, 1))
    assert next(one) == next(one) != next(one)
    bot.model.context = 60
    assert len(sample(bot, small.test, 0).replies) == 0


def test_changes_and_controls(small):
    data = sample(robustness.checkpoints.load("gpt"), small.test, 0)
    assert contexts_of("unchanged", data, 0) == data.contexts and contexts_of("none", data, 0) == [[]] * 18
    assert contexts_of("last turn only", data, 0) == [context[-1:] for context in data.contexts]
    assert contexts_of("upper case", data, 0)[0] == [text.upper() for text in data.contexts[0]]
    assert contexts_of("typos", data, 0) == contexts_of("typos", data, 0) != contexts_of("typos", data, 1)
    assert all(len(contexts_of(change, data, 0)) == 18 for change in (*CHANGES, *CONTROLS))


def test_costs_are_above_the_unchanged_context(small):
    rows = cost_rows(CostRun("gpt", 0), small)
    assert [row["change"] for row in rows] == [*CONTROLS, *CHANGES]
    assert rows[0]["cost"] == rows[0]["error"] == 0 and rows[0]["conversations"] == 6
    for row in rows:
        assert row["bits_per_byte"] - rows[0]["bits_per_byte"] == pytest.approx(row["cost"])
    table = {row["change"]: row["bits_per_byte"] for row in rows}
    assert table["unchanged, normalized"] == table["unchanged"] and table["none"] != table["unchanged"]


def test_tuning_reads_capitals_and_its_control_the_same_replies(small, monkeypatch):
    seen = {}
    monkeypatch.setattr(robustness, "fit", lambda model, batches, **_: seen.update(rows=batches.rows) or History())
    bot = robustness.checkpoints.load("gpt")
    read = {}
    for name, noise in (("capitals", upper_case), ("clean", None)):
        tune(bot, small.train, noise, 0)
        read[name] = seen["rows"]
    decode = bot.tokenizer.decode
    replies = {name: [decode(row.ids[row.mask]) for row in rows] for name, rows in read.items()}
    assert replies["capitals"] == replies["clean"] and not any(
        text.isupper() for text in replies["clean"] if len(text) > 5
    )
    contexts = [[decode(row.ids[~row.mask]) for row in rows] for rows in read.values()]
    changed = sum(a != b for a, b in zip(*contexts))
    assert 4 < changed < len(contexts[0]) - 4 and all(b in (a, a.upper()) or a == b.upper() for a, b in zip(*contexts))


def test_tuned_bots_are_charged_above_the_untuned_one(small, monkeypatch):
    monkeypatch.setattr(robustness, "TUNING_STEPS", 2)
    monkeypatch.setattr(
        robustness, "tune", lambda bot, conversations, noise, seed: bot.model.embed.weight.data.mul_(1.5)
    )
    rows = cost_rows(CostRun("gpt, tuned on capitals", 0), small)
    assert rows[0]["change"] == "unchanged" and rows[0]["cost"] != 0


def test_a_defence_has_its_clean_accuracy_beside_it(monkeypatch):
    data = examples(40)
    for name in DEFENCES:
        row = defence_row(DefenceRun(name, 0), data, data, steps=12)
        assert row["clean"] >= row["hotflip_1"] >= row["hotflip_3"] and row["steps"] == 12
        assert row["flipped_1"] == pytest.approx((row["clean"] - row["hotflip_1"]) / row["clean"])
        assert row["random_3"] >= row["hotflip_3"]


def test_no_defence_is_tested_on_its_own_typos_alone():
    row = defence_row(DefenceRun("typos", 0), examples(40), examples(40), steps=5)
    assert {"typos", "random_letters"} <= set(row)  # both generators, whichever it was trained on
    assert {"typos", "random letters"} <= set(DEFENCES)


def test_the_command_runs_what_the_tables_lack(small, tmp_path, monkeypatch):
    monkeypatch.setattr(robustness, "load", lambda: small)
    monkeypatch.setattr(robustness, "question_examples", lambda *_: examples(20))
    monkeypatch.setattr(robustness, "COST_RUNS", (CostRun("gpt", 0),))
    monkeypatch.setattr(robustness, "DEFENCE_RUNS", (DefenceRun("none", 0), DefenceRun("random steps", 0)))
    monkeypatch.setattr(robustness, "defence_row", lambda run, train, test: {**run.key, "clean": 0.5})
    main(tmp_path)
    table = tmp_path / "robustness_defences.csv"
    before = table.read_text(encoding="utf-8")
    lines = before.splitlines(keepends=True)
    table.write_text("".join(lines[:-1]), encoding="utf-8")
    main(tmp_path)
    assert table.read_text(encoding="utf-8") == before and len(read_rows(tmp_path / "robustness_costs.csv")) > 10


def test_the_stored_tables_have_every_run():
    for name, runs in (("costs", COST_RUNS), ("defences", DEFENCE_RUNS)):
        rows = read_rows(data_path() / f"robustness_{name}.csv")
        assert all(any(run.key.items() <= row.items() for row in rows) for run in runs), name
    assert np.isfinite([row["cost"] for row in read_rows(data_path() / "robustness_costs.csv")]).all()
