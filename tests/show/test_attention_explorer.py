"""Asking a model where it looks: what are rows and columns in each kind, and every control works."""

import pytest
import torch

from helpers.corpus.conversations import Conversation, Turn
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.rnn import CharRNN
from helpers.models.seq2seq import Seq2Seq
from helpers.models.transformer import Transformer
from helpers.show import attention_map, attention_of, explore_attention

TALK = Conversation("c", "c", (Turn("A", "ab & c"), Turn("B", "<ca>"), Turn("A", "bac")))


@pytest.fixture(scope="module")
def tokenizer():
    return CharTokenizer("abc <>&")


def seq2seq(tokenizer):
    torch.manual_seed(0)
    return Seq2Seq(len(tokenizer), hidden_size=8, embedding_size=6, **special_token_ids(tokenizer))


def transformer(tokenizer):
    torch.manual_seed(0)
    return Transformer(len(tokenizer), d_model=8, n_head=2, n_layer=3, **special_token_ids(tokenizer))


def gpt(tokenizer):
    torch.manual_seed(0)
    return GPT(GPTConfig.gpt2(len(tokenizer), context=32, n_embd=8, n_layer=2, n_head=4))


@pytest.mark.parametrize("make", [seq2seq, transformer])
def test_an_encoder_decoder_looks_across_at_the_turns_before(tokenizer, make):
    found = attention_of(make(tokenizer), tokenizer, TALK)
    assert "".join(found.columns) == "<end><A>ab & c<B><ca>"
    assert found.rows == ["b", "a", "c", "<end>"] and found.generated and found.mask is None
    assert found.weights[0].shape[1:] == (4, len(found.columns))
    torch.testing.assert_close(found.weights[0].sum(-1), torch.ones_like(found.weights[0][..., 0]))


def test_a_transformer_also_looks_at_its_own(tokenizer):
    model = transformer(tokenizer)
    encoder, decoder = (attention_of(model, tokenizer, TALK, look) for look in ("encoder", "decoder"))
    assert encoder.rows == encoder.columns and "".join(encoder.rows) == "<end><A>ab & c<B><ca>" and encoder.mask is None
    assert decoder.rows == decoder.columns == ["<A>", "b", "a", "c"] and not decoder.generated
    assert (decoder.weights[1].numpy()[:, ~decoder.mask] == 0).all()


def test_a_gpt_reads_as_much_as_fits_into_its_context(tokenizer):
    found = attention_of(gpt(tokenizer), tokenizer, ["ab" * 30, "c"])
    assert len(found.rows) == 32 and "".join(found.rows).endswith("abab<B>c")


def test_a_gpt_looks_back(tokenizer):
    found = attention_of(gpt(tokenizer), tokenizer, TALK)
    assert found.rows == found.columns and "".join(found.rows) == "<end><A>ab & c<B><ca><A>bac"
    assert (found.weights[0].numpy()[:, ~found.mask] == 0).all() and found.mask.sum() == 17 * 18 / 2


@pytest.mark.parametrize("make", [seq2seq, transformer, gpt])
def test_every_setting_of_the_sliders_draws(tokenizer, make, parse):
    model = make(tokenizer)
    explore = explore_attention(model, tokenizer, TALK)
    several = {"layer", "head"} if make is not seq2seq else set()
    assert explore.error is None and set(explore.settings) == {"message", "reply", "position", *several}
    assert explore.settings["message"] == "<ca>" and explore.settings["reply"] == "bac"
    found = attention_of(model, tokenizer, TALK)
    assert explore.words == attention_map(*found, position=0).words
    words = set()
    for settings in explore.extremes():
        assert explore.error is None, settings
        parse(explore._picture.value)
        words.add(explore.words)
    assert len(words) >= 8  # three texts for each line, the sliders' other ends


def test_other_messages_can_be_typed(tokenizer):
    model = seq2seq(tokenizer)
    explore = explore_attention(model, tokenizer, TALK)
    explore.controls["position"].value = 3
    explore.controls["reply"].value = "aaaaaaaa"
    turns = ["ab & c", "<ca>", "aaaaaaaa"]
    assert explore.controls["position"].max == 8
    assert explore.words == attention_map(*attention_of(model, tokenizer, turns), position=3).words
    explore.controls["position"].value = 8
    explore.controls["reply"].value = "b"
    assert explore.settings["position"] == 1 and explore.words.startswith("Row 2 of 2.")
    explore.controls["message"].value = "c" * 400
    assert explore.error is None and "of 96 tokens" in explore.words


def test_texts_are_turns_of_a_and_b(tokenizer):
    model, texts = seq2seq(tokenizer), [turn.text for turn in TALK.turns]
    one, other = attention_of(model, tokenizer, texts), attention_of(model, tokenizer, TALK)
    assert one.rows == other.rows and one.columns == other.columns and torch.equal(one.weights[0], other.weights[0])


def test_a_string_is_one_turn(tokenizer):
    found = attention_of(seq2seq(tokenizer), tokenizer, "ab")
    assert found.columns == ["<end>"] and found.rows == ["a", "b", "<end>"]
    assert torch.equal(found.weights[0], torch.ones(1, 3, 1))
    explore = explore_attention(seq2seq(tokenizer), tokenizer, "ab")
    assert explore.error is None and explore.settings == {"text": "ab", "position": 0}


def test_models_and_kinds_that_are_not_there(tokenizer):
    with pytest.raises(ValueError, match="no kind 'inside' of attention; known are cross, encoder, decoder"):
        attention_of(seq2seq(tokenizer), tokenizer, TALK, "inside")
    with pytest.raises(ValueError, match="only a model with attention"):
        attention_of(CharRNN(len(tokenizer)), tokenizer, TALK)
    with pytest.raises(ValueError, match="no turn: give at least one"):
        attention_of(seq2seq(tokenizer), tokenizer, Conversation("c", "c", ()))
