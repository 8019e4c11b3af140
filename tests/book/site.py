"""The two editions of the book, put together: Markdown from the notebooks, Sphinx, downloads, one folder of shared files."""

import base64
import hashlib
import importlib.metadata
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from helpers.io import write_bytes, write_text
from tests.book import editions, explorables, kit, marks, pages, reference
from tests.notebooks import books

SHARED = "_static"
MATHJAX = "tex-svg-full.js"
# What Sphinx and its themes leave behind that no reader asks for.
EMPTY_HEADER = re.compile(r'<th class="head"><p></p></th>')
LEFTOVERS = (".buildinfo*", "**/*.map", "**/*webpack-macros.html", "objects.inv", f"{SHARED}/locales")
USES_SHARED = re.compile(rf'((?:src|href)=")({SHARED}/)')


def build(folder: Path) -> Path:
    """Build both editions in `folder`, which must be empty; return the folder of the finished site inside it.

    Raises RuntimeError, with what Sphinx said, when it has an error or a warning.
    """
    site, figures = folder / "site", {}
    jobs = []
    for edition in editions.EDITIONS:
        source = folder / f"{edition}-source"
        write_sources(source, edition, figures)
        jobs.append((edition, _start(source, folder / edition, edition)))
    # Both must have ended before the folder may go.
    for edition, job, said in [(edition, job, job.communicate()[0]) for edition, job in jobs]:
        if job.returncode:
            raise RuntimeError(f"Sphinx cannot build the {edition}'s edition:\n{said}")
        _clean(folder / edition)
    shutil.move(folder / "learner", site)
    _share(folder / "teacher", site / SHARED)
    shutil.move(folder / "teacher", site / "teacher")
    for name, png in figures.items():
        write_bytes(site / SHARED / "figures" / name, png)
    write_bytes(site / SHARED / MATHJAX, mathjax().read_bytes())
    explorables.write(site / SHARED)
    for edition, place in (("learner", site), ("teacher", site / "teacher")):
        for name, text in downloads(edition).items():
            write_bytes(place / "_sources" / name, text)
    write_text(site / ".nojekyll", "")  # GitHub Pages would leave out folders that begin with an underscore
    return site


def write_sources(folder: Path, edition: str, figures: dict[str, bytes]) -> None:
    """Write the Markdown of one edition into `folder`, and add the figures of its pages to `figures`, {name: PNG}."""
    static = SHARED if edition == "learner" else f"../{SHARED}"
    for path in books.paths():
        book = editions.for_reading(books.read(path), edition)
        more = kit.buttons(kit.links(path.stem[:2])) if edition == "teacher" else ""
        text = pages.page(book, path.stem, static, partial(_keep, figures, static), more)
        write_text(folder / f"{path.stem}.md", text)
    for name in reference.written():
        text = (books.NOTEBOOKS / f"{name}.md").read_text(encoding="utf-8")
        write_text(folder / f"{name}.md", marks.links(text, [f"{other}.md" for other in reference.written()]))
    others = {
        "index": reference.index(edition == "teacher"),
        "glossary": reference.glossary(),
        "where_is_it": reference.where_is_it(),
        "scoreboard": reference.scores(),
        "timeline": reference.timeline(_timeline(static)),
    }
    if edition == "teacher":
        others["kit"] = kit.page()
    for name, text in others.items():
        write_text(folder / f"{name}.md", text)


def downloads(edition: str) -> dict[str, bytes]:
    """Return what an edition offers for download, {name: bytes}: the notebooks as stored, or the learner's copies."""
    if edition == "teacher":
        return {path.name: path.read_bytes() for path in books.paths()}
    return {path.name: books.text(editions.learner(books.read(path))).encode("utf-8") for path in books.paths()}


def mathjax() -> Path:
    """Return the path of MathJax in one file, which an installed package carries."""
    return next(
        Path(file.locate()) for file in importlib.metadata.files("sphinx-mathjax-offline") if file.name == MATHJAX
    )


def _keep(figures: dict[str, bytes], static: str, png: str) -> str:
    """Keep a figure under a name made from its content, and return its address."""
    data = base64.b64decode(png)
    name = hashlib.sha256(data).hexdigest()[:16] + ".png"
    figures[name] = data
    return f"{static}/figures/{name}"


def _timeline(static: str) -> str:
    """Return the explorable timeline of notebook 00 as HTML, "" where there is none."""
    (path,) = books.paths(["00"])
    found = [cell.id for cell in books.read(path).cells if cell.source.endswith("explore_timeline()")]
    return explorables.block(path.stem, found[0], "timeline", static=static) or "" if found else ""


def _start(source: Path, target: Path, edition: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-n", "-W", "--keep-going", "-c", "tests/book"]
    command += ["-t", edition, "-d", str(target.parent / f"{edition}-doctrees"), str(source), str(target)]
    return subprocess.Popen(command, cwd=books.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _clean(folder: Path) -> None:
    for pattern in LEFTOVERS:
        for path in list(folder.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in folder.glob("*.html"):
        write_text(path, without_empty_headers(path.read_text(encoding="utf-8")))


def without_empty_headers(page: str) -> str:
    """Return a page in which a column without a name has no header: to a screen reader an empty one is a riddle."""
    return EMPTY_HEADER.sub("<td></td>", page)


def _share(folder: Path, shared: Path) -> None:
    """Let the pages of `folder`, which will lie one level below, use the shared files; its own must be the same."""
    own = folder / SHARED
    for path in sorted(own.rglob("*")):
        twin = shared / path.relative_to(own)
        if path.is_file() and (not twin.exists() or twin.read_bytes() != path.read_bytes()):
            raise RuntimeError(f"the editions differ in {SHARED}/{path.relative_to(own)}: they cannot share it")
    shutil.rmtree(own)
    for path in folder.glob("*.html"):
        write_text(path, USES_SHARED.sub(r"\1../\2", path.read_text(encoding="utf-8")))
