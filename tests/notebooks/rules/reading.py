"""Rules about reading: the anatomy, goals, minutes, predictions, the length of a passage, links and images."""

import ast
import builtins
import copy
import dataclasses
import html
import importlib
import inspect
import itertools
import re
from pathlib import Path

from tests.notebooks import books, minutes
from tests.notebooks.rules import FENCE, Book, bound, rule

MOST_WORDS = 180
# Sections every teaching notebook has, in this order; between them stands what the notebook is about.
ANATOMY = {
    "the story so far": r"story so far",
    "goals": r"\bgoals\b",
    "setup": r"\bset-?\s?up\b",
    "exercises": r"\bexercises\b",
    "limits": r"\blimits\b",
    "recap": r"\brecap\b",
}
SHORT_ANATOMY = ("goals", "setup")  # 00 shows the way: no story yet, nothing to exercise
VERBS = set(
    """add answer apply ask build calculate check choose clean close compare compute count decide define describe
    draw estimate explain find fit follow generate implement judge load make measure name open place plot predict
    prove read recognize reconstruct redact repair replace run say show split spot start state take talk tell test
    trace train trust turn use write""".split()
)
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)[^)]*\)")
LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*\]\(([^)\s]+)[^)]*\)")
ANCHOR = re.compile(r"""(?:id|name)=["']([^"']+)["']""")


@rule
def the_title_tells_what_to_expect(book: Book) -> list[str]:
    """Title, and before anything else: what is built, how long it takes, what one needs to know."""
    first = book.cells[0].source if book.cells and book.cells[0].cell_type == "markdown" else ""
    wanted = {
        "a title (# …)": r"\A# \S",
        "the minutes to read": r"\*\*Time:\*\*",
        "the time on a CPU": r"\bCPU\b",
    }
    if book.teaches:
        wanted |= {
            "the years": r"\b(?:19|20)\d\d\b",
            "what you will build": r"(?i)you will build",
            "what you need to know": r"(?i)you need",
        }
    return [
        f"{book.path.name}: the first cell lacks {what}" for what, like in wanted.items() if not re.search(like, first)
    ]


@rule
def sections_stand_in_order(book: Book) -> list[str]:
    """The anatomy: a reader of one notebook finds the way in all."""
    tops = [text for _, level, text in book.headings if level == 2]
    found, before, place = [], "", -1
    for name, pattern in ANATOMY.items():
        if not book.teaches and name not in SHORT_ANATOMY:
            continue
        places = [i for i, text in enumerate(tops) if re.search(pattern, text, re.IGNORECASE)]
        if not places:
            found.append(f"{book.path.name}: no section '{name}' (a heading ## with this word)")
        elif places[0] < place:
            found.append(f"{book.path.name}: '{name}' stands before '{before}'")
        else:
            before, place = name, places[0]
    return found


@rule
def goals_are_verbs(book: Book) -> list[str]:
    """Three to five goals, each something one can do afterwards."""
    cells = book.section(ANATOMY["goals"])
    text = "\n".join(FENCE.sub("", cell.source) for cell in cells if cell.cell_type == "markdown")
    goals = re.findall(r"^\s*(?:[-*]|\d+\.)\s+(.*)", text, re.MULTILINE)
    found = [] if not cells or 3 <= len(goals) <= 5 else [f"{book.path.name}: {len(goals)} goals, expected 3 to 5"]
    for goal in goals:
        first = re.findall(r"[a-z]+", goal.lower())[:1]
        if not set(first) & VERBS:
            found.append(f"{book.path.name}: a goal begins with a verb, not with {first}: {goal[:40]!r}")
    return found


@rule
def the_synopsis_exists_as_code(book: Book) -> list[str]:
    """The goals end with the notebook in a few lines of code, and every name in it is really there."""
    if not book.teaches:
        return []
    cells = book.section(ANATOMY["goals"])
    fences = [code for cell in cells for code in re.findall(r"```python\n(.*?)```", cell.source, re.DOTALL)]
    if len(fences) != 1:
        return [f"{book.path.name}: the goals need one ```python synopsis, there are {len(fences)}"]
    try:
        tree = ast.parse(fences[0])
    except SyntaxError as error:
        return [f"{book.path.name}: the synopsis is not Python: {error.msg}"]
    found, things = [], {}
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += [f"{book.path.name}: the synopsis imports {fault}" for fault in _imported(node, things)]
    known = set(things) | book.defined() | set(dir(builtins)) | {n for s in tree.body for n in bound(s)}
    # Names bound inside a comprehension or a lambda count as known too.
    known |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    known |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in known:
            found.append(f"{book.path.name}: the synopsis uses {node.id}, which does not exist")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in things:
            if not hasattr(things[node.value.id], node.attr):
                found.append(f"{book.path.name}: {node.value.id} in the synopsis has no {node.attr}")
    return found + [f"{book.path.name}: the synopsis calls {fault}" for fault in _misfits(fences[0], things)]


def _misfits(code: str, things: dict) -> list[str]:
    """Return the calls of things of the package whose arguments do not fit, those in lines that are comments, too."""
    try:
        tree = ast.parse(re.sub(r"^# (?=[\w, ]+ = \w|[\w.]+\()", "", code, flags=re.MULTILINE))
    except SyntaxError:
        tree = ast.parse(code)
    found = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        path = ast.unparse(call.func).split(".")
        keywords = [keyword.arg for keyword in call.keywords]
        if path[0] not in things or None in keywords or any(isinstance(part, ast.Starred) for part in call.args):
            continue
        try:
            owners = list(itertools.accumulate(path[1:], getattr, initial=things[path[0]]))
            signature = inspect.signature(owners[-1])
        except (AttributeError, ValueError):  # what is not there is told elsewhere; some built-in things have no signature
            continue
        try:
            signature.bind(*call.args, **dict.fromkeys(keywords))
            if len(owners) > 1 and dataclasses.is_dataclass(owners[-2]):  # GPTConfig.modern hands **fields on
                inspect.signature(owners[-2]).bind_partial(**dict.fromkeys(keywords))
        except TypeError as error:
            found.append(f"{ast.unparse(call)}: {error}")
    return found


def _imported(node, things: dict) -> list[str]:
    """Carry out an import of the synopsis into `things`; return what does not exist."""
    missing = []
    for alias in node.names:
        name = alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
        try:
            if isinstance(node, ast.Import):
                module = importlib.import_module(alias.name)
                things[alias.asname or alias.name.split(".")[0]] = (
                    module if alias.asname else importlib.import_module(alias.name.split(".")[0])
                )
            else:
                module = importlib.import_module(node.module)
                if not hasattr(module, alias.name):
                    importlib.import_module(name)
                things[alias.asname or alias.name] = getattr(module, alias.name)
        except ImportError:
            missing.append(f"{name}, which does not exist")
    return missing


@rule
def predictions_come_before_results(book: Book) -> list[str]:
    """Predict, then run: at least twice in a notebook that teaches, and code follows."""
    places = [i for i, cell in enumerate(book.cells) if cell.cell_type == "markdown" and "**Predict." in cell.source]
    found = [
        f"{book.where(book.cells[i])}: after a prediction comes the cell that answers it"
        for i in places
        if i + 1 == len(book.cells) or book.cells[i + 1].cell_type != "code"
    ]
    if book.teaches and len(places) < 2:
        found.append(f"{book.path.name}: {len(places)} predictions (**Predict.**), at least 2")
    return found


@rule
def minutes_are_computed(book: Book) -> list[str]:
    """The title and the headings say the minutes that the cells add up to (`minutes.py`)."""
    stamped = minutes.stamp(copy.deepcopy(book.notebook), book.path)
    same = all(
        one.source == other.source and one.metadata.get("minutes") == other.metadata.get("minutes")
        for one, other in zip(stamped.cells, book.cells)
    )
    wanted = minutes.sentence(book.notebook, book.path)
    if same and wanted in book.cells[0].source:
        return []
    return [f"{book.path.name}: run python -m tests.notebooks.minutes; the title must say {wanted!r}"]


@rule
def passages_are_short(book: Book) -> list[str]:
    """A markdown cell of more than 180 words is two ideas."""
    found = []
    for cell in book.markdown:
        words = len(re.sub(r"<[^>]+>|!\[[^\]]*\]\([^)]*\)", " ", cell.source).split())
        if words > MOST_WORDS:
            found.append(f"{book.where(cell)}: {words} words, at most {MOST_WORDS}")
    return found


@rule
def images_are_here_and_described(book: Book) -> list[str]:
    """No picture from elsewhere but the badge, none without alternative text."""
    found = []
    for cell in book.markdown:
        source = FENCE.sub("", cell.source)
        tags = re.findall(r"<img\b[^>]*>", source)
        images = IMAGE.findall(source) + [(_attribute(tag, "alt"), _attribute(tag, "src")) for tag in tags]
        for alt, target in images:
            if not alt.strip():
                found.append(f"{book.where(cell)}: an image without alternative text: {target}")
            remote = target.startswith(("http:", "https:", "//"))
            if remote and target != "https://colab.research.google.com/assets/colab-badge.svg":
                found.append(f"{book.where(cell)}: an image from elsewhere: {target}")
            if (
                not remote
                and not target.startswith(("data:", "attachment:"))
                and not (book.path.parent / target).exists()
            ):
                found.append(f"{book.where(cell)}: there is no image {target}")
    return found


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf"""\b{name}=(?:"([^"]*)"|'([^']*)')""", tag)
    return html.unescape(found[1] or found[2] or "") if found else ""


@rule
def links_lead_somewhere(book: Book) -> list[str]:
    """Other notebooks, files of the repository, terms of the glossary: every link inside has its target."""
    found = []
    for cell in book.markdown:
        source = re.sub(r"`[^`\n]*`", "", FENCE.sub("", cell.source))
        for target in [*LINK.findall(source), *re.findall(r"""<a\b[^>]*\bhref=["']([^"']+)["']""", source)]:
            if re.match(r"[a-z][a-z0-9+.-]*:|//", target):
                continue
            name, _, anchor = target.partition("#")
            file = book.path.parent / name
            if name and not file.exists():
                found.append(f"{book.where(cell)}: a link to {name}, which is not there")
            elif anchor and anchor.lower() not in anchors(file if name else book):
                found.append(f"{book.where(cell)}: {name or 'this notebook'} has no place called #{anchor}")
    return found


def anchors(target) -> set[str]:
    """Return the places one can link to, in lower case: headings as Jupyter and code hosts spell them, and ids."""
    if isinstance(target, Path) and target.suffix == ".ipynb":
        target = Book(books.read(target), target)
    source = (
        "\n".join(c.source for c in target.markdown) if isinstance(target, Book) else target.read_text(encoding="utf-8")
    )
    source = FENCE.sub("", source)
    found = {name.lower() for name in ANCHOR.findall(source)}
    for text in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", source, re.MULTILINE):
        plain = re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", text).lower()
        found |= {plain.replace(" ", "-"), re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")}
    return found
