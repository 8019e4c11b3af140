"""The teacher's kit in build/kit/: lesson plans, slides, predictions, boxes, wrong answers, syllabi.

usage: python -m tests.kit [--without-slides]

It is made from what the notebooks store; nothing is run, and the same notebooks give the same kit.
"""

import argparse
import shutil
import sys
from pathlib import Path

from helpers.io import write_text
from tests.kit import boxes, handouts, index, plans, syllabus, wrong_answers
from tests.notebooks import books

STYLE = Path(__file__).parent / "templates" / "kit.css"


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description="Make the teacher's kit in build/kit/.")
    parser.add_argument("--without-slides", action="store_true", help="leave the slides out, which take longest")
    options = parser.parse_args(arguments)
    folder = books.ROOT / "build" / "kit"
    shutil.rmtree(folder, ignore_errors=True)
    write_text(folder / "kit.css", STYLE.read_text(encoding="utf-8"))
    made = []
    for part in (plans, handouts, boxes, wrong_answers, syllabus, index):
        made += part.write(folder)
    if not options.without_slides:
        from tests.kit import slides

        made += slides.write(folder / "slides")
    print(f"{len(made)} pages are in build/kit/; begin with build/kit/index.html.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
