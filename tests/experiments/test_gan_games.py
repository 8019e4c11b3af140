"""The small GANs of notebook 08 with several seeds: their data, their measures, and a table without gaps."""

import pytest
import torch

from helpers.corpus.digits import light_on_dark, load_digits
from helpers.experiments import gan_games
from helpers.io import read_rows


def test_the_points_lie_in_eight_modes():
    points, centers = gan_games.eight_modes()
    nearest = torch.cdist(points, centers).min(1)
    assert nearest.indices.bincount().min() > 400 and (nearest.values < gan_games.RADIUS).float().mean() > 0.98
    assert not torch.equal(points, gan_games.eight_modes(seed=1)[0])


def test_the_domains_share_no_digit():
    train, _ = load_digits()
    written, lit = gan_games.two_domains(train)
    assert len(written) == len(lit) == 700 and torch.equal(written, train.images[:700])
    assert torch.equal(lit, light_on_dark(train.images[700:])) and lit.mean() > 0


def test_an_identity_comes_back_and_keeps_the_digit():
    _, unseen = load_digits()

    def classifier(images):
        return torch.nn.functional.one_hot(unseen.labels, 10).float()

    classifier.parameters, classifier.training = lambda: iter([torch.zeros(1)]), False
    network = torch.nn.Module()
    network.weight, network.forward = torch.nn.Parameter(torch.zeros(1)), classifier
    found = gan_games.translation_measures(torch.nn.Identity(), torch.nn.Identity(), unseen, network)
    assert found == {"kinds": 10, "off by": 0, "same digit": 1}


def test_the_stored_table_has_every_run_once():
    rows = gan_games.read_table("digits") + gan_games.read_table("points")
    assert [tuple(row[name] for name in gan_games.COLUMNS[:3]) for row in rows] == [tuple(run) for run in gan_games.RUNS]
    assert all(0 <= row["modes"] <= 8 and 0 <= row["in a mode"] <= 1 for row in gan_games.read_table("points"))


def test_every_run_becomes_a_row_once(tmp_path, monkeypatch):
    runs = (gan_games.RUNS[0], gan_games.RUNS[-1])
    monkeypatch.setattr(gan_games, "data_path", lambda *name: tmp_path)
    for name, value in {"RUNS": runs, "POINT_STEPS": 2, "DIGIT_STEPS": 2}.items():
        monkeypatch.setattr(gan_games, name, value)
    steps = gan_games.classifier_of
    monkeypatch.setattr(gan_games, "classifier_of", lambda digits: steps(digits, steps=2))
    gan_games.main()
    rows = read_rows(tmp_path / "gan_games.csv")
    assert [row["game"] for row in rows] == ["digits", "points"]
    assert rows[0]["off by"] > 0 and rows[0]["modes"] is None and 0 <= rows[1]["in a mode"] <= 1
    monkeypatch.setattr(gan_games, "play_points", lambda run: pytest.fail("run twice"))
    gan_games.main()
