"""Slides of the cells that are run: the code where it is the lesson, what comes out of it, and what that means."""

import ast
import html
import re

from tests.kit.deck import Deck
from tests.kit.layout import HEIGHT, Block, heading, largest, printed, source, words
from tests.kit.lessons import authored
from tests.kit.pictures import closer, drawn, figure, moving, smallest, table, whole
from tests.kit.render import literal
from tests.kit.results import LIVE, Result, is_lesson, is_quiz, results, tightened
from tests.kit.sentences import blocks, meant, unlinked
from tests.notebooks import books

MEANING = (36, 33, 30, 28, 26, 24)
QUESTION = 230  # letters of a prediction that are repeated above its answer
LARGE = 0.72  # of its full size: a picture that shares its slide must not become smaller,
CLEAR = 16  # nor its letters smaller than these pixels where they can be larger
PAGES = 3  # slides of one long output, at most: the notebook has it all


def run(made: Deck, index: int) -> int:
    """Make the slides of the cells from `index` on that are run one after the other; return where to go on."""
    cells = made.book.cells
    end = index
    shown: list[tuple] = []
    while end < len(cells) and _belongs(cells[end]):
        cell = cells[end]
        if cell.cell_type == "code" and "setup" not in books.tags(cell):
            trains = end + 1 < len(cells) and "while-it-trains" in books.tags(cells[end + 1])
            shown.append((cell, results(cell), cells[end + 1] if trains else None))
        elif "while-it-trains" in books.tags(cell) and not any(trains is cell for _, _, trains in shown):
            _trains(made, cell)
        end += 1
    meaning = _meaning(made, cells[end]) if made.asked and end < len(cells) else ""
    answering = [cell.id for cell, found, _ in shown if found]
    for cell, found, trains in shown:
        _one(made, cell, found, trains, meaning if answering[-1:] == [cell.id] else "")
    if answering:
        made.asked, made.meant = None, meaning
    return end


def _belongs(cell) -> bool:
    tags = set(books.tags(cell))
    return (
        "while-it-trains" in tags or cell.cell_type == "code" and not {"build", "exercise"} & tags and not is_quiz(cell)
    )


def _meaning(made: Deck, cell) -> str:
    """Return what the answer of a prediction is: the plan's line, or how the prose begins that follows the results."""
    if own := authored(made.found).get("answer", {}).get(made.asking):
        return own
    parts = blocks(cell.source) if cell.cell_type == "markdown" and "build" not in books.tags(cell) else []
    if not parts or parts[0][0] != "paragraph_open" or "**Predict.**" in parts[0][1]:
        return ""
    return meant(unlinked(parts[0][1]))


def _trains(made: Deck, cell) -> None:
    """A slide with the questions to talk about while a cell runs."""
    text = "\n".join(line.removeprefix(">").strip() for line in cell.source.splitlines())
    name, _, rest = text.removeprefix("**").partition("**")
    top = Block(f'<p class="label">{name.rstrip(".")}</p>', 64)
    large = words(unlinked(rest.strip()), (44, 40, 36, 34, 32, 30, 28, 26, 24), HEIGHT - 80)
    made.add("trains", cell, [top, large]).say("The cell is running: meanwhile, the class talks about this.")


def _one(made: Deck, cell, found: list[Result], trains, meaning: str) -> None:
    """Make the slides of one cell."""
    top = heading(made.heading)
    text = tightened(cell.source)
    code = source(text, HEIGHT - top.height) if is_lesson(cell) else None
    if code and not made.asked and not trains and [result.kind for result in found] == ["text"]:
        below = printed(found[0].data, HEIGHT - top.height - code.height, most=26)
        if len(below) == 1 and top.height + code.height + below[0].height <= HEIGHT:
            made.add("code", cell, [top, code, *below]).say(_run_it(cell))
            return
    if code:
        slide = made.add("code", cell, [top, code])
        slide.say(_run_it(cell))
    if trains is not None:
        _trains(made, trains)
    groups = _joined(found, bool(meaning))
    for number, group in enumerate(groups):
        _result(made, cell, group, meaning if number == len(groups) - 1 else "")


def _run_it(cell) -> str:
    defined = re.findall(r"^(?:def|class) (\w+)", cell.source, re.MULTILINE)
    named = f" It defines {' and '.join(f'`{name}`' for name in defined)}." if defined else ""
    return f"Read the code aloud with the class, then run the cell.{named}"


def _joined(found: list[Result], meaning: bool) -> list[list[Result]]:
    """Put a few printed lines together with the picture or the table of their cell."""
    groups: list[list[Result]] = []
    for result in found:
        few = result.kind == "text" and result.data.count("\n") < (1 if meaning else 3)
        before = groups[-1] if groups else []
        joinable = len(before) == 1 and {before[0].kind, result.kind} & {"drawing", "figure", "table"}
        other = before[0] if before else result
        few_before = other.kind == "text" and other.data.count("\n") < (1 if meaning else 3)
        if joinable and (few or few_before) and "live" not in (other.kind, result.kind):
            before.append(result)
            before.sort(key=lambda one: one.kind == "text")  # the picture first
        else:
            groups.append([result])
    return groups


def _result(made: Deck, cell, group: list[Result], meaning: str) -> None:
    """Make the slides of a result: as large as it fits, with a line of text and its meaning where there is room for them."""
    result = group[0]
    if result.kind == "live" and _continues(made, cell, result):
        return
    kind = "answer" if made.asked else result.kind
    top = _top(made, result)
    room = HEIGHT - top.height
    pages = _pages(result, made.found.stem, cell, room)
    edge = whole(result.data, f"s-{cell.id}") if result.kind == "drawing" and len(pages) > 1 else None
    if edge:
        top, pages = Block(f'<h2 class="unseen">{html.escape(result.title)}</h2>', 0), [edge]
    below = [block for one in group[1:] for block in printed(one.data, 200, most=22)]
    means = [largest(meaning, MEANING if result.kind == "text" else MEANING[3:], 200, "meaning")] if meaning else []
    rest = [block for block in [*below, *means] if block]
    less = room - sum(block.height for block in rest)
    smaller = _pages(result, made.found.stem, cell, less) if rest and less > 200 and not edge else None
    fits = smaller and len(smaller) == len(pages) and smaller[-1].height <= less
    if fits and result.kind in ("drawing", "figure") and _shrinks(result, smaller[0], pages[0]):
        fits = False
    if below and not fits and not means and _printed_before(made, cell, below):
        rest = []
    shown = [[page] for page in (smaller if fits else pages)]
    if fits:
        shown[-1] += rest
    elif rest:
        shown.append([block for one in group[1:] for block in printed(one.data, 300, most=34)[:1]])
        shown[-1] += [words(meaning, MEANING, 280, "meaning")] if meaning else []
    if not rest and not edge and result.kind in ("drawing", "figure"):
        shown = [[_middle(page[0], room)] for page in shown]
    for number, page in enumerate(shown, 1):
        above = _part(top, number, len(pages)) if number <= len(pages) else _above(made)
        slide = made.add(kind, cell, [above, *page], foot=not edge or number > 1)
        if result.words:
            slide.read(result.words, "In words")
        if result.kind in ("text", "table"):
            slide.say(_reading(result, made))
        if result.kind == "live":
            slide.say(
                "Let the class say what to try: on this slide if its controls move, and with more settings in the notebook."
            )
            slide.read(result.data, "What it says first")
        if number == len(shown):
            slide.means(meaning)
    for name, block in closer(result.data, cell.id) if result.kind == "drawing" else []:
        slide = made.add(kind, cell, [heading(name), block])
        slide.say("The same drawing, closer: let someone name each box and each arrow, from the bottom to the top.")


def _reading(result: Result, made: Deck) -> str:
    asked = "First: who predicted this? " if made.asked else ""
    what = "table" if result.kind == "table" else "output"
    return f"{asked}Let someone read the {what} aloud, and say in one sentence what it shows."


def _printed_before(made: Deck, cell, below: list[Block]) -> bool:
    """Put what a cell prints below its code, where it has room there and is no answer."""
    before, more = made.last, sum(block.height for block in below)
    if made.asked or before.kind != "code" or before.cell != cell.id or before.height + more > HEIGHT:
        return False
    before.body = "\n".join([before.body, *(block.html for block in below)])
    before.height += more
    return True


def _shrinks(result: Result, smaller: Block, page: Block) -> bool:
    """Whether a picture becomes too small where it shares its slide."""
    if _size(smaller) < LARGE * _size(page):
        return True
    letters = [_letters(result, block) for block in (smaller, page)] if result.kind == "drawing" else [CLEAR, CLEAR]
    return letters[0] < CLEAR and letters[0] < 0.95 * letters[1]


def _letters(result: Result, block: Block) -> float:
    """Return the size of a drawing's smallest letters on its slide."""
    return smallest(result.data) * _size(block) / float(re.search(r'viewBox="\S+ \S+ (\S+) ', block.html)[1])


def _size(block: Block) -> float:
    return float(re.search(r'width="([\d.]+)"', block.html)[1])


def _middle(block: Block, room: float) -> Block:
    """Move a picture that is alone on its slide towards the middle."""
    free = max(0, room - block.height) * 0.4
    return Block(f'<div style="height:{free:.0f}px"></div>{block.html}', block.height + free)


def _part(top: Block, number: int, of: int) -> Block:
    mark = f" <small>({number} of {of})</small>" if of > 1 else ""
    return Block(top.html.replace("</h2>", f"{mark}</h2>"), top.height)


def _top(made: Deck, result: Result) -> Block:
    """Return what stands above a result: the picture's title, the prediction it answers, or the part of the notebook."""
    if result.kind == "drawing":
        return heading(literal(result.title))
    if result.kind == "figure":  # its title is in the picture
        return Block(f'<h2 class="unseen">{html.escape(result.title)}</h2>', 0)
    return _above(made)


def _above(made: Deck) -> Block:
    """Return the prediction that is answered, small, or the part of the notebook."""
    if made.asked and len(made.asked) <= QUESTION:
        return words(unlinked(made.asked), (24, 22, 20), 140, "was-asked")
    return heading(made.heading)


def _pages(result: Result, stem: str, cell, height: float) -> list[Block]:
    if result.kind == "drawing":
        return drawn(result.data, f"s-{cell.id}", height)
    if result.kind == "figure":
        return [figure(result.data, result.words or result.title, height)]
    if result.kind == "table":
        return table(result.data, height)
    if result.kind == "live":
        return [moving(stem, cell.id, height) or _live(cell)]
    return printed(result.data, height, most=34)[:PAGES]


def _continues(made: Deck, cell, result: Result) -> bool:
    """Add the line that opens what is live to the slide before, where that shows the same cell's output and has room."""
    before, live = made.last if made.slides else None, _live(cell)
    height = before.height + live.height if before else HEIGHT + 1
    if not before or before.cell != cell.id or before.kind in ("code", "trains") or height > HEIGHT:
        return False
    if "edge" in before.body or moving(made.found.stem, cell.id, HEIGHT - 60):
        return False
    before.body, before.height = f"{before.body}\n{live.html}", height
    before.read(result.data, "Live, in the notebook; what it says first")
    return True


def _live(cell) -> Block:
    """What is moved or talked to lives in the notebook: the slide names the line that opens it."""
    opens = [ast.get_source_segment(cell.source, node) for node in ast.parse(cell.source).body]
    code = source(next((line for line in reversed(opens) if LIVE.search(line)), opens[-1]), 300, most=26)
    words_ = '<p class="label">Live, in the notebook</p>'
    return Block(words_ + (code.html if code else ""), 64 + (code.height if code else 0))
