"""Slides of one deck in the making: what is on each, what the teacher says to it, and at which minute."""

from dataclasses import dataclass, field

from tests.kit import lessons, plans
from tests.kit.layout import HEIGHT, Block
from tests.kit.render import literal, markdown, plain
from tests.notebooks import books


@dataclass
class Slide:
    """One slide. `optional` ones lie below the one before them: the right arrow passes them by, the down arrow opens them."""

    id: str
    kind: str
    cell: str
    body: str
    foot: str = ""
    clock: str = ""
    notes: list[str] = field(default_factory=list)
    optional: bool = False
    height: float = 0.0
    meaning: str = ""

    def say(self, text: str, title: str = "") -> None:
        """Add Markdown to the notes, below a title."""
        if text.strip():
            head = f'<p class="what">{title}</p>\n' if title else ""
            self.notes.append(head + markdown(text, outside))

    def means(self, sentence: str) -> None:
        """Add what an answer means, until the whole paragraph is added that begins so."""
        self.meaning = markdown(sentence, outside) if sentence else ""

    def read(self, text: str, title: str) -> None:
        """Add to the notes what is read as it stands: the words of a picture, what was printed."""
        self.say(literal(text), title)


def outside(address: str) -> str | None:
    """Keep the links that lead out of the course; the others have no page beside the slides."""
    return address if address.startswith("https://") else None


class Deck:
    """The slides of one notebook, in order. What is said before the next slide comes waits in `waiting`."""

    def __init__(self, found: lessons.Lesson):
        self.found, self.book = found, found.book
        self.slides: list[Slide] = []
        self.section = self.heading = ""
        self.shown = ""  # what the last heading slide asked
        self.waiting: list[tuple[str, str]] = []
        self.asked: str | None = None  # the prediction whose answer comes next
        self.asking = ""  # its cell
        self.meant = ""  # what the last answer was said to mean
        breaks = [cell.id for cell in self.book.cells if "lesson-break" in books.tags(cell)]
        self._starts = [0.0, *(found.boundaries[name] for name in breaks)]
        self._lesson = self._minute = 0

    @property
    def last(self) -> Slide:
        return self.slides[-1]

    def add(self, kind: str, cell, blocks: list[Block], foot: bool = True) -> Slide:
        """Append a slide of these blocks, with what was waiting to be said. Raises ValueError where they do not fit."""
        height = sum(block.height for block in blocks)
        if height > HEIGHT + 40:
            raise ValueError(f"{self.found.stem}, cell {cell.id}: {height:.0f} pixels on one slide ({kind})")
        taken = sum(slide.cell == cell.id for slide in self.slides)
        slide = Slide(
            id=f"{cell.id}-{taken + 1}" if taken else cell.id,
            kind=kind,
            cell=cell.id,
            body="\n".join(block.html for block in blocks),
            foot=plain(self.section) if foot else "",
            clock=self._clock(cell),
            optional=self._exercises or bool({"deeper", "exercise"} & set(books.tags(cell))) and kind != "quiz",
            height=height,
        )
        self.slides.append(slide)
        for text, title in self.waiting:
            slide.say(text, title)
        self.waiting = []
        return slide

    def wait(self, text: str, title: str = "") -> None:
        """Keep this for the notes of the next slide."""
        self.waiting.append((text, title))

    @property
    def _exercises(self) -> bool:
        return self.section.endswith("· Exercises")

    def next_lesson(self) -> None:
        self._lesson += 1
        self._minute = 0

    def stops(self) -> None:
        """Say on the last slide before a place where the plan ends a lesson that it ends there, and with which question."""
        for stop in plans.stops(self.found):
            cells = [cell for cell in self.book.cells if stop["at"] in (cell.id, (lessons.heading(cell) or "  ")[1])]
            following = self.book.cells[self.book.cells.index(cells[0]) :]
            names = {cell.id for cell in following}
            at = next(index for index, slide in enumerate(self.slides) if slide.cell in names)
            before = next(slide for slide in reversed(self.slides[:at]) if not slide.optional)
            words = f"**After {stop['minutes']} minutes of class stop here**, {stop['place']}. Last question: {stop['close']}"
            words += f" ({stop['answer']})" if stop["answer"] else ""
            before.say(words, "Where to stop")

    def _clock(self, cell) -> str:
        """Return at which minute of the lesson a class comes to a cell, or that it is optional."""
        tags = set(books.tags(cell))
        if "deeper" in tags:
            return "Optional: a section marked Deeper. The right arrow skips it."
        if self._exercises or "exercise" in tags and cell.id not in self.found.boundaries:
            return "Exercise: for those who finish early, or for home."
        ends = [*self._starts[1:], self.found.core]
        start, end = self._starts[self._lesson], ends[self._lesson]
        now = self.found.boundaries.get(cell.id, end)
        clock = self.found.clock
        # What is talked about while a cell runs comes before its results, and after it in the notebook: no minute falls.
        self._minute = max(self._minute, clock(now) - clock(start))
        words = f"Minute {self._minute} of {clock(end) - clock(start)}"
        return words + (f", part {self._lesson + 1} of {len(ends)}" if len(ends) > 1 else "")
