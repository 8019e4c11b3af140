"""The Transformer's drawing is that of the model: other sizes, other words."""

import pytest
import torch
from torch import nn

from helpers.models.transformer import Transformer
from helpers.show.drawings.transformer_stacks import transformer
from tests import factories


def test_sizes_and_counts_are_the_models(legible):
    model = factories.transformer(vocab_size=20, d_model=16, n_head=4, n_layer=2, d_ff=48)
    words = legible(transformer(model))
    total = sum(parameter.numel() for parameter in model.parameters())
    encoder = sum(p.numel() for part in (model.encoder, model.encoder_norm) for p in part.parameters())
    assert f"A Transformer with {total:,} parameters, normalized before each sub-layer (pre-norm)" in words
    assert f"encoder of 2 layers ({encoder:,} parameters)" in words and "4 heads, feed-forward 16 → 48 → 16" in words
    assert "20 token vectors (320 parameters) serves for reading and for scoring" in words


def test_another_model_has_another_drawing(legible):
    one, two = (transformer(factories.transformer(n_layer=n, norm_first=n == 1)) for n in (1, 3))
    assert legible(one) != legible(two) and "post-norm" in two.words and "encoder layer × 3" in two.svg


def test_the_largest_is_legible(legible):
    with torch.device("meta"):  # shapes alone
        model = Transformer(50_000, 1024, 16, 6, **factories.SPECIAL_IDS)
    assert "6 layers" in legible(transformer(model))


def test_something_else_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="Linear has no embed and no encoder and no decoder"):
        transformer(nn.Linear(2, 2))
    model = factories.transformer()
    model.decoder = model.encoder
    with pytest.raises(ValueError, match="EncoderLayer has no cross_attention"):
        transformer(model)
