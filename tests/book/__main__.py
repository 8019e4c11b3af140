"""Build the book from the stored notebooks: build/book/ for learners, build/book/teacher/ for teachers.

usage: python -m tests.book
"""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.book import site
from tests.notebooks import books

TARGET = books.ROOT / "build" / "book"


def main() -> int:
    TARGET.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET.parent, prefix=".book-") as folder:
        try:
            made = site.build(Path(folder))
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
        # The old book stays until the new one is whole.
        if TARGET.exists():
            shutil.move(TARGET, Path(folder) / "old")
        shutil.move(made, TARGET)
    size = sum(path.stat().st_size for path in TARGET.rglob("*") if path.is_file())
    print(
        f"The book is in build/book/ ({size / 1e6:.0f} MB), the teacher's edition in build/book/teacher/: open index.html."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
