"""The runs behind notebook 08: every control is one change away from the game, and the files give back what was written."""

import json
from dataclasses import asdict

import pytest

from helpers.bots import gan_recipe
from helpers.experiments import dialogue_gan
from helpers.training.dialogue_gan import DialogueGANHistory


def test_each_control_differs_from_the_game_in_what_its_name_says():
    plans = dialogue_gan.plans()
    assert len(set(plans)) == len(plans) and plans[0].run == "MLE"
    games = {plan.schedule.seed: asdict(plan.schedule) for plan in plans if plan.run == "gan"}
    assert sorted(games) == [0, 1, 2]
    for plan in plans:
        if plan.run not in ("MLE", "gan"):
            game = games[plan.schedule.seed]
            changed = {name for name, value in asdict(plan.schedule).items() if value != game[name]}
            assert changed == {"pay", "gamma"} if plan.run == "not evened" else len(changed) == 1
    assert [plan.schedule.seed for plan in plans] == sorted(plan.schedule.seed for plan in plans)


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
    dialogue_gan.write(tmp_path, played, swept, {"tests": {"same": 0.5}, "runs": {}})
    first, second = dialogue_gan.rows("gan_runs", tmp_path)
    assert (first["seed"], first["step"], first["reward"], first["likelihood"]) == (0, 0, None, 3.1235)
    assert second["reward"] == -0.25 and second["distinct-2"] is None
    assert dialogue_gan.rows("gan_sweep", tmp_path)[0]["temperature"] == 1.0
    assert dialogue_gan.history(tmp_path)["tests"] == {"same": 0.5}
    assert (
        dialogue_gan.rows("gan_runs", tmp_path / "none") == [] and dialogue_gan.history(tmp_path / "none")["runs"] == {}
    )


@pytest.mark.parametrize("number", [1, 2, 20, 21, 22, 100])
def test_few_moments_are_kept_and_the_last_is_one(number):
    seen = DialogueGANHistory(replies={20 * step: [f"reply {step}"] for step in range(number)})
    kept = dialogue_gan.remembered(dialogue_gan.plans()[1], seen)
    steps = list(map(int, kept["replies"]))
    assert steps[0] == 0 and steps[-1] == 20 * (number - 1) and len(steps) <= 21 and steps == sorted(steps)
    json.dumps(kept)


def test_the_recipe_can_be_written_on_a_card():
    json.dumps(asdict(gan_recipe.GANRecipe()))
    assert (
        gan_recipe.GANRecipe.base == "seq2seq" and gan_recipe.GANRecipe().schedule == dialogue_gan.plans()[1].schedule
    )
