"""What happens inside a block, as pictures: queries and keys, attention in all heads, the MLP, the residual stream."""

from __future__ import annotations

from helpers.show.forward_pass_parts import (
    BOLD,
    LEFT,
    RIGHT,
    SMALL,
    TOKEN,
    Picture,
    View,
    bar,
    decimal,
    length,
    line,
    span,
    strip,
)
from helpers.show.svg import quoted, seen, write
from helpers.show.theme import BLUE, INK, ORANGE, amount, listing, number, percent

MOST_ROWS = 9  # tokens that are drawn below each other
NAMES = 84  # pixels for their names
NARROW = 78  # a head's column that has no room for numbers


def scores(view: View, y: float) -> Picture:
    """One head: the query of the position, the key of each token it may attend to, their products and the softmax."""
    block, p, h = view.block, view.position, view.head
    if block.weights is None:
        words = f"{block.attention_note} The next step shows what it adds to the stream."
        return Picture("Attention of another kind", words, write(LEFT, y + 16, block.attention_note, SMALL), y + 30)
    query, keys = block.queries[h, p], block.keys[h // (len(block.queries) // len(block.keys))]
    values, weights = block.scores[h, p], block.weights[h, p]
    rows, others = _rows(view, weights[None])
    best, size = max(rows, key=lambda j: float(weights[j])), len(query)
    scale = span(query, *(keys[j] for j in rows))
    body, y = strip(query, y, f"query of {view.token}, head {h}", scale)
    y += 30
    for x, name in ((LEFT + NAMES, "key of each token"), (LEFT + 330, f"q · k / √{size}"), (LEFT + 460, "softmax: weight")):
        body += write(x, y, name, 'font-size="12.5"')
    y, bound = y + 8, max(abs(float(values[j])) for j in rows) or 1.0
    top, middle = y, LEFT + 362
    for j in rows:
        weight, score, bold = float(weights[j]), float(values[j]), BOLD * (j == best)
        body += write(LEFT + NAMES - 8, y + 15, seen(view.names[j], 8, space=True), f'{TOKEN} text-anchor="end"{bold}')
        body += strip(keys[j], y + 2, "", scale, LEFT + NAMES, 220, 18)[0]
        body += bar(middle, y + 4, 36 * score / bound, 14, BLUE if score > 0 else ORANGE)
        body += write(LEFT + 448, y + 15, decimal(score), f'font-size="12" text-anchor="end"{bold}')
        body += bar(LEFT + 460, y + 4, 66 * weight, 14, INK)
        body += write(LEFT + 465 + 66 * weight, y + 15, percent(weight, 1), f'font-size="12"{bold}')
        y += 23
    count = len(rows) + len(others)
    hidden = _hidden(view)
    notice = f"{f'The {len(rows)} tokens of {count} with the largest weights.' * bool(others)} {hidden}".strip()
    body += line(middle, top, y) + line(LEFT + 460, top, y) + write(LEFT, y + 18, notice, SMALL)
    words = (
        f"Head {h} compares the query of {view.here} with the keys of {amount(count, 'token')}, q · k / √{size}. The highest "
        f"score is {decimal(values[best])}, for {quoted(view.names[best], 24)}: the softmax makes it a weight of "
        f"{percent(float(weights[best]), 1)}. {hidden}"
    )
    title = f"Head {h}: the query of {view.token} fits the key of {quoted(view.names[best], 24)} best"
    return Picture(title, words.strip(), body, y + 22)


def _rows(view: View, weights) -> tuple[list[int], list[int]]:
    """Return which positions are drawn, those with the largest ``weights`` [n_head, T] of any head, and all others."""
    allowed = range(view.position + 1 if view.block.causal else len(view.names))
    best = sorted(allowed, key=lambda j: (-float(weights[:, j].max()), j))
    most = MOST_ROWS if len(best) <= MOST_ROWS else MOST_ROWS - 1
    return sorted(best[:most]), sorted(best[most:])


def _hidden(view: View) -> str:
    if not view.block.causal:
        return view.block.attention_note
    return f"The causal mask hides {amount(view.later, 'later token')}." if view.later else ""


def attention(view: View, y: float) -> Picture:
    """All heads: where the position attends, and what that adds to the residual stream."""
    block, p, token = view.block, view.position, view.token
    added, body = block.attention_output[p], ""
    if block.weights is None:
        body, y, words = write(LEFT, y + 12, block.attention_note, SMALL), y + 28, f"{block.attention_note} Its output is"
        title = f"Attention adds something to {token}, in a way of its own"
    else:
        body, y = _heads(view, y)
        weights = block.weights[:, p]
        best = [(float(row.max()), h, quoted(view.names[int(row.argmax())], 24)) for h, row in enumerate(weights)]
        named = [f"head {h} to {name} ({percent(weight, 1)})" for weight, h, name in best[:6]]
        named += [amount(len(best) - 6, "further head")] * (len(best) > 6)
        words = f"Where {view.here} attends most: {listing(named)}. {_hidden(view)}".strip()
        words += " Each head adds up the values with its weights, the output matrix joins the heads, and the result is"
        title = f"{token} attends most to {max(best)[2]}: {percent(max(best)[0], 1)} in head {max(best)[1]}"
    part, y = _added(view, y, block.before, "attention output", added, block.middle)
    words = f"{words} added to the residual stream: {_lengths(view, block.before, added, block.middle)}"
    return Picture(title, words, body + part, y)


def _heads(view: View, y: float) -> tuple[str, float]:
    """Draw the weights of all heads as bars, a row for each token and a column for each head."""
    weights = view.block.weights[:, view.position]
    rows, others = _rows(view, weights)
    wide = min((RIGHT - LEFT - NAMES) / len(weights), 160.0)
    room, body, top = wide - (44 if wide >= NARROW else 4), "", y + 14
    columns = [LEFT + NAMES + h * wide for h in range(len(weights))]
    for h, x in enumerate(columns):
        style = f'font-size="12"{BOLD * (h == view.head)}'
        body += write(x, y + 6, f"head {h}" if wide >= 46 else h, style)
    y = top
    for among in [*([j] for j in rows), *([others] if others else [])]:
        faint = among is others
        name = f"{len(others)} others" if faint else seen(view.names[among[0]], 8, space=True)
        body += write(LEFT + NAMES - 8, y + 13, name, f'{SMALL if faint else TOKEN} text-anchor="end"')
        for x, row in zip(columns, weights):
            weight = float(row[among].sum())
            body += bar(x, y + 2, room * weight, 13, ORANGE, faint)
            if wide >= NARROW:
                body += write(x + room * weight + 4, y + 13, percent(weight, 1), SMALL)
        y += 18
    return body + "".join(line(x, top, y) for x in columns), y + 12


def mlp(view: View, y: float) -> Picture:
    """The hidden units of the MLP, and what they add to the residual stream."""
    block, p = view.block, view.position
    hidden, added = block.hidden[p], block.mlp_output[p]
    active, largest = int((hidden > 0).sum()), int(hidden.argmax())
    body, y = strip(hidden, y, f"hidden units: {active:,} of {len(hidden):,} active", least=1.2)
    part, y = _added(view, y + 12, block.middle, "MLP output", added, block.after)
    words = (
        f"The MLP works on the vector of {view.here} alone. Its first matrix makes {amount(len(hidden), 'hidden unit')} of "
        f"{amount(block.mlp_input.shape[1], 'number')}; {active:,} are active (above 0), most of all unit {largest} with "
        f"{number(float(hidden[largest]))}. Its second matrix makes {amount(len(added), 'number')} of them again, added to the "
        f"residual stream: {_lengths(view, block.middle, added, block.after)}"
    )
    return Picture(f"{active:,} of {len(hidden):,} hidden units are active for {view.token}", words, body + part, y)


def _added(view: View, y: float, before, what: str, added, after) -> tuple[str, float]:
    """Draw the residual connection: the stream before, what is added, the stream after, all on one scale."""
    p = view.position
    scale, body = span(before[p], added, after[p]), ""
    labels = f"residual stream of {view.token}", f"+ {what}", "= residual stream afterwards"
    for label, vector in zip(labels, (before[p], added, after[p])):
        part, y = strip(vector, y, label, scale, height=30)
        body, y = body + part, y + 9
    return body, y


def _lengths(view: View, before, added, after) -> str:
    """How long the vectors are that are added, in words."""
    p = view.position
    words = f"a vector of length {number(length(added))} to one of length {number(length(before[p]))}; "
    return f"{words}their sum has length {number(length(after[p]))}. {view.block.stream_note}".strip()
