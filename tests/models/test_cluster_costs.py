"""Days, bytes, and numbers sent: held against the published ones."""

import pytest

from helpers.models import cluster_costs
from helpers.models.cluster_costs import GPUS, RUNS, bytes_per_worker, ring_numbers, training_days, utilization


def test_a_gpt3_takes_almost_three_centuries_on_one_v100():
    assert training_days(175e9, 300e9, 1, GPUS["V100"].peak, 0.28) / 365 == pytest.approx(288, rel=0.02)


def test_twice_the_gpus_take_half_the_days():
    assert training_days(1e9, 1e10, 8, 1e14, 0.4) == pytest.approx(training_days(1e9, 1e10, 4, 1e14, 0.4) / 2)


@pytest.mark.parametrize("stage, gigabytes", [(0, 120), (1, 31.4), (2, 16.6), (3, 1.9)])
def test_bytes_are_those_of_the_first_figure_of_zero(stage, gigabytes):
    assert sum(bytes_per_worker(7.5e9, 64, stage).values()) / 1e9 == pytest.approx(gigabytes, abs=0.05)


def test_the_ring_sends_less_than_two_vectors():
    assert ring_numbers(100, 1) == 0 and ring_numbers(100, 2) == 100 and 199 < ring_numbers(100, 1024) < 200


def test_published_runs_used_a_third_to_two_fifths_of_the_peak():
    assert all(0.3 < utilization(run) < 0.45 for run in RUNS)


@pytest.mark.parametrize(
    "arguments, words",
    [((0, 1, 1, 1, 0.5), "parameters is 0"), ((1, 1, 1, 1, 1.5), "mfu is 1.5"), ((1, 1, -2, 1, 0.5), "gpus is -2")],
)
def test_impossible_numbers_get_a_sentence(arguments, words):
    with pytest.raises(ValueError, match=words):
        training_days(*arguments)


@pytest.mark.parametrize("workers, stage", [(0, 1), (4, 5)])
def test_impossible_stages_get_a_sentence(workers, stage):
    with pytest.raises(ValueError, match="a stage from 0 to 3"):
        cluster_costs.bytes_per_worker(1e9, workers, stage)
