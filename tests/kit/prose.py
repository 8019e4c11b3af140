"""What of the notebooks' prose is shown: predictions, equations, definitions, lists, quotations. All else is said."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.kit import headings
from tests.kit.deck import Deck
from tests.kit.layout import HEIGHT, Block, equation, heading, largest, prose, source, words
from tests.kit.lessons import authored
from tests.kit.pictures import table
from tests.kit.render import markdown
from tests.kit.sentences import definitions, grounded, last, predicted, sentences, unlinked
from tests.notebooks import books

ASK = (60, 56, 52, 48, 44, 40, 36, 33, 30, 28)
LIST = (34, 32, 30, 28, 26, 24, 22, 20)
SCALES = (1.5, 1.35, 1.2, 1.1, 1.0)
QUOTED = re.compile(r'^> ["“]')
LEAST = 45  # letters: a shorter sentence is not understood alone
MOST, BESIDE = 560, 240  # letters that are shown of a paragraph so that a sentence is understood; beside an equation
COMMAND = re.compile(r"\(`python -m [^)]*?`(?:; )?([^)]*)\)")  # what a class does not type


@dataclass
class Step:
    """A part of a cell: what is said, and at a given scale what is shown of it (nothing, in most cases)."""

    text: str
    shown: Callable[[float], list[Block]] | None = None


def show(made: Deck, index: int, parts: list[tuple[str, str]]) -> None:
    """Make the slides of a cell of prose from its blocks (kind, source)."""
    cells = made.book.cells
    cell = cells[index]
    if any(text.startswith("**New terms:**") for _, text in parts):
        return headings.what_next(made, cell, parts)
    steps: list[Step] = []
    at = 0
    while at < len(parts):
        kind, text = parts[at]
        following = parts[at + 1] if at + 1 < len(parts) else ("", "")
        if kind == "heading_open":
            steps = _flush(made, cell, steps)
            made.heading = re.sub(r"\s*[★⭐]+", "", text.lstrip("# "))
            if "deeper" in books.tags(cell):
                headings.deeper(made, cell, parts[at + 1 :])
        elif kind == "paragraph_open" and (asks := predicted(text)):
            steps = _flush(made, cell, steps)
            _prediction(made, cell, asks, parts[at - 1] if at else ("", ""))
        elif QUOTED.match(text):
            steps = _flush(made, cell, steps)
            _quotation(made, cell, text)
        else:
            before = parts[at - 1][1] if at and parts[at - 1][0] == "paragraph_open" else ""
            found = _steps(made, kind, text, following, before)
            if at == 0 and not any(step.shown for step in found) and index and cells[index - 1].cell_type == "code":
                made.last.meaning = ""  # this paragraph says it in full
                made.last.say(text)
            else:
                steps += found
            at += kind == "paragraph_open" and following[0] == "math_block"
        at += 1
    runs_next = index + 1 < len(cells) and cells[index + 1].cell_type == "code"
    if runs_next and not any(step.shown for step in steps):
        for step in steps:
            made.wait(step.text)
    else:
        _flush(made, cell, steps)
    return None


def _steps(made: Deck, kind: str, text: str, following: tuple[str, str], before: str) -> list[Step]:
    """Return a block of prose as steps; an equation that follows belongs to the sentence that leads to it."""
    if kind == "math_block":
        return [Step(text, lambda scale: [equation(_tex(text), 44 * scale)])]
    if kind == "fence":
        code = "\n".join(text.splitlines()[1:-1])
        return [
            Step(text, (lambda scale: [source(code, HEIGHT - 90, 24 * scale)]) if source(code, HEIGHT - 90) else None)
        ]
    if kind in ("ordered_list_open", "bullet_list_open"):
        fits = largest(unlinked(text), LIST, 440)
        return [Step(text, (lambda scale: [fits]) if fits else None)]
    if kind == "table_open":
        return [Step(text, lambda scale: table(markdown(unlinked(text)), HEIGHT - 90)[:1])]
    if kind != "paragraph_open":
        return [Step(text)]
    if following[0] != "math_block":
        return [Step(text), *(_point(sentence) for sentence in _points(made, text, before, MOST))]
    kept = _points(made, text, before, BESIDE, ends=True)
    leads = kept[-1]
    leads = leads[1:] if leads.count("(") > leads.count(")") and leads[0] == "(" else leads

    def together(scale: float) -> list[Block]:
        point = prose(leads, 30 * scale, "point")
        return [point, equation(_tex(following[1]), 44 * scale, HEIGHT - 70 - point.height)]

    return [Step(f"{text}\n\n{following[1]}"), *(_point(one) for one in kept[:-1]), Step("", together)]


def _point(sentence: str) -> Step:
    """A sentence that is shown; its paragraph is said."""
    return Step("", lambda scale: [prose(sentence, 30 * scale, "point")])


def _tex(text: str) -> str:
    return text.strip().strip("$").strip()


def _points(made: Deck, text: str, before: str, most: int, ends: bool = False) -> list[str]:
    """Return what is shown of a paragraph: the sentences that define a term (and how it `ends`), with those that they lean on."""
    every = sentences(unlinked(text))
    earlier = sentences(unlinked(before)) if before else []
    shown: set[int] = set()
    wanted = {every.index(sentence) for sentence in definitions(unlinked(text))}
    for at in sorted(wanted | ({len(every) - 1} if ends else set())):
        said = every[at] in made.shown or every[at] in made.meant
        if said and not (ends and at == len(every) - 1):
            continue
        start = grounded([*earlier, *every], at + len(earlier), most) - len(earlier)
        short = start and len(every[at]) < LEAST and start == at
        shown |= set(range(start - bool(short), at + 1))
    kept: list[list[int]] = []
    for at in sorted(shown):
        if kept and at == kept[-1][-1] + 1:
            kept[-1].append(at)
        else:
            kept.append([at])
    texts = [" ".join([*earlier, *every][at + len(earlier)] for at in run) for run in kept]
    if (
        ends and len(kept[-1]) > 1 and len(texts[-1]) > most
    ):  # an equation comes below the last sentence: the others go before
        texts[-1:] = [texts[-1].removesuffix(every[-1]).strip(), every[-1]]
    return [one for one in texts if len(one) >= LEAST or ends]


def _flush(made: Deck, cell, steps: list[Step]) -> list[Step]:
    """Put steps on slides, as many on each as fit, and what is said into their notes; return no steps."""
    top = heading(made.heading)
    pages: list[tuple[list[Step], list[str]]] = []
    room, spoken = 0.0, []
    for step in steps:
        spoken += [step.text] if step.text else []
        if not step.shown:
            continue
        height = sum(block.height for block in step.shown(1.0))
        if height > room:
            pages.append(([], []))
            room = HEIGHT - top.height
        room -= height
        pages[-1][0].append(step)
        pages[-1][1].extend(spoken)
        spoken = []
    for shown_steps, said in pages:
        shown = next(shown for scale in SCALES if _fits(shown := _at(shown_steps, scale), top) or scale == 1.0)
        slide = made.add("points", cell, [top, *shown])
        for text in said:
            slide.say(text)
        if not said:
            slide.say("This belongs to what was said on the slide before: read it aloud, then go on.")
    for text in spoken:
        made.last.say(text)
    return []


def _at(page: list[Step], scale: float) -> list[Block]:
    return [block for step in page if step.shown for block in step.shown(scale)]


def _fits(shown: list[Block], top: Block) -> bool:
    return sum(block.height for block in shown) <= HEIGHT - top.height


def _prediction(made: Deck, cell, asks: tuple[str, str], before: tuple[str, str]) -> None:
    """The slide on which a class votes: the question alone, and small above it what it is about."""
    context, wanted = asks
    if not context and before[0] == "paragraph_open":
        context = last(unlinked(before[1]), 330)
    context = authored(made.found)["lead"].get(cell.id, COMMAND.sub(r"(\1)", context).replace(" ()", ""))
    context = context if re.match(r"[^a-z]", context) else ""  # the end of a sentence around an equation
    shown = [Block('<p class="label">Predict</p>', 64)]
    small = largest(unlinked(context), (28, 26, 24), 160, "context")
    small = small or largest(last(unlinked(context), 330), (26, 24), 190, "context")
    if context and context != made.shown and small:
        shown.append(small)
    shown.append(words(unlinked(wanted), ASK, HEIGHT - 70 - sum(block.height for block in shown), "ask"))
    slide = made.add("predict", cell, shown)
    if asks[0]:
        slide.say(asks[0])
    slide.say("Everyone writes an answer down, then the class votes; the answer is on the next slides.")
    made.asked, made.asking = wanted, cell.id


def _quotation(made: Deck, cell, text: str) -> None:
    bare = re.sub(r"^> ?", "", text, flags=re.MULTILINE).strip()
    said = re.match(r'(["“].*["”])\s*(.*)$', unlinked(bare), re.DOTALL)
    quote, by = said.groups() if said else (unlinked(bare), "")
    shown = [words(quote, (48, 44, 40, 36, 33, 30, 28, 26, 24), 480, "quote")]
    made.add("quotation", cell, [*shown, *([prose(by, 24, "by")] if by else [])]).say(bare)
