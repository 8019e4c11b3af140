"""The contrast of texts in invented pages, whose ratios are known."""

import pytest

from tests.book import contrast

GRAY = "#777777"  # on white 4.48 : 1


@pytest.fixture(scope="module")
def page(browser):
    return browser.new_page(viewport={"width": 800, "height": 600})


@pytest.fixture
def measured(page):
    """A function: the texts of a page with this body, {text: Text}."""

    def texts(body: str, head: str = "") -> dict:
        page.set_content(f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>")
        return {text.text: text for text in contrast.texts(page)}

    return texts


def svg(body: str, **attributes: str) -> str:
    more = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f'<svg width="400" height="200" viewBox="0 0 400 200" font-size="16" fill="#000" {more}>{body}</svg>'


@pytest.mark.parametrize(
    "body, pair, worst",
    [
        ("<p style='color:#000'>it</p>", ("#000000", "#ffffff"), 21),
        (f"<p style='color:{GRAY}'>it</p>", (GRAY, "#ffffff"), 4.48),
        ("<div style='background:#000'><p style='color:#fff'>it</p></div>", ("#ffffff", "#000000"), 21),
        ("<div style='background:rgb(0 0 0 / 50%)'><p style='color:#fff'>it</p></div>", ("#ffffff", "#808080"), 3.95),
        # A layer that is half transparent takes ink and ground along.
        ("<div style='opacity:.5;background:#000'><p style='color:#fff'>it</p></div>", ("#ffffff", "#808080"), 3.95),
        ("<p style='color:#000;opacity:.5'>it</p>", ("#808080", "#ffffff"), 3.95),
        ("<p style='color:oklch(0 0 0)'>it</p>", ("#000000", "#ffffff"), 21),
    ],
)
def test_texts_of_html(body, pair, worst, measured):
    text = measured(body)["it"]
    assert text.colors == (pair,) and text.worst == pytest.approx(worst, abs=0.03)


@pytest.mark.parametrize(
    "body, pair",
    [
        ('<text x="9" y="50">it</text>', ("#000000", "#00ff00")),  # of the page
        ('<rect width="400" height="200" fill="#fff"/><text x="9" y="50">it</text>', ("#000000", "#ffffff")),
        ('<rect width="400" height="200" fill="#000" fill-opacity=".5"/><text x="9" y="50">it</text>', ("#000000", "#008000")),
        ('<rect width="400" height="200" fill="#fff"/><g opacity=".5"><rect width="400" height="200"/>'
         '<text x="9" y="50" fill="#fff">it</text></g>', ("#ffffff", "#808080")),
        ('<circle cx="20" cy="45" r="40" fill="#00f"/><text x="9" y="50">it</text>', ("#000000", "#0000ff")),
        ('<path d="M0 0H100V100H0Z" fill="none" stroke="#f00"/><text x="9" y="50">it</text>', ("#000000", "#00ff00")),
        ('<path d="M0 45H100" stroke="#f00" stroke-width="30"/><text x="9" y="50">it</text>', ("#000000", "#ff0000")),
        ('<g transform="translate(100 0)"><rect width="90" height="90" fill="#f00"/></g><text x="120" y="50">it</text>',
         ("#000000", "#ff0000")),
        ('<text x="9" y="50">it</text><rect width="400" height="200" fill="#fff"/>', ("#ffffff", "#ffffff")),  # painted over
        ('<path d="M0 45H100" stroke="#f00"/><text x="9" y="50">it</text>', ("#000000", "#00ff00")),  # a thin line does not count
    ],
)  # fmt: skip
def test_texts_of_drawings(body, pair, measured):
    assert measured(f"<div style='background:#0f0'>{svg(body)}</div>")["it"].colors == (pair,)


def test_each_letter_has_its_own_ground(measured):
    half = '<rect width="400" height="200" fill="#fff"/><rect width="100" height="200" fill="#000"/>'
    text = measured(svg(half + '<text x="60" y="50">from black to white</text>'))["from black to white"]
    assert set(text.colors) == {("#000000", "#000000"), ("#000000", "#ffffff")} and text.worst == 1


def test_each_part_of_a_line_has_its_own_ink(measured):
    found = measured(svg('<text x="9" y="50">ink<tspan fill="#0000ff" font-size="10">blue</tspan></text>'))
    assert found["ink"].colors == (("#000000", "#ffffff"),) and found["blue"].colors == (("#0000ff", "#ffffff"),)
    assert found["blue"].size == 10


@pytest.mark.parametrize(
    "style, least",
    [("24px", 3), ("23.9px", 4.5), ("18.66px;font-weight:700", 3), ("18.6px;font-weight:700", 4.5), ("20px", 4.5)],
)
def test_large_text_may_be_paler(style, least, measured, page):
    assert measured(f"<p style='color:{GRAY};font-size:{style}'>it</p>")["it"].least == least
    assert len(contrast.faults(page)) == (least == 4.5)


def test_a_drawing_that_is_scaled_down_has_smaller_letters(measured):
    text = measured(svg('<text x="9" y="50" font-size="30">it</text>', style="width:200px;height:100px"))["it"]
    assert text.size == pytest.approx(15) and text.least == 4.5


def test_what_nobody_sees_does_not_count(measured):
    hidden = ("display:none", "visibility:hidden", "opacity:0", "position:absolute;width:1px;height:1px;overflow:hidden")
    assert measured("".join(f"<p style='color:#fff;{how}'>it</p>" for how in hidden)) == {}
    assert measured("<button disabled>it</button><details><summary>seen</summary><p>folded</p></details>").keys() == {"seen"}


def test_what_cannot_be_computed_is_said(measured, page):
    measured("<p style='filter:invert(1)'>a</p><p style='background:linear-gradient(red,blue)'>b</p>")
    assert [fault.split(" (")[1].split(":")[0] for fault in contrast.faults(page)] == ["filter", "background-image"]


def test_icons_of_a_style_sheet_are_signs(measured, page):
    assert measured("<p></p>", "<style>p::before {content: '→'; color: #888}</style>")["→"].least == 3
    measured("<p></p>", "<style>p::before {content: 'Note'; color: #888}</style>")
    assert contrast.faults(page) == ["'Note' in p: #888888 on #ffffff is 3.54 : 1, needs 4.5 (16 px)"]
