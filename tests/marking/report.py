"""The table of marks, and what a teacher reads on the screen."""

import csv
import io
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

from helpers.io import write_bytes
from tests.answers import mistakes
from tests.marking.submissions import printable
from tests.notebooks import books

COLUMNS = ("learner", "notebook", "task", "kind", "mark", "mistake", "sentence", "seconds", "remark")
MISCONCEPTIONS = books.ROOT / "data" / "misconceptions.json"
NO_PROMISE = (
    "Each answer runs in a process of its own, without a network, with limits on time and memory. That keeps mistakes and "
    "pranks away from your computer; it is no protection against an attacker: mark the work of strangers in a container."
)


def named(stem: str, task: str, sentence: str, known: dict) -> str:
    """Return the name of the mistake that a ✘ sentence tells of, "" for one that is not known."""
    fitting = [mistake for mistake in known[stem][task]["mistakes"] if mistake["words"] in sentence]
    return max(fitting, key=lambda mistake: len(mistake["words"]), default={"name": ""})["name"]


def safe(value) -> str:
    """Return a value as the text of a table's cell that a spreadsheet does not take for a formula.

    Where a comma is the decimal point, spreadsheets split at semicolons: what follows one may not look like a formula either.
    """
    return re.sub(r"(^|;\s*)([=+\-@])", r"\1'\2", printable(str(value)))


def check_target(path: Path) -> None:
    """Raise FileExistsError when there is a file that is no table of ours, or has a column more: it is not written over."""
    if path.is_dir():
        raise FileExistsError(f"{path} is a folder: choose the name of a file with --out")
    if path.exists() and path.read_text(encoding="utf-8-sig", errors="replace").split("\n")[0] != ",".join(COLUMNS):
        raise FileExistsError(f"{path} exists and is not a table of marks: choose another name with --out")


def write(rows: list[dict], path: Path) -> None:
    """Write the table; with the mark at its beginning by which spreadsheets know UTF-8."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows([safe(row.get(column, "")) for column in COLUMNS] for row in rows)
    write_bytes(path, text.getvalue().encode("utf-8-sig"))


def misconceptions() -> dict:
    """Return {notebook: {task: {mistake: what it reveals}}}; nothing where the file is not there."""
    return json.loads(MISCONCEPTIONS.read_text(encoding="utf-8")) if MISCONCEPTIONS.exists() else {}


def summary(rows: list[dict]) -> str:
    """Return what a teacher wants to know about a class: counts, the commonest mistake of each task, who was contained."""
    marks = Counter(row["mark"] for row in rows if row["mark"])
    lines = [
        f"{len({row['learner'] for row in rows})} learners, {len({(row['learner'], row['notebook']) for row in rows})} "
        f"notebooks: {marks['✔']} answers are right (✔), {marks['✘']} wrong (✘), {marks['○']} not tried (○)."
    ]
    lines += commonest(rows)
    strange = defaultdict(list)
    for row in rows:
        if row["remark"]:
            strange[row["learner"], row["notebook"] or "no notebook", row["remark"]].append(row["task"])
    if strange:
        lines += ["", "Worth a look of your own:"]
    for (learner, notebook, remark), tasks in strange.items():
        every = f" ({', '.join(tasks)})" if any(tasks) else ""
        lines.append(f"  {learner}, {notebook}{every}: {remark}")
    return "\n".join(lines)


def commonest(rows: list[dict]) -> list[str]:
    """Return lines about the commonest known mistake of each task, with what it reveals."""
    who = defaultdict(lambda: defaultdict(set))
    tried = defaultdict(set)
    for row in rows:
        if row["mark"] in ("✔", "✘"):
            tried[row["notebook"], row["task"]].add(row["learner"])
        if row["mark"] == "✘":
            who[row["notebook"], row["task"]][row["mistake"]].add(row["learner"])
    known, reveals, lines = mistakes.stored(), misconceptions(), []
    for (stem, task), found in who.items():
        count = {name: len(learners) for name, learners in found.items() if name}
        if not count:
            continue
        name = max(count, key=count.get)
        says = next(mistake["says"] for mistake in known[stem][task]["mistakes"] if mistake["name"] == name)
        lines += [
            "",
            f"{stem[:2]} {task}: {count[name]} of {len(tried[stem, task])} who tried it: {name}",
            f"  the check says: {says}",
        ]
        if meaning := reveals.get(stem, {}).get(task, {}).get(name):
            lines.append(f"  what it reveals: {meaning}")
    return ["", "The most common mistake in each task:", *lines[1:]] if lines else []
