"""Merge by merge: true words for every number of merges and any text, and the framed word is the named one."""

import ipywidgets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.corpus.tokenizers.bpe import FEWEST, BPETokenizer
from helpers.show import explore_merges, merge_by_merge
from helpers.show.tokenization import _steps

TEXT = "low lower, the lowest 🌊"
TOKENIZER = BPETokenizer.train([TEXT, "low wide wider widest", "the", "dog dog"] * 4, FEWEST + 20)


def test_a_cut_in_words(parse):
    assert TOKENIZER.merges[:2] == ((b"l", b"o"), (b"lo", b"w"))
    drawing = merge_by_merge(TOKENIZER, "lower low", 2)
    assert drawing.words == (
        "After 2 merges, 9 characters are 5 tokens. With 2 merges, “lower” is 3 tokens: “low”, “e” and “r”."
    )
    low = TOKENIZER.bytes.index(b"low")
    titles = [title for title, _ in parse(drawing.svg)]
    assert titles[0] == f"low number {low}" == titles[-1] and titles[3].startswith("␣ number")
    assert [texts[-1] for _, texts in parse(drawing.svg)][0] == str(low)  # the number stands below
    assert drawing.svg.count('stroke-width="1.5"') == 3  # the word's tokens are framed, no others


def test_several_cuts_stand_below_each_other(parse):
    drawing = merge_by_merge(TOKENIZER, TEXT, [0, 1, 20], word="lowest")
    assert drawing.title.startswith("From 0 to 20 merges, 23 characters go from 26 to ")
    assert "With 0 merges, “lowest” is 6 tokens: “l”, “o”, “w”, “e”, “s” and “t”." in drawing.words
    assert "With 1 merge, “lowest” is 5 tokens: “lo”, “w”, “e”, “s” and “t”." in drawing.words
    counts = [len(BPETokenizer(TOKENIZER.merges[:count]).encode(TEXT)) for count in (0, 1, 20)]
    assert len(parse(drawing.svg)) == sum(counts)
    assert drawing.title.endswith(f"26 to {counts[-1]} tokens")
    assert merge_by_merge(TOKENIZER, TEXT).words == merge_by_merge(TOKENIZER, TEXT, 20).words


def test_a_space_before_a_word_is_part_of_its_token():
    cut = merge_by_merge(TOKENIZER, TEXT, 20, word="the")
    assert "“the” is 1 token: “␣the”." in cut.words
    assert 'style="white-space:pre"' in cut.svg  # the space is drawn


@given(st.text(min_size=1, max_size=60), st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_any_text_can_be_cut(text, count):
    drawing = merge_by_merge(TOKENIZER, text, count)
    tokens = len(BPETokenizer(TOKENIZER.merges[:count]).encode(text))
    assert f"{len(text)} character" in drawing.words and f" {tokens} token" in drawing.words


def test_emoji_are_bytes_and_long_texts_are_cut_with_a_notice(parse):
    drawing = merge_by_merge(TOKENIZER, "🌊", 0)
    assert [title.split()[0] for title, _ in parse(drawing.svg)] == ["\\xf0", "\\x9f", "\\x8c", "\\x8a"]
    assert "framed" not in drawing.svg and drawing.words == "After 0 merges, 1 character is 4 tokens."
    long = merge_by_merge(TOKENIZER, "xy " * 100, 0)
    assert len(parse(long.svg)) == 200 and long.words.endswith("Only the first 200 of 300 tokens are drawn.")


def test_wrong_input_is_answered():
    with pytest.raises(ValueError, match="the text is empty"):
        merge_by_merge(TOKENIZER, "")
    with pytest.raises(ValueError, match="'cat' does not stand in the text"):
        merge_by_merge(TOKENIZER, "the dog", word="cat")
    for merges in (21, -1, [0, 21], []):
        with pytest.raises(ValueError, match="whole numbers from 0 to 20"):
            merge_by_merge(TOKENIZER, "the dog", merges)


def test_the_steps_grow_and_reach_both_ends():
    assert _steps(20) == [0, 1, 2, 3, 4, 6, 8, 12, 16, 20]
    assert _steps(0) == [0] and _steps(1) == [0, 1]


def test_exploring(parse):
    explore = explore_merges(TOKENIZER, TEXT)
    slider = explore.controls["merges"]
    assert isinstance(slider, ipywidgets.SelectionSlider) and slider.continuous_update is False
    assert explore.settings == {"merges": 0, "text": TEXT}
    assert explore.words == merge_by_merge(TOKENIZER, TEXT, 0).words
    said = []
    for settings_ in explore.extremes():
        assert explore.error is None, settings_
        parse(explore._picture.value)
        said.append(explore.words)
    assert len(set(said)) >= len(slider._options_values)  # each step says something else
    explore.controls["text"].value = ""
    assert explore.words == "There is no text yet: write a sentence of your own."
    explore.controls["text"].value = "a" * 501
    assert explore.words.endswith(" Only the first 500 of 501 characters are read.")
    assert explore_merges(BPETokenizer(), "ab").words.startswith("After 0 merges, 2 characters are 2 tokens.")
