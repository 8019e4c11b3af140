"""The numbers in notebooks/accessibility.md: contrasts of the palette, how many pictures have words, the palest letter.

python -m tests.book.accessibility        write them again, after a color or a stored picture changed
"""

import re
from functools import cache
from pathlib import Path

from helpers.io import write_text
from helpers.show import theme
from helpers.show.frames import read_frames
from tests.book import explorables
from tests.notebooks import books
from tests.show import legible

PAGE = books.NOTEBOOKS / "accessibility.md"
USES = {
    "blue": (theme.BLUE, "first series, what is chosen"),
    "orange": (theme.ORANGE, "second series, what is new"),
    "plum": (theme.PLUM, "the residual stream, gates"),
    "teal": (theme.TEAL, "attention"),
    "crimson": (theme.CRIMSON, "recurrent parts, losses"),
    "ink": (theme.INK, "text"),
    "gray": (theme.SOFT, "secondary text, numbers on axes"),
}


def palette() -> str:
    """Return the table of colors: lightness, contrast on white, and the color of letters that are to be read as this one."""
    head = "| color | used for | lightness, 0 to 100 | contrast, lines and areas | letters | contrast, letters |"
    lines = [head, "|---|---|---|---|---|---|"]
    for name, (color, use) in USES.items():
        letters = theme.readable(color)
        lines.append(
            f"| {name} `{color}` | {use} | {lightness(color):.0f} | {_ratio(color)} | `{letters}` | {_ratio(letters)} |"
        )
    return "\n".join(lines)


def lightness(color: str) -> float:
    """Return the CIE lightness L* of ``"#rrggbb"``, from 0 (black) to 100 (white): what is left of a color in gray print."""
    return 116 * theme.luminance(color) ** (1 / 3) - 16


@cache
def pictures() -> str:
    """Return how many stored pictures there are, and how many of them have words, as a list."""
    drawings, figures, live, quizzes = [], [], 0, 0
    for path in books.paths():
        for cell in books.read(path).cells:
            if cell.cell_type != "code":
                continue
            kind = explorables.kind(cell)
            live, quizzes = live + (kind == "explorable"), quizzes + (kind == "quiz")
            for output in cell.outputs:
                data, about = output.get("data", {}), output.get("metadata", {})
                if "image/svg+xml" in data:
                    drawings.append(data["image/svg+xml"])
                if "image/png" in data:
                    figures.append(about.get("image/png", {}).get("alt", ""))
    words = [re.search(r'aria-label="([^"]*)"', drawing)[1] for drawing in drawings]
    frames = [svg for path in sorted(explorables.STORED.glob("*_*.json")) for svg in _frames(path)]
    ratios = [theme.contrast(ink, ground) for svg in drawings + frames for _, ink, ground in legible.letters(svg)]
    return "\n".join([
        f"- {len(drawings)} drawings and {len(figures)} figures are stored in the notebooks; "
        f"{_with_words(words + figures)} have words of their own.",
        f"- {live} explorables, with {len(frames):,} pictures in the book, and {quizzes} quizzes work by keyboard.",
        f"- The palest letter in all these drawings has a contrast of {_cut(min(ratios))} : 1 with what lies below it "
        f"(measured at {len(ratios):,} places; {theme.READABLE:g} : 1 is required).",
    ])  # fmt: skip


def written(text: str) -> str:
    """Return the page's text with its numbers as they are now. Raises ValueError where a number has lost its place."""
    for name, numbers in (("palette", palette()), ("pictures", pictures())):
        before, opening, rest = text.partition(f"<!-- {name} -->\n")
        _, closing, after = rest.partition(f"<!-- /{name} -->")
        if not closing:
            raise ValueError(f"{PAGE.name} has no place for its {name}: <!-- {name} --> and <!-- /{name} -->")
        text = f"{before}{opening}\n{numbers}\n\n{closing}{after}"
    return text


def _frames(path: Path) -> list[str]:
    """Return every picture of an explorable as the book has it; none of a file of quizzes."""
    if path.stem.endswith("_quizzes"):
        return []
    found = read_frames(path.read_text(encoding="utf-8"))
    return [found.svg(found.order.index(number)) for number in range(len(found.frames))]


def _ratio(color: str) -> str:
    return f"{_cut(theme.contrast(color, theme.PAPER))} : 1"


def _cut(ratio: float) -> str:
    return f"{int(ratio * 10) / 10:.1f}"  # not rounded: 4.48 is not 4.5


def _with_words(words: list[str]) -> str:
    count = sum(bool(each.strip()) for each in words)
    return "all of them" if count == len(words) else f"{count} of them"


if __name__ == "__main__":
    write_text(PAGE, written(PAGE.read_text(encoding="utf-8")))
