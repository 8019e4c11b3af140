"""The slides that begin something: the notebook, a lesson, a section, the recap, the next notebook."""

import re

from tests.kit import lessons, plans
from tests.kit.deck import Deck
from tests.kit.layout import HEIGHT, Block, heading, prose, words
from tests.kit.sentences import blocks, folded, lead, predicted, question, unlinked
from tests.notebooks import books

BIG = (52, 48, 44, 40, 36, 33, 30, 28, 26)
TEXT = (36, 34, 32, 30, 28, 26, 24, 22, 20)


def title(made: Deck, cell) -> None:
    """The first slide: name, years, what is built; the minutes are in the notes, for the class need not see them."""
    parts = [re.sub(r"· \[!\[.*", "", text).strip() for _, text in blocks(cell.source)[1:]]
    build = unlinked(next(text for text in parts if "You will build" in text))
    time = unlinked(next(text for text in parts if "**Time:**" in text))
    number, _, name = books.title(made.book).partition(" · ")
    shown = [
        Block(f'<p class="number">{number} · One Conversation</p>', 60),
        Block(f"<h1>{name}</h1>", 170),
        Block(f'<p class="years">{parts[0].replace("*", "").removeprefix("One Conversation · ").strip()}</p>', 60),
        words(build, (28, 26, 24, 22), 230, "build"),
    ]
    slide = made.add("title", cell, shown, foot=False)
    slide.say(f"About {made.found.clock(made.found.core)} minutes of class. For one reader: {time}")


def lesson_break(made: Deck, cell) -> None:
    """The slide on which a lesson ends and another begins."""
    made.next_lesson()
    name, rest = re.match(r"\*\*(.+?)\.\*\*\s*(.*)", unlinked(cell.source), re.DOTALL).groups()
    shown = lead(re.sub(r"\(After a restart.*?\)", "", rest), 300)
    slide = made.add("break", cell, [Block(f"<h1>{name}</h1>", 100), words(shown, BIG[3:], 400)], foot=False)
    slide.say(rest)


def section(made: Deck, cell) -> list:
    """The slide of a section: its name, its question. Return the blocks of the cell that are still to be shown."""
    name = lessons.heading(cell)[1]
    made.section, made.heading = name, re.sub(r"^\d+ · ", "", name)
    parts = blocks(cell.source)[1:]
    if name.endswith("Recap"):
        _recap(made, cell)
        return []
    shown = [
        Block(f"<h1>{'By the end you can' if name == 'Goals' else name}</h1>", 100 if len(name) < 36 else 165),
    ]
    room = HEIGHT - sum(block.height for block in shown)
    listed = next((text for kind, text in parts if kind == "ordered_list_open"), "")
    made.shown = _asked(name, parts)
    if name == "Goals":
        shown.append(words(unlinked(listed), TEXT, room))
    elif name == "Setup":
        shown.append(
            prose(f"Open `{made.found.path.name}`.\n\nRun the setup cell and the imports: *Shift + Enter*.", 36)
        )
    elif made.shown:
        shown.append(words(made.shown, BIG[3:], room, "question"))
    slide = made.add("section", cell, shown, foot=False)
    part = next((part for part in made.found.parts if part.cell == cell.id), None)
    slide.say(_contents(made, part) if part else "")
    if name in plans.OPENING:
        slide.say(
            f"Story, goals and setup: {plans.rows(made.found)[0]['minutes']} minutes of class, if the cells were run beforehand."
        )
    if name == "Goals":
        slide.say("Come back to this list in the recap: who can do what?")
    return [] if name in ("Goals", "Setup") else parts


def _contents(made: Deck, part: lessons.Part) -> str:
    """Return what a section holds for the class, in a sentence for the notes."""
    time = next((row["minutes"] for row in plans.rows(made.found) if row["title"] == part.title), 0)
    held = [f"{time} minute{'s' * (time != 1)} of class"] if time else []
    held += [f"{len(part.predictions)} prediction{'s' * (len(part.predictions) > 1)}"] if part.predictions else []
    held += [f"to build: {name} ({minutes} minutes)" for name, minutes in part.builds]
    held += ["optional: " + ", ".join(f"*{name}*" for name in part.skipped)] if part.skipped else []
    held += ["cells that take a while: start them early"] if part.waits else []
    return "In this section: " + "; ".join(held) + "." if held else ""


def deeper(made: Deck, cell, parts) -> None:
    """The slide of a part that may be skipped."""
    made.shown = _asked(made.heading, parts)
    name = made.heading.removeprefix("Deeper · ")
    shown = [Block('<p class="label">Deeper (optional)</p>', 64), heading(name)]
    if made.shown:
        shown.append(words(made.shown, BIG[4:], HEIGHT - sum(block.height for block in shown), "question"))
    made.add("deeper", cell, shown).say(f"For a class that is ahead of the clock: *{name}*")


def _asked(name: str, parts) -> str:
    """Return what a section asks: its first question, or where its name is one (or tells a story), how it begins."""
    texts = [predicted(text)[0] if predicted(text) else text for kind, text in parts if kind == "paragraph_open"]
    texts = [unlinked(text) for text in texts if text]
    if name.endswith("?") or name == "The story so far":
        return lead(texts[0], 200) if texts else ""
    return question(texts)


def _recap(made: Deck, cell) -> None:
    """The questions of the recap, their answers in the notes."""
    pages: list[list] = [[]]
    for name, answer in folded(cell.source):
        row = (name, prose(f"- {name}", 32), answer)
        if sum(block.height for _, block, _ in [*pages[-1], row]) > HEIGHT - 70:
            pages.append([])
        pages[-1].append(row)
    for number, page in enumerate(pages, 1):
        mark = f" ({number} of {len(pages)})" if len(pages) > 1 else ""
        slide = made.add("recap", cell, [heading(f"Recap{mark}: answer first"), *(block for _, block, _ in page)])
        for name, _, answer in page:
            slide.say(f"**{name}** {answer}")


def what_next(made: Deck, cell, parts) -> None:
    """The last slide: the next notebook, and the terms that are new."""
    said = {
        text.split(":**")[0].strip("* "): unlinked(text.split(":**", 1)[1]).strip()
        for _, text in parts
        if ":**" in text
    }
    following = said.get("Next", "")
    shown = [Block(f"<h1>{'Next' if following else 'The end'}</h1>", 110)]
    if following:
        shown.append(words(following[0].upper() + following[1:], BIG[3:], 200))
    shown.append(words(f"**New terms:** {said['New terms']}", TEXT[3:], 290, "terms"))
    slide = made.add("next", cell, shown, foot=False)
    for _, text in parts:
        slide.say(text)
