"""How many GPUs, how many days: the words are the arithmetic of the package, and every control works."""

import pytest

from helpers.models.cluster_costs import GPUS, RUNS, training_days
from helpers.show import explore_how_many_gpus, how_many_gpus
from helpers.show.gpus_and_days import TRAININGS
from tests.show.legible import problems


def test_the_words_of_the_defaults_are_recorded():
    assert how_many_gpus().words == (
        "GPT-3, 6 · 175 billion parameters · 300 billion tokens, on 1,024 × A100 at MFU 0.45: 25 days, 1.25 million dollars "
        "at 2 per GPU-hour. Nothing split, each GPU sends 699 GB a step and has to keep 2.8 TB; all split, "
        "2.7 GB. It fits from ZeRO 3 on (80 GB on a GPU, activations not counted)."
    )


def test_the_days_are_the_learners():
    asked = []

    def mine(parameters, tokens, gpus, peak, mfu):
        asked.append((parameters, tokens, gpus, peak, mfu))
        return 1.5

    assert (
        "at MFU 0.3: 1.5 days, 576 dollars at 2 per GPU-hour"
        in how_many_gpus(gpus=8, mfu=0.3, training_days=mine).words
    )
    assert asked == [(175e9, 300e9, 8, GPUS["A100"].peak, 0.3)]
    assert explore_how_many_gpus(mine).error is None and len(asked) == 2
    assert how_many_gpus(training_days=training_days).words == how_many_gpus().words


def test_the_runs_are_those_of_the_package_where_both_have_them():
    for run in RUNS:
        for name, training in TRAININGS.items():
            if run.name.startswith(name):
                assert (training.active, training.tokens) == (run.parameters, run.tokens)


def test_what_works_on_a_token_is_computed_and_everything_is_kept():
    words = how_many_gpus("DeepSeek-V3", 8, "H800", 0.4).words
    assert "6 · 37 billion parameters" in words and "has to keep 10.7 TB" in words  # 16 bytes × 671 billion


def test_fitting_is_said():
    assert "It fits with nothing split (32 GB on a GPU" in how_many_gpus("GPT-3 XL", 8, "V100").words
    assert "It does not fit, however it is split" in how_many_gpus("GPT-3", 8).words


def test_an_estimate_from_outside_is_called_one():
    for name, training in TRAININGS.items():
        words = how_many_gpus(name).words
        assert ("outside estimate: the developers did not say" in words) == training.estimate == ("GPT-4" in name)


def test_one_gpu_sends_nothing():
    drawing = how_many_gpus(gpus=1)
    assert "each GPU sends nothing a step" in drawing.words and ">nothing<" in drawing.svg


def test_a_run_of_ones_own():
    words = how_many_gpus(gpus=8, mfu=0.4, parameters=124e6, tokens=10e9).words
    assert words.startswith("A run of your own, 6 · 124 million parameters · 10 billion tokens, on 8 × A100 at MFU 0.4")
    gpt3, own = (how_many_gpus(**of).words.partition(", ")[2] for of in ({}, {"parameters": 175e9, "tokens": 300e9}))
    assert gpt3 == own
    assert "estimate" not in how_many_gpus("A GPT-4-class run (an outside estimate)", parameters=1e9, tokens=1e9).words
    for only in ({"parameters": 1e9}, {"tokens": 1e9}):
        with pytest.raises(ValueError, match="needs both: give parameters and tokens"):
            how_many_gpus(**only)
    with pytest.raises(ValueError, match="tokens is -5"):
        how_many_gpus(parameters=1e9, tokens=-5)


def test_every_setting_of_the_controls_draws(parse):
    explore = explore_how_many_gpus()
    rest = dict(explore.settings)
    assert rest == {"run": "GPT-3", "gpus": 1024, "gpu": "A100", "mfu": 0.45, "price": 2.0}
    assert explore.words == how_many_gpus().words
    words = {name: [] for name in rest}
    for settings in explore.extremes():
        assert explore.error is None, (settings, explore.words)
        parse(explore._picture.value)
        assert problems(explore._picture.value) == []
        for name in rest:
            if all(settings[other] == rest[other] for other in rest if other != name):
                words[name].append((settings[name], explore.words))
    for name, said in words.items():  # another setting, other words
        assert len(dict(said)) == len(set(dict(said).values())) >= 4, name


def test_what_is_not_there_is_said():
    with pytest.raises(ValueError, match='no run "GPT-5": give one of GPT-3 XL'):
        how_many_gpus("GPT-5")
    with pytest.raises(ValueError, match='no GPU "T4": give one of V100'):
        how_many_gpus(gpu="T4")
    with pytest.raises(ValueError, match="mfu is 1.2"):
        how_many_gpus(mfu=1.2)
