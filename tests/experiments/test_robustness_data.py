"""The runs of notebook 11, last part: one half of the data is dirty and the rest is the same, and ensembles have controls."""

import numpy as np
import pytest
import torch

from helpers import data_path
from helpers.bots.bot import Bot
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.experiments import robustness_data
from helpers.experiments.robustness_bots import BotsRun, runs
from helpers.experiments.robustness_data import (
    DIRT,
    ENSEMBLE_SEEDS,
    MeanOfParameters,
    copies,
    data_row,
    ensemble_rows,
    main,
    markup,
    shuffled_turns,
)
from helpers.io import read_rows
from tests import factories
from tests.experiments.test_robustness import talks


@pytest.fixture
def tokenizer():
    return BPETokenizer.train((turn.text for talk in talks(9) for turn in talk.turns), 290)


@pytest.fixture
def small(tokenizer, monkeypatch):
    monkeypatch.setattr(robustness_data.checkpoints, "load", lambda name: Bot(None, tokenizer, name))
    monkeypatch.setattr(robustness_data, "SIZES", {"n_embd": 16, "n_layer": 1, "n_head": 2, "context": 16})
    monkeypatch.setattr(robustness_data.train_small, "__defaults__", (3,))
    return factories.corpus(talks(30), talks(4, 30), talks(6, 34))


def test_dirt_is_of_one_half_and_of_one_size():
    rng, everyone = np.random.default_rng(0), talks(150)
    for name, change in DIRT.items():
        changed = change(everyone, rng)
        assert len(changed) == (0 if name == "the clean half alone" else 150), name
    assert len({talk.id for talk in copies(everyone, rng)}) == 1
    mixed = shuffled_turns(everyone[:9], rng)
    assert sorted(t.text for talk in mixed for t in talk.turns) == sorted(
        t.text for talk in everyone[:9] for t in talk.turns
    )
    assert [len(talk.turns) for talk in mixed] == [7] * 9 and mixed[0].turns != everyone[0].turns
    assert markup("it's a & b", rng) == '<div class="msg"><p>it&#39;s a &amp; b</p></div><br/>'


def test_the_same_half_is_clean_for_every_row(small, tokenizer, monkeypatch):
    seen = {}

    def train(talks, tokenizer, seed):
        seen[len(seen)] = {talk.id: talk.turns[0].text for talk in talks}
        return factories.gpt(len(tokenizer))

    monkeypatch.setattr(robustness_data, "train_small", train)
    for name in ("the clean half alone", "upper case", "clean"):
        data_row(BotsRun("data", name, 0), small, tokenizer)
    half, capitals, clean = seen.values()
    assert len(half) == 15 and len(capitals) == len(clean) == 30
    assert all(capitals[key] == text == clean[key] for key, text in half.items())
    assert all(capitals[key] == clean[key].upper() for key in set(clean) - set(half))


def test_ensembles_have_their_controls(small, tokenizer):
    models = {}
    for seed in (0, 1, 2):
        data_row(BotsRun("data", "clean", seed), small, tokenizer, models)
    rows = ensemble_rows([models[seed] for seed in (0, 1, 2)], small, tokenizer)
    table = {(row["models"], row["mean_of"]): row["bits_per_byte"] for row in rows}
    assert len(table) == 3 + 2 * 2
    alone = [table[1, f"seed {seed}"] for seed in (0, 1, 2)]
    assert table[3, "probabilities"] <= sum(alone) / 3
    mean = MeanOfParameters([models[0], models[1]])
    torch.testing.assert_close(mean.embed.weight, (models[0].embed.weight + models[1].embed.weight) / 2)
    assert mean.head.weight is mean.embed.weight


def test_the_command_runs_what_the_tables_lack(small, tmp_path, monkeypatch):
    monkeypatch.setattr(robustness_data, "load", lambda: small)
    monkeypatch.setattr(robustness_data, "ENSEMBLE_SEEDS", (0, 1))
    monkeypatch.setattr(robustness_data, "DIRT", {name: DIRT[name] for name in ("clean", "copies")})
    monkeypatch.setattr(robustness_data, "MEASURED_ON", 2)
    main(tmp_path)
    path, table = tmp_path / "robustness_data.csv", tmp_path / "robustness_ensembles.csv"
    before = {each: each.read_text(encoding="utf-8") for each in (path, table)}
    path.write_text("".join(before[path].splitlines(keepends=True)[:-1]), encoding="utf-8")
    table.unlink()
    main(tmp_path)
    assert {each: each.read_text(encoding="utf-8") for each in before} == before


def test_the_stored_tables_have_every_run():
    rows = read_rows(data_path() / "robustness_data.csv")
    wanted = runs("data", DIRT, (0, 1)) + runs("data", ("clean",), ENSEMBLE_SEEDS[2:])
    assert all(any(run.key.items() <= row.items() for row in rows) for run in wanted)
    assert {row["models"] for row in read_rows(data_path() / "robustness_ensembles.csv")} == {1, 2, 3}
