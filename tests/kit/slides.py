"""Decks of slides for a projector, one for each notebook: reveal.js, offline, with speaker notes.

`write` puts NN.html and one folder of shared assets into a folder. Press `s` for the speaker's view, `?` for all keys; add
`?print-pdf` to the address to print.
"""

import importlib.metadata
import shutil
from html import escape
from importlib.metadata import PackagePath
from pathlib import Path

from helpers.show import theme
from tests.book import explorables
from tests.kit import lessons, outline
from tests.kit.deck import Deck, Slide
from tests.kit.render import code_css, plain
from tests.notebooks import books

STATIC = Path(__file__).parent / "static"
REVEAL = ("dist/reveal.js", "dist/reveal.css", "dist/reset.css", "plugin/notes/notes.js", "LICENSE")
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="assets/reset.css">
<link rel="stylesheet" href="assets/reveal.css">
<link rel="stylesheet" href="assets/slides.css">
</head>
<body>
<div class="reveal"><div class="slides">
{slides}
</div></div>
<script src="assets/reveal.js"></script>
<script src="assets/notes.js"></script>
<script src="assets/slides.js"></script>
<script src="assets/tex-svg-full.js"></script>
</body>
</html>
"""


def write(folder: Path) -> list[Path]:
    """Write all decks and what they share into a folder, and return the decks' files."""
    _assets(folder / "assets")
    return [write_deck(path, folder) for path in books.paths()]


def write_deck(path: Path, folder: Path) -> Path:
    """Write the deck of the notebook at `path` into a folder, as NN.html, and return its file."""
    file = folder / f"{path.name[:2]}.html"
    _stored(file, page(outline.deck(lessons.lesson(path))))
    return file


def page(deck: Deck) -> str:
    """Return a deck as an HTML page."""
    groups: list[list[Slide]] = []
    for slide in deck.slides:
        if slide.optional and groups:
            groups[-1].append(slide)
        else:
            groups.append([slide])
    return PAGE.format(title=escape(plain(deck.found.title)), slides="\n".join(map(_group, groups)))


def _group(slides: list[Slide]) -> str:
    """Return a slide, with the optional ones below it."""
    if len(slides) == 1:
        return _section(slides[0])
    below = len(slides) - 1
    first = _section(slides[0], f"↓ optional: {below} more" if below > 1 else "↓ optional: one more")
    return "\n".join(["<section>", first, *map(_section, slides[1:]), "</section>"])


def _section(slide: Slide, more: str = "") -> str:
    foot = f'<footer><span>{escape(slide.foot)}</span> <span class="more">{more}</span></footer>' if slide.foot or more else ""
    notes = "\n".join([f'<p class="clock">{escape(slide.clock)}</p>', *slide.notes, slide.meaning])
    kind = f"{slide.kind} optional" if slide.optional else slide.kind
    return (
        f'<section id="{slide.id}" data-cell="{slide.cell}" class="{kind}"><div class="slide">\n{slide.body}\n{foot}</div>\n'
        f'<aside class="notes">{notes}</aside></section>'
    )


def _assets(folder: Path) -> None:
    """Put what all decks share into a folder: reveal.js and MathJax from their packages, style and start from ours."""
    reveal = _package("sphinx-revealjs", "revealjs/dist/reveal.js").parent.parent
    for name in REVEAL:
        _copied(reveal / name, folder / ("reveal.js-license.txt" if name == "LICENSE" else Path(name).name))
    _copied(_package("sphinx-mathjax-offline", "tex-svg-full.js"), folder / "tex-svg-full.js")
    explorables.write(folder)
    _stored(folder / "slides.css", _style())
    _stored(folder / "slides.js", (STATIC / "slides.js").read_text(encoding="utf-8"))


def _style() -> str:
    css = (STATIC / "slides.css").read_text(encoding="utf-8")
    for name in ("BLUE", "INK", "SOFT", "RULE", "PAPER", "SANS", "MONO", "TEAL", "CRIMSON"):
        css = css.replace(f"{name}()", getattr(theme, name))
    return css + code_css()


def _package(name: str, end: str) -> Path:
    """Return the path of an installed package's file. Raises FileNotFoundError where there is none."""
    files: list[PackagePath] = importlib.metadata.files(name) or []
    found = next((file for file in files if str(file).endswith(end)), None)
    if found is None:
        raise FileNotFoundError(f"the package {name} has no file {end}: install the extra [book]")
    return Path(found.locate())


def _copied(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    shutil.copyfile(source, part)
    part.replace(target)


def _stored(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)
