"""The book's pages that are no notebook: first page, glossary, concepts, scoreboard, timeline, the way to the kit."""

import json
import math
import re
from functools import cache
from html import escape

from helpers import data_path
from helpers.evaluation import scoreboard
from helpers.io import read_rows
from tests.book import marks, outputs
from tests.notebooks import books, concepts

HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
TERM = re.compile(r"\[[^\]]+\]\(glossary\.md#([^)]+)\)")
# Pages that others write, in notebooks/; a page that is not there yet is left out.
WRITTEN = {"accessibility": "Accessibility", "different_numbers": "Different numbers"}
FIRST = "bits per byte"
BEFORE = "Lower is better for “bits per byte” and “self-bleu-4”; the bot that needs the fewest bits comes first."


@cache
def course() -> list[dict]:
    """Return the course's table, a dict per notebook: notebook, file, title, years, minutes, you build."""
    return json.loads(data_path("course.json").read_text(encoding="utf-8"))


def written() -> list[str]:
    """Return the names of the further pages in notebooks/ that are there."""
    return [name for name in WRITTEN if (books.NOTEBOOKS / f"{name}.md").exists()]


def stem(notebook) -> str:
    """Return the name of a notebook's page: `stem("04")` or `stem(4)` is "04_attention_is_all_you_need"."""
    return next(entry["file"] for entry in course() if entry["notebook"] == f"{int(notebook):02}").removesuffix(
        ".ipynb"
    )


def to(notebook, words: str, anchor: str = "") -> str:
    """Return a link to a notebook's page, or to a heading on it."""
    return f"[{words}]({stem(notebook)}.md{'#' * bool(anchor)}{anchor})"


# --- the first page ----------------------------------------------------------------------------------------------------


def index(teacher: bool) -> str:
    """Return the first page: what the course is, its timeline, its map, and the list of all pages."""
    readme = (books.ROOT / "README.md").read_text(encoding="utf-8")
    about = readme.split("\n\n")[1]
    drawing = (books.ROOT / ".github" / "timeline.svg").read_text(encoding="utf-8")
    hours = round(sum(entry["minutes"] for entry in course()) / 60)
    first = f'<a class="button first" href="{stem(0)}.html">Start with notebook 00</a>'
    other = '<a class="button" href="timeline.html">The timeline, in words</a>'
    rows = "\n".join(
        f"| {e['notebook']} | {to(e['notebook'], e['title'])} | {e['years']} | {e['you build']} | {e['minutes']} |"
        for e in course()
    )
    parts = [
        "# One Conversation" + ": teacher’s edition" * teacher,
        about,
        f"{len(course())} notebooks, about {hours} hours with every exercise. Read them here, or run them in Colab or on "
        f"your own computer ({marks.links('[how](../README.md)')}): an ordinary one will do.",
        marks.raw(f'<p class="buttons">{first} {other}</p>'),
        marks.raw(outputs.drawing(drawing, "timeline")),
        "## The map",
        marks.raw('<div class="map">'),
        f"| no. | notebook | years | you build | minutes |\n|---|---|---|---|---|\n{rows}",
        marks.raw("</div>"),
        _contents(teacher),
    ]
    return "\n\n".join(parts) + "\n"


def _contents(teacher: bool) -> str:
    lists = {
        "The notebooks": [entry["file"].removesuffix(".ipynb") for entry in course()],
        "Look it up": ["glossary", "where_is_it", "timeline", "scoreboard"],
        "About": written(),
        "For the teacher": ["kit"] * teacher,
    }
    return "\n\n".join(
        marks.fenced("{toctree}", f":hidden:\n:caption: {caption}\n\n" + "\n".join(names))
        for caption, names in lists.items()
        if names
    )


# --- glossary and concepts ---------------------------------------------------------------------------------------------


@cache
def passages(notebook: str) -> list[tuple[str, str]]:
    """Return (heading, text) of the headed passages of a notebook, the text without code and boxes for teachers."""
    (path,) = books.paths([notebook])
    found = [("", "")]
    for cell in books.read(path).cells:
        if cell.cell_type != "markdown" or "instructor" in books.tags(cell):
            continue
        heading = HEADING.match(cell.source)
        if heading:
            found.append((heading[1], ""))
        found[-1] = (found[-1][0], found[-1][1] + "\n" + cell.source)
    return found


def explained(term: str, notebook: str) -> str:
    """Return the heading under which a notebook introduces a term, in bold letters, or uses it first; "" for none."""
    parts = [term, *re.split(r", | and ", term)]
    names = [r"[\s–-]+".join(re.findall(r"\w+", part.lower())) for part in parts]
    for pattern in [rf"\*\*[^*]*\b{name}s?\b[^*]*\*\*" for name in names] + [rf"\b{name}" for name in names]:
        for heading, text in passages(notebook):
            if heading and re.search(pattern, text.split("**New terms:**")[0].lower()):
                return heading
    return ""


def place(notebook: str, heading: str) -> str:
    """Return a link to a section of a notebook, as a sentence would name it."""
    if not heading:
        return to(notebook, f"notebook {notebook}")
    number, dot, name = heading.partition(" · ")
    words = f"{notebook}, section {number}, {name}" if dot and number.isdigit() else f"{notebook}, {heading}"
    return to(notebook, words.replace("★", "").rstrip(), marks.slug(heading))


def glossary() -> str:
    """Return the glossary; each term leads to the section that explains it and to the other notebooks that name it."""
    users: dict[str, list[str]] = {}
    for entry in course():
        text = "".join(text for _, text in passages(entry["notebook"]))
        for anchor in dict.fromkeys(TERM.findall(text)):
            users.setdefault(anchor, []).append(entry["notebook"])
    head, *terms = (books.NOTEBOOKS / "glossary.md").read_text(encoding="utf-8").split("\n## ")
    return "\n".join([head, *(_term(term, users) for term in terms)])


def _term(text: str, users: dict[str, list[str]]) -> str:
    name, _, rest = text.partition("\n")
    body, _, arrows = rest.partition("↩")
    home = re.findall(r"\[(\d\d)\]", arrows)
    ways = [f"↩ {place(notebook, explained(name, notebook))}" for notebook in home]
    others = [to(notebook, notebook) for notebook in users.get(marks.slug(name), []) if notebook not in home]
    if others:
        ways.append("also in " + ", ".join(others))
    return f"## {name}\n{marks.links(body.rstrip())}\n\n{' · '.join(ways)}\n"


def where_is_it() -> str:
    """Return the table of concepts, each with a link to the section that treats it."""
    lines = [marks.links(concepts.ABOUT, written())]
    for part in concepts.concepts():
        lines += [f"## {part['part']}", "", "| concept | where |", "|---|---|"]
        lines += [
            f"| {name} | {'<br>'.join(_found(*one) for one in found)} |" for name, found in part["concepts"].items()
        ]
        lines.append("")
    return "\n".join(lines)


def _found(notebook: str, title: str, words: str) -> str:
    number, _ = concepts.sections(notebook)[title]
    return f"{place(notebook, f'{number} · {title}' if number else title)}: “{words}”"


# --- scoreboard and timeline -------------------------------------------------------------------------------------------


def scores() -> str:
    """Return the scoreboard as a page: every measured column, explained, the bot that needs the fewest bits first."""
    rows = sorted(read_rows(data_path("scoreboard.csv")), key=lambda row: row[FIRST])
    bots = {bot.name: bot for bot in scoreboard.BOTS}
    # What the rows are sorted by stands beside the name, so that a phone shows both.
    measured = [FIRST, *(column for column in scoreboard.COLUMNS if column not in (FIRST, "device"))]
    lines = [f"| bot | {' | '.join(measured)} | notebook | idea of | device |"]
    lines.append("|---" + "|---:" * len(measured) + "|---|---|---|")
    for row in rows:
        bot = bots[row["bot"]]
        numbers = [_number(row[column], column in scoreboard.WHOLE) for column in measured]
        origin = [to(bot.notebook, bot.notebook), str(bot.year), str(row["device"])]
        lines.append(f"| {' | '.join([bot.name, *numbers, *origin])} |")
    ideas = "\n".join(f"- **{bot.name}**: {bot.idea}" for bot in scoreboard.BOTS)
    columns = "\n".join(f"- **{name}**: {says}" for name, says in scoreboard.COLUMNS.items())
    return "\n\n".join(
        [
            "# The scoreboard",
            "Every bot of the course, measured on the same unseen conversations by the command that trained it. "
            + BEFORE,
            marks.raw('<div class="scores">'),
            "\n".join(lines),
            marks.raw("</div>"),
            f"## What the columns mean\n\n{columns}",
            f"## The ideas\n\n{ideas}",
        ]
    )


def _number(value, whole: bool) -> str:
    """Return a number of the scoreboard: a count whole, anything else with four significant digits, so that they line up."""
    if value is None:
        return "–"
    digits = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 3
    return f"{value:,.{0 if whole else digits}f}"


def timeline(explorable: str = "") -> str:
    """Return the timeline as a page, a section per year; `explorable` is the HTML of notebook 00's, which comes first."""
    events = json.loads(data_path("timeline.json").read_text(encoding="utf-8"))
    lines, year = (
        ["# The timeline", f"{len(events)} events, each with the notebook that builds its idea or tells of it."],
        "",
    )
    lines += [marks.raw(explorable)] * bool(explorable)
    for event in sorted(events, key=lambda event: event["date"]):
        if event["date"][:4] != year:
            year = event["date"][:4]
            lines.append(f"## {year}")
        link = f"https://arxiv.org/abs/{event['arxiv']}" if "arxiv" in event else event.get("url")
        source = f"[{event['source']}]({link})" if link else event["source"]
        does = "builds it" if event["how"] == "builds" else "tells of it"
        way = to(event["notebook"], f"Notebook {event['notebook']:02} {does}")
        stop = "" if event["title"][-1] in "?!." else "."
        lines.append(f"**{escape(event['title'], quote=False)}{stop}** {event['why']}  \n{source}. {way}.")
    return "\n\n".join(lines) + "\n"
