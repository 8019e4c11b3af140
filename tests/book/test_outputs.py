"""The stored outputs as HTML: every kind, with its words, and the ids of two drawings on one page apart."""

import pytest
from nbformat.v4 import new_code_cell, new_output

from helpers.show import theme
from tests.book import outputs

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="A dog." aria-labelledby="one two">'
    '<defs><marker id="tip"/></defs><path marker-end="url(#tip)"/><use href="#tip"/></svg>'
)


def cell(*found):
    return new_code_cell("x", outputs=list(found))


def shown(data, **about):
    return new_output("display_data", data=data, metadata=about)


def test_a_drawing_stands_in_the_page_with_prefixed_ids():
    page = outputs.html(cell(shown({"image/svg+xml": SVG, "text/plain": "[drawing: dog]"})), "c7")
    assert 'id="c7-0-tip"' in page and "url(#c7-0-tip)" in page and 'href="#c7-0-tip"' in page
    assert 'aria-labelledby="c7-0-one c7-0-two"' in page
    assert page.startswith('<div class="drawing') and "[drawing" not in page


def test_no_key_stops_inside_a_drawing():
    svg = SVG.replace("<path", '<g tabindex="0"><title>One</title></g><path')
    page = outputs.html(cell(shown({"image/svg+xml": svg, "text/plain": ""})), "c7")
    assert "<g><title>One</title></g>" in page and "tabindex" not in page


def test_two_drawings_of_one_cell_share_no_id():
    page = outputs.html(cell(*[shown({"image/svg+xml": SVG, "text/plain": ""})] * 2), "c7")
    assert page.count('id="c7-0-tip"') == page.count('id="c7-1-tip"') == 1


def test_a_figure_has_its_words_and_stands_in_the_page_or_elsewhere():
    figure = cell(
        shown({"image/png": "aGk=\n", "text/plain": ""}, **{"image/png": {"alt": 'Is "it" so?', "width": 700}})
    )
    page = outputs.html(figure, "c7")
    assert (
        'src="data:image/png;base64,aGk="' in page and 'alt="Is &quot;it&quot; so?"' in page and 'width="700"' in page
    )
    assert 'src="there.png"' in outputs.html(figure, "c7", picture=lambda png: "there.png")


@pytest.mark.parametrize("data", [{"image/png": "aGk="}, {"image/svg+xml": "<svg></svg>"}])
def test_a_picture_without_words_is_refused(data):
    with pytest.raises(ValueError, match="without words"):
        outputs.html(cell(shown(data | {"text/plain": ""})), "c7")


def test_an_unknown_output_is_refused():
    with pytest.raises(ValueError, match="application/javascript"):
        outputs.html(cell(shown({"application/javascript": "alert()"})), "c7")


def test_printed_text_is_escaped_and_pieces_of_it_are_joined():
    page = outputs.html(cell(new_output("stream", text="a < b\n"), new_output("stream", text="c & d\n")), "c7")
    assert page.count("<pre") == 1 and "a &lt; b\nc &amp; d</pre>" in page


def test_what_only_moved_in_the_notebook_is_left_out():
    bar = shown({"text/plain": "  0%|          | 0/500 [00:00<?, ?it/s]"})
    curve = shown({"text/plain": "The learning curve appears here when training begins."})
    assert outputs.html(cell(bar, curve), "c7") == ""
    assert outputs.words(cell(bar, new_output("stream", text="done\n"))) == "done"


def test_the_words_of_a_picture_become_a_paragraph_between_printed_lines():
    said = "In words: " + "word " * 18 + "\nwords go on.\nseq2seq: half\n  a table\n"
    page = outputs.html(cell(new_output("stream", text="before\n" + theme.wrap(said))), "c7")
    assert f'<p class="words {outputs.PLAIN}">In words: {"word " * 18}words go on.</p>' in page
    assert "before</pre>" in page and "seq2seq: half\n  a table</pre>" in page


def test_the_words_of_a_picture_stand_behind_it():
    printed = new_output("stream", text=theme.wrap("In words: A dog. " + "It sits. " * 20) + "\nand a line\n")
    figure = shown({"image/png": "aGk=", "text/plain": ""}, **{"image/png": {"alt": "A dog. " + "It sits. " * 20}})
    page = outputs.html(cell(printed, figure), "c7")
    assert page.index("and a line") < page.index("<img") < page.index("In words: A dog.")


def test_the_cells_of_a_table_have_classes_instead_of_styles():
    table = '<table><td style="text-align:right;white-space:nowrap">1</td><td style="text-align:left">a</td></table>'
    page = outputs.html(cell(shown({"text/html": table, "text/plain": "1 a"})), "c7")
    assert '<table><td class="n w">1</td><td>a</td></table>' in page


def test_a_column_without_a_name_has_no_empty_header():
    lean = outputs._lean('<table><thead><tr><th style="text-align:right"></th><th>bits</th></tr></thead></table>')
    assert lean.count("<th") == lean.count("<thead") + 1 and lean.count("<td") == 1
