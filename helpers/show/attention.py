"""What a model attends to: its attention weights as a map, and the text as one token attends to it. Built in notebook 03.

``helpers.show.attention_explorer`` asks a model for its weights and adds the controls.
"""

from __future__ import annotations

from helpers.corpus.tokenizers.base import SPEAKERS
from helpers.show.svg import MARGIN, TITLE_HEIGHT, WIDTH, Drawing, cells, key, monospaced, quoted, seen, write
from helpers.show.theme import BLUE, GRID, INK, MONO, ORANGE, RULE, listing, number, percent, xml
from helpers.show.tokens_and_bars import LINE, MOST_TOKENS, place_tokens, token_box

MOST_ROWS = 40
LEFT = MARGIN + 108  # where the map begins: the names of its rows stand before it
NAME = 11  # characters of a token's name beside the map
FAINT = 0.004  # of the largest weight: less is not drawn, it could not be seen


def attention_map(
    weights,
    rows,
    columns,
    mask=None,
    generated: bool = False,
    *,
    title: str = "",
    layer: int = 0,
    head: int = 0,
    position: int | None = None,
) -> Drawing:
    """Draw attention weights as a map: a row per query token, a column per key token, darker for a larger weight.

    ``weights`` are one table [T, S], or for each layer [heads, T, S], of which ``layer`` and ``head`` (from 0) choose one;
    ``rows`` and ``columns`` name the T and S tokens. ``mask`` [T, S] is False where a token may not attend: crossed out.
    ``generated`` says that the rows are tokens to be generated, the weights those of the step before each. ``position``
    (from 0) frames one row and shows above the map the whole text colored by its weights. Without a ``title`` the finding
    is the title. At most 40 rows and the last 200 columns are drawn. Raises ValueError for sizes that do not fit and for a
    layer, head or position that is not there.
    """
    table, mask, which = _table(weights, rows, columns, mask, layer, head)
    rows, columns = [str(name) for name in rows], [str(name) for name in columns]
    if position is not None and not 0 <= position < len(rows):
        raise ValueError(f"there is no position {position} in {len(rows)} rows; take 0 to {len(rows) - 1}")
    finding, words = _words(table, rows, columns, mask, generated, position)
    words = f"{words} This is {which}." if which else words
    words = f"{title}{'' if title[-1:] in '.!?' else '.'} {words}" if title else words
    title = title or (f"{finding} · {which}" if which else finding)
    top = float(table.max()) or 1.0
    first = min(max(0, (position or 0) - MOST_ROWS // 2), max(0, len(rows) - MOST_ROWS))
    begins = max(0, len(columns) - MOST_TOKENS)
    drawn = slice(first, first + MOST_ROWS), slice(begins, None)
    body, y = "", float(TITLE_HEIGHT)
    if position is not None:
        body, y = _text(columns[begins:], table[position, begins:], mask[position, begins:], top)
    picture, y = _map(table[drawn], rows[drawn[0]], columns[drawn[1]], mask[drawn], top, y, position, first, generated)
    legend = f"{'Each row: just before this token is generated. ' * generated}Darkest: {percent(top, 1)}."
    legend += "" if mask.all() else " Crossed out: the mask hides it."
    if len(rows) > MOST_ROWS or begins:
        shown = f"{min(len(rows), MOST_ROWS)} of {len(rows)} rows and {len(columns) - begins} of {len(columns)} columns"
        legend += f" Only {shown}."
    return Drawing(body + picture + key(y + 18, legend), words, title, y + 32)


def _table(weights, rows, columns, mask, layer: int, head: int):
    """Return one layer's and head's weights [T, S], the mask [T, S], and which of several they are, in words."""
    import numpy as np

    which = ""  # of several
    if not hasattr(weights, "ndim") and len(weights) and getattr(weights[0], "ndim", 0) == 3:
        heads = len(weights[0])
        if not 0 <= layer < len(weights) or not 0 <= head < heads:
            known = f"layers 0 to {len(weights) - 1}, heads 0 to {heads - 1}"
            raise ValueError(f"there is no layer {layer}, head {head}; take {known}")
        which = f"layer {layer}, head {head}" if len(weights) * heads > 1 else ""
        weights = weights[layer][head]
    if hasattr(weights, "detach"):
        weights = weights.detach().float().cpu()
    table = np.asarray(weights, dtype=float)
    if table.shape != (len(rows), len(columns)) or not table.size:
        raise ValueError(f"weights of shape {table.shape} do not fit {len(rows)} rows and {len(columns)} columns")
    if not np.isfinite(table).all() or table.min() < 0:
        raise ValueError("weights go from 0 to 1: some are negative or no numbers. Was the softmax forgotten?")
    mask = np.ones(table.shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    if mask.shape != table.shape:
        raise ValueError(f"the mask has the shape {mask.shape}, the weights have {table.shape}")
    return table, mask, which


def _spread(row) -> float:
    """Over how many tokens attention is spread: two to the power of its entropy in bits; 1 when all lies on one."""
    import numpy as np

    weights = row[row > 0]
    return float(np.exp(-(weights * np.log(weights)).sum())) if len(weights) else 0.0


def _words(table, rows, columns, mask, generated: bool, position: int | None) -> tuple[str, str]:
    """Return the finding in a line, and all of it in words."""
    import numpy as np

    def highest(i: int) -> list[str]:
        order = np.argsort(-table[i], kind="stable")[:3]
        return [f"{quoted(columns[j], 24)} {percent(table[i, j], 1)}" for j in order if table[i, j] > 0]

    if position is not None:
        row, name = table[position], quoted(rows[position], 24)
        best = int(row.argmax())
        at = f"{quoted(columns[best], 24)} ({percent(row[best], 1)})" if row[best] > 0 else "nothing"
        finding = (
            f"Before it generates {name}, it attends most to {at}" if generated else f"{name} attends most to {at}"
        )
        words = f"Row {position + 1} of {len(rows)}. {finding}"
        words += f"; then {listing(highest(position)[1:])}" if len(highest(position)) > 1 else ""
        words += f". Its attention is spread over {number(_spread(row))} of {mask[position].sum()} tokens."
        hidden = int((~mask[position]).sum())
        return finding, words + (f" The mask hides {hidden} from it." if hidden else "")
    spread = np.array([_spread(row) for row in table])
    sharpest = sorted(range(len(rows)), key=lambda i: (-round(table[i].max(), 6), i))[:3]
    finding = f"Attention is spread over {number(float(spread.mean()))} of {len(columns)} tokens on average"
    named = listing(f"{'before ' * generated}{quoted(rows[i], 24)} to {highest(i)[0]}" for i in sharpest if highest(i))
    return finding, f"{finding}. Sharpest: {named}." if named else f"{finding}."


def _text(columns, row, mask, top: float) -> tuple[str, float]:
    """Write the tokens of the columns as a text, colored by the weights of one row; return the SVG and its end."""
    order = sorted(range(len(row)), key=lambda i: -row[i])[:3]
    # The <end> before the first speaker needs no line of its own.
    turns = {i for i, token in enumerate(columns) if i > 1 and token in SPEAKERS}
    places, y = place_tokens(columns, LINE, TITLE_HEIGHT - 8, turns)
    boxes = []
    for i, (token, weight, place) in enumerate(zip(columns, row, places)):
        written, part = (percent(weight, 1), float(weight) / top) if mask[i] else ("hidden", None)
        boxes.append(token_box(token, written, part, place, i in order and weight > 0))
    return monospaced(boxes), y + 6


def _map(table, rows, columns, mask, top, y, position, first, generated) -> tuple[str, float]:
    """Draw the table from height ``y`` on, its first row being number ``first``; return the SVG and where it ends."""
    wide, high = min(28.0, (WIDTH - MARGIN - LEFT) / len(columns)), 20.0 if len(rows) <= 24 else 14.0
    parts = []
    if wide >= 11:  # narrower columns have no room for a name; the text above names them
        names = [seen(name, NAME) for name in columns]
        y += 4 + max(cells(name) for name in names) * 6.7
        for i, name in enumerate(names):
            x = LEFT + (i + 0.5) * wide + 4
            parts.append(f'<g transform="rotate(-90 {x:.1f} {y - 5:.1f})">{write(x, y - 5, name)}</g>')
    size = f'width="{wide * len(columns):.1f}" height="{high * len(rows):g}"'
    parts.append(f'<rect x="{LEFT}" y="{y:g}" {size} fill="none" stroke="{GRID}"/>')
    for i, name in enumerate(rows):
        order = sorted(range(len(columns)), key=lambda j: -table[i][j])[:3]
        most = ", ".join(f"“{seen(columns[j])}” {percent(table[i][j], 1)}" for j in order if table[i][j] > 0)
        parts.append(
            f'<g tabindex="0"><title>{"before " * generated}“{xml(seen(name))}”: {xml(most or "nothing")}</title>'
        )
        parts.append(_row(table[i] / top, mask[i], seen(name, NAME), y, wide, high, first + i == position) + "</g>")
        y += high
    return f'<g font-family="{MONO}" font-size="11" fill="{INK}" style="white-space:pre">{"".join(parts)}</g>', y


def _row(weights, mask, name: str, y: float, wide: float, high: float, framed: bool) -> str:
    """One line of the map: its name, a box for each weight that can be seen, strokes through what the mask hides."""
    bold = ' font-weight="700"' if framed else ""
    parts = [write(LEFT - 6, y + high / 2 + 4, name, f'text-anchor="end"{bold}')]
    for j, weight in enumerate(weights):
        if weight > FAINT:
            box = f'x="{LEFT + j * wide:.1f}" y="{y:g}" width="{wide:.1f}" height="{high:g}"'
            parts.append(f'<rect {box} fill="{ORANGE}" fill-opacity="{weight:.2f}"/>')
    hidden = (j for j in range(len(mask)) if not mask[j])
    strokes = "".join(f"M{LEFT + j * wide:.1f} {y + high:g}l{wide:.1f}-{high:g}" for j in hidden)
    if strokes:
        parts.append(f'<path d="{strokes}" stroke="{RULE}"/>')
    style = f'fill="none" stroke="{BLUE}" stroke-width="2"' if framed else 'fill="none"'
    parts.append(f'<rect x="{LEFT}" y="{y:g}" width="{wide * len(weights):.1f}" height="{high:g}" {style}/>')
    return "".join(parts)
