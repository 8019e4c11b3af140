"""The kit: shapes return their areas, texts fit, arrows meet what they point at, and the checker of the tests is able to fail."""

import re
from xml.etree import ElementTree

import pytest

from helpers.show import theme
from helpers.show.diagram import KINDS, Area, Diagram, need, shortened, spread, tint
from helpers.show.lettering import Formula
from tests.show.legible import pale, problems, texts


def test_an_area_has_sides():
    area = Area(10, 20, 30, 40)
    assert (area.right, area.bottom, area.center) == (40, 60, (25, 40))
    assert (area.top_middle, area.bottom_middle) == ((25, 20), (25, 60))
    assert (area.left_middle, area.right_middle) == ((10, 40), (40, 40))


def test_every_method_draws_and_the_paper_grows(parse):
    figure = Diagram("All of it")
    box = figure.box(20, 60, 120, 50, "attention", "attention", "4 heads")
    tensor = figure.tensor(200, 60, 120, 40, "x", [16, 64])
    line = figure.tensor(200, 120, 160, 26, "logits", ["T", 2048])
    plus = figure.circle(400, 80)
    stack = figure.stack(450, 80, 90, 40, 3, "block", "step", "× 3")
    frame = figure.group([tensor, line], "group", note="a note")
    figure.cell(600, 60, 40, 0.7, "0.70")
    figure.arrow(box.right_middle, tensor.left_middle)
    figure.line(plus.right_middle, stack.left_middle, dashed=True)
    below = figure.text(20, 200, "two\nlines")
    drawing = figure.finish("Words.", "A note.", "A label.")
    parse(drawing.svg)
    assert problems(drawing.svg) == []
    assert below == pytest.approx(200 + 2 * 1.4 * 12)
    assert frame.x < tensor.x and frame.right > line.right and frame.y < tensor.y and frame.bottom > line.bottom
    assert 'aria-label="A label."' in drawing.svg and drawing.words == "Words."
    assert float(re.search(r'viewBox="0 0 820 (\d+)"', drawing.svg)[1]) > 200
    assert [text for text, *_ in texts(drawing.svg)].count("[T, 2,048]") == 1


def test_an_arrow_ends_where_it_is_told_to():
    figure = Diagram("t")
    figure.arrow((100, 100), (200, 100))
    assert "M200.0 100.0" in figure.parts[-1]  # the tip
    figure.arrow((100, 100), (150, 100), (150, 180))
    assert "M150.0 180.0" in figure.parts[-1] and "Q150.0 100.0" in figure.parts[-1]
    figure.line((100, 100), (200, 100))
    assert figure.parts[-1].endswith('stroke-width="1.5"/>')
    figure.arrow((100, 100), (100, 100))  # nowhere to go: no division by zero


def test_text_in_a_box_gets_smaller_and_is_cut_before_it_leaves_it():
    for length in (3, 20, 200):
        figure = Diagram("t")
        figure.box(20, 60, 100, 40, "w" * length)
        _, left, _, right, _ = texts(figure.finish("w").svg)[-1]
        assert left >= 20 and right <= 120


def test_a_formula_in_a_box_has_its_index_low():
    figure = Diagram("t")
    figure.box(20, 60, 100, 40, Formula("h_{t−1}"))
    label = [element for element in ElementTree.fromstring(figure.finish("w").svg).iter() if element.tag.endswith("tspan")]
    assert [span.text for span in label] == ["h", "t−1"] and float(label[1].get("dy")) > 0


def test_kinds_can_be_told_apart_without_colors():
    for name in ("attention", "feed-forward", "norm", "embedding"):
        assert theme.contrast(theme.INK, KINDS[name][0]) > 7  # dark letters on each paper
    edges = [theme.luminance(KINDS[name][1]) for name in ("embedding", "attention", "feed-forward")]
    assert edges == sorted(edges) and min(b - a for a, b in zip(edges, edges[1:])) > 0.05


def test_tint_runs_from_white_to_the_color():
    assert tint(theme.BLUE, 0) == "#ffffff" and tint(theme.BLUE, 1) == theme.BLUE


def test_columns_are_equal_and_centered():
    columns = spread(3, 0, 400, 100, 20)
    assert columns == [(30, 100), (150, 100), (270, 100)]
    assert spread(3, 0, 200, 100, 20)[0] == (0, pytest.approx(160 / 3))


@pytest.mark.parametrize(
    ("count", "limit", "expected"),
    [(3, 5, [0, 1, 2]), (9, 5, [0, 1, None, 7, 8]), (12, 8, [0, 1, 2, 3, None, 9, 10, 11])],
)
def test_what_does_not_fit_is_left_out_in_the_middle(count, limit, expected):
    assert shortened(count, limit) == expected and len(expected) <= limit


def test_need_says_its_sentence():
    need(True, "never")
    with pytest.raises(ValueError, match="give at least one"):
        need(False, "give at least one")


def test_the_checker_sees_overlap_and_overflow():
    figure = Diagram("t")
    figure.label(100, 100, "here")
    figure.label(105, 104, "there")
    figure.label(810, 140, "outside", anchor="start")
    found = problems(figure.finish("w").svg)
    assert any("'here' touches 'there'" in line for line in found) and any("'outside' leaves" in line for line in found)
    assert len(found) == 2


def test_what_is_too_pale_is_found():
    assert pale(svg('<text x="20" y="20" fill="#1f2430">ink</text>')) == []
    assert pale(svg('<text x="20" y="20" fill="#ed6e34">orange</text>')) == ["'orange': #ed6e34 on #ffffff is 3.05 : 1"]
    below = '<rect x="0" y="0" width="90" height="40" fill="#000000" fill-opacity="0.5"/>'
    assert "on #808080" in pale(svg(f'{below}<text x="20" y="20" fill="#ffffff">white</text>'))[0]
    assert "on #bfbfbf" in pale(svg(f'<g opacity="0.5">{below}</g><text x="20" y="20" fill="#ffffff">white</text>'))[0]
    assert pale(svg(f'<text x="20" y="20" fill="#1f2430">before</text>{below}')) == []  # what comes later lies above it


def svg(body: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40">{body}</svg>'
