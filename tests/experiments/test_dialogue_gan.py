"""The runs behind notebook 08: every control is one change away from the game, and the files give back what was written."""

import json
from dataclasses import asdict

import pytest

from helpers.experiments import dialogue_gan
from helpers.training.dialogue_gan import DialogueGANHistory


def test_each_control_differs_from_the_game_in_what_its_name_says():
    runs = dialogue_gan.all_runs()
    assert len(set(runs)) == len(runs) and runs[0].name == "MLE"
    games = {run.config.seed: asdict(run.config) for run in runs if run.name == "gan"}
    assert sorted(games) == [0, 1, 2]
    for run in runs:
        if run.name not in ("MLE", "gan"):
            game = games[run.config.seed]
            changed = {name for name, value in asdict(run.config).items() if value != game[name]}
            assert changed == {"credit", "gamma"} if run.name == "not length-normalized" else len(changed) == 1
    assert [run.config.seed for run in runs] == sorted(run.config.seed for run in runs)


def test_files_give_back_what_was_written(tmp_path):
    played = [
        {
            "run": "gan",
            "seed": 1,
            "step": 20,
            "reward": -0.25,
            "length": 9.5,
            "accuracy": 0.75,
            "likelihood": 4.0,
            "words": 8.0,
        },
        {"run": "gan", "seed": 0, "step": 0, "accuracy": 0.5, "likelihood": 3.123456, "words": 8.0, "distinct-2": 0.9},
    ]
    swept = [
        {"run": "MLE", "seed": 0, "steps": 0, "temperature": 1.0, "AdverSuc": 0.1, "nats": 4.0, "distinct-2": None}
    ]
    dialogue_gan.write_table("gan_runs", played, tmp_path)
    dialogue_gan.write_table("gan_sweep", swept, tmp_path)
    first, second = dialogue_gan.read_table("gan_runs", tmp_path)
    assert (first["seed"], first["step"], first["reward"], first["likelihood"]) == (0, 0, None, 3.1235)
    assert second["reward"] == -0.25 and second["distinct-2"] is None
    assert dialogue_gan.read_table("gan_sweep", tmp_path)[0]["temperature"] == 1.0
    assert dialogue_gan.read_table("gan_runs", tmp_path / "none") == []
    assert dialogue_gan.read_history(tmp_path / "none")["runs"] == {}


@pytest.mark.parametrize("number", [1, 2, 20, 21, 22, 100])
def test_few_moments_are_kept_and_the_last_is_one(number):
    seen = DialogueGANHistory(replies={20 * step: [f"reply {step}"] for step in range(number)})
    kept = dialogue_gan.thinned(dialogue_gan.all_runs()[1], seen)
    steps = list(map(int, kept["replies"]))
    assert steps[0] == 0 and steps[-1] == 20 * (number - 1) and len(steps) <= 21 and steps == sorted(steps)
    json.dumps(kept)
