"""What a finished book must keep, one function a rule. Each is given the site's folder and returns its complaints.

The learner's edition is the folder itself, the teacher's is `teacher/` in it; the teacher's kit lies beside the folder.
"""

import ast
import json
import re
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.book import site as making
from tests.notebooks import books

LIMIT = 40_000_000  # bytes, both editions
TEXTS = {".html", ".js", ".css", ".ipynb", ".json", ".txt", ".svg"}
LOADED = {  # what a browser fetches by itself: tag -> its attribute
    "script": ("src",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
    "link": ("href",),
}
FOLDED = re.compile(r'<details class="answer">.*?</details>', re.DOTALL)
IN_CSS = re.compile(r"""(?:url\(\s*['"]?|@import\s+['"])((?:https?:)?//[^'")]+)""")
SENTENCE = 6  # words in a row that two texts do not share by chance


# A start tag with its attributes, whose values may hold a ">"; and what is no tag, although it looks like one.
TAG = re.compile(r"""<([a-zA-Z][\w:-]*)((?:\s+[^\s=<>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?)*)\s*/?>""")
ATTRIBUTE = re.compile(r"""\s(id|href|src|srcset|poster|xlink:href|rel)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""")
NO_TAGS = re.compile(r"<!--.*?-->|(<script\b[^>]*>).*?</script>", re.DOTALL)


class Page:
    """A page's ids, and the addresses in it: (tag, attribute, address, rel of a link)."""

    def __init__(self, path: Path):
        # html.parser takes a minute for the whole book.
        text = NO_TAGS.sub(lambda found: found[1] or "", path.read_text(encoding="utf-8"))
        self.ids: list[str] = []
        self.addresses: list[tuple[str, str, str, str]] = []
        for tag, attributes in TAG.findall(text):
            found = {name: unescape("".join(values)) for name, *values in ATTRIBUTE.findall(attributes)}
            if found.get("id"):
                self.ids.append(found["id"])
            for name in ("href", "src", "srcset", "poster", "xlink:href"):
                if found.get(name):
                    self.addresses.append((tag.lower(), name, found[name], found.get("rel", "")))


def pages(site: Path) -> dict[Path, Page]:
    """Return every page of both editions, read, by its path."""
    return {path: _page(path, path.stat().st_mtime_ns) for path in sorted(site.rglob("*.html"))}


@cache
def _page(path: Path, changed: int) -> Page:
    """Return a page, read once for all rules as long as it does not change."""
    return Page(path)


# --- the pages ---------------------------------------------------------------------------------------------------------


def broken(site: Path) -> list[str]:
    """Complain about links and pictures without a target in the site or beside it, and about anchors that are not there."""
    read, faults = pages(site), []
    for path, page in read.items():
        for _, _, address, _ in page.addresses:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                faults.append(f"{path.relative_to(site)}: nothing at {address}")
            elif parts.fragment and target.suffix == ".html":
                if target not in read:
                    read = {**read, target: Page(target)}
                if unquote(parts.fragment) not in read[target].ids:
                    faults.append(f"{path.relative_to(site)}: no anchor at {address}")
    return faults


def repeated(site: Path) -> list[str]:
    """Complain about an id that stands twice on one page."""
    return [
        f"{path.relative_to(site)}: the id {name} stands there {page.ids.count(name)} times"
        for path, page in pages(site).items()
        for name in sorted({name for name in page.ids if page.ids.count(name) > 1})
    ]


def foreign(site: Path) -> list[str]:
    """Complain about scripts, styles, pictures and fonts that come from another computer (links to papers may)."""
    faults = []
    for path, page in pages(site).items():
        for tag, attribute, address, rel in page.addresses:
            fetched = attribute in LOADED.get(tag, ()) and not (tag == "link" and rel in ("canonical", "next", "prev"))
            if fetched and re.match(r"(https?:)?//", address):
                faults.append(f"{path.relative_to(site)}: <{tag}> fetches {address}")
    for path in (path for kind in ("html", "css", "svg") for path in sorted(site.rglob(f"*.{kind}"))):
        found = IN_CSS.findall(path.read_text(encoding="utf-8"))
        faults += [f"{path.relative_to(site)}: a style fetches {address}" for address in found]
    return faults


def heavy(site: Path, limit: int = LIMIT) -> list[str]:
    """Complain about a site of more than `limit` bytes, and about maps of sources that no reader asks for."""
    files = [path for path in sorted(site.rglob("*")) if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    faults = [f"{path.relative_to(site)}: a map for developers" for path in files if path.suffix == ".map"]
    return faults + [f"the book takes {size:,} bytes, more than {limit:,}"] * (size > limit)


def revealing(site: Path, root: Path = books.ROOT) -> list[str]:
    """Complain about a path of the computer that the book was built on."""
    return [
        f"{path.relative_to(site)}: contains {root}" for path in texts(site) if str(root) in path.read_text("utf-8")
    ]


# --- the editions ------------------------------------------------------------------------------------------------------


def missing(site: Path) -> list[str]:
    """Complain about a notebook that has no page in an edition."""
    wanted = [Path(edition) / f"{path.stem}.html" for edition in (".", "teacher") for path in books.paths()]
    return [f"{path}: there is no such page" for path in wanted if not (site / path).is_file()]


def changed(site: Path) -> list[str]:
    """Complain about downloads that are not, to the byte, the notebooks they should be."""
    faults = []
    for edition, folder in (("learner", site / "_sources"), ("teacher", site / "teacher" / "_sources")):
        wanted, there = making.downloads(edition), {path.name: path.read_bytes() for path in folder.glob("*")}
        for name in sorted(wanted.keys() | there.keys()):
            if wanted.get(name) != there.get(name):
                what = "is too many" if name not in wanted else "is missing" if name not in there else "is another"
                faults.append(f"the {edition}'s download {name} {what}")
    return faults


def texts(folder: Path) -> list[Path]:
    """Return the files with text in a folder, without the teacher's edition's."""
    return [p for p in sorted(folder.rglob("*")) if p.suffix in TEXTS and "teacher" not in p.relative_to(folder).parts]


def leaked(site: Path, notebooks=None) -> list[str]:
    """Complain about what the learner's edition gives away: a teacher's box, or why an answer is right before it is unfolded.

    `notebooks` are read notebooks by their stem; the course's are the default.
    """
    notebooks = notebooks or {path.stem: books.read(path) for path in books.paths()}
    opened = plain("\n".join(cell.source for book in notebooks.values() for cell in book.cells if is_open(cell)))
    secrets = [(stem, words) for stem, book in notebooks.items() for words in secret(book) if words not in opened]
    faults = []
    for path in texts(site):
        bare = plain(FOLDED.sub(" ", path.read_text(encoding="utf-8")))
        faults += [
            f"{path.relative_to(site)}: gives away “{words}” of {stem}" for stem, words in secrets if words in bare
        ]
    return faults + _indexed(site, notebooks)


def is_open(cell) -> bool:
    """Whether a cell's text may stand on a learner's page as it is."""
    return cell.cell_type == "markdown" and "instructor" not in books.tags(cell)


def secret(book) -> list[str]:
    """Return passages, as `plain` text, that only teachers read: of the boxes, and the explanations of the quizzes."""
    passages = []
    for cell in book.cells:
        if "instructor" in books.tags(cell):
            passages += re.split(r"[*_`$\[\]()<>|#.!?:;\"\n]", cell.source)
        elif cell.cell_type == "code":
            passages += explanations(cell.source)
    return [words for words in map(plain, passages) if len(words.split()) >= SENTENCE]


def explanations(source: str) -> list[str]:
    """Return the texts in the arguments `why` of a cell's quizzes."""
    quizzes = [call for name, call in books.calls(ast.parse(source)) if name == "quiz"]
    whys = [keyword.value for call in quizzes for keyword in call.keywords if keyword.arg == "why"]
    return [node.value for why in whys for node in ast.walk(why) if isinstance(getattr(node, "value", None), str)]


def plain(text: str) -> str:
    """Return the words of a text or a page in lower case, without markup and signs, which each format writes in its way."""
    text = re.sub(r"&\w+;|&#\d+;|\\n|\\u\w{4}", " ", re.sub(r"</?[a-zA-Z][^<>]*>", " ", text))
    return " ".join(re.findall(r"\w+", text.lower()))


def _indexed(site: Path, notebooks) -> list[str]:
    """Complain about words in the search index that stand in a notebook only in the teacher's boxes."""
    path = site / "searchindex.js"
    if not path.exists():
        return ["searchindex.js: there is no such file"]
    index = json.loads(re.search(r"\{.*\}", path.read_text(encoding="utf-8"), re.DOTALL)[0])
    faults = []
    for stem, book in notebooks.items():
        number = index["docnames"].index(stem)
        boxes = [cell for cell in book.cells if "instructor" in books.tags(cell)]
        # A search index holds stems: "curve" and "curv" of "curves" are one word.
        open_words = {
            word for cell in book.cells if cell not in boxes for word in re.findall(r"\w+", str(cell).lower())
        }
        for word in sorted(
            {word for cell in boxes for word in re.findall(r"[a-z]{4,}", cell.source.lower())} - open_words
        ):
            found = index["terms"].get(word, [])
            if not any(other.startswith(word) for other in open_words) and number in (
                found if isinstance(found, list) else [found]
            ):
                faults.append(f"searchindex.js: knows “{word}”, which only a teacher's box of {stem} says")
    return faults


RULES = (broken, repeated, foreign, heavy, revealing, missing, changed, leaked)
