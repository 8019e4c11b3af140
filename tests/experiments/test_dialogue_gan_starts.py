"""The GAN from several starts: what is compared has had as many updates, the start stays as it was, and rows come back."""

import copy
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from helpers.bots.gan_recipe import SETTINGS, GANData
from helpers.corpus.batches.base import Pair
from helpers.experiments import dialogue_gan_starts as starts
from helpers.experiments.dialogue_gan_starts import StartRun, all_runs, read_table
from tests.factories import gpt, seq2seq

PEOPLE = [Pair([2, 6 + n % 3, 9], [3, 10, 11, 12, 4]) for n in range(48)]


@pytest.fixture
def data(monkeypatch):
    """Tiny pairs and checkpoints, and a game of two steps."""
    models = {"gpt": gpt(15), "seq2seq": seq2seq(seed=1), "gan": seq2seq(seed=2)}
    monkeypatch.setattr(starts.checkpoints, "load", lambda name, device="cpu": SimpleNamespace(model=models[name]))
    settings = replace(SETTINGS, steps=2, discriminator_pretraining=1, max_tokens=4)
    monkeypatch.setattr(starts, "SETTINGS", settings)
    monkeypatch.setattr(starts, "UPDATES", 4)
    monkeypatch.setattr(starts, "TOKENS", 4)
    tokenizer = SimpleNamespace(pad=0, decode=lambda ids: "a b")
    return GANData(PEOPLE, PEOPLE[:8], PEOPLE[:8], [], tokenizer)


def weights(model):
    return torch.cat([part.detach().flatten() for part in model.parameters()])


def test_every_start_has_maximum_likelihood_with_three_seeds_and_every_new_start_both_controls():
    runs = all_runs()
    assert len(set(runs)) == len(runs)
    for start in starts.STARTS:
        names = [run.name for run in runs if run.start == start]
        assert names.count("MLE") == 3 and names.count("start") == 2 and names.count("gan") == 1
        assert ("constant reward" in names and "shuffled reward" in names) == (start > 0)


def test_a_game_and_maximum_likelihood_change_the_generator_equally_often():
    assert starts.UPDATES == SETTINGS.steps + SETTINGS.steps * SETTINGS.likelihood_steps == 240


@pytest.mark.parametrize("name", ["start", "MLE", "gan", "constant reward", "shuffled reward"])
def test_a_run_trains_a_copy_and_repeats_itself(data, name):
    model = seq2seq(seed=3)
    before = weights(model)
    bot, known = starts.train_on(StartRun(1, name, 0), model, data, "cpu")
    again, _ = starts.train_on(StartRun(1, name, 0), model, data, "cpu")
    assert torch.equal(weights(model), before) and torch.equal(weights(bot), weights(again))
    assert torch.equal(weights(bot), before) == (name == "start")
    assert known["updates"] == (0 if name == "start" else 4)
    assert ("accuracy" in known) == (name not in ("start", "MLE"))


def test_the_seed_and_the_reward_matter(data):
    model = seq2seq(seed=3)
    runs = [("MLE", 0), ("MLE", 1), ("gan", 0), ("constant reward", 0), ("shuffled reward", 0)]
    after = [weights(starts.train_on(StartRun(1, *run), copy.deepcopy(model), data, "cpu")[0]) for run in runs]
    assert all(not torch.equal(a, b) for n, a in enumerate(after) for b in after[:n])


def test_from_the_stored_bot_the_game_is_the_stored_gan(data):
    bot, _ = starts.train_on(StartRun(0, "gan", 0), seq2seq(seed=1), data, "cpu")
    assert torch.equal(weights(bot), weights(seq2seq(seed=2)))


def test_the_nats_of_people_are_least_for_what_a_bot_expects(data):
    measure = object.__new__(starts.Measure)
    measure.data, bot = data, seq2seq(seed=3, scale=4)
    with torch.no_grad():
        from helpers.corpus.batches.context_reply_pairs import PairBatches
        from helpers.training import mean_loss, reply_loss

        expected = mean_loss(bot, PairBatches(data.test, 8, pad=0), loss=reply_loss)
    assert measure.of_people(bot, 1.0) == pytest.approx(expected, rel=1e-5)
    assert measure.of_people(bot, 1000.0) == pytest.approx(torch.tensor(15.0).log().item(), rel=1e-2)


def test_only_what_is_missing_is_run_and_rows_come_back(monkeypatch, tmp_path, data):
    trained = []

    class Measured:
        def __init__(self, *arguments):
            pass

        def replies(self, pairs):
            return {"nats": 3.0}

        def sweep(self, bot, seed):
            return [{"temperature": t, "nats": 4.25, "distinct-2": None} for t in (1.0, 0.5)]

    def train_on(run, *arguments):
        trained.append(run)
        return None, {"updates": 4}

    monkeypatch.setattr("helpers.corpus.load.load", lambda: None)
    monkeypatch.setattr(starts, "prepare_data", lambda corpus, bot: data)
    monkeypatch.setattr(starts, "Measure", Measured)
    monkeypatch.setattr(starts, "train_start", lambda *arguments: None)
    monkeypatch.setattr(starts, "train_on", train_on)
    monkeypatch.chdir(tmp_path)
    starts.main(tmp_path, (0, 1))
    rows = read_table(tmp_path)
    assert len(trained) == len(all_runs((0, 1))) - 1 and len(rows) == 2 * len(trained) + 1
    assert {(row["start"], row["run"], row["seed"]) for row in rows} == {tuple(run) for run in all_runs((0, 1))}
    assert [row["temperature"] for row in rows if row["run"] == "gan"] == [0.5, 1, 0.5, 1]
    text = (tmp_path / "gan_starts.csv").read_text(encoding="utf-8")
    starts.main(tmp_path, (0, 1))
    assert (
        len(trained) == len(all_runs((0, 1))) - 1 and (tmp_path / "gan_starts.csv").read_text(encoding="utf-8") == text
    )
    starts.main(tmp_path, (0, 1, 2))
    assert {run.start for run in trained[-5:]} == {2}
