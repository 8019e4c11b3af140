"""The search tree of a beam search: which beginnings are kept at each step (built for notebook 03)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.lettering import joined
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import INK, ORANGE, RULE, SOFT, amount

ROW, HIGH, GAP = 40, 31, 58.0  # from one candidate to the next below; a candidate's height; between two steps
Candidate = tuple[str, float, int | None, bool]


def beam_search(levels: Sequence[Sequence[Candidate]]) -> Drawing:
    """Draw the search tree of a beam search: at each step all candidates, of which the likeliest are kept.

    `levels` is a list of steps; each is a list of (token, log probability of the whole sequence so far, index of its parent in
    the step before, whether it is kept). The parent of the first step is None; a kept candidate that nothing continues is
    finished. The likeliest finished sequence is emphasized. Up to six steps of up to ten candidates. Raises ValueError for no
    steps, more than can be read, or a parent that does not exist or was not kept.
    """
    levels = [[(str(token), float(p), parent, bool(kept)) for token, p, parent, kept in level] for level in levels]
    _check(levels)
    width = max(sum(kept for *_, kept in level) for level in levels)
    figure = Diagram(f"Beam search: of all candidates at each step {width} {'is' if width == 1 else 'are'} kept")
    top, tall = TITLE_HEIGHT + 34, max(len(level) for level in levels) * ROW
    root, best = (LEFT + 6, top + tall / 2), _best(levels)
    wide = min(140, (RIGHT - LEFT - 40 - GAP * (len(levels) - 1)) / len(levels))
    ends: list[list] = [[root]]  # where the arrows to the next step begin
    for step, level in enumerate(levels):
        x, y = LEFT + 40 + step * (wide + GAP), top + (tall - len(level) * ROW) / 2
        figure.label(x + wide / 2, top - 14, f"step {step + 1}", 12)
        for i, (token, log_p, parent, kept) in enumerate(level):
            strong, at = i == best.get(step), y + i * ROW
            color, ink = (ORANGE if strong else INK if kept else RULE), INK if kept else SOFT
            start, middle = ends[step][parent or 0], at + HIGH / 2
            bend = start[0] + 0.4 * (x - start[0])
            path = start, (bend, start[1]), (bend, middle), (x, middle)
            figure.arrow(*path, color=color, width=2.6 if strong else 1.4, behind=not strong, corner=10)
            fill = tint(ORANGE, 0.22) if strong else "#eef1f6" if kept else "#ffffff"
            figure.rect(x, at, wide, HIGH, fill, color, 1.8 if strong else 1.1, 5, dashed=not kept)
            shown = seen(token, 12, space=True)
            figure.label(x + 8, at + 20, shown, 12.5, "start", ink, bold=strong, room=wide - 58)
            figure.label(x + wide - 7, at + 20, f"{log_p:.2f}".replace("-", "−"), 11.5, "end", ink)
        ends.append([(x + wide, y + i * ROW + HIGH / 2) for i in range(len(level))])
    figure.circle(*root, " ", 6, INK, INK)
    every = [token for level in levels for token, *_ in level]
    text = joined([levels[step][i][0] for step, i in sorted(best.items())], every)
    total = f"{levels[max(best)][best[max(best)]][1]:.2f}".replace("-", "−")
    sentence = (
        f"A beam search of width {width} over {amount(len(levels), 'step')}: {sum(map(len, levels))} candidates, "
        f"{sum(kept for level in levels for *_, kept in level)} kept. The likeliest sequence is {quoted(text)} with log "
        f"probability {total}."
    )
    return figure.finish(sentence, "The number is the log probability of the whole sequence so far. Dashed: not kept.")


def _check(levels: list[list[Candidate]]) -> None:
    sizes = 0 < len(levels) <= 6 and all(0 < len(level) <= 10 for level in levels)
    need(sizes, "give one to six steps, each with one to ten candidates")
    for token, _, parent, _ in levels[0]:
        need(parent is None, f"{token!r} in step 1 names parent {parent}: give None, nothing comes before it")
    for step, (before, level) in enumerate(zip(levels, levels[1:]), start=2):
        for token, _, parent, _ in level:
            exists = isinstance(parent, int) and 0 <= parent < len(before)
            need(exists, f"{token!r} in step {step} names parent {parent}: give 0 to {len(before) - 1}")
            need(before[parent][3], f"{token!r} in step {step} continues {before[parent][0]!r}, which was not kept")
    need(any(kept for *_, kept in levels[-1]), "none of the last step's candidates is kept: nothing was found")


def _best(levels: list[list[Candidate]]) -> dict[int, int]:
    """Return {step: index} of the likeliest sequence that was kept and that nothing continues."""
    leaves = []
    for step, level in enumerate(levels):
        parents = {parent for _, _, parent, _ in levels[step + 1]} if step + 1 < len(levels) else set()
        leaves += [(log_p, step, i) for i, (_, log_p, _, kept) in enumerate(level) if kept and i not in parents]
    _, step, index = max(leaves)
    path = {step: index}
    while step:
        index = levels[step][index][2]
        step -= 1
        path[step] = index
    return path
