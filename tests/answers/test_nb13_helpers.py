"""What learners build in notebook 13, in its text and in its exercises, does what the package does, and what torch does."""

from collections import Counter

import pytest
import torch

from helpers.corpus.dumps import two_passes
from helpers.corpus.dumps.reddit import Comment
from helpers.models import cluster_costs
from helpers.training import next_token_loss, pipeline, ring, team_steps
from helpers.training.example_task import digest, example_batches, example_model
from helpers.training.optimizers import make_optimizer
from helpers.training.workers import in_threads
from tests.answers.solutions import run, solutions

NOTEBOOK = "13_more_than_one_machine"
SOLUTIONS = solutions(NOTEBOOK)


def solution(name):
    return run(SOLUTIONS[name], name, NOTEBOOK)


def test_days_are_the_packages():
    for case in ((175e9, 300e9, 1024, 312e12, 0.45), (1, 1, 1, 1, 1)):
        assert solution("training_days")(*case) == pytest.approx(cluster_costs.training_days(*case))


@pytest.mark.parametrize("workers, length", [(1, 4), (3, 7), (4, 12)])
def test_the_ring_is_the_packages_bit_for_bit(workers, length):
    vectors = [torch.randn(length, generator=torch.Generator().manual_seed(rank)) for rank in range(workers)]
    mine, expected = (
        in_threads(each, workers, vectors) for each in (solution("ring_all_reduce"), ring.ring_all_reduce)
    )
    assert all(map(torch.equal, mine, expected))


def trained(train, tmp_path, steps=4, optimizer="adamw"):
    def program(worker, model):
        rate = make_optimizer(optimizer, model, 0.01)
        begun = train(worker, model, rate, next_token_loss, example_batches(True), steps, tmp_path)
        return begun, digest(model)

    return in_threads(program, 2, [example_model(), example_model()])


def test_training_with_what_the_learner_wrote_is_the_packages_bit_for_bit(tmp_path):
    mine = trained(solution("train"), tmp_path / "mine.pt")
    assert mine == trained(team_steps.train, tmp_path / "package.pt")
    assert trained(solution("train"), tmp_path / "package.pt")[0][0] == 4  # it reads what the package has saved


def test_the_learners_gradient_is_the_packages():
    batches = example_batches(True)

    def program(worker, model, gradient):
        count = gradient(worker, model, next_token_loss, batches[worker.rank])
        return count, [parameter.grad for parameter in model.parameters()]

    (count, mine), (expected_count, expected) = (
        in_threads(program, 2, [example_model(), example_model()], [each] * 2)[1]
        for each in (solution("team_gradient"), team_steps.team_gradient)
    )
    assert count == expected_count and all(map(torch.equal, mine, expected))


def test_a_step_on_a_shard_and_an_mlp_cut_in_two_are_the_packages():
    rng = torch.Generator().manual_seed(0)
    weight, x, y = (torch.randn(*shape, generator=rng) for shape in ((4, 6), (8, 6), (8, 4)))
    arguments = (2, weight.flatten().chunk(2), [(4, 6)] * 2, x.chunk(2), y.chunk(2), [0.1] * 2)
    steps = [in_threads(each, *arguments) for each in (solution("sharded_step"), team_steps.sharded_step)]
    assert all(map(torch.equal, *steps))
    up, up_bias, down, down_bias = (torch.randn(*shape, generator=rng) for shape in ((8, 6), (8,), (6, 8), (6,)))
    arguments = (2, [x] * 2, up.chunk(2), up_bias.chunk(2), down.chunk(2, 1), [down_bias] * 2)
    outputs = [in_threads(each, *arguments) for each in (solution("parallel_mlp"), team_steps.parallel_mlp)]
    assert all(map(torch.equal, *outputs))


@pytest.mark.parametrize("stages, micro_batches", [(1, 1), (2, 5), (4, 3)])
def test_the_schedule_is_the_packages_and_its_bubble_that_of_the_formula(stages, micro_batches):
    rows = solution("gpipe_schedule")(stages, micro_batches)
    assert rows == pipeline.gpipe_schedule(stages, micro_batches)
    ticks = [tick for row in rows for tick in row]
    assert ticks.count("") / len(ticks) == pytest.approx(pipeline.bubble(stages, micro_batches))
    assert solution("most_held")(rows) == [micro_batches] * stages


def test_the_exercises_own_schedule_holds_fewer():
    rows = [
        ["F0", "F1", "", "B0", "F2", "B1", "F3", "B2", "", "B3"],
        ["", "F0", "B0", "F1", "B1", "F2", "B2", "F3", "B3", ""],
    ]
    assert solution("most_held")(rows) == [2, 1]


def test_partitions_and_counts_are_the_packages():
    empty = dict.fromkeys(Comment._fields)
    rows = [Comment(**{**empty, "id": f"c{n}", "link_id": f"t3_{n % 7}"}) for n in range(30)]
    counts = [Counter(a=1, b=2), Counter(a=2, c=5), Counter(b=1)]
    assert solution("scatter")(rows, 5) == two_passes.scatter(rows, 5)
    assert solution("seen_before")(counts, 2) == two_passes.seen_before(counts, 2)


def test_the_utilization_is_the_packages():
    run = cluster_costs.RUNS[-1]
    peak = cluster_costs.GPUS[run.gpu].peak
    sheet = {"active parameters": run.parameters, "tokens": run.tokens, "GPU hours": run.hours, "dense peak": peak}
    assert solution("mfu")(sheet) == pytest.approx(cluster_costs.utilization(run))


def test_the_best_interval_loses_least():
    best = solution("best_interval")(1.0, 186.0)
    lost = lambda interval: 1.0 / interval + interval / (2 * 186.0)  # noqa: E731
    assert 19 < best < 20 and lost(best) < min(lost(0.9 * best), lost(1.1 * best))
