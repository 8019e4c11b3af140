"""The finished kit in build/kit/, held against every rule; plans and pages in a real browser.

Run by `make test-book`, which builds the book and the kit before: the kit's links lead into the teacher's edition.
"""

import json
import re
from html import unescape

import pytest

from tests.book import check
from tests.kit import boxes, handouts, lessons, pages, plans, render
from tests.notebooks import books

KIT = books.ROOT / "build" / "kit"
EVERY = pytest.mark.parametrize("found", lessons.lessons(), ids=lambda found: found.stem[:2])
PAPER = {"A4": (210, 297), "Letter": (215.9, 279.4)}  # millimeters
POINTS = 8  # the smallest letters of a plan on paper

# Text that sticks out of the page, and equations that were not typeset.
LOOK = r"""() => {
  const wrong = [];
  const scrolls = (one) => one && (/auto|scroll/.test(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
  if (document.documentElement.scrollWidth > innerWidth + 1)
    for (const one of document.querySelectorAll("main *"))
      if (one.getBoundingClientRect().right > innerWidth + 1 && !scrolls(one)) {
        wrong.push(`${one.tagName}.${one.className.baseVal ?? one.className} is ${one.getBoundingClientRect().right} px wide`);
        break;
      }
  for (const math of document.querySelectorAll(".math")) if (/\\[(\[]/.test(math.textContent)) wrong.push(math.textContent);
  for (const image of document.images) if (!image.alt) wrong.push(`no words: ${image.src}`);
  return wrong;
}"""


def words(path) -> str:
    """Return the text of a page, its spaces made one."""
    text = re.sub(r"<(script|style|head)\b.*?</\1>", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", "", text)).split())


@pytest.mark.parametrize("rule", [check.repeated, check.foreign, check.revealing], ids=lambda rule: rule.__name__)
def test_the_kit_keeps(rule):
    assert KIT.is_dir(), "there is no kit yet: `make kit` makes it"
    assert rule(KIT) == []


def test_every_link_leads_somewhere():
    # A deck shows the slide of a cell by an address of its own, "#/" and the id of the slide.
    slides = re.compile(r"no anchor at (?:\.\./)?slides/(\d\d)\.html#/([\w-]+)$")
    faults = []
    for fault in check.broken(KIT):
        found = slides.search(fault)
        if not found or f'id="{found[2]}"' not in (KIT / "slides" / f"{found[1]}.html").read_text(encoding="utf-8"):
            faults.append(fault)
    assert faults == []


@EVERY
def test_a_handout_asks_everything_and_answers_nothing(found):
    name = KIT / "predictions" / pages.number(found)
    handout, key = words(name.with_suffix(".html")), words(KIT / "predictions" / f"{pages.number(found)}_key.html")
    assert "_key" not in name.with_suffix(".html").read_text(encoding="utf-8")
    for question in handouts.questions(found):
        asked = " ".join(render.plain(question.text).split())
        assert asked in handout and asked in key, question.number
        for cell in question.answer:
            if cell.cell_type == "markdown" and (said := " ".join(render.plain(handouts.prose(cell)).split())):
                assert said in key and said not in handout, question.number


def test_every_box_is_on_its_page():
    page = check.Page(KIT / "boxes.html")
    wanted = [f"box-{box['cell']}" for found in lessons.lessons() for box in boxes.of(found)]
    assert wanted and [name for name in page.ids if name.startswith("box-")] == wanted


@EVERY
def test_wrong_answers_of_every_exercise_are_on_the_page(found):
    stored = json.loads((books.ROOT / "data" / "mistakes.json").read_text(encoding="utf-8"))[found.stem]
    page = _without_marks(words(KIT / "mistakes" / f"{pages.number(found)}.html"))
    said = [one["says"] for exercise in stored.values() for one in exercise["mistakes"]]
    missing = [sentence for sentence in said if _without_marks(sentence) not in page]
    assert not missing


def _without_marks(text: str) -> str:
    """A sentence as it is read: code and stressed words carry no marks."""
    return " ".join(re.sub("[`*]", "", text).split())


@EVERY
@pytest.mark.parametrize("paper", PAPER)
def test_a_plan_is_one_sheet_of_paper(browser, found, paper):
    width, height = ((side - margin) * 96 / 25.4 for side, margin in zip(PAPER[paper], (20, 18)))
    page = browser.new_page(viewport={"width": int(width), "height": int(height)})
    page.emulate_media(media="print")
    page.goto((KIT / "plans" / f"{pages.number(found)}.html").as_uri())
    printed = page.pdf(format=paper, prefer_css_page_size=False)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= int(width)
    sizes = page.evaluate("[...document.querySelectorAll('main *')].map((one) => parseFloat(getComputedStyle(one).fontSize))")
    assert min(sizes) >= POINTS * 96 / 72
    said = page.inner_text("main")
    assert all(stop["close"].replace("*", "") in said for stop in plans.stops(found))
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_fits_its_window(browser, width):
    page, faults = browser.new_page(viewport={"width": width, "height": 900}), []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: faults.append(request.url) if not request.url.startswith(("file:", "data:")) else None)
    for path in sorted(KIT.rglob("*.html")):
        if "slides" in path.parts:
            continue
        page.goto(path.as_uri())
        page.evaluate("window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => 1) : 0")
        faults += [f"{path.relative_to(KIT)}: {fault}" for fault in page.evaluate(LOOK)]
    assert faults == []
