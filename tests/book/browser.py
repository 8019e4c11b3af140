"""The finished book in a real browser, on a phone and on a desk, light and dark (`make test-book` builds it and runs this).

Each page is opened once, from the disk as a reader would, and every rule of audit.py and contrast.py is asked about it. The
explorables are moved with the keyboard, and what they say is compared with what is stored.
"""

import pytest

from helpers.show.frames import read_frames
from tests.book import audit, contrast
from tests.notebooks import books

BOOK = books.ROOT / "build" / "book"
FRAMES = books.ROOT / "data" / "explorables"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PAGES = [*sorted(BOOK.glob("*.html")), *sorted(BOOK.glob("teacher/[0-9][0-9]_*.html"))] or [BOOK / "index.html"]
NAMES = [path.relative_to(BOOK).as_posix().removesuffix(".html") for path in PAGES]
STORED = [path for path in sorted(FRAMES.glob("*.json")) if not path.stem.endswith("_quizzes")]
LIVE = [BOOK / f"{path.stem}.html" for path in books.paths() if any(stored.stem[:2] == path.stem[:2] for stored in STORED)]


FRAME = """() => {
  const here = document.activeElement, look = getComputedStyle(here);
  const frame = (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 1) || look.boxShadow !== "none";
  return [here.outerHTML.slice(0, 120), frame || here === document.body];
}"""


@pytest.fixture
def opened(browser):
    """A function: open a page of the book, return it and a list of what it complains about or asks the network for."""
    contexts = []

    def open_page(path, equations=True, **settings):
        contexts.append(browser.new_context(**{"viewport": DESK, "color_scheme": "light"} | settings))
        page, said = contexts[-1].new_page(), []
        page.set_default_timeout(60_000)
        page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:", "blob:")) else said.append(asked.url))
        page.on("requestfailed", lambda asked: said.append(f"not there: {asked.url}"))
        if not equations:  # which take most of the seconds
            page.route("**/tex-svg-full.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
        page.goto(path.as_uri())
        return page, said

    yield open_page
    for context in contexts:
        context.close()


def test_there_is_a_book():
    assert len(PAGES) > 2 * len(books.paths()), "the book is not built, or not whole: `make book` builds it"
    shown = {name for path in LIVE for name in path.read_text(encoding="utf-8").split('data-frames="')[1:]}
    assert {name.split('"')[0] for name in shown} >= {path.stem for path in STORED}


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_a_page(path, opened):
    page, said = opened(path)
    audit.ready(page)
    found = {"the console or the network": said}
    for rule in (audit.pictures, audit.equations, audit.axe):
        found[rule.__name__] = rule(page)
    for name, size in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(size)
        page.wait_for_timeout(500)  # the theme looks a moment later what scrolls now, and lets the keyboard reach it
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")  # follows the computer's setting
            found[f"overflow, {name}, {scheme}"] = audit.overflow(page)
            found[f"code, {name}, {scheme}"] = audit.code(page)
            if (name, scheme) == ("phone", "light"):
                found["phone"] = audit.phone(page)
            # It takes most of the seconds, and no color depends on the width: each width and each scheme is measured once.
            if (name, scheme) in (("desk", "light"), ("phone", "dark")):
                found[f"contrast, {name}, {scheme}"] = contrast.faults(page)
    found = {rule: faults for rule, faults in found.items() if faults}
    assert not found, "\n".join(f"{rule}:\n  " + "\n  ".join(faults) for rule, faults in found.items())


def test_the_search_finds_attention(opened):
    page, _ = opened(BOOK / "index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("attention")
    page.keyboard.press("Enter")
    page.locator("#search-results li a[href$='04_attention_is_all_you_need.html']").first.click()
    # A page is long: the search leads to where the words stand.
    assert "attention" in page.locator(".sought").inner_text().lower()
    assert page.evaluate("scrollY") > 500


def test_a_section_chosen_on_a_phone_can_be_read(opened):
    page, _ = opened(PAGES[0], equations=False, viewport=PHONE, has_touch=True, is_mobile=True)
    page.locator(".secondary-toggle").locator("visible=true").first.tap()
    page.locator("dialog[open] a[href='#goals']").tap()
    page.locator("dialog[open]").wait_for(state="detached")
    assert 0 < page.locator("#goals").bounding_box()["y"] < 300


def test_on_a_phone_a_slider_stays_in_view_beside_the_words_that_it_changes(opened):
    page, _ = opened(BOOK / "timeline.html", viewport=PHONE, has_touch=True, is_mobile=True)
    words, slider = page.locator(".explorable .words"), page.locator(".explorable input[type=range]")
    before = words.inner_text()
    words.evaluate("words => words.scrollIntoView({block: 'end'})")
    slider.tap()
    assert words.inner_text() != before
    header = page.locator(".bd-header-article").bounding_box()
    assert header["y"] + header["height"] <= slider.bounding_box()["y"] < words.bounding_box()["y"] < PHONE["height"]


def test_a_dark_page_prints_light_and_with_whole_lines_of_code(opened):
    page, _ = opened(PAGES[0], equations=False, color_scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("html").get_attribute("data-theme") == "light"
    assert page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") == "rgb(255, 255, 255)"
    cut = "all => all.filter(code => code.scrollWidth > code.clientWidth + 1).map(code => code.textContent)"
    assert page.locator(".highlight pre").evaluate_all(cut) == []
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_what_has_the_focus_has_a_frame(opened):
    page, _ = opened(BOOK / "index.html", equations=False)
    bare, framed = [], set()
    for _ in range(60):
        page.keyboard.press("Tab")
        name, frame = page.evaluate(FRAME)
        framed.add(name)
        bare += [name] * (not frame)
    assert len(framed) > 30, "the keyboard did not go far"
    assert bare == []


def test_the_theme_can_be_chosen_and_stays(opened):
    page, said = opened(BOOK / "index.html")
    for mode in ("dark", "light"):
        button = page.get_by_role("button", name="Color mode").locator("visible=true").first
        button.focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name=mode.capitalize(), exact=True).locator("visible=true").first.press("Enter")
        assert page.locator("html").get_attribute("data-theme") == mode
        page.reload()
        assert page.locator("html").get_attribute("data-theme") == mode
    assert said == []


# --- explorables -------------------------------------------------------------------------------------------------------


def frames_of(box):
    return read_frames((FRAMES / f"{box.get_attribute('data-frames')}.json").read_text(encoding="utf-8"))


def place_of(frames, settings) -> int:
    place = 0
    for control, setting in zip(frames.controls, settings, strict=True):
        place = place * len(control.settings) + setting
    return place


@pytest.mark.parametrize("path", LIVE, ids=[path.stem for path in LIVE])
def test_without_javascript_the_first_frame_stands_there(path, opened):
    page, _ = opened(path, java_script_enabled=False)
    for box in page.locator("[data-frames]").all():
        frames = frames_of(box)
        assert box.locator(".drawing svg").bounding_box()["height"] > 50
        assert box.locator(".words").inner_text() == frames.said(frames.start)
        assert not box.locator("input, select").first.is_visible()


@pytest.mark.parametrize("path", LIVE, ids=[path.stem for path in LIVE])
def test_explorables_move_by_keyboard_and_say_what_is_stored(path, opened):
    page, said = opened(path, equations=False)
    for box in page.locator("[data-frames]").all():
        frames = frames_of(box)
        here = [control.start for control in frames.controls]
        for number, control in enumerate(frames.controls):
            dial = box.locator("input, select").nth(number)
            if control.kind == "range":
                space = "dial => dial.dispatchEvent(new KeyboardEvent('keydown', {key: ' ', bubbles: true, cancelable: true}))"
                assert not dial.evaluate(space), "Space would scroll the picture away"
            dial.focus()
            before = looks(box)
            for key, setting in keys(control):
                page.keyboard.press(key)
                here[number] = setting
                words, picture = looks(box)
                assert words == frames.said(place_of(frames, here)), (control.name, key)
                # The picture's label may be the beginning of words that are a long list.
                label = box.locator(".drawing svg").get_attribute("aria-label")
                assert label and words.startswith(label), (control.name, key)
                frame = frames.order[place_of(frames, here)]
                if frame != frames.order[place_of(frames, [*here[:number], control.start, *here[number + 1 :]])]:
                    assert picture != before[1], (control.name, key)
            here[number] = keys(control)[-1][1]
        assert len(set(frames.words)) > 1
    assert said == []


def keys(control) -> list[tuple[str, int]]:
    """Return the keys pressed at a control, each with the place of the setting that it must lead to."""
    last = len(control.settings) - 1
    if control.kind == "checkbox":
        return [("Space", 1 - control.start), ("Space", control.start)]
    return [("Home", 0), ("ArrowDown" if control.kind == "select" else "ArrowRight", min(1, last)), ("End", last)]


def looks(box) -> tuple[str, str]:
    """Return the words and the picture of an explorable."""
    return box.locator(".words").inner_text(), box.locator(".drawing svg").evaluate("drawing => drawing.innerHTML")
