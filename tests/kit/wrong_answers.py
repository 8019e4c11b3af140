"""The typical wrong answers of each exercise: what the check says, what they reveal, what to ask. A page per notebook.

data/mistakes.json has every wrong answer that a check knows by name; data/misconceptions.json says of some what they reveal.
"""

import json
import re
from functools import cache
from pathlib import Path

from helpers import data_path
from tests.kit import pages
from tests.kit.lessons import Lesson, lessons


@cache
def _stored(name: str) -> dict:
    return json.loads(data_path(name).read_text(encoding="utf-8"))


PIECE = re.compile(r"ReLU|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|.")


def spoken(name: str) -> str:
    """Return the name of a mistake, a function's, a class's or a sentence's, as words."""
    words = []
    for word in re.sub(r" s\b", "'s", name.replace("_", " ")).split():
        pieces = PIECE.findall(word) if re.search(r"[a-z][A-Z]|[A-Z]{2}[a-z]", word) else [word]
        words += [piece.lower() if len(pieces) > 1 and re.fullmatch("[A-Z][a-z]+", piece) else piece for piece in pieces]
    return " ".join(words)


def of(found: Lesson) -> list[dict]:
    """Return a notebook's exercises, each with its wrong answers, those first that reveal a misconception."""
    reveals = _stored("misconceptions.json").get(found.stem, {})
    made = []
    for name, exercise in _stored("mistakes.json").get(found.stem, {}).items():
        known = [
            {"name": spoken(one["name"]), "says": one["says"], "reveals": reveals.get(name, {}).get(one["name"], "")}
            for one in exercise["mistakes"]
        ]
        made.append({"name": name, **exercise, "mistakes": sorted(known, key=lambda one: not one["reveals"])})
    return made


def write(folder: Path) -> list[Path]:
    """Write mistakes/NN.html for every notebook."""
    return [
        pages.write(folder, f"mistakes/{pages.number(found)}.html", "mistakes.html", found=found, exercises=of(found))
        for found in lessons()
    ]
