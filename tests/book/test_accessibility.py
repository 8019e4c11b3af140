"""The numbers of the accessibility page are those of the course."""

import pytest

from helpers.show import theme
from tests.book import accessibility


def test_the_page_is_up_to_date():
    text = accessibility.PAGE.read_text(encoding="utf-8")
    assert accessibility.written(text) == text, "python -m tests.book.accessibility writes its numbers again"


def test_contrasts_are_cut_not_rounded(monkeypatch):
    monkeypatch.setattr(accessibility, "USES", {"gray": ("#777777", "nothing"), "white": ("#ffffff", "paper")})
    gray, white = accessibility.palette().split("\n")[2:]
    assert gray.startswith("| gray `#777777` | nothing | 50 | 4.4 : 1 | `#")
    assert "| 100 | 1.0 : 1 |" in white


def test_every_picture_has_words_and_can_be_read():
    said = accessibility.pictures()
    assert said.count("all of them have words") == 1
    palest = float(said.split("has a contrast of ")[1].split(" ")[0])
    assert palest >= theme.READABLE


def test_a_page_without_a_place_is_refused():
    with pytest.raises(ValueError, match="no place for its pictures"):
        accessibility.written("<!-- palette -->\n<!-- /palette -->\n")
