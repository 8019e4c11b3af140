"""The sparse autoencoder: k features at most, directions of norm 1, and it finds the directions that activations are made of."""

import pytest
import torch

from helpers.interpretability.sparse_autoencoder import (
    ActivationBatches,
    SparseAutoencoder,
    ablated_feature,
    reconstruct_hook,
    reconstruction_loss,
    train_autoencoder,
)


def made_of_directions(number=2000, width=12, directions=16, seed=0):
    """Activations that are sums of two of a few random directions, off center; and the directions [directions, width]."""
    generator = torch.Generator().manual_seed(seed)
    true = torch.nn.functional.normalize(torch.randn(directions, width, generator=generator), dim=1)
    weights = torch.zeros(number, directions)
    chosen = torch.rand(number, directions, generator=generator).topk(2).indices
    weights.scatter_(1, chosen, 1 + torch.rand(number, 2, generator=generator))
    return weights @ true * 3 + 5, true


def test_at_most_k_features_are_above_zero_and_they_are_the_largest():
    torch.manual_seed(0)
    autoencoder, x = SparseAutoencoder(8, 20, k=3), torch.randn(5, 4, 8)
    reconstruction, features = autoencoder(x)
    assert reconstruction.shape == x.shape and features.shape == (5, 4, 20)
    assert features.min() == 0 and ((features > 0).sum(-1) <= 3).all() and (features > 0).any()
    before = autoencoder.encoder(x).relu()
    assert torch.allclose(features.sum(-1), before.topk(3).values.sum(-1))
    assert torch.allclose(autoencoder.decode(features), reconstruction)


def test_training_finds_the_directions():
    values, true = made_of_directions()
    autoencoder = train_autoencoder(values, 32, k=2, steps=600, batch_size=128, learning_rate=1e-2)
    assert not autoencoder.training and not autoencoder.encode(values).requires_grad
    assert torch.allclose(autoencoder.decoder.weight.norm(dim=0), torch.ones(32), atol=1e-5)
    found = (
        (true @ autoencoder.decoder.weight).max(dim=1).values
    )  # cosine of each true direction with the nearest feature
    assert found.median() > 0.95
    loss = reconstruction_loss(autoencoder, ActivationBatches(values, 2000)[0])
    assert loss < 0.15  # 1 is what the mean alone leaves
    untrained = train_autoencoder(values, 32, k=2, steps=1, batch_size=128)
    assert reconstruction_loss(untrained, ActivationBatches(values, 2000)[0]) > 2 * loss


def test_the_seed_decides_and_the_unit_of_the_activations_does_not_matter():
    values, _ = made_of_directions(300)
    first, again = (train_autoencoder(values, 16, k=2, steps=20, batch_size=50, seed=3) for _ in range(2))
    assert torch.equal(first.encoder.weight, again.encoder.weight)
    larger = train_autoencoder(values * 1000 + 7, 16, k=2, steps=20, batch_size=50, seed=3)
    assert torch.allclose(larger.encode(values * 1000 + 7), first.encode(values), atol=1e-2)
    assert larger.scale.item() == pytest.approx(1000 * first.scale.item(), rel=1e-4)


def test_each_pass_reads_every_activation_once():
    batches = ActivationBatches(torch.arange(12.0)[:, None], 4)
    assert len(batches) == 3
    read = torch.cat([batches[step].values for step in range(3)])[:, 0]
    assert sorted(read.tolist()) == list(range(12)) and read.tolist() != list(range(12))
    assert batches[1].targets.shape == (4,)


def test_an_ablated_feature_is_gone_and_the_rest_stays():
    values, _ = made_of_directions(200)
    autoencoder = train_autoencoder(values, 16, k=2, steps=50, batch_size=50)
    features = autoencoder.encode(values)
    feature = int((features > 0).sum(0).argmax())
    changed = ablated_feature(autoencoder, feature)(values[None])[0]
    part = features[:, feature, None] * autoencoder.decoder.weight[:, feature] * autoencoder.scale
    assert torch.allclose(values - changed, part, atol=1e-4)
    assert torch.equal(changed[features[:, feature] == 0], values[features[:, feature] == 0])
    assert torch.equal(reconstruct_hook(autoencoder)(values[None])[0], autoencoder(values)[0])
    for wrong in (-1, 16):
        with pytest.raises(ValueError, match=f"there is no feature {wrong}: they are numbered from 0 to 15"):
            ablated_feature(autoencoder, wrong)


def test_other_sizes_are_refused():
    for k in (0, 21):
        with pytest.raises(ValueError, match=f"k = {k} of 20 features"):
            SparseAutoencoder(8, 20, k=k)
    for values in (torch.ones(1, 8), torch.ones(8)):
        with pytest.raises(ValueError, match="at least two"):
            train_autoencoder(values)
