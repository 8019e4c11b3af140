"""The Transformer made of parts: the same as the package's with the same numbers, and made of the parts it is given."""

import pytest
import torch

from helpers.bots.bot import Bot
from helpers.corpus.batches.context_reply_pairs import batch_of, pairs
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.models import transformer_from_parts as parts
from helpers.models.attention import MultiHeadAttention, attention, causal_mask
from helpers.models.transformer import Transformer
from tests.factories import conversation

TOKENIZER = CharTokenizer("abcdefgh !?")
SIZES = {"d_model": 16, "n_head": 4, "n_layer": 2, **special_token_ids(TOKENIZER)}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def build(attention=attention, causal_mask=causal_mask):
    heads = parts.multi_head_attention(attention)
    encoder = parts.encoder_layer(heads)
    return parts.transformer(encoder, parts.decoder_layer(encoder, heads, causal_mask))(len(TOKENIZER), **SIZES)


def batch():
    return batch_of(
        pairs([conversation("a bed", "head!", "a", "face"), conversation("bag", "bad")], TOKENIZER), TOKENIZER.pad
    )


@torch.no_grad()
def test_with_the_same_numbers_it_is_the_packages_transformer():
    theirs, ours = Transformer(len(TOKENIZER), dropout=0.0, **SIZES).eval(), build().eval()
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours.read(batch()), theirs.read(batch()), atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_reply_goes_on_where_it_ended():
    model, (context, inputs, *_) = build().eval(), batch()
    mask = context != TOKENIZER.pad
    memory = model.encode(context, mask)
    whole, _ = model.decode(inputs, memory, mask)
    first, state = model.decode(inputs[:, :2], memory, mask)
    rest, _ = model.decode(inputs[:, 2:], memory, mask, state)
    torch.testing.assert_close(torch.cat([first, rest], dim=1), whole, atol=1e-5, rtol=0)


def test_it_replies_and_shows_its_weights():
    model = build().eval()
    assert isinstance(Bot(model, TOKENIZER).reply(["a bed"], max_tokens=5, seed=0), str)
    ids = torch.tensor(
        [
            [
                TOKENIZER.end,
                TOKENIZER.speaker("A"),
                *TOKENIZER.encode("bed"),
                TOKENIZER.speaker("B"),
                *TOKENIZER.encode("a"),
            ]
        ]
    )
    weights = model.attention_weights(ids)
    assert [tuple(layer.shape) for layer in weights] == [(4, 2, 5)] * 2
    torch.testing.assert_close(weights[0].sum(-1), torch.ones(4, 2))


def test_it_is_made_of_the_parts_it_is_given():
    asked = []

    def watched(q, k, v, mask=None):
        asked.append("attention")
        return attention(q, k, v, mask)

    def watched_mask(length):
        asked.append("mask")
        return causal_mask(length)

    build(watched, watched_mask).read(batch())
    assert asked.count("attention") == 2 * 3 and asked.count("mask") == 2


def test_it_begins_like_the_packages_attention():
    torch.manual_seed(1)
    ours = parts.multi_head_attention(attention)(16, 4)
    theirs = MultiHeadAttention(16, 4)
    for part in ("in_proj", "out_proj"):
        assert not getattr(ours, part).bias.any()
        spread, expected = getattr(ours, part).weight.std(), getattr(theirs, part).weight.std()
        assert spread.item() == pytest.approx(expected.item(), rel=0.15)
