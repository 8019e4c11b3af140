"""A team of two real processes trains as one process does, stops together, and keeps what it has; run once for all tests."""

import json
import os
from pathlib import Path

import pytest
import torch

from helpers.training import fit, next_token_loss
from helpers.training.distributed import join
from helpers.training.example_task import digest, example_batches, example_model
from helpers.training.launch import run_processes

PROGRAM = Path(__file__).with_name("team_program.py")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Return the folder in which the two processes have written what came of each scene, and {scene: [of rank 0, of rank 1]}."""
    folder = tmp_path_factory.mktemp("team")
    paths = os.pathsep.join([str(PROGRAM.parents[2]), os.environ.get("PYTHONPATH", "")])
    printed = run_processes(PROGRAM, 2, arguments=[folder], timeout=90, environment={"PYTHONPATH": paths})
    one, two = (json.loads((folder / f"{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1))
    return folder, {name: [one[name], two[name]] for name in one}, printed


@pytest.fixture
def scenes(played):
    return played[1]


def alone(steps=6, accumulate=2, batches=None, **settings):
    """Return the model and the History of one process that reads what both together read."""
    model = example_model()
    usual = {"steps": steps, "learning_rate": 0.01, "progress": False, "accumulate": accumulate}
    return model, fit(model, batches or example_batches(), **{**usual, **settings})


def test_each_batch_is_read_once_and_the_result_is_that_of_one_process(scenes):
    one, two = scenes["shares"]
    assert one["numbers"] == [0, 1, 4, 5, 8, 9] and two["numbers"] == [2, 3, 6, 7, 10, 11]
    _, history = alone(steps=3, accumulate=4)
    assert one["digest"] == two["digest"]  # bit by bit; one process adds the four gradients up in another order
    assert one["losses"] == two["losses"] == pytest.approx([row[3] for row in history.rows], abs=1e-5)
    assert one["tokens"] == two["tokens"] == [row[1] for row in history.rows]


def test_all_begin_with_the_weights_of_the_first_and_end_with_the_bits_of_accumulated_gradients(scenes):
    one, two = scenes["other_weights_at_the_start"]
    model, history = alone()
    assert one["digest"] == two["digest"] == digest(model)
    assert one["losses"] == two["losses"] == [row[3] for row in history.rows]


@pytest.mark.parametrize(("number", "optimizer"), [(0, "adamw"), (1, "muon")])
def test_twenty_steps_with_uneven_masks_are_those_of_accumulated_gradients_bit_by_bit(scenes, number, optimizer):
    model, _ = alone(steps=20, batches=example_batches(uneven=True), optimizer=optimizer)
    assert {seen[number] for seen in scenes["twenty_steps"]} == {digest(model)}


@pytest.mark.parametrize(
    ("scene", "kind", "words"),
    [
        ("other_shapes", "ValueError", "models of different shapes: build the same one on each"),
        ("elsewhere", "ValueError", "the model is on meta, the team computes on cpu: call model.to(team.device)"),
        ("carried_state", "ValueError", "this loss carries a state from one batch to the next"),
        ("a_callback_that_changes_the_weights_of_one", "ValueError", "no longer have the same weights"),
    ],
)
def test_what_cannot_be_trained_together_is_refused_by_all(scenes, scene, kind, words):
    for name, message in scenes[scene]:
        assert name == kind and words in message


def test_a_callback_may_change_the_weights_of_all(scenes):
    one, two = scenes["a_callback_that_changes_the_weights_of_all"]
    assert one["digest"] == two["digest"] != scenes["other_weights_at_the_start"][0]["digest"]


@pytest.mark.parametrize(
    ("scene", "words", "steps"),
    [
        ("a_loss_that_is_refused", "Stopped at step 4: a reward was no number.", 3),
        ("a_loss_that_is_no_number", "Stopped at step 4: the loss was nan.", 3),
        ("ctrl_c", "Interrupted after step 2:", 2),
        ("a_callback_that_interrupts", "Interrupted after step 2:", 2),
    ],
)
def test_one_that_stops_stops_all_after_the_same_step(scenes, scene, words, steps):
    one, two = scenes[scene]
    assert one["stopped"].startswith(words) and one["stopped"] == two["stopped"] and one["steps"] == two["steps"]
    assert one["digest"] == two["digest"] == digest(alone(callbacks=[interrupt_after(steps)])[0])


def interrupt_after(step):
    def callback(history, model):
        if history.steps == step:
            raise KeyboardInterrupt

    return callback


def test_only_the_first_says_why_it_stopped_and_has_the_callbacks(played):
    folder, scenes, printed = played
    assert scenes["a_callback_that_interrupts"][0]["calls"] == [1, 2]
    assert scenes["a_callback_that_interrupts"][1]["calls"] == []
    assert scenes["a_bar"] == [[True], [False]]
    assert printed.count("Interrupted after step 2") == 3  # ctrl_c, the callback, ctrl_c with shards


@pytest.mark.parametrize(
    ("scene", "rank", "words"),
    [("an_error", 1, "no such batch"), ("an_error_of_the_first_ones_validation", 0, "no text")],
)
def test_an_error_of_one_ends_all_and_they_know_its_traceback(scenes, scene, rank, words):
    assert scenes[scene][rank] == ["ZeroDivisionError", words]
    kind, message = scenes[scene][1 - rank]
    assert kind == "TeamFailed" and message.startswith(f"rank {rank} of 2 failed:\nTraceback")
    assert message.endswith(f"ZeroDivisionError: {words}")


def test_a_file_that_cannot_be_written_ends_all(scenes):
    assert scenes["a_file_that_cannot_be_written"] == ["FileExistsError", "TeamFailed"]


def test_the_clock_of_the_first_decides_for_all(scenes):
    """Rank 1's clock is four times as fast: by its own it would have stopped at a fourth of the steps, and rank 0 would wait."""
    one, two = scenes["two_clocks"]
    assert one["steps"] == two["steps"] > 1 and one["digest"] == two["digest"]


def test_one_that_does_not_come_is_not_waited_for_forever(scenes):
    (kind, seconds), _ = scenes["one_that_does_not_come"]
    assert kind == "RuntimeError" and seconds < 15


def test_the_first_validates_for_all(scenes):
    one, two = scenes["validation"]
    assert len(one["calls"]) == 3 and two["calls"] == []
    assert one["best"] == two["best"] == 4 and one["digest"] == two["digest"] == one["calls"][1]


def test_random_numbers_differ_between_processes_and_are_the_same_again(scenes):
    one, two = scenes["dropout"]
    assert len({*one["numbers"], *two["numbers"]}) == 6
    assert one["digest"] == two["digest"] == one["again"] and one["after"] == two["after"]


def test_a_parameter_that_no_process_used_has_no_gradient(scenes):
    assert scenes["parameters_that_are_not_used"] == [[[1.5, 1.5], [1.5, 1.5], None]] * 2


def test_the_average_is_clipped_not_what_goes_into_it(scenes):
    """(6, 0) and (0, 6), each clipped to 1 first, would give (0.5, 0.5), of length 0.71."""
    for seen in scenes["clipping"]:
        assert seen["norm"] == pytest.approx(18**0.5) and seen["gradient"] == pytest.approx([0.5**0.5] * 2, abs=1e-5)


def test_a_share_without_targets_weighs_nothing(scenes):
    one, two = scenes["a_share_without_targets"]
    assert one["tokens"][-1] == 6 * 64 and one["digest"] == two["digest"]

    class Even:
        def __getitem__(self, number):
            return example_batches()[2 * number]

    assert one["digest"] == digest(alone(accumulate=1, batches=Even())[0])
    parts, _ = scenes["a_sharded_share_without_targets"]
    assert parts["losses"] == pytest.approx(one["losses"], abs=1e-5) and not parts["stopped"]


# --- a part each, and going on -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adamw", "muon", "sgd"])
def test_shards_give_the_weights_of_one_process(played, optimizer):
    folder, scenes, _ = played
    one, two = (scene[optimizer] for scene in scenes["sharded"])
    assert one["digest"] == two["digest"] and one["held"] + two["held"] == sum(
        map(torch.numel, example_model().parameters())
    )
    model, _ = alone(steps=20, batches=example_batches(uneven=True), optimizer=optimizer)
    found = torch.load(folder / f"sharded.{optimizer}.pt", weights_only=True)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(found[name], value, atol=1e-4, rtol=0)


def test_shards_stop_together_too(scenes):
    one, two = scenes["sharded_failures"]
    assert one == two or str(one) == str(two)  # NaN is not equal to itself
    assert one[0]["stopped"].startswith("Stopped at step 3: a reward") and "after step 2" in one[1]["stopped"]


@pytest.mark.parametrize("kept", ["whole", "parts"])
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(scenes, kept):
    for seen in scenes["resumed"]:
        assert seen[f"{kept} cut"] == 4
        assert seen[f"{kept} again"]["digest"] == seen[kept]["digest"]
        assert seen[f"{kept} again"]["losses"] == seen[kept]["losses"]


@pytest.mark.parametrize("kept", ["whole", "parts"])
def test_one_process_can_go_on_with_the_file_of_a_team(played, tmp_path, kept):
    folder, scenes, _ = played
    path = tmp_path / "resume.pt"
    path.write_bytes((folder / f"{kept}.copy.pt").read_bytes())
    how = {
        "validate": lambda model: next_token_loss(model, example_batches()[99]).item(),
        "validate_every": 2,
        "optimizer": "muon",
    }
    model, history = alone(batches=example_batches(uneven=True), resume=path, **how)
    assert [row[3] for row in history.rows] == pytest.approx(scenes["resumed"][0][kept]["losses"], abs=1e-5)
    found = torch.load(folder / f"{kept}.weights.pt", weights_only=True)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(found[name], value, atol=1e-4, rtol=0)


# --- outside of a team ---------------------------------------------------------------------------------------------------


def test_outside_torchrun_there_is_no_team(monkeypatch):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    with pytest.raises(ValueError, match="start it with torchrun --standalone --nproc-per-node 2 FILE"), join():
        pass


def test_a_gpu_for_each_process_or_none(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "test")
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "99")
    with pytest.raises(ValueError, match="99 processes need 99 GPUs with CUDA, one each"), join(device="cuda"):
        pass


def test_shards_need_a_newer_torch_than_ours_may_be(monkeypatch):
    from torch.distributed import fsdp

    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "test")
    monkeypatch.delattr(fsdp, "fully_shard", raising=False)
    with pytest.raises(ValueError, match="shard=True needs torch 2.6 or newer"), join(shard=True):
        pass


@pytest.mark.skipif(torch.cuda.device_count() < 1, reason="no CUDA device")
def test_a_team_on_gpus_learns_in_bfloat16():
    gpus = min(torch.cuda.device_count(), 2)
    settings = ["train", "--steps", 40, "--bfloat16"]
    printed = run_processes(
        "helpers.training.team_example", gpus, arguments=settings, environment={"HELPERS_DEVICE": "cuda"}
    )
    result = json.loads(printed)
    assert result["processes"] == gpus and result["device"].startswith("cuda") and result["loss"] < 3.5
