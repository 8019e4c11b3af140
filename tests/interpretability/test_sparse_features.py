"""What features show: losses per token, the loss that is recovered, purity counted by hand, and the strongest tokens in place."""

import math

import pytest
import torch

from helpers.interpretability.sparse_autoencoder import SparseAutoencoder, train_autoencoder
from helpers.interpretability.sparse_features import (
    LossRecovered,
    loss_recovered,
    token_losses,
    token_purity,
    top_activations,
)
from helpers.interpretability.token_activations import TokenActivations, token_activations
from tests import factories

NAME = "blocks.0.hook_resid_post"
ROWS = [[2, 7, 8, 9, 3], [2, 5], [2, 11, 6, 6, 7, 8, 3]]


def test_losses_are_those_of_each_text_alone():
    model = factories.gpt(noise=0.3)
    for row, losses in zip(ROWS, token_losses(model, ROWS)):
        probabilities = model(torch.tensor([row[:-1]]))[0][0].softmax(-1).tolist()
        assert losses.tolist() == pytest.approx([-math.log(p[i]) for p, i in zip(probabilities, row[1:])], abs=1e-4)
    zeros = token_losses(model, ROWS, {"hook_normalized": torch.zeros_like})
    assert torch.allclose(torch.cat(zeros), torch.full((11,), math.log(16)))
    assert not model.hooked
    with pytest.raises(ValueError, match="each at least two tokens"):
        token_losses(model, [[2, 3], [2]])


def test_a_perfect_reconstruction_recovers_all_and_the_mean_nothing():
    model = factories.gpt(noise=0.5)
    acts = token_activations(model, ROWS, NAME)
    perfect = train_autoencoder(acts.values, 64, k=64, steps=800, batch_size=14, learning_rate=3e-3)
    recovered = loss_recovered(model, perfect, NAME, ROWS)
    assert recovered.clean == pytest.approx(torch.cat(token_losses(model, ROWS)).mean().item())
    assert recovered.share == pytest.approx(1, abs=0.1) and abs(recovered.ablated - recovered.clean) > 0.05
    nothing = SparseAutoencoder(16, 8, k=1)
    nothing.center.copy_(acts.values.mean(0))
    nothing.decoder.weight.data.zero_()
    assert loss_recovered(model, nothing, NAME, ROWS).share == pytest.approx(0, abs=1e-5)
    assert LossRecovered(2.0, 2.5, 4.0).share == 0.75


def test_purity_counts_the_commonest_token_of_the_strongest():
    ids = torch.tensor([5, 6, 5, 7, 5, 6])
    features = torch.tensor(
        [[9.0, 1, 0], [8, 2, 0], [7, 3, 0], [1, 9, 0], [0, 8, 1], [0, 7, 1]]  # a column per feature
    )
    purity = token_purity(features, ids, top=3)
    assert purity[:2].tolist() == pytest.approx([2 / 3, 1 / 3]) and purity[2].isnan()  # it fires at two tokens only
    last = torch.tensor(
        [[7.0], [9], [1], [0], [0], [8]]
    )  # at the tokens 6, 6, 5: the commonest is not the first in order
    assert token_purity(last, ids, top=3).tolist() == pytest.approx([2 / 3])
    assert token_purity(features[:, :1], ids, top=4).tolist() == pytest.approx([0.5])
    for top in (0, 7):
        with pytest.raises(ValueError, match=f"top is {top}"):
            token_purity(features, ids, top)


def test_the_strongest_tokens_stand_in_their_texts(tokenizer):
    texts = ["the soup is hot", "a soup", "tea"]
    rows = [tokenizer.encode(text) for text in texts]
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.tensor(sum(rows, []))
    positions = torch.cat([torch.arange(length) for length in lengths.tolist()])
    acts = TokenActivations(torch.zeros(len(ids), 1), ids, torch.arange(3).repeat_interleave(lengths), positions)
    feature = torch.zeros(len(ids))
    feature[[5, 6, 18]] = torch.tensor([2.0, 1.0, 3.0])  # "o" and "u" of the first soup, "o" of the second
    strongest, second = top_activations(feature, acts, tokenizer, before=3, after=2)
    assert strongest[1:] == (1, 3, "a s", "o", "up") and strongest.value == 3
    assert second[1:] == (0, 5, "e s", "o", "up")  # one token a text
    assert len(top_activations(feature, acts, tokenizer, count=1)) == 1
    with pytest.raises(ValueError, match="one value for each of the 24 tokens"):
        top_activations(feature[:-1], acts, tokenizer)
