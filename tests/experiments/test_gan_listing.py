"""The repaired listing: each repair can be left out, its table is whole, and a run is made once."""

import pytest
import torch

from helpers import data_path
from helpers.experiments import gan_listing
from helpers.io import read_rows


def test_the_replies_lie_on_a_ring_and_the_messages_do_not():
    messages, replies = gan_listing.messages_and_replies(0)
    radius = (replies - torch.tensor([2.0, -1.0])).norm(dim=1)
    assert 0.9 < radius.mean() < 1.1 and radius.std() < 0.15
    assert messages.shape == replies.shape == (100, 2) and messages.mean(0).norm() < 0.3


def test_the_distance_is_measured_from_both_sides():
    assert gan_listing.both_distances(torch.zeros(3, 2), torch.tensor([[0.0, 0.0], [0.0, 2.0]])) == (0, 1)


def flat(network):
    return torch.cat([weights.detach().flatten() for weights in network.parameters()])


def test_with_nothing_repaired_but_the_shape_the_generator_never_moves():
    assert torch.equal(flat(gan_listing.train("everything", steps=3)), flat(gan_listing.networks(0)[0]))


@pytest.mark.parametrize("left_out", ["nothing", *gan_listing.REPAIRS])
def test_each_repair_makes_a_difference(left_out):
    trained = [flat(gan_listing.train(name, steps=4)) for name in (left_out, "nothing")]
    assert torch.equal(*trained) == (left_out == "nothing")


def test_an_unknown_repair_is_refused():
    with pytest.raises(ValueError, match="there is no repair 'magic'"):
        gan_listing.train("magic")


def test_the_stored_table_has_every_run_once():
    rows = gan_listing.read_table()
    assert [(row["left out"], row["seed"]) for row in rows] == [tuple(run) for run in gan_listing.RUNS]
    assert all(row["distance"] == pytest.approx((row["to a reply"] + row["from a reply"]) / 2, abs=2e-4) for row in rows)


def test_every_run_becomes_a_row_once(tmp_path, monkeypatch):
    monkeypatch.setattr(gan_listing, "data_path", lambda *name: tmp_path)
    monkeypatch.setattr(gan_listing, "RUNS", gan_listing.RUNS[:2])
    monkeypatch.setattr(gan_listing, "measure", lambda run: [run.key | {"distance": 1.0}])
    gan_listing.main()
    assert [row["seed"] for row in read_rows(tmp_path / "gan_listing.csv")] == [0, 1]
    monkeypatch.setattr(gan_listing, "measure", lambda run: pytest.fail("run twice"))
    gan_listing.main()
    assert data_path().exists()


def test_a_row_is_measured(monkeypatch):
    monkeypatch.setattr(gan_listing, "train", lambda left_out, seed: gan_listing.networks(seed)[0])
    (row,) = gan_listing.measure(gan_listing.RUNS[0])
    assert set(row) == set(gan_listing.COLUMNS) and row["distance"] > 0.1
