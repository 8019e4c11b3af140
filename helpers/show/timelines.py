"""The timeline of the course: what happened from 1948 to 2024, and which notebook builds it or tells of it.

Built for notebook 00. The events, each with its source, are in ``data/timeline.json``; which notebooks are still to come,
says ``data/course.json``.
"""

from __future__ import annotations

import json

from helpers import data_path
from helpers.show.explore import Explore
from helpers.show.svg import MARGIN, TITLE_HEIGHT, WIDTH, Drawing, cells, key, write
from helpers.show.theme import BLUE, GRID, ORANGE, PAPER, RULE, SOFT, xml

THREADS = {  # in the order in which they begin; the lanes of the drawing
    "counting": "Counting",
    "recurrence": "Recurrence",
    "reddit": "Reddit",
    "attention": "Attention",
    "adversaries": "Adversaries",
    "pretraining": "Pretraining",
    "feedback": "Feedback",
    "craft": "Craft",
}
MONTHS = "January February March April May June July August September October November December".split()

LEFT, BEND, RIGHT = 112, 268, WIDTH - MARGIN - 12  # x of 1948, of 2013 and of the end of 2024
ROW = 20
LETTER = 6.4  # widest mean letter at 11 pixels among the fonts we name
BUILT, TOLD, PLANNED = "builds", "tells", "to come"
NOTE = "The number in a dot is the notebook. Filled: it builds the idea. Open: it tells of the event."
DASHED = " Dashed: it is still to come."
SCALE = "Years before 2013 have a smaller scale."


class Timeline(Drawing):
    """Events as numbered dots on eight lanes; the number is the notebook that builds the idea, or tells of the event.

    `events` are dicts with date ("2017-06"), thread, notebook, how (BUILT, TOLD or PLANNED), label, title, why and source,
    sorted by date.
    `event` (from 0) emphasizes one of them, and the words describe it; otherwise they list all. The years before
    2013 have a smaller scale. Raises ValueError for no events, an unknown thread or an `event` that does
    not exist.
    """

    def __init__(self, events, event: int | None = None, title: str = "From counting letters to talking, 1948 to 2024"):
        events = list(events)
        unknown = sorted({e["thread"] for e in events} - set(THREADS))
        if not events or unknown or (event is not None and not 0 <= event < len(events)):
            what = f"unknown threads {unknown}" if unknown else f"no event {event}" if events else "no events"
            raise ValueError(f"a timeline needs events in the threads {', '.join(THREADS)}: got {what}")
        self.events = events
        lanes, dots, y = [], [], TITLE_HEIGHT + 22
        for i, (thread, name) in enumerate(THREADS.items()):
            rows: list = []  # each a list of the stretches of x already taken
            mine = [(k, e) for k, e in enumerate(events) if e["thread"] == thread]
            for k, e in mine:
                row, label_x, anchor = _place(rows, _x(e["date"]), cells(e["label"]) * LETTER)
                dots.append((k == event, _dot(e, _x(e["date"]), y + 3 + ROW * row, label_x, anchor, k == event)))
            height = 6 + ROW * max(1, len(rows))
            if i % 2 == 0:
                size = f'width="{WIDTH - 2 * MARGIN}" height="{height}"'
                lanes.append(f'<rect x="{MARGIN}" y="{y}" {size} fill="#f5f6f9"/>')
            lanes.append(write(MARGIN + 8, y + 17, name, 'font-size="12.5" font-weight="700"'))
            y += height
        chosen = _x(events[event]["date"]) if event is not None else None
        body = "".join(lanes) + _axis(TITLE_HEIGHT + 22, y, chosen) + "".join(dot for _, dot in sorted(dots))
        body += key(y + 18, NOTE + DASHED * _any_planned(events)) + key(y + 34, SCALE)
        first, last = events[0]["date"][:4], events[-1]["date"][:4]
        summary = f"{len(events)} events from {first} to {last} in {len(THREADS)} threads."
        words = _card(events, event) if event is not None else _list(events, summary)
        super().__init__(body, words, title, y + 46, label=words if event is not None else f"{title}: {summary}")


def _x(date: str) -> float:
    year = int(date[:4]) + (int(date[5:7]) - 0.5) / 12 if len(date) > 4 else int(date) + 0.5
    if year < 2013:
        return LEFT + (year - 1948) / 65 * (BEND - LEFT)
    return BEND + (year - 2013) / 12 * (RIGHT - BEND)


def _place(rows: list, x: float, width: float):
    """Find the first row of a lane where dot and label fit; the label stands left of the dot at the right edge."""
    left = x + 13 + width > WIDTH - MARGIN
    start, end = (x - 13 - width, x + 11) if left else (x - 11, x + 15 + width)
    for i, taken in enumerate([*rows, []]):
        if all(end <= a or b <= start for a, b in taken):
            if i == len(rows):
                rows.append([])
            rows[i].append((start, end))
            return i, x - 13 if left else x + 13, "end" if left else "start"


def _any_planned(events) -> bool:
    return any(event["how"] == PLANNED for event in events)


def _dot(event, x: float, y: float, label_x: float, anchor: str, strong: bool) -> str:
    middle = y + 10
    style = f'font-size="11" text-anchor="{anchor}"' + (' font-weight="700"' if strong else "")
    here = ' data-here=""' * strong  # where a page that is too narrow scrolls to
    ring = f'<circle cx="{x:.1f}" cy="{middle:g}" r="12" fill="none" stroke="{ORANGE}" stroke-width="3"/>' * strong
    paper, ink = (BLUE, PAPER) if event["how"] == BUILT else (PAPER, BLUE)
    edge = f'stroke="{BLUE}" stroke-width="1.4"' + ' stroke-dasharray="3 2.2"' * (event["how"] == PLANNED)
    name = f'font-size="9.5" font-weight="700" text-anchor="middle" fill="{ink}"'
    return (
        f'<g tabindex="0"{here}><title>{_date(event["date"])}: {xml(event["title"])}</title>{ring}'
        f'<circle cx="{x:.1f}" cy="{middle:g}" r="8.5" fill="{paper}" {edge}/>'
        + write(x, middle + 3.5, f"{event['notebook']:02}", name)
        + write(label_x, middle + 4, event["label"], style)
        + "</g>"
    )


def _axis(top: float, bottom: float, chosen: float | None) -> str:
    parts = []
    for year in (1948, 1980, 2000, *range(2013, 2026)):
        x = _x(f"{year}-01")
        parts.append(f'<path d="M{x:.1f} {top - 4:g}V{bottom:g}" stroke="{RULE if year == 2013 else GRID}"/>')
        if year % 2 == 0:  # a year since 2013 is named in the middle of its stretch
            at = x + (RIGHT - BEND) / 24 if year > 2013 else x
            parts.append(write(at, top - 8, year, f'font-size="11" text-anchor="middle" fill="{SOFT}"'))
    if chosen is not None:
        style = f'stroke="{ORANGE}" stroke-width="2" opacity=".4"'
        parts.append(f'<path d="M{chosen:.1f} {top - 4:g}V{bottom:g}" {style}/>')
    return "".join(parts)


def _date(date: str) -> str:
    year, month, day = (*date.split("-"), "", "")[:3]
    return " ".join(part for part in (day.lstrip("0"), MONTHS[int(month) - 1] if month else "", year) if part)


def _card(events, index: int) -> str:
    event = events[index]
    where = event.get("url") or (f"arXiv:{event['arxiv']}" if event.get("arxiv") else "")
    return (
        f"Event {index + 1} of {len(events)}, {_date(event['date'])}: {event['title']}.\n{event['why']}\n"
        f"Source: {event['source']}{', ' + where if where else ''}.\n"
        f"Thread: {THREADS[event['thread']].lower()}. {_notebook(event)}"
    )


def _notebook(event) -> str:
    number = f"{event['notebook']:02}"
    if event["how"] == PLANNED:
        return f"Planned for notebook {number}."
    return f"Notebook {number} {'builds it' if event['how'] == BUILT else 'tells of it'}."


def _list(events, summary: str) -> str:
    star = "; a star: still to come" * _any_planned(events)
    lines = [f"{summary} In parentheses the notebook that builds it, or (see …) tells of it{star}."]
    written = {BUILT: "({:02})", TOLD: "(see {:02})", PLANNED: "({:02}*)"}
    for thread, name in THREADS.items():
        labels = [
            f"{e['date'][:4]} {e['label']} {written[e['how']].format(e['notebook'])}" for e in events if e["thread"] == thread
        ]
        if labels:
            lines.append(f"{name}: {', '.join(labels)}.")
    return "\n".join(lines)


def read_events() -> list:
    """Return the events of ``data/timeline.json``, oldest first; those of notebooks to come are PLANNED."""
    events, course = (json.loads(data_path(name).read_text(encoding="utf-8")) for name in ("timeline.json", "course.json"))
    ready = {int(entry["notebook"]) for entry in course if entry["state"] == "ready"}
    return [event if event["notebook"] in ready else event | {"how": PLANNED} for event in events]


def timeline(event: int | None = None) -> Timeline:
    """The timeline of the course as a drawing; `event` (from 0) emphasizes one event and describes it."""
    return Timeline(read_events(), event)


def explore_timeline() -> Explore:
    """The timeline with a slider: the arrow keys walk from event to event, and the words describe each one."""
    events = read_events()

    def draw(event=1):
        return Timeline(events, event - 1)

    return Explore(draw, event=(1, len(events)))
