"""How a caption and a picture find each other: guidance, two towers, reading by Bayes (built for notebook 16)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.drawings.multimodal import PICTURES, WORDS
from helpers.show.lettering import Formula
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import BLUE, CRIMSON, GRID, INK, ORANGE, SOFT, amount


def guidance(
    conditional: Sequence[float],
    unconditional: Sequence[float],
    w: float = 3.0,
    temperature: float = 1.0,
    names: Sequence[str] | None = None,
) -> Drawing:
    """Draw classifier-free guidance on a few tokens: with the caption, without it, guided; beside it, a low temperature.

    ``conditional`` and ``unconditional`` are logits of 2 to 8 tokens; softmax is taken over these alone. The guided ones are
    u + w (c − u) of their log-probabilities (Ho & Salimans 2022). The low temperature beside it is the one at which the
    likeliest token gets as much as by guidance. Raises ValueError for other sizes, and for a temperature that is not positive.
    """
    c, u = ([float(value) for value in row] for row in (conditional, unconditional))
    need(len(c) == len(u) and 2 <= len(c) <= 8, f"{len(c)} and {len(u)} logits: give as many of both, 2 to 8")
    need(temperature > 0, f"a temperature is positive, not {temperature:g}")
    names = [f"code {i}" for i in range(len(c))] if names is None else [str(name) for name in names]
    need(len(names) == len(c), f"give one name for each of the {len(c)} tokens")
    log_c, log_u = _log_softmax(c), _log_softmax(u)
    columns = (
        ("without the caption", "u", _softmax(log_u, temperature), SOFT),
        ("with the caption", "c", _softmax(log_c, temperature), BLUE),
        (
            "guided",
            f"u + {w:g} (c − u)",
            _softmax([b + w * (a - b) for a, b in zip(log_c, log_u)], temperature),
            ORANGE,
        ),
    )
    cold = _as_peaked(log_c, max(columns[2][2]))
    columns += ((f"only colder: T = {cold:.2g}", "c / T", _softmax(log_c, cold), BLUE),)
    figure = Diagram(f"Guidance, w = {w:g}: away from what is likely without a caption. Where does it lead?")
    top, tall = TITLE_HEIGHT + 54, 27
    wide, left = (RIGHT - LEFT - 92) / 4, LEFT + 92
    for number, (name, formula, shares, color) in enumerate(columns):
        x = left + number * wide
        figure.label(x, top - 32, name, 13, "start", INK, bold=True, room=wide - 10)
        figure.label(x, top - 14, formula, 12.5, "start", room=wide - 10)
        for row, share in enumerate(shares):
            y = top + row * tall
            figure.rect(x, y, max(1.0, (wide - 62) * share), tall - 8, tint(color, 0.4), color, 1.3, 2)
            figure.label(x + max(1.0, (wide - 62) * share) + 6, y + 14, f"{share:.0%}", 12, "start", INK)
    for row, name in enumerate(names):
        figure.label(LEFT, top + row * tall + 14, name, 12.5, "start", INK, room=84)
    listed = "; ".join(
        f"{name} {columns[0][2][i]:.0%}, {columns[1][2][i]:.0%}, {columns[2][2][i]:.0%}, {columns[3][2][i]:.0%}"
        for i, name in enumerate(names)
    )
    return figure.finish(
        f"Guidance with w = {w:g} at temperature {temperature:g}. Without the caption, with it, guided, and only with a lower "
        f"temperature ({cold:.2g}), the tokens have: {listed}. Guidance favors what the caption makes likelier, whatever was "
        "likely before; a low temperature favors what is likely anyway.",
        "Softmax over these tokens alone. The T on the right: low enough that the likeliest token gets as much as by guidance.",
    )


def two_towers(similarity: Sequence, captions: Sequence[str], temperature: float = 0.07) -> Drawing:
    """Draw a contrastive batch: two towers give vectors, their similarities a table, and the diagonal has to win both ways.

    ``similarity`` [B, B] are cosines of picture i (rows) and caption j (columns), B from 2 to 6; ``captions`` are B texts. Equal
    captions are marked: such a pair counts as wrong though it is right. Raises ValueError for other sizes, or cosines above 1.
    """
    rows = similarity.tolist() if hasattr(similarity, "tolist") else [list(map(float, row)) for row in similarity]
    n = len(rows)
    need(2 <= n <= 6 and all(len(row) == n for row in rows), f"{n} rows cannot be drawn: give a square table of 2 to 6")
    need(
        all(abs(value) <= 1.001 for row in rows for value in row),
        "cosines lie between −1 and 1: normalize both vectors first",
    )
    need(len(captions) == n, f"give one caption for each of the {n} columns")
    need(temperature > 0, f"a temperature is positive, not {temperature:g}")
    captions = [str(caption) for caption in captions]
    by_row = [_softmax(row, temperature)[i] for i, row in enumerate(rows)]
    by_column = [_softmax([row[j] for row in rows], temperature)[j] for j in range(n)]
    loss = -sum(math.log(max(share, 1e-300)) for share in by_row + by_column) / (2 * n)
    figure = Diagram("Two towers: which caption belongs to which picture?")
    y, left, cell = TITLE_HEIGHT + 78, LEFT + 330, min(60.0, 270 / n)
    tall = cell * n
    pictures = figure.box(LEFT, y + tall / 2 - 24, 92, 48, "pictures", "step", f"[{n}, 8, 8]", size=13)
    tower = figure.box(LEFT + 126, y + tall / 2 - 30, 96, 60, "tower", "attention", "for pictures", size=13)
    vectors = figure.box(LEFT + 252, y, 56, tall, Formula("a_{i}"), "tensor", f"[{n}, D]", size=15)
    for one, other in ((pictures, tower), (tower, vectors)):
        figure.arrow(one.right_middle, (other.x, one.center[1]), color=PICTURES, width=2.2)
    words = figure.box(LEFT, TITLE_HEIGHT + 12, 92, 44, "captions", "step", f"[{n}, 3]", size=13)
    other_tower = figure.box(LEFT + 126, TITLE_HEIGHT + 8, 96, 52, "tower", "attention", "for words", size=13)
    above = figure.box(left, TITLE_HEIGHT + 18, tall, 34, Formula("b_{j}"), "tensor", size=15)
    for one, other in ((words, other_tower), (other_tower, above)):
        figure.arrow(one.right_middle, (other.x, one.center[1]), color=WORDS, width=2.2)
    doubles = [(i, j) for i in range(n) for j in range(n) if i != j and captions[i] == captions[j]]
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            area = figure.cell(left + j * cell, y + i * cell, cell, max(0.0, value), _minus(value, 2), BLUE)
            edge = ORANGE if i == j else CRIMSON if (i, j) in doubles else ""
            if edge:
                figure.rect(area.x + 2, area.y + 2, cell - 4, cell - 4, "none", edge, 2.6, 2)
    x = left + tall + 14
    figure.label(x, y - 10, "softmax of its row", 12, "start", room=RIGHT - x)
    for i, caption in enumerate(captions):
        figure.label(x, y + (i + 0.5) * cell + 4, f"{by_row[i]:.0%}  {caption}", 12.5, "start", INK, room=RIGHT - x)
    for j, share in enumerate(by_column):
        figure.label(left + (j + 0.5) * cell, y + tall + 16, f"{share:.0%}", 12, color=INK, room=cell - 2)
    figure.label(left - 8, y + tall + 16, "of its column", 12, "end")
    said = ", ".join(f"{caption} {by_row[i]:.0%} and {by_column[i]:.0%}" for i, caption in enumerate(captions))
    twice = (
        f" {amount(len(doubles) // 2, 'pair')} of equal captions: the loss calls them wrong, though they are right."
        * bool(doubles)
    )
    return figure.finish(
        f"Two towers turn {n} pictures and their {n} captions into vectors; the table holds the cosines of all pairs. At "
        f"temperature {temperature:g}, the right pairs get by softmax over their row and their column: {said}. The loss is the "
        f"mean of −log of these shares, {loss:.2f} nats; by chance it is {math.log(n):.2f}.{twice}",
        "Orange: belongs together." + " Red: equal captions, counted as wrong." * bool(doubles),
    )


def bayes_reading(
    captions: Sequence[str], log_likelihoods: Sequence[float], prior: Sequence[float] | None = None
) -> Drawing:
    """Draw how a model that only paints reads: log p(picture | caption) plus log p(caption), and the posterior.

    ``captions`` are 2 to 12 texts, ``log_likelihoods`` as many numbers (nats), ``prior`` as many probabilities (None: all alike).
    Raises ValueError for other sizes, and for a prior that is not positive.
    """
    captions, scores = [str(caption) for caption in captions], [float(value) for value in log_likelihoods]
    n = len(captions)
    need(
        2 <= n <= 12 and len(scores) == n,
        f"{n} captions and {len(scores)} log-likelihoods: give as many of both, 2 to 12",
    )
    prior = [1 / n] * n if prior is None else [float(value) for value in prior]
    need(
        len(prior) == n and all(value > 0 for value in prior),
        f"a prior is one positive probability for each of the {n} captions",
    )
    logs = [math.log(value / sum(prior)) for value in prior]
    posterior = _softmax([score + log for score, log in zip(scores, logs)], 1.0)
    best = max(range(n), key=posterior.__getitem__)
    figure = Diagram("A model that paints can read: which caption makes this picture likeliest?")
    y, tall = TITLE_HEIGHT + 36, 25
    heads = ((LEFT + 344, "log p(picture | caption)", "end"), (LEFT + 436, "+ log prior", "end"),
             (LEFT + 470, "posterior, p(caption | picture)", "start"))  # fmt: skip
    for x, text, anchor in heads:
        figure.label(x, y - 14, text, 12.5, anchor, INK, bold=True)
    low, high = min(scores), max(scores)
    for i, caption in enumerate(captions):
        top = y + i * tall
        figure.label(LEFT, top + 14, caption, 12.5, "start", INK, bold=i == best, room=176)
        share = (scores[i] - low) / (high - low) if high > low else 1.0
        figure.rect(LEFT + 190, top, 2 + 74 * share, tall - 8, tint(BLUE, 0.3), BLUE, 1.2, 2)
        figure.label(LEFT + 344, top + 14, _minus(scores[i], 1), 12.5, "end", INK)
        figure.label(LEFT + 436, top + 14, _minus(logs[i], 2), 12.5, "end", INK)
        figure.rect(
            LEFT + 470, top, 2 + (RIGHT - LEFT - 540) * posterior[i], tall - 8, tint(ORANGE, 0.4), ORANGE, 1.2, 2
        )
        figure.label(
            LEFT + 480 + (RIGHT - LEFT - 540) * posterior[i],
            top + 14,
            f"{posterior[i]:.0%}",
            12.5,
            "start",
            INK,
            bold=i == best,
        )
    figure.line((LEFT + 190, y - 6), (LEFT + 190, y + n * tall - 2), color=GRID, width=1)
    alike = "All captions are" if max(prior) == min(prior) else "The captions are not"
    return figure.finish(
        "Reading by Bayes: the model only gives log p(picture | caption). Adding the log of the prior and taking softmax gives "
        f"the posterior; the best is “{captions[best]}” with {posterior[best]:.0%} ({_minus(scores[best], 1)} nats). {alike} "
        "equally likely beforehand.",
        "The model never learned to read: it was asked how likely it would have painted this, for each caption.",
    )


def _minus(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}".replace("-", "−")


def _softmax(logits: Sequence[float], temperature: float) -> list[float]:
    most = max(logits)
    powers = [math.exp((value - most) / temperature) for value in logits]
    return [power / sum(powers) for power in powers]


def _log_softmax(logits: Sequence[float]) -> list[float]:
    most = max(logits)
    total = most + math.log(sum(math.exp(value - most) for value in logits))
    return [value - total for value in logits]


def _as_peaked(logits: Sequence[float], peak: float) -> float:
    """The temperature at which the likeliest of these tokens gets the probability ``peak``, between 0.05 and 20."""
    low, high = math.log(0.05), math.log(20.0)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if max(_softmax(logits, math.exp(middle))) > peak else (low, middle)
    return math.exp((low + high) / 2)
