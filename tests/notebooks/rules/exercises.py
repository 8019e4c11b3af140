"""Rules about exercises and quizzes."""

import ast
import re

from tests.notebooks.rules import Book, calls, rule, tags

EXERCISES = (3, 5)
# A folded text renders only with empty lines around what it folds.
SOLUTION = re.compile(r"<details>\s*<summary>.*?</summary>\n\s*\n```python\n.*?\n```\n\n(.*\n\n)?</details>", re.DOTALL)


@rule
def exercises_are_complete(book: Book) -> list[str]:
    """Task with stars, minutes and a folded hint; stub with its check; folded solution. In this order."""
    found, count, index = [], 0, 0
    cells = book.cells
    while index < len(cells):
        if not tags(cells[index]) & {"exercise", "solution"} or _is_quiz(cells[index]):
            index += 1
            continue
        start, task, stubs = index, "", []
        while index < len(cells) and "exercise" in tags(cells[index]) and cells[index].cell_type == "markdown":
            minutes = f"{cells[index].metadata['minutes']} min" if "minutes" in cells[index].metadata else ""
            task += f"{cells[index].source}\n{minutes}\n"
            index += 1
        while index < len(cells) and "exercise" in tags(cells[index]) and cells[index].cell_type == "code":
            stubs.append(cells[index])
            index += 1
        solution = cells[index] if index < len(cells) and "solution" in tags(cells[index]) else None
        index += solution is not None
        found += [f"{book.where(cells[start])}: {fault}" for fault in _faults(task, stubs, solution)]
        index = max(index, start + 1)
        count += 1
    if book.teaches and not EXERCISES[0] <= count <= EXERCISES[1]:
        found.append(f"{book.path.name}: {count} exercises, expected {EXERCISES[0]} to {EXERCISES[1]}")
    return found


def _is_quiz(cell) -> bool:
    return cell.cell_type == "code" and "quiz(" in cell.source and not re.search(r"\bcheck_\w+\(", cell.source)


def _faults(task: str, stubs: list, solution) -> list[str]:
    """Say what one exercise lacks."""
    found = []
    if not re.search(r"[★⭐]", task):
        found.append("the exercise has no stars")
    if not re.search(r"\d+\s*min", task):
        found.append("the exercise names no minutes")
    if "<details>" not in task:
        found.append("the exercise has no folded hint")
    if len(stubs) != 1 or not re.search(r"\bcheck_\w+\(", stubs[0].source):
        found.append("an exercise has one code cell, the stub with its check_…( )")
    elif not any("not tried yet" in output.get("text", "").lower() for output in stubs[0].outputs):
        found.append("the untouched stub must answer 'not tried yet'")
    if solution is None:
        found.append("no solution follows the exercise")
    elif solution.cell_type != "markdown" or not SOLUTION.search(solution.source):
        found.append(
            "a solution is markdown: <details><summary>, an empty line, a python fence, an empty line, </details>"
        )
    return found


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
