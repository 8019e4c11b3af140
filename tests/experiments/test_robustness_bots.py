"""The runs of notebook 11, second part: found on one split and measured on another, and each beside its control."""

import pytest
import torch

from helpers import data_path
from helpers.bots.bot import Bot
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.experiments import robustness_bots
from helpers.experiments.robustness_bots import (
    INSTRUCTIONS,
    READERS,
    BotsRun,
    calibration_row,
    instruction_rows,
    main,
    trigger_rows,
)
from helpers.io import read_rows
from tests import factories
from tests.experiments.test_robustness import talks


@pytest.fixture
def small(monkeypatch):
    tokenizer = BPETokenizer.train((turn.text for talk in talks(9) for turn in talk.turns), 290)
    bots = {
        name: Bot(factories.gpt(len(tokenizer), seed=seed, std=0.3, context=200), tokenizer, name)
        for seed, name in enumerate(READERS)
    }
    monkeypatch.setattr(robustness_bots.checkpoints, "load", bots.get)
    return factories.corpus(talks(30), talks(4, 30), talks(6, 34))


def test_triggers_are_found_on_one_split_and_measured_on_another(small, monkeypatch):
    seen, plain = [], robustness_bots.TriggerSearch

    def search(model, tokenizer, contexts, target):
        seen.append(contexts)
        return plain(model, tokenizer, contexts, target)

    monkeypatch.setattr(robustness_bots, "TriggerSearch", search)
    monkeypatch.setattr(robustness_bots, "find_trigger", lambda s: robustness_bots.random_trigger(s, 3))
    rows = trigger_rows(BotsRun("target", "so", 0), small)
    val = {turn.text for talk in small.val for turn in talk.turns}
    assert all(text in val for context in seen[0] for text in context)
    assert not any(text in val for contexts in seen[1:] for context in contexts for text in context)
    assert [(row["search"], row["bot"]) for row in rows] == [(s, b) for s in ("gradient", "random") for b in READERS]
    assert (
        all(0 <= row["survives"] <= 1 for row in rows)
        and len({row["calls"] for row in rows}) == 1
        and rows[0]["base"] == rows[3]["base"]
    )


def test_the_temperature_is_of_validation_tokens_only(small, monkeypatch):
    seen, plain = [], robustness_bots.held_out_logits

    def logits(bot, conversations, most, seed):
        seen.append([talk.id for talk in conversations])
        return plain(bot, conversations, most, seed)

    fitted = []
    monkeypatch.setattr(robustness_bots, "held_out_logits", logits)
    monkeypatch.setattr(robustness_bots, "fit_temperature", lambda *data: fitted.append(data) or 2.0)
    row, bins = calibration_row(BotsRun("bot", "gpt", 0), small)
    assert seen == [[talk.id for talk in small.val], [talk.id for talk in small.test]] and row["temperature"] == 2.0
    (_, targets), test = fitted[0], plain(robustness_bots.checkpoints.load("gpt"), small.test, 8000, 0)
    assert len(targets) != len(test[1])
    counts = {t: sum(part["count"] for part in bins if part["temperature"] == t) for t in (1.0, 2.0)}
    assert counts[1.0] == counts[2.0] == len(test[1])
    assert row["nats"] == pytest.approx(float(torch.nn.functional.cross_entropy(*test)), rel=1e-5)


def test_an_instruction_is_read_before_the_last_message(small):
    tables = {name: instruction_rows(BotsRun("instruction", name, 0), small) for name in INSTRUCTIONS}
    assert all([row["bot"] for row in rows] == ["gpt-chat", "dpo"] for rows in tables.values())
    assert all(0 <= row["questions"] <= 1 and row["replies"] == 12 for rows in tables.values() for row in rows)


def test_the_command_runs_what_the_tables_lack(small, tmp_path, monkeypatch):
    monkeypatch.setattr(robustness_bots, "load", lambda: small)
    monkeypatch.setattr(robustness_bots, "find_trigger", lambda s: robustness_bots.random_trigger(s, 2))
    main(tmp_path)
    tables = sorted(tmp_path.glob("*.csv"))
    assert len(tables) == 4
    before = {path.name: path.read_text(encoding="utf-8") for path in tables}
    path = tmp_path / "robustness_calibration.csv"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    main(tmp_path)
    assert {path.name: path.read_text(encoding="utf-8") for path in tables} == before


def test_the_stored_tables_have_every_run():
    wanted = {
        "triggers": robustness_bots.runs("target", ("No", "I")),
        "calibration": robustness_bots.runs("bot", READERS),
        "instructions": robustness_bots.runs("instruction", INSTRUCTIONS),
    }
    for name, runs in wanted.items():
        rows = read_rows(data_path() / f"robustness_{name}.csv")
        assert all(any(run.key.items() <= row.items() for row in rows) for run in runs), name
    assert {row["bot"] for row in read_rows(data_path() / "robustness_bins.csv")} == set(READERS)
