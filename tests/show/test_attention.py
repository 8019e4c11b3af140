"""The attention map: words that state the finding, every layer and head can be chosen, what the mask hides is seen."""

import numpy as np
import pytest
import torch

from helpers.show import Drawing, attention_map

WEIGHTS = np.array([[0.7, 0.2, 0.1, 0.0], [0.25, 0.25, 0.25, 0.25], [0, 0, 0.05, 0.95]])
ROWS, COLUMNS = ["a", " b", "<&>"], ["I", " have", "\n", " cats"]


def test_a_map_says_how_far_attention_is_spread_and_where_it_is_sharpest():
    drawing = attention_map(WEIGHTS, ROWS, COLUMNS)
    assert isinstance(drawing, Drawing)
    # Spread: exp of the entropies, 2.23 (0.7, 0.2, 0.1), 4 (even) and 1.22 (0.05, 0.95).
    assert drawing.title == "Attention is spread over 2.5 of 4 tokens on average"
    assert drawing.words == (
        "Attention is spread over 2.5 of 4 tokens on average. "
        "Sharpest: “<&>” to “cats” 95 %, “a” to “I” 70 % and “b” to “I” 25 %."
    )


def test_one_row_in_words_and_its_text_shown(parse):
    drawing = attention_map(torch.tensor(WEIGHTS), ROWS, COLUMNS, position=0, generated=True)
    assert drawing.title == "Before it generates “a”, it attends most to “I” (70 %)"
    assert drawing.words == (
        "Row 1 of 3. Before it generates “a”, it attends most to “I” (70 %); then “have” 20 % and “⏎” 10 %. "
        "Its attention is spread over 2.2 of 4 tokens."
    )
    titles = [title for title, _ in parse(drawing.svg)]
    assert titles[:4] == ["I 70 %", " have 20 %", "⏎ 10 %", " cats 0 %"]
    assert titles[4:] == [
        "before “a”: “I” 70 %, “ have” 20 %, “⏎” 10 %",
        "before “ b”: “I” 25 %, “ have” 25 %, “⏎” 25 %",
        "before “<&>”: “ cats” 95 %, “⏎” 5 %",
    ]
    assert "“b” attends most to “I” (25 %)" in attention_map(WEIGHTS, ROWS, COLUMNS, position=1).title


def boxes(svg):
    """Return the row and column of every colored box of a map without names of columns, with its opacity."""
    return [part.split('fill-opacity="')[1].split('"')[0] for part in svg.split("<rect")[1:] if "fill-opacity" in part]


def test_darker_is_more_and_nothing_is_not_drawn():
    assert boxes(attention_map(WEIGHTS, ROWS, COLUMNS).svg) == [
        "0.74", "0.21", "0.11", "0.26", "0.26", "0.26", "0.26", "0.05", "1.00"
    ]  # fmt: skip


def test_what_the_mask_hides_is_crossed_out_and_told():
    past = np.tri(3, dtype=bool)
    drawing = attention_map(np.tri(3) / np.arange(1, 4)[:, None], "xyz", "xyz", past, position=1)
    assert "The mask hides 1 from it." in drawing.words and "spread over 2.0 of 2 tokens" in drawing.words
    assert "Crossed out: the mask hides it." in drawing.svg
    strokes = [part.split('"')[0] for part in drawing.svg.split('<path d="')[1:] if "l28.0-" in part]
    assert [part.count("M") for part in strokes] == [2, 1]  # after x two are hidden, after y one, after z none
    assert "<title>z hidden</title>" in drawing.svg
    assert "Crossed out" not in attention_map(WEIGHTS, ROWS, COLUMNS).svg


def test_a_title_of_your_own_keeps_the_finding():
    drawing = attention_map(WEIGHTS, ROWS, COLUMNS, title="A diagonal")
    assert drawing.title == "A diagonal" and drawing.words.startswith("A diagonal. Attention is spread over 2.5 of 4")
    asked = attention_map(WEIGHTS, ROWS, COLUMNS, title="A diagonal?")
    assert asked.title == "A diagonal?" and asked.words.startswith("A diagonal? Attention is spread over 2.5 of 4")


def test_layer_and_head_choose_one_of_many():
    many = [torch.softmax(torch.randn(2, 3, 4), -1) for _ in range(3)]
    drawing = attention_map(many, ROWS, COLUMNS, layer=2, head=1)
    assert drawing.title.endswith(" · layer 2, head 1") and drawing.words.endswith("This is layer 2, head 1.")
    alone = attention_map(many[2][1], ROWS, COLUMNS)
    assert boxes(alone.svg) == boxes(drawing.svg) and "layer" not in alone.words
    assert "layer" not in attention_map([many[0][:1]], ROWS, COLUMNS).words


def test_a_large_map_is_cut_with_a_notice(parse):
    weights = np.full((60, 300), 1 / 300)
    drawing = attention_map(weights, [f"r{i}" for i in range(60)], [f"c{i}" for i in range(300)], position=50)
    titles = [title for title, _ in parse(drawing.svg)]
    assert titles[0].startswith("c100 ") and len(titles) == 240 and titles[200].startswith("“r20”")
    assert "Only 40 of 60 rows and 200 of 300 columns." in drawing.svg and 'font-weight="700">r50' in drawing.svg


def test_a_row_without_weights_is_drawn():
    assert "attends most to nothing" in attention_map(np.zeros((2, 2)), "ab", "cd", position=1).title
    assert attention_map(np.zeros((2, 2)), "ab", "cd").words


def test_what_does_not_fit_is_refused():
    many = [torch.full((2, 3, 4), 0.25)]
    with pytest.raises(ValueError, match="do not fit 2 rows and 4 columns"):
        attention_map(WEIGHTS, ROWS[:2], COLUMNS)
    with pytest.raises(ValueError, match="no layer 1, head 0; take layers 0 to 0, heads 0 to 1"):
        attention_map(many, ROWS, COLUMNS, layer=1)
    with pytest.raises(ValueError, match="no position 3 in 3 rows"):
        attention_map(many, ROWS, COLUMNS, position=3)
    with pytest.raises(ValueError, match="Was the softmax forgotten"):
        attention_map(WEIGHTS - 0.5, ROWS, COLUMNS)
    with pytest.raises(ValueError, match="the mask has the shape"):
        attention_map(WEIGHTS, ROWS, COLUMNS, np.ones((4, 3)))
    with pytest.raises(ValueError, match="do not fit 0 rows"):
        attention_map(np.zeros((0, 4)), [], COLUMNS)


def test_a_weight_that_the_mask_hides_is_drawn_as_hidden(parse):
    drawing = attention_map(WEIGHTS, ROWS, COLUMNS, mask=np.eye(3, 4, dtype=bool), position=1)
    assert [title for title, _ in parse(drawing.svg)][:4] == ["I hidden", " have 25 %", "⏎ hidden", " cats hidden"]


def test_a_number_above_a_narrow_token_is_as_short_as_the_token():
    from helpers.show.tokens_and_bars import token_box

    box = (16.0, 60.0, 12.4)
    above = [token_box("d", written, 0.5, box, named=True) for written in ("under 1 %", "over 99 %", "35 %", "0.4 nats")]
    assert [text.split("</text>")[0].rsplit(">", 1)[1] for text in above] == ["&lt;1", "&gt;99", "35", "0.4"]
