"""English that is already on this computer: paragraphs from the documentation strings of installed packages (notebook 07).

The .py files are read as text and parsed with ``ast``: nothing is imported, nothing runs. Other versions of the packages hold
other sentences, so who trains on them should note ``versions`` and ``sha256`` beside the result.
"""

import ast
import platform
import re
import sysconfig
import warnings
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from helpers.io import sha256

STANDARD_LIBRARY = "python"
PACKAGES = (STANDARD_LIBRARY, "numpy", "pandas", "matplotlib", "torch", "sklearn", "scipy", "IPython")
DISTRIBUTIONS = {"sklearn": "scikit-learn", "IPython": "ipython"}  # where the installed thing has another name
SKIPPED = {"test", "tests", "testing", "site-packages", "dist-packages", "_vendor", "__pycache__"}
FEWEST_WORDS, LEAST_PROSE = 8, 0.93  # of a paragraph; the share of its characters that are letters, spaces, or , . ' -
FUNCTION_WORDS = frozenset("a an and are as be by for from if in is it not of on or that the this to was when which with".split())

_ROLE = re.compile(r":[\w:]+:`~?\.?([^`<]+?)(?: *<[^`>]*>)?`")  # :func:`~torch.add` becomes torch.add
_MARKUP = re.compile(r"``|`_?|\*\*|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)")
_CODE = re.compile(r"^\s*(?:>>>|\.\. |:\w+[^:]*:|[-=~^#|+*]{3,}|\$ |@\w|\w+\(.*\)$|- |\* |\d+[.)] )", re.MULTILINE)
_PARAMETER = re.compile(r"^\*{0,2}\w+(?:, *\*{0,2}\w+)*(?: ?: .*| \([^)]*\): ?)")  # "axis : int", "axis (int): which one"
_NOT_PROSE = re.compile(r"[^A-Za-z ,.'-]")


class DocumentationText(NamedTuple):
    """Paragraphs of English, each once, in an order that is always the same; and what they were read from."""

    paragraphs: tuple[str, ...]
    versions: dict[str, str]  # of each package that was read

    @property
    def sha256(self) -> str:
        """Return a hash of the text: two computers with the same one have read the same."""
        return sha256(f"{paragraph}\n".encode() for paragraph in self.paragraphs)


def documentation_text(packages: Iterable[str] = PACKAGES) -> DocumentationText:
    """Return the English paragraphs in the documentation strings of ``packages``; "python" is the standard library.

    Code, tables and lists are left out, and so is what was there before, in whatever case. Packages that are not installed are
    skipped; about a minute for all of them. Raises ValueError when none of them is installed.
    """
    found, versions = {}, {}
    for package in packages:
        if (folder := package_folder(package)) is None:
            continue
        versions[package] = _version(package)
        for path in source_files(folder):
            for docstring in docstrings(path.read_text(encoding="utf-8", errors="replace")):
                for paragraph in english_paragraphs(docstring):
                    found.setdefault(paragraph.lower(), paragraph)
    if not versions:
        raise ValueError(f"none of these packages is installed: {', '.join(packages)}")
    return DocumentationText(tuple(found.values()), versions)


def package_folder(package: str) -> Path | None:
    """Return where the files of a package are, without importing it; None when it is not installed."""
    if package == STANDARD_LIBRARY:
        return Path(sysconfig.get_path("stdlib"))
    spec = find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def source_files(folder: Path) -> list[Path]:
    """Return the .py files below ``folder``, tests left out, in the order of their names on every system."""
    files = (path.relative_to(folder) for path in folder.rglob("*.py"))
    return [folder / path for path in sorted(files, key=lambda path: path.parts) if not SKIPPED & set(path.parts)]


def docstrings(source: str) -> Iterator[str]:
    """Yield the documentation strings of a module, of its classes and of its functions; none of a file that is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash in another package's string is not ours to mend
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if text := ast.get_docstring(node):
                yield text


def english_paragraphs(docstring: str) -> list[str]:
    """Return the paragraphs of a documentation string that are English sentences, each on one line, without markup."""
    paragraphs = []
    for block in re.split(r"\n\s*\n", docstring):
        if _CODE.search(block):
            continue
        lines = [line.strip() for line in block.split("\n")]
        if len(lines) > 1 and (header := _PARAMETER.match(lines[0])):
            lines[0] = "" if " : " in header.group() or header.group().endswith(" :") else lines[0][header.end() :]
        text = " ".join(" ".join(lines).split())
        text = _MARKUP.sub("", _ROLE.sub(r"\1", text))
        if _is_english(text):
            paragraphs.append(text)
    return paragraphs


def _is_english(text: str) -> bool:
    words = text.lower().split()
    if len(words) < FEWEST_WORDS or not text[0].isupper() or text[-1] not in ".!?:":
        return False
    prose = 1 - len(_NOT_PROSE.findall(text)) / len(text)
    return prose >= LEAST_PROSE and sum(word in FUNCTION_WORDS for word in words) >= max(2, len(words) // 8)


def _version(package: str) -> str:
    if package == STANDARD_LIBRARY:
        return platform.python_version()
    try:
        return version(DISTRIBUTIONS.get(package, package))
    except PackageNotFoundError:
        return "unknown"
