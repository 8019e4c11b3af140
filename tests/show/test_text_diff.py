"""The before-and-after drawing: what went is struck out, what came is underlined, and the words say both."""

import xml.etree.ElementTree as ElementTree

import pytest

from helpers.show.text_diff import LONGEST, Changes

SVG = "{http://www.w3.org/2000/svg}"


def drawn(change, decoration):
    """The texts drawn with a decoration: "line-through", "underline" or None."""
    group = ElementTree.fromstring(change.svg).find(f"{SVG}g")
    return [
        text.text.replace("\N{NO-BREAK SPACE}", " ")
        for text in group
        if text.get("text-decoration") == decoration
    ]


def test_removed_and_added_pieces():
    change = Changes("so **very** good", "so very fine", "Emphasis")
    assert "".join(drawn(change, "line-through")).count("*") == 4
    assert "".join(drawn(change, None) + drawn(change, "underline")).replace(" ", "") == "soveryfine"
    assert change.words.startswith("Emphasis. Removed: “**”, “**”")
    assert "Added: " in change.words and change.words.endswith("The text now: “so very fine”")


def test_nothing_changed_is_said():
    change = Changes("same", "same", "Rule")
    assert "Nothing changed." in change.words and drawn(change, "line-through") == []


@pytest.mark.parametrize(
    "before, after",
    [("", ""), ("", "new"), ("gone", ""), ("\n\n", "\n"), ("a\x00<&>😄", "a"), ("x" * 300, "y")],
)
def test_every_text_gives_a_parsable_drawing_with_words(before, after):
    change = Changes(before, after, "Rule")
    root = ElementTree.fromstring(change.svg)
    assert root.get("role") == "img" and root.get("aria-label")


def test_a_space_and_a_line_break_that_change_are_visible():
    change = Changes("a\r\nb  c", "a\nb c", "White space")
    assert "␍" in "".join(drawn(change, "line-through")) and "␣" in change.words


def test_over_long_texts_are_cut_with_a_notice():
    change = Changes("word " * 1000, "word", "Long")
    assert f"Only the first {LONGEST:,} of 5,000 characters" in change.words
    assert len(change.svg) < 200 * LONGEST
