"""Explorables and quizzes as a book shows them: from the frames and keys in data/explorables, without a kernel.

`block` is an explorable's HTML, in which the first frame stands: without JavaScript it stays. `write` puts the script that
moves it, and a file of frames for each, into a folder of the site. `quiz` is a question with its answer.
"""

import ast
import itertools
import json
from html import escape
from pathlib import Path

from helpers.io import write_text
from helpers.show.frames import Control, Frames, read_frames
from helpers.show.theme import listing
from tests.book import outputs
from tests.notebooks import books

STORED = books.ROOT / "data" / "explorables"
HERE = Path(__file__).parent / "static"
SCRIPT, STYLE = "explorable.js", "explorable.css"
SCROLLS = "The drawing, which can be scrolled sideways where the page is narrow"


def path(stem: str, cell: str) -> Path:
    """Return where the frames of a cell are stored, whether they are there or not."""
    return STORED / f"{stem[:2]}_{cell}.json"


def kind(cell) -> str:
    """Return what a code cell ends with: "explorable", "quiz" or "" for anything else."""
    names = called(cell)
    explores = any(name == "Explore" or name.startswith("explore_") for name in names)
    return "explorable" if explores else "quiz" if "quiz" in names else ""


def called(cell) -> set[str]:
    """Return the names of the functions that a code cell's last expression calls."""
    statements = ast.parse(cell.source).body if cell.cell_type == "code" else []
    last = statements[-1:] if statements and isinstance(statements[-1], ast.Expr) else []
    return {name for statement in last for name, _ in books.calls(statement)}


def resting(cell) -> str:
    """Return the words that a notebook has stored for the explorable at a cell's end."""
    shown = [output.data["text/plain"] for output in cell.outputs if output.output_type == "display_data"]
    return shown[-1] if shown else ""


def quiz(stem: str, cell: str) -> dict | None:
    """Return {"question", "options", "answer", "why"} of a cell's quiz, all as texts; None where its key is not stored."""
    return json.loads(_text(path(stem, "quizzes")) or "{}").get(cell)


def block(stem: str, cell: str, prefix: str, static: str = "_static") -> str | None:
    """Return the HTML of a cell's explorable; None where no frames are stored.

    `prefix` goes before each id, `static` is where the page finds the folder into which `write` wrote.
    """
    text = _text(path(stem, cell))
    if not text:
        return None
    frames, name = read_frames(text), path(stem, cell).stem
    drawing = outputs.drawing(frames.svg(frames.start), prefix)
    drawing = drawing.replace("<div ", f'<div tabindex="0" role="group" aria-label="{SCROLLS}" ', 1)
    controls = "".join(_control(control, f"{prefix}-{control.name}") for control in frames.controls)
    scripts = "".join(
        f'<script defer src="{static}/{file}"></script>' for file in (SCRIPT, f"explorables/{name}.js")
    )
    return (
        f'<div class="explorable" id="{prefix}" data-frames="{name}">'
        f'<div class="controls" hidden>{controls}</div>{drawing}'
        f'<p class="words {outputs.PLAIN}" aria-live="polite" aria-atomic="true">{escape(frames.said(frames.start))}</p>'
        f"{_note(frames)}<noscript><p>This moves if JavaScript is allowed.</p></noscript>{scripts}</div>"
    )


def write(static: Path) -> list[Path]:
    """Write the script, the style and a file of frames for each explorable into the folder `static`; return the files.

    A file of frames is a script that hands them over: a page opened from a disk may not fetch anything else.
    """
    files = [write_text(static / name, _text(HERE / name)) for name in (SCRIPT, STYLE)]
    for stored in sorted(STORED.glob("*.json")):
        if not stored.stem.endswith("_quizzes"):
            frames = read_frames(_text(stored))
            frames = frames._replace(parts=[outputs.without_stops(part) for part in frames.parts])
            moved = json.dumps({name: getattr(frames, name) for name in ("order", "frames", "words", "parts")})
            files.append(write_text(static / "explorables" / f"{stored.stem}.js", f'explorable("{stored.stem}", {moved});\n'))
    return files


def _control(control: Control, name: str) -> str:
    """Return a control as HTML: the browser's own, so that keys, touch and screen readers work as everywhere."""
    label, here = f'<label for="{name}">{escape(control.label)}</label>', escape(control.settings[control.start])
    if control.kind == "checkbox":
        box = f'<input type="checkbox" id="{name}" autocomplete="off"{" checked" * bool(control.start)}>'
        return f'<div class="control">{box}{label}</div>'
    if control.kind == "select":
        options = "".join(
            f"<option{' selected' * (place == control.start)}>{escape(setting)}</option>"
            for place, setting in enumerate(control.settings)
        )
        return f'<div class="control">{label}<select id="{name}" autocomplete="off">{options}</select></div>'
    # Counted from 1: a screen reader may say the place, too.
    settings = escape(json.dumps(control.settings, ensure_ascii=False))
    slider = f'type="range" min="1" max="{len(control.settings)}" value="{control.start + 1}" aria-valuetext="{here}"'
    shown = f'<span class="setting" aria-hidden="true">{here}</span>'
    return (
        f'<div class="control">{label}<input {slider} id="{name}" data-settings="{settings}" autocomplete="off">'
        f"{shown}</div>"
    )


def _note(frames: Frames) -> str:
    """Say what the notebook has beyond this, and which control makes no difference most of the time."""
    typed = [each.label for each in frames.left if each.typed]
    typed += [control.label for control in frames.controls if control.more == "text"]
    moved = [f"{each.label} (here {each.value})" for each in frames.left if not each.typed]
    finer = [control.label for control in frames.controls if control.more == "settings"]
    said = [f"write your own {listing(typed)}"] * bool(typed) + [f"change {listing(moved)}"] * bool(moved)
    said += [f"try more values of {listing(finer)}"] * bool(finer)
    sentences = [f"In the notebook you can also {listing(said)}."] * bool(said) + _idle(frames)
    return f'<p class="note {outputs.PLAIN}">{escape(" ".join(sentences))}</p>' if sentences else ""


def _idle(frames: Frames) -> list[str]:
    """Say of each control that makes a difference at no more than half of another's settings, at which it does."""
    settings = list(itertools.product(*(range(len(control.settings)) for control in frames.controls)))
    shown, said = dict(zip(settings, frames.order)), []
    for i, control in enumerate(frames.controls):
        for j, other in enumerate(frames.controls):
            matters = {at[j] for at in settings if shown[at] != shown[(*at[:i], 0, *at[i + 1 :])]}
            if i != j and len(matters) <= len(other.settings) / 2:
                where = listing(other.settings[place] for place in sorted(matters))
                said.append(f"The {control.label} makes a difference only when {other.label} is {where}.")
    return said


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
