"""Strengths from duels: the tug of war, who met whom, one step of MM (built for notebook 15)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.lettering import Formula
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import BLUE, CRIMSON, INK, ORANGE, RULE, SOFT, TEAL, amount, listing, shorten

LETTERS = "ABCDEFGH"


def tug_of_war(strengths: Sequence[float] = (4, 2, 1), names: Sequence[str] | None = None) -> Drawing:
    """Draw the Bradley–Terry model: every duel is a rope, divided as the two strengths are.

    ``strengths`` are 2 to 4 positive numbers π, ``names`` as many names (A, B, C … without them). The model is that of Bradley
    and Terry 1952 (Zermelo 1929): i beats j with probability π_i / (π_i + π_j). Raises ValueError for other strengths.
    """
    strengths = [float(strength) for strength in strengths]
    need(2 <= len(strengths) <= 4, f"{amount(len(strengths), 'strength')} cannot be drawn: give 2 to 4")
    need(
        all(math.isfinite(pi) and pi > 0 for pi in strengths),
        "a strength is a positive number: give 4, 2, 1 or the like",
    )
    names = _names(names, len(strengths))
    figure = Diagram("A duel as a tug of war: how often does the stronger one win?")
    y, left, right = TITLE_HEIGHT + 10, LEFT + 150, RIGHT - 268
    said = []
    for i, j in combinations(range(len(strengths)), 2):
        share = strengths[i] / (strengths[i] + strengths[j])
        at = left + (right - left) * share
        figure.label(
            left - 12, y + 21, f"{names[i]}  π = {strengths[i]:g}", 13, "end", INK, bold=True, room=left - LEFT - 12
        )
        figure.label(right + 12, y + 21, f"{names[j]}  π = {strengths[j]:g}", 13, "start", INK, bold=True, room=110)
        figure.rect(left, y + 4, at - left, 26, tint(BLUE, 0.3), BLUE, 1.3, 3)
        figure.rect(at, y + 4, right - at, 26, tint(ORANGE, 0.34), ORANGE, 1.3, 3)
        figure.line((at, y), (at, y + 34), color=INK, width=2.6)
        for middle, part in (((left + at) / 2, share), ((at + right) / 2, 1 - share)):
            if part > 0.09:
                figure.label(middle, y + 22, f"{part:.0%}", 12.5, color=INK)
        odds = f"{strengths[i]:g} : {strengths[j]:g}"
        figure.label(
            RIGHT, y + 21, f"{odds}, log {math.log(strengths[i] / strengths[j]):+.2f}".replace("-", "−"), 12.5, "end"
        )
        said.append(f"{names[i]} beats {names[j]} with odds of {odds}, that is {share:.0%}")
        y += 46
    below = Formula("P(i beats j) = π_{i} / (π_{i} + π_{j})")
    figure.label(LEFT, y + 14, below, 13.5, "start", INK)
    figure.label(RIGHT, y + 14, "odds, and their logarithm: the rope's other scale", 12, "end")
    return figure.finish(
        f"The Bradley–Terry model as a tug of war. {'; '.join(said)}. Only ratios count: all strengths times two give the same "
        "odds. On the scale of logarithms, ratios are distances."
    )


def comparison_graph(wins, names: Sequence[str] | None = None, ratings: Sequence[float] | None = None) -> Drawing:
    """Draw who met whom and how it ended, with the share each has won, and ratings where there are some.

    ``wins`` [N, N] says how often the row beat the column (a tie: half a win each), N from 2 to 8. Groups that never met are
    named: between them there is no rating. Raises ValueError for a table that is not square, or with other numbers.
    """
    wins = _table(wins, 2, 8)
    n, names = len(wins), _names(names, len(wins))
    need(ratings is None or len(ratings) == n, f"give one rating for each of the {n} contestants")
    figure = Diagram("Who met whom, and how did it end?")
    radius, center = 92 + 8 * max(0, n - 4), (LEFT + 232, TITLE_HEIGHT + 128 + 8 * max(0, n - 4))
    angles = [2 * math.pi * i / n + (math.pi / 4 if n == 4 else 0) for i in range(n)]
    points = [(center[0] + 1.55 * radius * math.sin(a), center[1] - radius * math.cos(a)) for a in angles]
    most = max(wins[i][j] + wins[j][i] for i in range(n) for j in range(n)) or 1
    for i, j in combinations(range(n), 2):
        games = wins[i][j] + wins[j][i]
        if games:
            figure.line(points[i], points[j], color=SOFT, width=1.2 + 4 * games / most)
    labels = _duel_labels(wins, points)
    for text, x, y in labels:
        figure.rect(x - 33, y - 9, 66, 18, "#ffffff", RULE, 1, 4)
        figure.label(x, y + 4.5, text, 12, color=INK, room=64)
    groups = _groups(wins)
    colors = (BLUE, ORANGE, TEAL, CRIMSON)
    for number, group in enumerate(groups):
        for i in group:
            color = colors[number % 4]
            figure.circle(*points[i], " ", 17, color, tint(color, 0.22))
            figure.label(points[i][0], points[i][1] + 4.5, LETTERS[i], 13, color=INK, bold=True)
    rates = [_rate(wins, i) for i in range(n)]
    _standings(figure, names, rates, wins, ratings)
    won = [f"{name} met none" if rate is None else f"{name} won {rate:.0%} of {_duels(wins, i):g}"
           for i, (name, rate) in enumerate(zip(names, rates))]  # fmt: skip
    if ratings is not None:
        won = [f"{text}, rating {rating:+.0f}".replace("-", "−") for text, rating in zip(won, ratings)]
    met = "All are connected by duels."
    if len(groups) > 1:
        parts = listing("{" + ", ".join(names[i] for i in group) + "}" for group in groups)
        met = f"{amount(len(groups), 'group')} never met: {parts}. No number of votes within them says which group is better."
    example = "A 9 : 1 B: A won nine duels against B, and B one. " * bool(labels)
    return figure.finish(f"{'; '.join(won)}. {met}", f"{example}The thicker a line, the more duels.")


def _duel_labels(wins, points) -> list[tuple[str, float, float]]:
    """A label for each line, as (text, x, y), each where it lies on no other; none where there are too many for that."""
    labels, taken = [], [(x, y, 17, 17) for x, y in points]  # centers and half sizes
    for i, j in combinations(range(len(wins)), 2):
        if wins[i][j] + wins[j][i]:
            (x1, y1), (x2, y2) = points[i], points[j]
            first, second = (i, j) if (x1, y1) <= (x2, y2) else (j, i)
            text = f"{LETTERS[first]} {wins[first][second]:g} : {wins[second][first]:g} {LETTERS[second]}"
            for share in (0.5, 0.4, 0.6, 0.32, 0.68, 0.25, 0.75):
                x, y = x1 + share * (x2 - x1), y1 + share * (y2 - y1)
                if all(abs(x - at) >= 34 + wide or abs(y - down) >= 10 + high for at, down, wide, high in taken):
                    labels.append((text, x, y))
                    taken.append((x, y, 33, 9))
                    break
            else:
                return []
    return labels


def _standings(figure: Diagram, names, rates, wins, ratings) -> None:
    """The table at the right: name, duels, share won, and the rating."""
    left, y = LEFT + 452, TITLE_HEIGHT + 22
    heads = [("duels", RIGHT - 150), ("won", RIGHT - 88)] + [("rating", RIGHT)] * (ratings is not None)
    for text, x in heads:
        figure.label(x, y, text, 12, "end")
    order = sorted(range(len(names)), key=lambda i: -(rates[i] if rates[i] is not None else -1))
    for row, i in enumerate(order):
        at = y + 26 + 25 * row
        figure.label(left, at, LETTERS[i], 13, "start", INK, bold=True)
        if names[i] != LETTERS[i]:
            figure.label(left + 20, at, shorten(names[i], 20), 13, "start", INK, room=118)
        figure.label(RIGHT - 150, at, f"{_duels(wins, i):g}", 13, "end", INK)
        figure.label(RIGHT - 88, at, "–" if rates[i] is None else f"{rates[i]:.0%}", 13, "end", INK)
        if ratings is not None:
            figure.label(RIGHT, at, f"{ratings[i]:+.0f}".replace("-", "−"), 13, "end", INK, bold=True)


def mm_step(wins, strengths: Sequence[float], names: Sequence[str] | None = None, i: int = 0) -> Drawing:
    """Draw one MM update of contestant ``i`` with its numbers: its wins, divided by its duels, each weighed by the rope.

    ``wins`` [N, N] as in `comparison_graph`, N from 2 to 5, ``strengths`` [N] are positive. The update is Hunter's (2004,
    equation 3): W_i / Σ_j n_ij / (π_i + π_j). Raises ValueError for other tables, strengths, or an ``i`` that is not there.
    """
    wins = _table(wins, 2, 5)
    strengths, n = [float(strength) for strength in strengths], len(wins)
    need(
        len(strengths) == n and all(pi > 0 for pi in strengths),
        f"give a positive strength for each of the {n} contestants",
    )
    need(0 <= i < n, f"there is no contestant {i}: give 0 to {n - 1}")
    names = _names(names, n)
    others = [j for j in range(n) if j != i and wins[i][j] + wins[j][i]]
    need(bool(others), f"{names[i]} has met no other contestant: there is nothing to update")
    won, terms = sum(wins[i]), {j: (wins[i][j] + wins[j][i]) / (strengths[i] + strengths[j]) for j in others}
    new = won / sum(terms.values())
    figure = Diagram(f"One MM step: a new strength for {names[i]}")
    y, high = TITLE_HEIGHT + 26, 46
    heads = (
        (LEFT + 60, "opponent j"),
        (LEFT + 196, Formula("duels n_{ij}")),
        (LEFT + 316, Formula("π_{i} + π_{j}")),
        (LEFT + 446, "quotient"),
    )
    for x, text in heads:
        figure.label(x, y - 8, text, 12.5)
    for row, j in enumerate(others):
        at = y + row * (high - 8)
        figure.box(LEFT, at, 120, high - 14, names[j], "tensor", size=12.5, bold=False)
        figure.label(LEFT + 196, at + 21, f"{wins[i][j] + wins[j][i]:g}", 14, color=INK)
        figure.label(LEFT + 316, at + 21, f"{strengths[i]:.3g} + {strengths[j]:.3g}", 14, color=INK)
        figure.box(LEFT + 396, at, 100, high - 14, f"{terms[j]:.3g}", "kept", size=13)
    bottom = y + len(others) * (high - 8)
    figure.line((LEFT + 392, bottom), (LEFT + 500, bottom), color=INK, width=1.4)
    total = figure.box(LEFT + 396, bottom + 7, 100, high - 14, f"{sum(terms.values()):.3g}", "kept", size=13)
    figure.label(LEFT + 380, bottom + 28, "sum", 12.5, "end")
    figure.box(LEFT + 560, y, 100, high - 14, f"{won:g}", "new", size=13)
    figure.label(LEFT + 610, y - 8, Formula("wins W_{i}"), 12.5)
    figure.line((LEFT + 548, y + 42), (LEFT + 672, y + 42), color=INK, width=1.8)
    below = figure.box(LEFT + 560, y + 52, 100, high - 14, f"{sum(terms.values()):.3g}", "kept", size=13)
    figure.arrow(
        total.right_middle,
        (LEFT + 528, total.center[1]),
        (LEFT + 528, below.center[1]),
        below.left_middle,
        color=BLUE,
        width=2,
    )
    figure.label(LEFT + 690, y + 46, "=", 16, color=INK, bold=True)
    figure.box(LEFT + 704, y + 25, RIGHT - LEFT - 704, high - 12, f"{new:.3g}", "new", size=15)
    figure.label(RIGHT, y + 84, f"was {strengths[i]:.3g}", 12.5, "end")
    listed = " + ".join(f"{wins[i][j] + wins[j][i]:g} / ({strengths[i]:.3g} + {strengths[j]:.3g})" for j in others)
    return figure.finish(
        f"One MM step for {names[i]}: {won:g} wins, divided by {listed} = {sum(terms.values()):.3g}, is {new:.3g}; it was "
        f"{strengths[i]:.3g}. A duel with a strong opponent weighs less in the sum below, so a win over one lifts more.",
        "Then the same for every other contestant, from the old strengths; then all of it again until nothing changes.",
    )


def _names(names: Sequence[str] | None, n: int) -> list[str]:
    need(names is None or len(names) == n, f"give one name for each of the {n} contestants")
    return list(LETTERS[:n]) if names is None else [str(name) for name in names]


def _table(wins, least: int, most: int) -> list[list[float]]:
    """Return the wins as lists, checked."""
    wins = [[float(value) for value in row] for row in wins]
    n = len(wins)
    need(least <= n <= most, f"{amount(n, 'contestant')} cannot be drawn: give {least} to {most}")
    need(all(len(row) == n for row in wins), f"wins must be a square table: {n} rows of {n} numbers")
    fine = all(math.isfinite(value) and value >= 0 for row in wins for value in row) and all(
        wins[i][i] == 0 for i in range(n)
    )
    need(fine, "wins are numbers from 0 on, and 0 on the diagonal: no contestant meets itself")
    return wins


def _duels(wins: list[list[float]], i: int) -> float:
    return sum(wins[i]) + sum(row[i] for row in wins)


def _rate(wins: list[list[float]], i: int) -> float | None:
    games = _duels(wins, i)
    return sum(wins[i]) / games if games else None


def _groups(wins: list[list[float]]) -> list[list[int]]:
    """The contestants in groups between which there was no duel."""
    left, groups = set(range(len(wins))), []
    while left:
        group, todo = set(), [min(left)]
        while todo:
            i = todo.pop()
            if i not in group:
                group.add(i)
                todo += [j for j in left if wins[i][j] + wins[j][i]]
        left -= group
        groups.append(sorted(group))
    return groups
