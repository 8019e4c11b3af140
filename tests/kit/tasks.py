"""Slides of what the learner does: build cells, exercises and quizzes. Their answers are in the notes."""

import json
import re

from tests.kit import lessons
from tests.kit.deck import Deck
from tests.kit.layout import HEIGHT, PROSE, WIDTH, Block, heading, largest, mono_size, source, words
from tests.kit.render import literal
from tests.kit.results import broken, is_quiz, narrowed, quiz, signature, undocumented
from tests.kit.sentences import blocks, folded, unlinked
from tests.notebooks import books, minutes

COLUMNS = 90  # of an example in a task
SIZES = (30, 28, 26, 24, 23, 22, 21, PROSE)
TOGETHER, CODE = 24, 22  # the least letters of a task and of its code where both share a slide
NARROW = 66  # columns of code that is read from the back of a room


def code(made: Deck, index: int) -> int | None:
    """Make the slide of a quiz, and return where to go on; None where the cell is no task."""
    cell = made.book.cells[index]
    if is_quiz(cell):
        _quiz(made, cell)
    elif cell.cell_type != "code" or not {"build", "exercise"} & set(books.tags(cell)):
        return None
    return index + 1


def task(made: Deck, index: int) -> int:
    """Make the slides of a build cell or an exercise from its heading on; return where to go on."""
    cells = made.book.cells
    cell, end = cells[index], index + 1
    stubs, solutions = [], []
    while end < len(cells) and _belongs(cells[end]):
        (solutions if "solution" in books.tags(cells[end]) else stubs).append(cells[end])
        end += 1
    head = lessons.heading(cell)
    name = head[1] if head else made.heading
    time = round(minutes.stars(cell))
    parts = blocks(cell.source)
    text = "\n\n".join(unlinked(part) for kind, part in parts if kind not in ("heading_open", "fence"))
    examples = [broken("\n".join(part.splitlines()[1:-1]), COLUMNS) for kind, part in parts if kind == "fence"]
    first = len(made.slides)
    _slides(made, cell, name, time, text, examples, [code_ for stub in stubs if (code_ := signature(stub.source))])
    slide = made.slides[first]
    for summary, inside in folded(cell.source):
        slide.say(inside, summary)
    for solution in solutions:
        slide.say("\n\n".join(inside for _, inside in folded(solution.source)) or solution.source, "Solution")
    for stub in stubs:
        _mistakes(made, slide, stub)
    return end


def _belongs(cell) -> bool:
    tags = set(books.tags(cell))
    if "solution" in tags:
        return True
    return cell.cell_type == "code" and bool({"build", "exercise"} & tags) and not is_quiz(cell)


def _slides(made: Deck, cell, name: str, time: int, text: str, examples: list[str], stubs: list[str]) -> None:
    """The task and the signature on one slide, or the task first where both would be small."""
    kind = "build" if "build" in books.tags(cell) else "exercise"
    top = heading(name)
    mark = f' <span class="minutes">{time} minutes</span>' if time else ""
    top = Block(top.html.replace("</h2>", f"{mark}</h2>"), max(top.height, 60))
    room = HEIGHT - top.height
    ways = [[code] for parts in _leaner(examples, stubs) if parts and (code := _clear("\n\n".join(parts), room))]
    for code_ in ways if examples + stubs else [[]]:
        sizes = SIZES[: SIZES.index(TOGETHER) + 1] if code_ else SIZES
        if whole := largest(text, sizes, room - sum(block.height for block in code_)):
            made.add(kind, cell, [top, whole, *code_])
            return
    for number, page in enumerate(_parts(text, room)):
        slide = made.add(kind, cell, [heading(name) if number else top, page])
        slide.say("The task goes on." if number else "")
    if examples or stubs:
        above = heading(name)
        shown = [source("\n\n".join(parts), HEIGHT - above.height, most=26) for parts in _leaner(examples, stubs)]
        best = max((block for block in shown if block), key=_size)
        slide = made.add(
            kind, cell, [above, next(block for block in shown if block and _size(block) >= min(24, _size(best)))]
        )
        slide.say(f"Leave this up while everyone writes ({time} minutes); hints and solution: one slide back.")


def _clear(code_: str, room: float) -> Block | None:
    """Return code that may share a slide with its task, or None where its letters would be small."""
    return source(code_, room, most=CODE) if mono_size(code_, room - 28, CODE, WIDTH - 36) >= CODE else None


def _leaner(examples: list[str], stubs: list[str]) -> list[list[str]]:
    """Return code as it is, then in shorter lines, then without docstrings."""
    narrow = [narrowed(stub, NARROW) for stub in stubs]
    bare = [narrowed(undocumented(stub), NARROW - 8) for stub in stubs]
    return [[part for part in [*examples, *made] if part] for made in (stubs, narrow, bare)]


def _size(block: Block) -> float:
    return float(re.search(r"font-size:([\d.]+)px", block.html)[1])


def _parts(text: str, room: float) -> list[Block]:
    """Split a long task at its paragraphs, into as few parts as fit."""
    parts, used = [], ""
    for part in re.split(r"\n\n", text):
        if used and not largest(f"{used}\n\n{part}", SIZES[: SIZES.index(TOGETHER) + 1], room):
            parts.append(used)
            used = ""
        used = f"{used}\n\n{part}".strip()
    return [largest(part, SIZES, room) for part in [*parts, used]]


def _quiz(made: Deck, cell) -> None:
    plain = next((o["data"]["text/plain"] for o in cell.get("outputs", []) if "text/plain" in o.get("data", {})), "")
    said, answer, why = _key(made.found.stem, cell)
    question, options = _read(plain) if plain else (said, [])
    listed = "\n".join(f"- {literal(option)}" for option in options)
    shown = [
        Block('<p class="label">Quiz</p>', 64),
        words(literal(question), (44, 40, 36, 33, 30, 28, 26, 24), 260, "ask"),
    ]
    shown.append(words(listed, (36, 33, 30, 28, 26, 24, 22, PROSE), HEIGHT - 64 - shown[1].height, "options"))
    slide = made.add("quiz", cell, shown)
    slide.say(f"{answer}\n\n{literal(why)}", "Answer")


def _read(plain: str) -> tuple[str, list[str]]:
    """Return question and lettered options of a quiz as it was printed, lines joined again."""
    parts = re.split(r"\n {2}(?=[a-z]\) )", plain)
    joined = [" ".join(part.split()) for part in parts]
    return joined[0], joined[1:]


def _key(stem: str, cell) -> tuple[str, str, str]:
    """Return (question, answer, why) of a quiz: as it was computed when the notebook was run, or as the cell says it."""
    file = books.ROOT / "data" / "explorables" / f"{stem[:2]}_quizzes.json"
    known = json.loads(file.read_text(encoding="utf-8")).get(cell.id) if file.exists() else None
    if known:
        return known["question"], literal(str(known["answer"])), known.get("why", "")
    question, _, answer, why = quiz(cell.source)
    return question, f"`{answer}`", why


def _mistakes(made: Deck, slide, stub) -> None:
    """Add the wrong answers that our check knows, and what each reveals."""
    known = _stored("mistakes.json").get(made.found.stem, {})
    revealed = _stored("misconceptions.json").get(made.found.stem, {})
    for name, entry in known.items():
        if entry["cell"] == stub.id:
            lines = []
            for mistake in entry["mistakes"]:
                more = revealed.get(name, {}).get(mistake["name"], "")
                lines.append(f"- “{literal(mistake['says'])}” {more}")
            slide.say("\n".join(lines), "Typical mistakes, as our check names them")


def _stored(name: str) -> dict:
    file = books.ROOT / "data" / name
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
