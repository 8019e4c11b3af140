"""What runs inside a notebook's kernel, right after a cell: its explorable is drawn in every setting, its quiz's key is read.

No later output may change by it: random numbers go on where they were.
"""

from __future__ import annotations

import json
import random
import sys
from contextlib import contextmanager
from pathlib import Path

# Explorables of which nothing moves but text: what a book shows of them, by cell. The first is what the notebook shows.
TEXTS = {
    "303b4711": {
        "text": [
            "My dog learned to open the fridge", "What do you do for fun?", "I like to read books and listen to music",
            "The quick brown fox jumps over the lazy dog", "lol idk", "Colorless green ideas sleep furiously",
        ]
    },
    "c034": {
        "reply": [
            "What do you like to do for fun?", "ok", "I like to go hiking. What about you?", "I don't know.",
            "That sounds great! Where do you like to go?", "mountains mountains mountains mountains", "Leave me alone.",
        ]
    },
    "cb04fefb": {"text": ["Doyoulikemusic?Ilikeit.", "Do you like music? I like it."]},
}  # fmt: skip


def keep(shown, cell: str, target: str) -> str:
    """Write what a book needs of what a cell showed to the file `target`; say of what kind it was, "" for nothing.

    `shown` is the cell's last value: an Explore, a quiz, or anything else.
    """
    from helpers.show.explore import Explore
    from helpers.show.quizzes import Quiz

    if isinstance(shown, Quiz):
        Path(target).write_text(json.dumps(key(shown)), encoding="utf-8")
        return "quiz"
    if isinstance(shown, Explore):
        from helpers.show.frames import make_frames

        with unchanged():
            made = make_frames(shown.in_book(**TEXTS.get(cell, {})))
        Path(target).write_text(made.text(), encoding="utf-8")
        return "explorable"
    return ""


def say(shown, cell: str, places: list[int] | None, target: str) -> str:
    """Write what an Explore says now at these places of its frames (None: at all) to the file `target`; return "explorable"."""
    from helpers.show.frames import every_setting

    with unchanged():
        settings = list(every_setting(shown.in_book(**TEXTS.get(cell, {}))))
        words = {place: shown.look(**settings[place])[0] for place in places or range(len(settings))}
    Path(target).write_text(json.dumps({"count": len(settings), "words": list(words.items())}), encoding="utf-8")
    return "explorable"


def key(quiz) -> dict:
    """Return a quiz with its answer as texts."""
    options = [str(option) for option in quiz.options]
    answer = quiz.labels[quiz._right].partition(") ")[2]
    return {"question": quiz.question, "options": options, "answer": answer, "why": quiz.why}


@contextmanager
def unchanged():
    """Give every source of random numbers back as it was."""
    python, torch, numpy = random.getstate(), sys.modules.get("torch"), sys.modules.get("numpy")
    of_torch = torch.get_rng_state() if torch else None
    of_numpy = numpy.random.get_state() if numpy else None
    try:
        yield
    finally:
        random.setstate(python)
        if torch:
            torch.set_rng_state(of_torch)
        if numpy:
            numpy.random.set_state(of_numpy)
