"""The stored outputs of a code cell, one after the other, as what a slide can show of them."""

import ast
import re
import textwrap
from dataclasses import dataclass

from helpers.show.theme import wrap
from tests.book.outputs import FLEETING
from tests.notebooks import books

COLUMNS = 100  # of code and printed text; longer lines are broken
LIVE = re.compile(r"\b(ChatBox|Explore|Arena|BlindVote|Ballot|explore_\w+)\(")
SHOWING = ("drawings", "plots", "Table", "print", "attention_map", "quiz", "ChatBox", "Explore", "show")
MOST_LINES, MOST_COLUMNS = 14, 92  # of code that is read from the back of a room


@dataclass
class Result:
    """One output: `kind` is "text", "drawing" (SVG), "figure" (PNG as base64), "table" (HTML) or "live" (words only)."""

    kind: str
    data: str
    title: str = ""
    words: str = ""


def results(cell) -> list[Result]:
    """Return the outputs of a code cell that a slide can show; printed text without the words of the pictures."""
    found, printed = [], ""
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            printed += output["text"]
            continue
        found += [*_printed(printed, found), *_shown(output, cell)]
        printed = ""
    found += _printed(printed, found)
    spoken = {wrap(result.words, "In words: ") for result in found if result.words}
    for result in found:
        if result.kind == "text":
            for words in spoken:
                result.data = result.data.replace(words, "")
            result.data = result.data.strip("\n")
    return [result for result in found if result.data.strip()]


def _printed(text: str, before: list) -> list[Result]:
    return [Result("text", text)] if text.strip() and not FLEETING.fullmatch(text) else []


def _shown(output, cell) -> list[Result]:
    data, about = output.get("data", {}), output.get("metadata", {})
    plain = data.get("text/plain", "")
    title = re.sub(r"^\[\w+: (.*)\]$", r"\1", plain)
    if "image/svg+xml" in data:
        words = (
            about.get("image/svg+xml", {}).get("alt") or re.search(r'aria-label="([^"]*)"', data["image/svg+xml"])[1]
        )
        return [Result("drawing", data["image/svg+xml"], title, words)]
    if "image/png" in data:
        return [Result("figure", data["image/png"].replace("\n", ""), title, about["image/png"]["alt"])]
    if "text/html" in data:
        return [Result("table", data["text/html"])]
    if FLEETING.fullmatch(plain):
        return []
    return [Result("live" if LIVE.search(cell.source) or "display_data" == output["output_type"] else "text", plain)]


def broken(text: str, columns: int = COLUMNS) -> str:
    """Break the lines of printed text that are longer than `columns`, indented by four below their first."""
    lines = []
    for line in text.strip("\n").splitlines():
        indent = re.match(r" *", line)[0] + "    "
        wrapped = textwrap.wrap(line, columns, subsequent_indent=indent, drop_whitespace=True, replace_whitespace=False)
        lines += [line] if len(line) <= columns else wrapped
    return "\n".join(lines)


def is_lesson(cell) -> bool:
    """Whether a cell's code belongs on a slide: short, and more of it computes than loads, prints and draws."""
    if {"setup", "build", "exercise", "solution"} & set(books.tags(cell)):
        return False
    lines = [line for line in tightened(cell.source).splitlines() if line.strip()]
    if not 2 <= len(lines) <= MOST_LINES or max(map(len, lines)) > MOST_COLUMNS:
        return False
    try:
        body = ast.parse(cell.source).body
    except SyntaxError:
        return False
    computing = sum(node.end_lineno - node.lineno + 1 for node in body if not _only_shows(node))
    return computing >= 3 and 3 * computing >= 2 * len(lines)


def tightened(source: str) -> str:
    """Return code with two spaces before a comment that was aligned with others, and single empty lines."""
    source = re.sub(r"(?<=\S) {3,}#", "  #", source)
    return re.sub(r"\n\n\n+", "\n\n", source.strip("\n"))


def _only_shows(node) -> bool:
    """Whether a statement imports, prints, draws or loads something."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Expr):
        # A call that is made for what it draws or prints.
        return any(name in ast.unparse(node.value) for name in SHOWING) or not isinstance(node.value, ast.Call)
    if isinstance(node, ast.For):
        return all(_only_shows(inner) for inner in node.body)
    if isinstance(node, ast.Assign):
        return bool(re.search(r"\b(load|read_\w+|data_path|checkpoints|fit|manual_seed)\b", ast.unparse(node.value)))
    return False


def signature(source: str) -> str:
    """Return what a learner starts from in a build cell or an exercise: the stub, without the lines that check it."""
    lines = source.splitlines()
    kept = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            kept.append("\n".join(lines[first - 1 : node.end_lineno]))
    return "\n\n".join(kept)


def undocumented(code: str) -> str:
    """Return code without its docstrings, where something else is left of a body."""
    lines, gone = code.splitlines(), set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) and len(node.body) > 1:
            gone |= set(range(node.body[0].lineno - 1, node.body[0].end_lineno))
    return "\n".join(line for at, line in enumerate(lines) if at not in gone)


def narrowed(code: str, columns: int) -> str:
    """Return code whose comments stand above and whose arguments are broken where a line has more than so many columns."""
    made = []
    for line in code.splitlines():
        indent = re.match(r" *", line)[0]
        comment = re.search(r"\s{2,}(# [^\"']+)$", line)
        if len(line) > columns and comment:
            made.append(indent + comment[1])
            line = line[: comment.start()]
        while len(line) > columns and (cut := _argument(line, columns)):
            made.append(line[:cut].rstrip())
            line = " " * (_opening(line, cut) + 1) + line[cut:].lstrip()
        made.append(line)
    return "\n".join(made)


def _argument(line: str, columns: int) -> int | None:
    """Return where an argument begins at which a line can be broken, or None."""
    places = [found.end() for found in re.finditer(r", ", line[:columns])]
    safe = [
        at
        for at in places
        if _opening(line, at) >= 0 and line[:at].count('"') % 2 == 0 and line[:at].count("'") % 2 == 0
    ]
    return safe[-1] if safe and _opening(line, safe[-1]) + 1 < safe[-1] - 2 and "#" not in line[: safe[-1]] else None


def _opening(line: str, at: int) -> int:
    """Return the place of the innermost bracket that is open before `at`, or −1."""
    depth = 0
    for place in range(at - 1, -1, -1):
        depth += (line[place] in ")]}") - (line[place] in "([{")
        if depth < 0:
            return place
    return -1


def is_quiz(cell) -> bool:
    """Whether a cell asks a question with lettered options."""
    return cell.cell_type == "code" and bool(re.search(r"\bquiz\(", cell.source))


def quiz(source: str) -> tuple[str, list[str], str, str] | None:
    """Return (question, options, answer as source or text, why) of a quiz that is written out in a cell, or None."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "quiz":
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            given |= dict(zip(("question", "options", "answer", "why"), node.args))
            said = {name: _said(given[name]) if name in given else "" for name in ("answer", "why")}
            return _said(given["question"]), [], said["answer"], said["why"]
    return None


def _said(node) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node)
