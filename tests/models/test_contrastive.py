"""Two towers: the loss by hand and both ways, lengths that do not matter, batches with and without doubles."""

import math

import pytest
import torch

from helpers.models.contrastive import (
    CaptionBatches,
    TwoTowers,
    best_caption,
    contrastive_loss,
    similarity,
    tower_loss,
)
from helpers.training import fit


def test_the_loss_by_hand():
    vectors = torch.eye(2)
    loss = contrastive_loss(vectors, vectors, temperature=0.5)  # each is sure by e² : 1
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-2)))
    assert contrastive_loss(vectors, vectors.flip(0), 0.5).item() == pytest.approx(2 + math.log(1 + math.exp(-2)))
    same = contrastive_loss(torch.ones(8, 3), torch.ones(8, 3))
    assert same.item() == pytest.approx(math.log(8))


def test_lengths_do_not_matter_and_both_directions_count_alike():
    pictures, captions = torch.randn(6, 4), torch.randn(6, 4)
    loss = contrastive_loss(pictures, captions)
    torch.testing.assert_close(contrastive_loss(7 * pictures, captions / 9), loss)
    torch.testing.assert_close(contrastive_loss(captions, pictures), loss)
    scores = similarity(pictures, captions) / 0.1
    rows, columns = (-each.log_softmax(-1).diag().mean() for each in (scores, scores.T))
    assert abs(rows - columns) > 0.01
    torch.testing.assert_close(loss, (rows + columns) / 2)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="as many pictures as captions"):
        contrastive_loss(torch.zeros(2, 3), torch.zeros(3, 3))
    with pytest.raises(ValueError, match="above 0, such as 0.1"):
        contrastive_loss(torch.eye(2), torch.eye(2), temperature=0)
    with pytest.raises(ValueError, match="one caption for each"):
        CaptionBatches(torch.zeros(3, 8, 8), torch.zeros(2, 3, dtype=torch.long))
    ids = torch.tensor([[0, 1, 2], [0, 1, 2], [3, 4, 5]])
    with pytest.raises(ValueError, match="there are 2 to choose from"):
        CaptionBatches(torch.zeros(3, 8, 8), ids, batch_size=3, distinct=True)


def test_no_caption_is_twice_in_a_distinct_batch():
    ids = (torch.arange(40) % 5)[:, None] + torch.tensor([0, 10, 20])
    images = torch.arange(40.0)[:, None, None].expand(40, 8, 8)
    seen = set()
    for number in range(40):
        batch = CaptionBatches(images, ids, 5, distinct=True)[number]
        assert sorted(batch.targets[:, 0].tolist()) == [0, 1, 2, 3, 4]
        assert torch.equal(batch.inputs[:, 0, 0].long() % 5, batch.targets[:, 0])  # an image keeps its caption
        seen |= set(batch.inputs[:, 0, 0].tolist())
    assert len(seen) > 30
    usual, again = CaptionBatches(images, ids, 20), CaptionBatches(images, ids, 20)
    assert len(usual[3].inputs[:, 0, 0].unique()) == 20 and len(usual[3].targets[:, 0].unique()) == 5
    assert torch.equal(usual[3].inputs, again[3].inputs) and not torch.equal(usual[3].inputs, usual[4].inputs)


def test_towers_find_what_belongs_together():
    ids = torch.cartesian_prod(torch.arange(2), torch.arange(2, 4), torch.arange(4, 6))
    images = torch.randn(8, 8, 8)
    towers = TwoTowers(6, width=16, hidden_size=32)
    assert towers.pictures(images).shape == towers.captions(ids).shape == (8, 16)
    seen = []

    def loss(pictures, captions, temperature):
        seen.append(temperature)
        return contrastive_loss(pictures, captions, temperature)

    fit(towers, CaptionBatches(images, ids, 8), steps=60, loss=tower_loss(loss, 0.2), progress=False)
    assert best_caption(towers, images, ids).tolist() == list(range(8)) and seen == [0.2] * 60
    again = TwoTowers.from_config(towers.config)
    assert again.parameter_count() == towers.parameter_count()
    shown = towers(images, ids)
    assert shown.abs().max() <= 1 + 1e-5


def test_reading_leaves_the_towers_in_training():
    towers = TwoTowers(6).train()
    images, ids = torch.randn(4, 8, 8), torch.tensor([[0, 2, 4], [1, 3, 5]])
    assert torch.equal(best_caption(towers, images, ids), best_caption(towers, images, ids)) and towers.training
