"""The README's two screenshots: an explorable as the book shows it, and the drawing of the GPT that a learner builds.

python -m tests.release.pictures        take both again (needs Chromium, and the frames in data/explorables)
"""

import io
import re
import sys
import tempfile
from pathlib import Path

from helpers.io import write_bytes
from tests.book import explorables
from tests.browser.chromium import CHROMIUM, FLAGS
from tests.notebooks import books

FOLDER = books.ROOT / ".github"
NOTEBOOK = "06_gpt_pretraining"
# Cells of that notebook: the forward pass, step by step, with its setting in the picture; the GPT made of the learner's classes.
EXPLORABLE, KEYS, GPT = "26b3c295", 3, "7fcd829a"
LIMIT = 150_000  # bytes of a picture
WIDTH = 860  # pixels
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><style>
body {{ margin: 0; padding: 16px; width: {width}px; background: white; color: #1f2430; font: 15px/1.5 system-ui, sans-serif; }}
</style><link rel="stylesheet" href="explorable.css"><body>{body}</body></html>"""


def drawing(cell: str) -> str:
    """Return the SVG that a cell of the notebook has stored. Raises ValueError where it has none."""
    (path,) = books.paths([NOTEBOOK])
    (found,) = (item for item in books.read(path).cells if item.id == cell)
    for output in found.outputs:
        for text in output.get("data", {}).values():
            if svg := re.search(r"<svg.*?</svg>", text, re.DOTALL):
                return svg[0]
    raise ValueError(f"{NOTEBOOK}, cell {cell} has stored no drawing")


def explorable() -> str:
    """Return the HTML of the explorable. Raises ValueError where its frames are not stored."""
    block = explorables.block(NOTEBOOK, EXPLORABLE, prefix="x", static=".")
    if block is None:
        raise ValueError(f"no frames of {NOTEBOOK}, cell {EXPLORABLE} are stored: python -m tests.book.frames --only 06")
    return block


def take(folder: Path) -> dict[str, bytes]:
    """Return {file: picture}, taken of pages that are written into ``folder``."""
    from playwright.sync_api import sync_playwright

    explorables.write(folder)
    bodies = {"explorable.png": explorable(), "your_gpt.png": f'<div class="explorable">{drawing(GPT)}</div>'}
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name, body in bodies.items():
            file = folder / f"{name}.html"
            file.write_text(PAGE.format(width=WIDTH, body=body), encoding="utf-8")
            page = browser.new_page(viewport={"width": WIDTH + 32, "height": 900}, device_scale_factor=1.5)
            page.goto(file.as_uri())
            page.wait_for_load_state("load")
            for control in page.locator(".controls input, .controls select").all()[:1]:
                control.focus()
                for _ in range(KEYS):  # a few steps on, by keyboard, as a reader would
                    page.keyboard.press("ArrowRight")
            found[name] = smaller(page.locator("body").screenshot())
        browser.close()
    return found


def smaller(picture: bytes) -> bytes:
    """Return a PNG with at most 128 colors: drawings have few, and the file is a third."""
    from PIL import Image

    target = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(target, "PNG", optimize=True)
    return target.getvalue()


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        pictures = take(Path(folder))
    for name, content in pictures.items():
        if len(content) > LIMIT:
            raise ValueError(f"{name} has {len(content):,} bytes, {LIMIT:,} are allowed")
    for name, content in pictures.items():
        write_bytes(FOLDER / name, content)
        print(f".github/{name}: {len(content):,} bytes")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        sys.exit(str(error))
