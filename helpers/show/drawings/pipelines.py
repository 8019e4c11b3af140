"""Time goes to the right: stages of a pipeline, a training run that is killed, months that are sorted (built for notebook 13)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import CRIMSON, INK, SOFT, TEAL, amount, percent


def pipeline_schedule(rows: Sequence[Sequence[str]]) -> Drawing:
    """Draw what each stage of a pipeline does at each tick: a row per stage, as ``gpipe_schedule(stages, micro_batches)`` gives.

    "F0" is the forward pass of micro-batch 0, "B0" its backward pass, "" a tick without work, which is hatched. Raises
    ValueError for more than 8 stages or 44 ticks, rows of different length, and other entries.
    """
    rows = [list(row) for row in rows]
    need(1 <= len(rows) <= 8 and rows[0] != [], f"{len(rows)} stages cannot be drawn: give 1 to 8 rows with ticks")
    ticks = len(rows[0])
    need(
        all(len(row) == ticks for row in rows),
        "the rows have different lengths: give every stage the same number of ticks",
    )
    need(ticks <= 44, f"{ticks} ticks cannot be drawn: give at most 44")
    for entry in {entry for row in rows for entry in row if entry}:
        need(entry[0] in "FB" and entry[1:].isdigit(), f'"{entry}" is no entry: write "F0", "B0" or ""')
    stages, idle = len(rows), sum(entry == "" for row in rows for entry in row)
    micro = len({entry[1:] for row in rows for entry in row if entry})
    figure = Diagram(f"{amount(stages, 'stage')}, {amount(micro, 'micro-batch', 'micro-batches')}: who works when?")
    wide, high, y = min(44.0, (RIGHT - LEFT - 70) / ticks), 32, TITLE_HEIGHT + 8
    for stage, row in enumerate(rows):
        top = y + stage * (high + 4)
        figure.label(LEFT, top + 21, f"stage {stage}", 12.5, "start", INK, bold=True)
        for tick, entry in enumerate(row):
            x = LEFT + 66 + tick * wide
            if not entry:
                hatched(figure, x, top, wide, high)
            else:
                kind = "kept" if entry[0] == "F" else "new"
                box = figure.box(x, top, wide - 1.5, high, "", kind, rx=2)
                text = entry if wide > 28 else entry[1:]
                figure.label(box.center[0], box.center[1] + 4, text, 12, color=INK, room=wide - 2, bold=entry[0] == "B")
    bottom = y + stages * (high + 4) + 4
    figure.arrow((LEFT + 66, bottom + 4), (LEFT + 66 + ticks * wide, bottom + 4), color=SOFT, width=1.2)
    figure.label(LEFT + 66, bottom + 20, f"{amount(ticks, 'tick')}", 12, "start")
    figure.label(
        LEFT + 66 + ticks * wide, bottom + 20, f"idle: {percent(idle, stages * ticks)}", 12.5, "end", INK, bold=True
    )
    return figure.finish(
        f"A pipeline of {amount(stages, 'stage')} and {amount(micro, 'micro-batch', 'micro-batches')}: {amount(ticks, 'tick')}, "
        f"in which {idle} of {stages * ticks} slots are idle, {percent(idle, stages * ticks)}: the bubble.",
        "Blue: forward (F). Orange, bold: backward (B). Hatched: idle. The number is the micro-batch.",
    )


def hatched(figure: Diagram, x: float, y: float, width: float, height: float, color: str = "#9aa1b0") -> None:
    """A place where nothing is done: white with slanting lines, so that it is seen without color, too."""
    figure.rect(x, y, width - 1.5, height, "#ffffff", color, 0.8, 2)
    wide, start, path = width - 1.5, -height, ""
    while start < wide:  # one path for all of them: a drawing has hundreds
        left, right = max(0.0, start), min(wide, start + height)
        if right - left > 1:
            path += f"M{x + left:.1f} {y + height - left + start:.1f}L{x + right:.1f} {y + height - right + start:.1f}"
        start += 7
    if path:
        figure.parts.append(f'<path d="{path}" fill="none" stroke="{color}" stroke-width="0.9"/>')


def restart_timeline(every: int = 5, kill: int = 13, steps: int = 20) -> Drawing:
    """Draw a training run that is killed after step ``kill`` and goes on from its last resume file, written every few steps.

    Raises ValueError unless 1 ≤ every ≤ kill < steps ≤ 30.
    """
    need(1 <= every <= kill < steps <= 30, "give 1 ≤ every ≤ kill < steps ≤ 30")
    saved = kill // every * every
    figure = Diagram(f"Killed after step {kill}: which steps are done twice?")
    wide, y = min(30.0, (RIGHT - LEFT - 190) / steps), TITLE_HEIGHT + 20
    at = LEFT + 112
    for row, (name, first, last) in enumerate((("first start", 0, kill), ("second start", saved, steps))):
        top = y + row * 96
        figure.label(LEFT, top + 20, name, 12.5, "start", INK, bold=True)
        for step in range(first, last):
            twice = row == 1 and step < kill
            box = figure.box(at + step * wide, top, wide - 2, 30, "", "new" if twice else "kept", rx=2)
            figure.label(box.center[0], box.center[1] + 4, str(step + 1), 11, color=INK, room=wide - 3)
            if (step + 1) % every == 0:
                x = at + (step + 1) * wide - 1
                figure.rect(x - 6, top + 36, 12, 14, "#f4f6fa", TEAL, 1.6, 2)
    dead = at + kill * wide + 12
    for dx in (-7, 7):
        figure.line((dead - dx, y + 8), (dead + dx, y + 22), color=CRIMSON, width=3)
    figure.label(dead + 14, y + 20, "killed", 12.5, "start", INK, bold=True)
    if saved:
        x = at + saved * wide - 1
        figure.arrow((x, y + 52), (x, y + 92), color=TEAL, width=2.2)
        text, late = f"read: weights, optimizer, step {saved}, random state", x > (LEFT + RIGHT) / 2
        figure.label(x - 8 if late else x + 8, y + 74, text, 12, "end" if late else "start", INK)
    return figure.finish(
        f"A training run of {steps} steps writes a resume file every {amount(every, 'step')}. It is killed after step {kill}. "
        f"The second start reads the file of step {saved} and does {amount(kill - saved, 'step')} again; it ends with the same "
        f"weights as a run that was never killed.",
        "A box is a step. Small squares: a resume file is written. Orange: done twice.",
    )


def scatter_gather(months: int | Sequence[str] = 3, partitions: int = 4) -> Drawing:
    """Draw how months of comments become conversations: scattered into partitions by hash(link_id), then gathered.

    ``months`` are 2 to 6 names, or how many. Raises ValueError for another number of them, or of partitions (2 to 6).
    """
    names = [f"month {i + 1}" for i in range(months)] if isinstance(months, int) else [str(month) for month in months]
    need(2 <= len(names) <= 6, f"{amount(len(names), 'month')} cannot be drawn: give 2 to 6")
    need(2 <= partitions <= 6, f"{amount(partitions, 'partition')} cannot be drawn: give 2 to 6")
    figure = Diagram("From months to conversations: scatter, then gather")
    y, pitch, high = TITLE_HEIGHT + 40, 46, 32
    tall = max(len(names), partitions) * pitch
    heads = ((LEFT, 110, "months"), (LEFT + 286, 128, "partitions"), (LEFT + 610, 150, "conversations"))
    for x, width, name in heads:
        figure.label(x + width / 2, y - 14, name, 13, color=INK, bold=True)

    def column(x: float, width: float, texts: Sequence[str], kind: str) -> list:
        first = y + (tall - len(texts) * pitch) / 2
        return [
            figure.box(x, first + i * pitch, width, high, text, kind, size=12.5, bold=False)
            for i, text in enumerate(texts)
        ]

    left = column(LEFT, 110, names, "kept")
    middle = column(LEFT + 286, 128, [f"part {i}" for i in range(partitions)], "tensor")
    right = column(LEFT + 610, 150, [f"of part {i}" for i in range(partitions)], "new")
    for i, month in enumerate(left):
        for part in middle:
            figure.arrow(month.right_middle, part.left_middle, color=SOFT if i else TEAL, width=1 if i else 2)
    for part, whole in zip(middle, right):
        figure.arrow(part.right_middle, whole.left_middle, width=1.8)
    figure.text(LEFT + 118, y + tall + 10, "1 · scatter: each month alone", 12, INK)
    figure.text(LEFT + 430, y + tall + 10, "2 · gather: each part alone", 12, INK)
    figure.text(LEFT + 118, y + tall + 27, f"part = ⌊crc32(link_id) · {partitions} / 2³²⌋", 12, SOFT)
    figure.text(LEFT + 430, y + tall + 27, "threads, then conversations", 12, SOFT)
    return figure.finish(
        f"Scatter: each of {len(names)} months is read alone, and every comment goes into one of {partitions} partitions by a "
        f"hash of its thread's name (link_id), so that a whole thread ends in one partition whatever month its comments are "
        f"from. Gather: each partition is read alone, sorted into threads and cut into conversations. Files lie between: a "
        f"worker that dies is replaced, and its one month or part is done again.",
        "Thick: one month's comments go into every partition.",
    )
