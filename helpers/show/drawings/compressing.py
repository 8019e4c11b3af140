"""How numbers get smaller: the grid of a few bits, two in a byte, GPTQ, masks (built for notebook 12)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, spread
from helpers.show.lettering import Formula
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import BLUE, CRIMSON, INK, ORANGE, SOFT


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def quantization(weights: Sequence[float], bits: int = 3, symmetric: bool = True) -> Drawing:
    """Draw how a row of weights is rounded to a grid of 2^bits integers (symmetric: 2^bits − 1), and back.

    `weights` are 2 to 10 floats that are not all equal, `bits` 2 to 4. Raises ValueError otherwise.
    """
    weights = [float(weight) for weight in weights]
    need(2 <= len(weights) <= 10 and max(weights) > min(weights), "give 2 to 10 weights that are not all equal")
    need(2 <= bits <= 4, f"a grid of {bits} bits cannot be drawn: give 2 to 4")
    if symmetric:
        levels = list(range(1 - 2 ** (bits - 1), 2 ** (bits - 1)))
        scale, zero = max(map(abs, weights)) / levels[-1], 0
    else:
        levels, scale = list(range(2**bits)), (max(weights) - min(weights)) / (2**bits - 1)
        zero = round(-min(weights) / scale)
    rounded = [min(max(round(weight / scale) + zero, levels[0]), levels[-1]) for weight in weights]
    name = "symmetric" if symmetric else "asymmetric"
    figure = Diagram(f"{bits} bits, {name}: every weight moves to the nearest of {len(levels)} values")
    low = min(*weights, (levels[0] - zero) * scale)
    high = max(*weights, (levels[-1] - zero) * scale)

    def at(value: float) -> float:
        return LEFT + 96 + (value - low) / (high - low) * (RIGHT - LEFT - 132)

    y = TITLE_HEIGHT + 26
    for line, text in ((y, "weights"), (y + 74, "grid")):
        figure.line((LEFT + 84, line), (RIGHT - 16, line), color=SOFT, width=1.2)
        figure.label(LEFT, line + 5, text, 13, "start", INK, bold=True)
    for level in levels:
        x = at((level - zero) * scale)
        figure.line((x, y + 66), (x, y + 82), color=BLUE, width=2.4)
        figure.label(x, y + 100, str(level).replace("-", "−"), 12.5, color=INK, bold=level in rounded)
    for weight, level in zip(weights, rounded):
        figure.arrow((at(weight), y + 4), (at((level - zero) * scale), y + 64), color=ORANGE, width=1.8)
        figure.circle(at(weight), y, " ", 4.5, INK, INK)
    formula, values = "q = round(w / s)", f"s = {_number(scale)}"
    if not symmetric:
        formula, values = formula + " + z", f"{values},  z = {zero}"
    figure.label(LEFT, y + 126, formula, 13, "start", INK)
    figure.label(LEFT + 200, y + 126, values, 13, "start", INK)
    back = [(level - zero) * scale for level in rounded]
    worst = max(abs(a - b) for a, b in zip(weights, back))
    return figure.finish(
        f"{bits} bits, {name}: the scale is {_number(scale)}{'' if symmetric else f', the zero point {zero}'}. The weights "
        f"{', '.join(map(_number, weights))} become {', '.join(str(q).replace('-', '−') for q in rounded)}, and back "
        f"{', '.join(map(_number, back))}: wrong by {_number(worst)} at most.",
        "Dots: the weights. Blue marks: the values that the bits can name.",
    )


def two_in_a_byte(low: int = 11, high: int = 6) -> Drawing:
    """Draw how two 4-bit numbers share one byte: low + 16 · high. Raises ValueError for numbers outside 0 to 15."""
    need(0 <= low <= 15 and 0 <= high <= 15, f"4 bits hold 0 to 15, not {low} and {high}")
    figure = Diagram("Two 4-bit numbers in one byte")
    y = TITLE_HEIGHT + 8
    for row, (value, name) in enumerate(((high, "high"), (low, "low"))):
        figure.box(LEFT, y + row * 50, 118, 38, f"{name}: {value}", "kept" if row == 0 else "new")
        for i, bit in enumerate(f"{value:04b}"):
            box = figure.box(LEFT + 150 + i * 36, y + row * 50, 34, 38, "", "kept" if row == 0 else "new", rx=2)
            figure.label(box.center[0], box.center[1] + 5, bit, 15, color=INK, mono=True)
    figure.arrow((LEFT + 306, y + 44), (LEFT + 396, y + 44), width=2)
    for i, bit in enumerate(f"{high:04b}{low:04b}"):
        box = figure.box(LEFT + 410 + i * 36, y + 25, 34, 38, "", "kept" if i < 4 else "new", rx=2)
        figure.label(box.center[0], box.center[1] + 5, bit, 15, color=INK, mono=True)
    figure.label(LEFT + 410, y + 88, f"{low} + 16 · {high} = {low + 16 * high}", 14, "start", INK, bold=True)
    return figure.finish(f"Two 4-bit numbers in one byte: {low} + 16 · {high} = {low + 16 * high}, in bits {high:04b}{low:04b}.")


def gptq(columns: int = 8, current: int = 3) -> Drawing:
    """Draw a step of GPTQ: one column of W is rounded, and its error is spread over the columns still to come.

    Raises ValueError for a column that is not there, or more than 14.
    """
    need(2 <= columns <= 14 and 0 <= current < columns, "give 2 to 14 columns and one of them")
    figure = Diagram("GPTQ: round one column, and let those still to come make up for its error")
    y, kinds = TITLE_HEIGHT + 34, []
    for i, (x, width) in enumerate(spread(columns, LEFT + 40, RIGHT - 40, 62, 8)):
        kind = "kept" if i < current else "new" if i == current else "tensor"
        name = Formula("Q" if i < current else "w" if i == current else "W")
        kinds.append(figure.box(x, y, width, 92, name, kind))
    here = kinds[current]
    for box in kinds[current + 1 :]:
        figure.arrow(here.top_middle, (here.center[0], y - 20), (box.center[0], y - 20), box.top_middle, color=CRIMSON,
                     width=1.6)  # fmt: skip
    figure.label(LEFT + 40, y + 120, Formula("error = (w − round(w)) / H^{−1}_{ii}"), 13, "start", INK)
    figure.label(LEFT + 330, y + 120, Formula("W_{j} ← W_{j} − error · H^{−1}_{ij}"), 13, "start", INK)
    return figure.finish(
        f"A step of GPTQ on {columns} columns. The first {current} are rounded and stay. Column {current} is rounded now; its "
        f"error, weighted by the inverse of the inputs' second moments H, is subtracted from the "
        f"{columns - current - 1} still to come.",
        "Blue: rounded. Orange: being rounded. Red arrows: its error moves on.",
    )


def pruning_masks(seed: int = 0) -> Drawing:
    """Draw three masks over one matrix: the smallest half, the two smallest of every four, and a random half."""
    from random import Random

    rng = Random(seed)
    matrix = [[rng.gauss(0, 1) for _ in range(8)] for _ in range(6)]
    order = sorted(abs(value) for row in matrix for value in row)
    middle = order[len(order) // 2]
    kept = {
        "magnitude": [[abs(value) >= middle for value in row] for row in matrix],
        "2:4": [[abs(row[j]) in sorted(map(abs, row[j // 4 * 4 : j // 4 * 4 + 4]))[2:] for j in range(8)] for row in matrix],
        "random": [[False] * 8 for _ in range(6)],
    }
    for number in rng.sample(range(48), 24):
        kept["random"][number // 8][number % 8] = True
    figure = Diagram("Pruning half of a matrix: which weights are set to zero?")
    notes = {"magnitude": "the smallest half", "2:4": "two of every four", "random": "the control"}
    y, size = TITLE_HEIGHT + 24, 22
    for (name, mask), (x, _) in zip(kept.items(), spread(3, LEFT + 10, RIGHT - 10, 200, 60)):
        figure.label(x + 4 * size, y - 8, name, 13, color=INK, bold=True)
        for i in range(6):
            for j in range(8):
                gap = 5 * (j // 4) if name == "2:4" else 0
                if mask[i][j]:
                    figure.cell(x + j * size + gap, y + i * size, size, min(1.0, 0.25 + abs(matrix[i][j]) / 2.5))
                else:
                    figure.rect(x + j * size + gap, y + i * size, size, size, "#ffffff", "#c9cdd6", 0.8, 2)
        figure.label(x + 4 * size, y + 6 * size + 18, notes[name], 12.5, color=SOFT)
    return figure.finish(
        "Three ways to set half of a matrix to zero: the weights of smallest magnitude; the two smallest of every four "
        "neighbors (2:4), which hardware can skip; and a random half, the control.",
        "White: zero. The darker, the larger the weight.",
    )
