"""The rules for pages, on invented pages with one fault each."""

import pytest

audit = pytest.importorskip("tests.book.audit", reason="axe-playwright-python is not installed: make setup")

GOOD = """<main><h1>A page</h1><img alt="A dot" src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">
<svg role="img" aria-label="A line" width="9" height="9"></svg><button style="padding:9px">Press
<svg class="svg-inline--fa"></svg></button>
<span class="math"><mjx-container><mjx-assistive-mml>x</mjx-assistive-mml></mjx-container></span>
<pre tabindex="0" style="overflow-x:auto">short</pre></main>"""


@pytest.fixture(scope="module")
def page(browser):
    return browser.new_page(viewport={"width": 390, "height": 600})


def show(page, body: str) -> None:
    page.set_content(f"<!doctype html><html lang=en><head><title>A page</title></head><body>{body}</body></html>")


def test_a_good_page_has_no_fault(page):
    show(page, GOOD)
    rules = (audit.overflow, audit.pictures, audit.equations, audit.code, audit.phone, audit.axe)
    assert [rule(page) for rule in rules] == [[]] * len(rules)


LONG = "word" * 40
COLUMN = f"<table style='line-height:20px'><td>{'a long word ' * 9}</table>"


@pytest.mark.parametrize(
    "rule, body, says",
    [
        ("overflow", f"<p>{LONG}</p>", "the window 390: p."),
        ("pictures", "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA='>", "without words"),
        ("pictures", "<img alt='A dot' src='data:,nothing'>", "does not load"),
        ("pictures", "<svg aria-label='A line'></svg>", "without words"),
        ("equations", "<span class=math>\\(x\\)</span>", "not typeset"),
        ("equations", "<span class=math><mjx-container></mjx-container></span>", "cannot read"),
        ("code", f"<pre style='overflow-x:auto'>{LONG}</pre>", "not with the keyboard"),
        ("code", f"<pre>{LONG}</pre>", "does not scroll"),
        ("code", "<pre style='font-size:10px'>x</pre>", "10.0 px"),
        ("phone", "<div class=plot><img alt='Bars' src='data:,x'></div>", "a figure of"),
        ("phone", f"<div class=bd-article style='width:99px'>{COLUMN}</div>", "a column of"),
        ("phone", "<input type=range style='height:16px'>", "16 px: <input"),
        ("phone", "<p class=prev-next-area><a>Next <svg style='margin-left:380px' width=9 height=9></a></p>", "outside"),
        ("axe", "<main><h1>A page</h1><input></main>", "label"),
        ("axe", "<main><h1>A page</h1><button></button></main>", "button-name"),
    ],
)
def test_each_fault_is_found(rule, body, says, page):
    show(page, body)
    (fault,) = getattr(audit, rule)(page)
    assert says in fault


def test_what_scrolls_inside_the_page_is_no_overflow(page):
    show(page, f"<div style='overflow-x:auto'><p>{LONG}</p></div>")
    assert audit.overflow(page) == []


def test_what_is_folded_is_unfolded_first(page):
    show(page, "<details><summary>More</summary><p>it</p></details>")
    audit.ready(page)
    assert page.locator("p").is_visible()
