"""Best of n, policy gradient and DPO with several seeds: rows along each run, and the KL at equal reward."""

import math

import pytest

from helpers.experiments import rlhf_seeds
from helpers.experiments.rlhf_seeds import PolicyRun, at_reward, equal_reward, mean_and_deviation
from helpers.io import read_rows
from tests.factories import random_reward_model

PATH = [{"proxy": -0.4, "kl": 0.0, "gold": 0.0}, {"proxy": 0.2, "kl": 1.0, "gold": 0.1}, {"proxy": 0.6, "kl": 3.0, "gold": 0.2},
        {"proxy": 0.4, "kl": 2.0, "gold": 0.0}, {"proxy": 0.9, "kl": 9.0, "gold": 0.4}]  # fmt: skip


def test_a_reward_is_reached_between_two_rows_for_the_first_time():
    assert at_reward(PATH, 0.5) == pytest.approx(2.5)  # three quarters of the way from 0.2 to 0.6: not from 0.4 to 0.9
    assert at_reward(PATH, 0.5, "gold") == pytest.approx(0.175)
    assert at_reward(PATH, 0.6) == 3.0
    assert at_reward(PATH, 1.0) is None and at_reward([], 0.5) is None


def test_each_run_has_a_row_for_each_reward():
    rows = [row | {"method": "DPO", "beta": 0.1, "seed": seed} for seed in range(2) for row in PATH[: 5 - 3 * seed]]
    found = equal_reward(rows, (0.0, 0.5))
    assert [(row["seed"], row["reward"], row["kl"]) for row in found] == [
        (0, 0.0, pytest.approx(2 / 3)), (0, 0.5, pytest.approx(2.5)), (1, 0.0, pytest.approx(2 / 3)), (1, 0.5, None),
    ]  # fmt: skip


def test_the_spread_over_seeds_counts_the_runs_that_got_there():
    assert mean_and_deviation([1.0, None, 3.0]) == (2.0, pytest.approx(math.sqrt(2)), 2)
    mean, deviation, number = mean_and_deviation([None])
    assert math.isnan(mean) and math.isnan(deviation) and number == 0


def test_all_methods_write_rows_and_a_second_command_runs_nothing(preference_course, monkeypatch, tmp_path):
    monkeypatch.setattr(rlhf_seeds, "reward_model", lambda name, device: random_reward_model(seed=len(name)))
    runs = [PolicyRun("best of n", None, 0), PolicyRun("policy gradient", 0.1, 0), PolicyRun("DPO", 0.1, 0)]
    rlhf_seeds.main(tmp_path, runs, preference_course, tiny=True)
    rows = read_rows(tmp_path / "policies.csv")
    best, gradient, dpo = ([row for row in rows if row["method"] == run.method] for run in runs)
    assert [row["n"] for row in best] == [1, 2, 4] and best[0]["kl"] == 0
    assert best[0]["proxy"] < best[1]["proxy"] < best[2]["proxy"]
    assert [row["step"] for row in gradient] == [0, 1, 2] and [row["step"] for row in dpo] == [0, 1, 2, 3, 4]
    assert gradient[0]["kl"] == dpo[0]["kl"] == 0 and dpo[-1]["kl"] != 0 and gradient[-1]["kl"] != 0
    assert gradient[0]["proxy"] == dpo[0]["proxy"]  # one sample of the untrained bot for each seed
    assert len(read_rows(tmp_path / "equal_reward.csv")) == 3 * len(rlhf_seeds.REWARDS)
    monkeypatch.setattr(rlhf_seeds.Course, "run", lambda *_: pytest.fail("nothing is missing"))
    rlhf_seeds.main(tmp_path, runs, preference_course, tiny=True)
