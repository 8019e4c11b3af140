"""Pruning: which weights go, zeros that survive the optimizer, and what zeros save, stored as numbers and compressed."""

import pytest
import torch

from helpers.compression.pruning import (
    KeepPruned,
    compressed_size,
    file_size,
    magnitude_mask,
    masks_of,
    pruned,
    random_mask,
    sparsity,
    two_four_mask,
)
from helpers.corpus.batches.token_stream import WindowBatches
from helpers.training import fit
from tests.factories import gpt

IDS = torch.arange(2, 14)[None]


def test_the_smallest_go():
    weight = torch.tensor([[0.1, -3.0], [2.0, -0.2]])
    assert magnitude_mask(weight, 0.5).tolist() == [[False, True], [True, False]]
    assert magnitude_mask(weight, 0.25).tolist() == [[False, True], [True, True]]
    assert magnitude_mask(weight, 0).all() and not magnitude_mask(weight, 1).any()


def test_exactly_so_many_go_also_where_all_are_alike():
    weight = torch.ones(7, 9)
    for share in (0.1, 0.3, 0.5, 0.9):
        for mask in (magnitude_mask(weight, share), random_mask(weight, share)):
            assert int((~mask).sum()) == round(share * 63)


def test_random_pruning_is_seeded_and_looks_at_nothing():
    weight = torch.randn(30, 30)
    mask = random_mask(weight, 0.5, 1)
    assert mask.equal(random_mask(10 * weight, 0.5, 1)) and not mask.equal(random_mask(weight, 0.5, 2))
    kept = [weight[each].abs().mean() for each in (mask, magnitude_mask(weight, 0.5))]
    assert kept[0] < 0.8 * kept[1]


def test_two_of_four_stay():
    weight = torch.tensor([[1.0, -5.0, 3.0, 2.0, 0.0, 0.0, 0.0, 0.0], [4.0, 3.0, 2.0, 1.0, -1.0, -2.0, -3.0, -4.0]])
    wanted = [[0, 1, 1, 0, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0, 1, 1]]
    assert two_four_mask(weight).int().tolist() == wanted
    assert (two_four_mask(torch.randn(6, 20)).unflatten(1, (-1, 4)).sum(-1) == 2).all()
    with pytest.raises(ValueError, match="a row of 6 weights cannot be cut into fours"):
        two_four_mask(torch.zeros(2, 6))


def test_each_matrix_of_the_parts_loses_its_share():
    model = gpt(std=0.3, bigram_rows=13)
    before = model(IDS)[0]
    for kind in ("magnitude", "random", "2:4"):
        small = pruned(model, masks_of(model, 0.5, kind=kind))
        assert sparsity(small) == 0.5 and sparsity(small, ("embedding",)) == 0 == sparsity(model)
    assert model(IDS)[0].equal(before)
    qkv = [masks_of(model, 0.5, kind="random")[f"blocks.{layer}.attention.qkv.weight"] for layer in (0, 1)]
    assert not qkv[0].equal(qkv[1])  # each has a mask of its own
    assert list(masks_of(model, 0.7, ("pair table",))) == ["bigrams.weight"]


@pytest.mark.parametrize("optimizer", ["adamw", "muon", "sgd"])
def test_masks_survive_the_optimizer(optimizer):
    model = gpt(std=0.3)
    masks = masks_of(model, 0.7)
    batches = WindowBatches(torch.randint(16, (200,)), 2, 8)
    seen, kept, lost = [], pruned(model, masks), pruned(model, masks)
    how = {"steps": 4, "optimizer": optimizer, "progress": False, "learning_rate": 0.01}
    check = [KeepPruned(masks), lambda history, model: seen.append(sparsity(model))]
    fit(kept, batches, callbacks=check, validate=lambda model: -len(seen), validate_every=1, **how)
    fit(lost, batches, **how)
    share = sparsity(pruned(model, masks))
    assert seen == [share] * 4 and sparsity(kept) == share  # after each step, and in what validation kept
    assert sparsity(lost) < 0.1 * share  # the gradient of a zero is not zero
    for name, mask in masks.items():
        moved = (kept.get_parameter(name) != pruned(model, masks).get_parameter(name)).float()
        assert moved[mask].mean() > 0.9 and not moved[~mask].any()


def test_zeros_save_nothing_until_they_are_compressed():
    model = gpt(n_embd=64, std=0.3)
    half, most = (pruned(model, masks_of(model, share)) for share in (0.5, 0.9))
    assert file_size(model) == file_size(half) == file_size(most) == 2 * model.parameter_count()
    assert compressed_size(most) < 0.5 * compressed_size(half) + 0.2 * file_size(model)
    assert compressed_size(half) < 0.8 * compressed_size(model)


def test_what_makes_no_sense_is_said():
    model = gpt()
    for share in (-0.1, 1.5):
        for function in (magnitude_mask, random_mask, lambda weight, share: masks_of(model, share)):
            with pytest.raises(ValueError, match=f"share is {share}"):
                function(torch.ones(2, 2), share)
    with pytest.raises(ValueError, match="kind is 'small'"):
        masks_of(model, kind="small")
    with pytest.raises(ValueError, match="these are the masks of another model"):
        pruned(model, {"nothing": torch.ones(2, 2)})
    for masks in ({"nothing": torch.ones(2, 2)}, {"embed.weight": torch.ones(2, 2)}):
        with pytest.raises(ValueError, match="fits no parameter: it is of another model"):
            KeepPruned(masks).apply(model)
