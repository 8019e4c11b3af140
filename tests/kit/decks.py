"""Every slide of every deck in a real browser: inside its slide, legible, with words, notes and equations, offline.

Run by `make test-book`, which builds build/kit/slides before.
"""

import pytest

from tests.notebooks import books

FOLDER = books.ROOT / "build" / "kit" / "slides"
HERE = ("file:", "data:", "blob:", "about:")
SHAPE = {"width": 1280, "height": 720}
# Pixels on a slide of 1280 × 720: running text, code and cells of tables, letters in a drawing; and of a figure's width.
PROSE, CODE, DRAWN, FIGURE = 18, 14, 11, 0.55

# Shows one slide after the other and returns [slide, what is wrong] for all that is.
MEASURE = """
([prose, code, drawn, figure]) => {
  const wrong = [], unseen = ".unseen, .explorable .words, script, noscript, option, svg, mjx-container";
  for (const section of Reveal.getSlides()) {
    const place = Reveal.getIndices(section);
    Reveal.slide(place.h, place.v);
    const say = (words) => wrong.push(`${section.id} (${section.className.split(" ")[0]}): ${words}`);
    const slide = section.querySelector(".slide"), frame = slide.getBoundingClientRect(), scale = frame.width / 1280;
    if (!frame.width) { say("is not shown"); continue; }
    const foot = slide.querySelector("footer");
    const floor = foot ? foot.getBoundingClientRect().top : frame.bottom;
    const inside = (rect, name, lowest) => {
      if (!rect.width || !rect.height) return;
      const over = Math.max(frame.left - rect.left, rect.right - frame.right, frame.top - rect.top, rect.bottom - lowest);
      if (over > 1) say(`${name} is ${Math.round(over / scale)} px outside`);
    };
    for (const one of slide.querySelectorAll("*")) {
      if (one.closest(".unseen, .explorable .words, noscript") || one.parentElement.closest("svg")) continue;
      inside(one.getBoundingClientRect(), `<${one.tagName.toLowerCase()}>`, one.closest("footer") ? frame.bottom : floor);
    }
    const walk = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const text = walk.currentNode, parent = text.parentElement;
      if (!text.textContent.trim() || parent.closest(unseen)) continue;
      const range = document.createRange();
      range.selectNodeContents(text);
      for (const rect of range.getClientRects())
        inside(rect, `“${text.textContent.trim().slice(0, 30)}”`, parent.closest("footer") ? frame.bottom : floor);
      const size = parseFloat(getComputedStyle(parent).fontSize), least = parent.closest("pre, code, table") ? code : prose;
      if (size < least) say(`“${text.textContent.trim().slice(0, 30)}” in letters of ${size} px`);
    }
    for (const picture of slide.querySelectorAll(".drawing svg")) {
      const zoom = picture.getBoundingClientRect().width / scale / picture.viewBox.baseVal.width;
      const sizes = [...picture.querySelectorAll("text")].map((one) => parseFloat(getComputedStyle(one).fontSize) * zoom);
      if (Math.min(...sizes) < drawn) say(`a drawing with letters of ${Math.min(...sizes).toFixed(1)} px`);
      if (!picture.getAttribute("aria-label")) say("a drawing without words");
    }
    for (const picture of slide.querySelectorAll("img")) {
      if (!picture.alt) say("a figure without words");
      if (picture.getBoundingClientRect().width / scale / picture.naturalWidth < figure) say("a figure that is too small");
    }
    const notes = section.querySelector("aside.notes");
    if (!notes || notes.textContent.trim().length < 40) say(`notes: ${notes && notes.textContent.trim()}`);
    for (const math of section.querySelectorAll(".math")) {
      const picture = math.querySelector("svg");
      if (!picture || math.querySelector("[data-mml-node=merror]")) say(`no equation: ${math.textContent.slice(0, 60)}`);
      else if (slide.contains(math)) {
        // An equation too wide for its line is drawn smaller: its letters are 1000 units of its own.
        const letters = 1000 * picture.getBoundingClientRect().width / scale / picture.viewBox.baseVal.width;
        if (letters < prose) say(`an equation in letters of ${letters.toFixed(0)} px`);
      }
    }
  }
  return wrong;
}
"""


@pytest.fixture
def opened(browser):
    """A function from an address below the slides' folder to (page, what the console said, what was asked of a network)."""
    context = browser.new_context(viewport=SHAPE)

    def open_(address: str):
        page, console, network = context.new_page(), [], []
        page.set_default_timeout(180_000)  # two cores may be busy with other tests
        page.on("console", lambda message: message.type in ("error", "warning") and console.append(message.text))
        page.on("pageerror", lambda error: console.append(str(error)))
        page.on("request", lambda request: request.url.startswith(HERE) or network.append(request.url))
        page.goto(f"file://{FOLDER}/{address}", wait_until="commit")
        page.wait_for_selector("html.ready")
        return page, console, network

    yield open_
    context.close()


@pytest.mark.parametrize("number", [path.name[:2] for path in books.paths()])
def test_every_slide(opened, number):
    page, console, network = opened(f"{number}.html")
    assert page.evaluate(MEASURE, [PROSE, CODE, DRAWN, FIGURE]) == []
    assert page.evaluate("Reveal.getTotalSlides()") > 20
    assert (console, network) == ([], [])


def test_the_speaker_sees_the_notes(opened):
    page, console, network = opened("04.html")
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    view = popup.value
    view.wait_for_selector(".speaker-controls-notes:not(.hidden) .value :text('For the teacher')")
    page.keyboard.press("ArrowRight")
    view.wait_for_selector(".speaker-controls-notes .value :text('Minute')")
    assert (console, network) == ([], [])


def test_keys_lead_from_slide_to_slide_and_past_what_is_optional(opened):
    page, _, _ = opened("04.html")
    seen = []
    for _ in range(40):
        seen.append(page.evaluate("[Reveal.getCurrentSlide().id, Reveal.getCurrentSlide().className.includes('optional')]"))
        page.keyboard.press("ArrowRight")
    assert len({name for name, _ in seen}) == 40
    assert not any(optional for _, optional in seen)


def test_the_number_of_a_slide_keeps_clear_of_the_arrows_and_the_bar_fills(opened):
    page, _, _ = opened("06.html")
    page.evaluate("Reveal.slide(Reveal.getHorizontalSlides().length - 1)")
    number, arrow = (page.locator(name).bounding_box() for name in (".slide-number", ".controls .navigate-left"))
    assert number["width"] > 20 and number["x"] + number["width"] + 4 <= arrow["x"]
    assert page.evaluate("getComputedStyle(document.querySelector('.progress')).color") != "rgb(255, 255, 255)"


def test_what_moves_on_a_slide_has_the_keys_while_it_has_the_focus(opened):
    page, console, network = opened("04.html")
    page.evaluate("Reveal.slide(...Object.values(Reveal.getIndices(document.querySelector('.explorable').closest('section'))))")
    here = page.evaluate("Reveal.getCurrentSlide().id")
    box = page.locator(f"[id='{here}'] .explorable")
    before = box.locator(".drawing").inner_html()
    box.locator("input, select").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("(before) => document.querySelector('.present .explorable .drawing').innerHTML !== before", arg=before)
    assert page.evaluate("Reveal.getCurrentSlide().id") == here
    assert (console, network) == ([], [])


def test_prints_one_page_for_each_slide(opened):
    page, _, network = opened("00.html?print-pdf")
    page.wait_for_selector(".pdf-page")
    pages = page.evaluate("document.querySelectorAll('.pdf-page').length")
    assert pages == page.evaluate("document.querySelectorAll('.slides section:not(.stack)').length")
    assert network == []
