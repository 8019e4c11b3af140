"""Tables: numbers to the right, words to the left, nothing of a stranger's text becomes markup."""

import xml.etree.ElementTree as ElementTree

import pandas
import pytest

from helpers.show.tables import Table

ROWS = [
    {"bot": "n-gram", "bits": 2.345, "replies": 1200, "share": 0.0366},
    {"bot": "rnn\n2", "bits": 1.7, "replies": 3, "share": 1.0},
]


def test_plain_columns_say_everything():
    lines = repr(Table(ROWS, shares=("share",))).split("\n")
    assert lines == [
        "bot     bits  replies    share",
        "n-gram   2.3    1,200    3.7 %",
        "rnn⏎2    1.7        3  100.0 %",
    ]


def test_html_aligns_and_parses():
    table = ElementTree.fromstring(Table(ROWS)._repr_html_())
    styles = [[cell.get("style").split(";")[0] for cell in row] for row in table.iter("tr")]
    assert styles == [["text-align:left", "text-align:right", "text-align:right", "text-align:right"]] * 3
    assert [cell.text for cell in table.find("tbody")[1]][:2] == ["rnn⏎2", "1.7"]


def test_text_is_escaped():
    html = Table([{"<b>": "<script>alert(1)</script>"}])._repr_html_()
    assert "<script>" not in html and "<b>" not in html and "&lt;script&gt;" in html


def test_a_named_index_becomes_the_first_column_and_a_plain_one_goes():
    frame = pandas.DataFrame({"n": [1, 2]}, index=pandas.Index(["a", "b"], name="letter"))
    assert Table(frame).columns == ["letter", "n"]
    assert Table(frame.reset_index(drop=True)).columns == ["n"]


def test_numbers_of_numpy_and_truth_values():
    table = Table(pandas.DataFrame({"whole": [1, 2], "half": [0.5, 1.5], "true": [True, False]}))
    assert table.numeric == [True, True, False]
    assert table.cells[0] == ["1", "0.50", "True"]


def test_long_cells_are_cut_in_plain_text_only():
    table = Table([{"text": "word " * 40}])
    assert len(repr(table).split("\n")[1]) <= 44 and repr(table).endswith("…")
    assert "word " * 39 in table._repr_html_()


def test_no_rows_is_refused():
    with pytest.raises(ValueError, match="at least one row"):
        Table([])


def test_no_page_takes_a_dollar_for_a_formula():
    assert 'class="tex2jax_ignore mathjax_ignore"' in Table([{"price": "$5 or $6"}])._repr_html_()
