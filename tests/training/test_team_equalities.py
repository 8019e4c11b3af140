"""Numbers of two real processes against those of one: gradients, torch's own DistributedDataParallel, pipelines, checkpoints."""

import json

import pytest

from helpers.training.data_parallel import gradient, relative_error
from helpers.training.example_task import LEARNING_RATE, digest, example_batches, example_model
from helpers.training.launch import run_processes
from helpers.training.team_equalities import loaded_alone, one_batch

EXAMPLE = "helpers.training.team_example"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("checkpoint") / "files"


@pytest.fixture(scope="module")
def numbers(folder):
    return json.loads(run_processes(EXAMPLE, 2, arguments=["all", folder], timeout=60))


@pytest.mark.parametrize("masks", ["even", "uneven"])
def test_the_gradient_is_that_of_all_batches_as_one(numbers, masks):
    assert numbers[f"{masks}: difference"] < 1e-6
    assert numbers["averaged: difference"] < 1e-6 and numbers["averaged: tokens"] == 64 + 4


def test_means_of_means_are_wrong_where_one_has_fewer_tokens_and_sums_everywhere(numbers):
    assert (
        numbers["even: mean of means, relative error"] < 1e-5 and numbers["even: sum of means, relative error"] > 0.99
    )
    assert (
        numbers["uneven: mean of means, relative error"] > 0.5 and numbers["uneven: sum of means, relative error"] > 0.5
    )


def test_torchs_own_wrapper_gives_the_same_weights(numbers):
    assert numbers["ddp: difference"] < 1e-6


def test_a_pipeline_gives_the_gradients_of_the_whole(numbers):
    assert numbers["pipeline: difference"] < 1e-12


def test_an_mlp_cut_among_processes_gives_the_same_by_hand_and_by_torch(numbers):
    assert numbers["tensor parallel: difference"] < 1e-12 and numbers["torch's: difference"] < 1e-12
    assert numbers["bias on every process"] == pytest.approx(numbers["the bias"]) and numbers["the bias"] > 0.1


def test_a_checkpoint_of_two_is_read_by_one(numbers, folder):
    assert numbers["held"] * 2 == numbers["of"] and len(list(folder.glob("*.distcp"))) == 2
    assert numbers["digest"] == numbers["alone"] == loaded_alone(folder) == digest(example_model(seed=3))


def test_rows_of_several_batches_are_one_batch():
    batch = one_batch(example_batches(uneven=True), range(2))
    assert batch.inputs.shape == batch.targets.shape == (8, 16) and int((batch.targets != -100).sum()) == 68
    right, weight, _ = gradient(example_model(), batch)
    assert weight == 68 and relative_error(right, right) == 0 and LEARNING_RATE > 0
