"""Drawing and reading: guidance by hand, one sampler, no word in a picture, and Bayes' rule with exact numbers."""

import pytest
import torch

from helpers.corpus.tokenizers.words_and_codes import WordsAndCodes
from helpers.generation.multimodal import (
    bayes_reading,
    caption_log_likelihoods,
    guided,
    paint,
    to_images,
    write_captions,
)
from helpers.models.multimodal import caption_first, picture_gpt

CAPTIONS = ["big sun", "small moon", "big moon"]


@pytest.fixture
def tokenizer():
    return WordsAndCodes(["big", "small", "sun", "moon"], torch.arange(20.0).reshape(5, 4))


@pytest.fixture
def model(tokenizer):
    torch.manual_seed(1)
    model = picture_gpt(tokenizer, 9, n_embd=16, n_layer=2, n_head=2)
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return model  # in training mode: what is sampled must not depend on its dropout


def test_guidance_by_hand():
    conditional, unconditional = torch.tensor([0.8, 0.2]).log() + 7, torch.tensor([0.5, 0.5]).log() - 3
    for w, share in ((0, 0.5), (1, 0.8), (2, 16 / 17), (3, 64 / 65)):  # the odds 4 : 1 to the power of w
        assert guided(conditional, unconditional, w).softmax(-1)[0].item() == pytest.approx(share, abs=1e-6)
    for w in (-1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="no guidance"):
            guided(conditional, unconditional, w)


def test_a_picture_is_made_of_codes_alone(model, tokenizer):
    codes = paint(model, tokenizer, CAPTIONS * 20, length=4, temperature=3.0)
    assert codes.shape == (60, 4) and codes.dtype == torch.int64
    assert codes.unique().tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(codes, paint(model, tokenizer, CAPTIONS * 20, length=4, temperature=3.0))
    assert not torch.equal(codes, paint(model, tokenizer, CAPTIONS * 20, length=4, temperature=3.0, seed=1))
    assert model.training


def test_words_are_written_after_a_picture_alone(model, tokenizer):
    written = write_captions(model, tokenizer, torch.randint(5, (30, 4)), words=2, temperature=3.0)
    assert {word for caption in written for word in caption.split()} == {"big", "small", "sun", "moon"}
    assert all(len(caption.split()) == 2 for caption in written)


def test_the_likeliest_picture_is_found_step_by_step(model, tokenizer):
    model.eval()
    rows = caption_first(tokenizer, CAPTIONS, torch.zeros(3, 0, dtype=torch.long))[:, :-1]
    for _ in range(4):
        scores = model(rows)[0][:, -1, tokenizer.first_code :]
        rows = torch.cat((rows, scores.argmax(-1, keepdim=True) + tokenizer.first_code), dim=1)
    expected = tokenizer.decode_codes(rows[:, 4:])
    assert torch.equal(paint(model, tokenizer, CAPTIONS, length=4, temperature=0), expected)


def test_guidance_reads_the_picture_a_second_time_without_its_caption(model, tokenizer):
    model.eval()
    alone, seen = torch.full((3, 1), tokenizer.media), []

    def mix(conditional, unconditional, w):
        seen.append((conditional, unconditional, w))
        return guided(conditional, unconditional, w)

    codes = paint(model, tokenizer, CAPTIONS, length=4, guidance=2.0, temperature=0, mix=mix)
    assert len(seen) == 4 and all(w == 2 for _, _, w in seen)
    rows = torch.cat((alone, tokenizer.encode_codes(codes)), dim=1)
    for step, (conditional, unconditional, _) in enumerate(seen):
        torch.testing.assert_close(unconditional, model(rows[:, : step + 1])[0][:, -1], atol=1e-5, rtol=1e-4)
        with_caption = caption_first(tokenizer, CAPTIONS, codes[:, :step])[:, :-1]
        torch.testing.assert_close(conditional, model(with_caption)[0][:, -1], atol=1e-5, rtol=1e-4)
    # With w = 0 the caption says nothing: equal captions or not, the likeliest picture is the same.
    assert len(paint(model, tokenizer, CAPTIONS, length=4, guidance=0, temperature=0).unique(dim=0)) == 1


def test_codes_become_a_picture(tokenizer):
    images = to_images(tokenizer, torch.tensor([[0, 1, 4, 0]]), width=4)
    assert images[0].tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [16, 17, 0, 1], [18, 19, 2, 3]]


def test_the_likelihood_of_a_picture_is_that_of_its_codes_after_the_caption(model, tokenizer):
    model.eval()
    codes = torch.randint(5, (4, 4))
    nats = caption_log_likelihoods(model, tokenizer, codes, CAPTIONS)
    assert nats.shape == (4, 3) and nats.max() < 0
    row = caption_first(tokenizer, ["small moon"], codes[2:3])
    scores = model(row)[0].log_softmax(-1)[0]
    expected = sum(scores[position - 1, row[0, position]].item() for position in range(4, 8))
    assert nats[2, 1].item() == pytest.approx(expected, abs=1e-4)


def test_bayes_rule_by_hand():
    likelihoods = torch.tensor([[0.1, 0.3], [0.2, 0.2]]).log()
    assert torch.allclose(bayes_reading(likelihoods), torch.tensor([[0.25, 0.75], [0.5, 0.5]]))
    prior = torch.tensor([0.75, 0.25]).log()
    assert torch.allclose(bayes_reading(likelihoods, prior), torch.tensor([[0.5, 0.5], [0.75, 0.25]]))
    with pytest.raises(ValueError, match=r"one for each of 2"):
        bayes_reading(likelihoods, prior[:1])
