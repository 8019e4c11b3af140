"""Rules about what learners write, build cells and exercises, and about quizzes."""

import ast
import re

from tests.notebooks.rules import Book, calls, rule, tags

EXERCISES = (2, 5)
WRITTEN = ({"build"}, {"exercise"})
# A folded text renders only with empty lines around what it folds.
SOLUTION = re.compile(r"<details>\s*<summary>.*?</summary>\n\s*\n```python\n.*?\n```\n\n(.*\n\n)?</details>", re.DOTALL)


@rule
def exercises_are_complete(book: Book) -> list[str]:
    """Task with stars and a folded hint; stub with its check; folded solution. In this order, for build cells too."""
    found, count, index = [], 0, 0
    cells = book.cells
    while index < len(cells):
        if not tags(cells[index]) & {"build", "exercise", "solution"} or _is_quiz(cells[index]):
            index += 1
            continue
        start, task, stubs = index, "", []
        kind = next((kind for kind in WRITTEN if kind & tags(cells[start])), set())
        while index < len(cells) and kind & tags(cells[index]) and cells[index].cell_type == "markdown":
            task += f"{cells[index].source}\n"
            index += 1
        while index < len(cells) and kind & tags(cells[index]) and cells[index].cell_type == "code":
            stubs.append(cells[index])
            index += 1
        solution = cells[index] if index < len(cells) and "solution" in tags(cells[index]) else None
        index += solution is not None
        found += [f"{book.where(cells[start])}: {fault}" for fault in _faults(task, stubs, solution, "build" in kind)]
        index = max(index, start + 1)
        count += "build" not in kind
    if book.teaches and not EXERCISES[0] <= count <= EXERCISES[1]:
        found.append(f"{book.path.name}: {count} exercises, expected {EXERCISES[0]} to {EXERCISES[1]}")
    return found


def _is_quiz(cell) -> bool:
    return cell.cell_type == "code" and "quiz(" in cell.source and not re.search(r"\bcheck_\w+\(", cell.source)


def _faults(task: str, stubs: list, solution, builds: bool) -> list[str]:
    """Say what one exercise, or one build cell, lacks."""
    found = []
    if not re.search(r"^#+ .*[★⭐]", task, re.MULTILINE):
        found.append("the exercise has no stars in its heading: they are its minutes")
    if "<details>" not in task:
        found.append("the exercise has no folded hint")
    call = r"\bchecked\((?s:.*)\bcheck_\w+" if builds else r"\bcheck_\w+\("
    if len(stubs) != 1 or not re.search(call, stubs[0].source):
        how = "checked(…, check_…, otherwise=…)" if builds else "its check_…( )"
        found.append(f"one code cell holds the stub with {how}")
    elif not any("not tried yet" in output.get("text", "").lower() for output in stubs[0].outputs):
        found.append("the untouched stub must answer 'not tried yet'")
    if solution is None:
        found.append("no solution follows the exercise")
    elif solution.cell_type != "markdown" or not SOLUTION.search(solution.source):
        found.append(
            "a solution is markdown: <details><summary>, an empty line, a python fence, an empty line, </details>"
        )
    elif missing := {name for stub in stubs for name in _defined(stub.source)} - _defined(solution.source):
        found.append(f"the solution does not define {', '.join(sorted(missing))}")
    return found


def _defined(text: str) -> set[str]:
    return set(re.findall(r"^(?:def|class) (\w+)", text, re.MULTILINE))


@rule
def quiz_keys_are_computed(book: Book) -> list[str]:
    """A quiz has two options or more, and its answer is an expression over the notebook's own variables."""
    found = []
    for cell, tree in book.trees:
        for name, call in calls(tree):
            if name != "quiz":
                continue
            given = dict(zip(("question", "options", "answer"), call.args)) | {k.arg: k.value for k in call.keywords}
            answer, options = given.get("answer"), given.get("options")
            if answer is None or not any(isinstance(node, ast.Name) for node in ast.walk(answer)):
                found.append(f"{book.where(cell)}: the quiz's answer must be computed, not spelt out")
            if isinstance(options, ast.List | ast.Tuple) and len(options.elts) < 2:
                found.append(f"{book.where(cell)}: a quiz needs two options or more")
    return found
