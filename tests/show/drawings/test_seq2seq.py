"""Encoder and decoder: one vector between them, or weights whose arrows are as thick as they are large."""

import re

import pytest

from helpers.show.drawings.seq2seq import encoder_decoder

CONTEXT, REPLY = ["Do", " you", " like", " dogs", "?"], ["<B>", "Yes", "!"]


def test_without_attention_one_vector_is_all(legible):
    drawing = encoder_decoder(CONTEXT, REPLY, 384)
    assert "one vector of 384 numbers" in legible(drawing) and "“Do you like dogs?”" in drawing.words
    assert "attention" not in drawing.svg.split("<text")[1] and "[384]" in drawing.svg


def test_with_attention_the_weights_are_seen(legible):
    drawing = encoder_decoder(CONTEXT, REPLY, 64, [0.05, 0.1, 0.15, 0.6, 0.1])
    assert "with most weight on “dogs” (0.60), “like” (0.15) and “you” (0.10)" in legible(drawing)
    widths = [float(width) for width in re.findall(r'stroke="#0f869b" stroke-width="([\d.]+)"', drawing.svg)]
    assert max(widths) == pytest.approx(8 * 0.6) and all(f">{weight}<" in drawing.svg for weight in ("0.05", "0.60"))


@pytest.mark.parametrize(("context", "reply"), [(1, 2), (2, 6), (7, 6), (30, 20)])
def test_any_length_is_legible(context, reply, legible):
    tokens = [f" word{i}" for i in range(context)]
    for attention in (None, [1 / context] * context):
        words = legible(encoder_decoder(tokens, tokens[:1] + ["x" * 30] * (reply - 1), 16, attention))
        assert ("Not all of the 30 context tokens" in words) == (context == 30)
        assert ("Not all of the 19 reply tokens" in words) == (reply == 20)


@pytest.mark.parametrize(
    ("context", "reply", "attention", "sentence"),
    [
        ([], REPLY, None, "context is empty"),
        (CONTEXT, ["<B>"], None, "at least two reply tokens"),
        (CONTEXT, REPLY, [0.5, 0.5], "2 weights for 5 context tokens"),
        (CONTEXT, REPLY, [0.5] * 5, "sum to 2.50"),
        (CONTEXT, REPLY, [1.2, -0.2, 0, 0, 0], "at least 0"),
    ],
)
def test_wrong_input_is_refused_with_a_sentence(context, reply, attention, sentence):
    with pytest.raises(ValueError, match=sentence):
        encoder_decoder(context, reply, 8, attention)
