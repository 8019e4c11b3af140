"""The steps of one forward pass before and after the blocks, as pictures: from the text to vectors, from a vector to a token."""

from __future__ import annotations

import math
import textwrap

from helpers.interpretability.units import pieces
from helpers.show.forward_pass_blocks import attention, mlp, scores
from helpers.show.forward_pass_list import TINTED
from helpers.show.forward_pass_parts import (
    BOLD,
    LEFT,
    RIGHT,
    SMALL,
    TOKEN,
    Picture,
    View,
    bar,
    begins,
    chips,
    decimal,
    labeled,
    length,
    line,
    span,
    strip,
)
from helpers.show.svg import quoted, seen, write
from helpers.show.theme import BLUE, RULE, amount, listing, number, percent, shorten, signs

CONTEXT = "tokens of context"  # what the longest text of the model is called among its sizes
ACROSS = 256  # numbers in a single line
BINS = 60  # of the histogram of logits
TOP = 8  # tokens with the highest logits and probabilities that are drawn
MOST_VECTORS = 8  # of other tokens
COLUMNS = 66  # characters of the text in a line


def text(view: View, y: float) -> Picture:
    """The text, and the sizes of the model that reads it."""
    lines = textwrap.wrap(signs(view.text), COLUMNS, drop_whitespace=False)
    lines = [*lines[:6], "…"] if len(lines) > 7 else lines
    high = 20 * len(lines) + 20
    body = f'<rect x="{LEFT}" y="{y}" width="{RIGHT - LEFT}" height="{high}" rx="6" fill="none" stroke="{RULE}"/>'
    body += "".join(write(LEFT + 12, y + 24 + 20 * i, part, TOKEN) for i, part in enumerate(lines))
    y += high + 34
    body, y = body + write(LEFT, y, "The model that reads it", BOLD), y + 12
    for i, (name, size) in enumerate(view.sizes.items()):
        x, below = LEFT + 193 * (i % 3), y + 66 * (i // 3)
        body += f'<rect x="{x}" y="{below}" width="182" height="56" rx="6" fill="{TINTED}"/>'
        body += write(x + 12, below + 27, f"{size:,}", f'font-size="18" fill="{BLUE}"{BOLD}')
        body += write(x + 12, below + 45, name, SMALL)
    sizes = listing(_size(name, size) for name, size in view.sizes.items())
    words = (
        f"The text has {amount(len(view.text), 'character')}. The model computes one thing: how probable each token is as the "
        f"next one. It has {sizes}."
    )
    title = f"Which token comes after “{shorten(signs(view.text), 60)}”?"
    return Picture(title, words, body, y + 66 * math.ceil(len(view.sizes) / 3))


def _size(name: str, size: int) -> str:
    """A size as a sentence says it: "4 heads in each block", "1 block"."""
    first, *rest = name.split()
    return " ".join([amount(size, first[:-1]), *rest])


def tokens(view: View, y: float) -> Picture:
    """The text as tokens, each with its id."""
    ids = view.trace.ids.tolist()
    body, end = chips(view.names, y, view.position, view.appended, ids, lines=6)
    body += write(LEFT, end + 28, "Below each token its id: all that the model gets.", SMALL)
    named = [f"{quoted(name, 24)} {number(i)}" for name, i in zip(view.names, ids)]
    named = [*named[:6], f"{len(named) - 6} more"] if len(named) > 7 else named
    words = f"The tokenizer cuts the text into {amount(len(ids), 'token')}, each with its id: {listing(named)}."
    words += f" The model generated the last {view.appended} of them." if view.appended else ""
    return Picture(f"The text is {amount(len(ids), 'token')}: each is a number", words, body, end + 34)


def embedding(view: View, y: float) -> Picture:
    """The token's row of the embedding table, the vector of the position, and what enters the first block."""
    trace, p = view.trace, view.position
    token, stream, identity = trace.token_vectors[p], trace.embedded[p], int(trace.ids[p])
    position = None if trace.position_vectors is None else trace.position_vectors[p]
    scale = span(*(vector for vector in (token, position, stream) if vector is not None))
    body, y = strip(token, y, f"row {identity:,} of the embedding table: {view.token}", scale)
    words = f"{view.here} is token {identity:,}; row {identity:,} of the embedding table is its vector {begins(token)}."
    if position is None:
        words += " Nothing is added for its position: this model rotates queries and keys instead."
    else:
        part, y = strip(position, y + 12, f"+ the vector of position {p}", scale)
        body, words = body + part, f"{words} The vector of position {p} is added: {begins(position)}."
    equal = "" if trace.embedding_note else "= "
    part, y = strip(stream, y + 12, f"{equal}the vector that enters block 0", scale)
    notice = "All tokens become vectors at once; the pictures follow one of them"
    notice += f" (the first {ACROSS} numbers of each):" if len(token) > ACROSS else ":"
    body += part + write(LEFT, y + 32, notice, SMALL)
    y += 42
    for j in _around(view):
        body += write(LEFT + 76, y + 13, seen(view.names[j], 8, space=True), f'{TOKEN} text-anchor="end"{BOLD * (j == p)}')
        body += strip(trace.embedded[j][:ACROSS], y, "", scale, LEFT + 84, RIGHT - LEFT - 84, 17)[0]
        y += 20
    words = f"{words} {trace.embedding_note}".strip() + f" Block 0 gets {begins(stream)}."
    return Picture(f"{view.token} becomes a vector of {amount(len(token), 'number')}", words, body, y)


def norm(view: View, y: float) -> Picture:
    """The vector before and after the final norm."""
    streams, normed = view.trace.blocks[-1].after, view.trace.normalized
    body, sizes = "", []
    for label, vector in (("residual stream after the last block", streams), ("after the final norm", normed)):
        vector = vector[view.position]
        mean, deviation = decimal(vector.mean()), decimal(vector.std(correction=0))
        part, y = strip(vector, y, label, height=34, beside=f"mean {mean}, standard deviation {deviation}")
        body, y = body + part, y + 14
        sizes.append(f"mean {mean} and standard deviation {deviation}")
    columns = (("length before", LEFT + 84), ("length after", LEFT + 330))
    body, y = body + "".join(write(x, y + 14, name, 'font-size="12.5"') for name, x in columns), y + 22
    top, longest = y, max(length(vector) for vector in (*streams, *normed))
    for j in _around(view):
        name, bold = seen(view.names[j], 8, space=True), BOLD * (j == view.position)
        body += write(LEFT + 76, y + 14, name, f'{TOKEN} text-anchor="end"{bold}')
        for vector, (_, x) in zip((streams[j], normed[j]), columns):
            body += bar(x, y + 3, 180 * length(vector) / longest, 14, BLUE, j != view.position)
            body += write(x + 186 * length(vector) / longest + 2, y + 14, number(length(vector)), SMALL)
        y += 20
    body += line(LEFT + 84, top, y) + line(LEFT + 330, top, y)
    blocks = amount(len(view.trace.blocks), "block")
    words = (
        f"The residual stream of {view.here} is its embedding plus what {blocks} added. Its numbers have {sizes[0]}; after the "
        f"final norm {sizes[1]}."
    )
    return Picture("The final norm gives all vectors about the same size", words, body, y)


def _around(view: View) -> range:
    """The positions drawn below each other: the one in focus and those around it."""
    first = min(max(0, view.position - MOST_VECTORS // 2), max(0, len(view.names) - MOST_VECTORS))
    return range(first, min(first + MOST_VECTORS, len(view.names)))


def logits(view: View, y: float) -> Picture:
    """The tokens with the highest logits."""
    values = view.trace.logits[view.position]
    top, names = _top(view, values, TOP)
    (_, low), (lowest,) = _top(view, -values, 1)[0][0], _top(view, -values, 1)[1]
    bound = max(abs(value) for _, value in top) or 1.0
    written = [decimal(value) for _, value in top]
    body = labeled(names, [value / bound for _, value in top], written, y)
    highest = listing(f"{quoted(name, 24)} {value}" for name, value in list(zip(names, written))[:3])
    words = (
        f"The logit of each of the {amount(len(values), 'token')} is the product of the normalized vector of {view.here} with "
        f"that token's row of the output matrix. Highest: {highest}; lowest: {quoted(lowest, 24)} {decimal(-low)}; mean "
        f"{decimal(values.mean())}. {view.trace.logits_note}"
    )
    title = f"The highest logit after {view.token}: {quoted(names[0], 24)} {written[0]}"
    part, y = _histogram(values, y + 26 * len(top) + 16)
    return Picture(title, words.strip(), body + part, y)


def _histogram(values, y: float) -> tuple[str, float]:
    """How many tokens have a logit of which size: bars side by side, the highest logit at the right end."""
    low, high, high_bar = float(values.min()), float(values.max()), 56
    counts = values.double().histc(BINS, low, high) if high > low else values.new_ones(BINS)
    wide, most = (RIGHT - LEFT) / BINS, float(counts.max())
    body = write(LEFT, y + 4, f"All {len(values):,} logits: how many tokens have which", 'font-size="12.5"')
    y += 14
    shape = "".join(
        f"M{LEFT + (i + 0.5) * wide:.1f} {y + high_bar:g}v{-max(high_bar * count / most, 1.2):.1f}"
        for i, count in enumerate(counts.tolist())
        if count
    )
    body += f'<path d="{shape}" stroke="{BLUE}" stroke-width="{wide * 0.8:.2f}"/>'
    body += f'<path d="M{LEFT} {y + high_bar:g}H{RIGHT}" stroke="{RULE}"/>' + write(LEFT, y + high_bar + 15, decimal(low), SMALL)
    body += write(RIGHT, y + high_bar + 15, decimal(high), f'text-anchor="end" {SMALL}')
    return body, y + high_bar + 18


def probabilities(view: View, y: float) -> Picture:
    """The most probable next tokens."""
    values = view.trace.probabilities[view.position]
    top, names = _top(view, values, TOP)
    written, others = [percent(value, 1) for _, value in top], len(values) - len(top)
    rest = max(0.0, 1 - sum(value for _, value in top))
    bound = max(top[0][1], rest)
    body, y = labeled(names, [value / bound for _, value in top], written, y), y + 26 * len(top)
    if others:
        body, y = body + labeled([f"{others:,} others"], [rest / bound], [percent(rest, 1)], y + 4, faint=True), y + 30
    named = [f"{quoted(name, 24)} {share}" for name, share in zip(names, written)]
    words = (
        f"The softmax makes probabilities of the {amount(len(values), 'logit')}: they sum to 1. After {view.here}: "
        f"{listing(named[:4])}. The first {len(top)} tokens have {percent(1 - rest, 1)} together."
    )
    return Picture(f"After {view.token}: {listing(named[:3])}", words, body, y)


def next_token(view: View, y: float) -> Picture:
    """The token that greedy decoding appends, and what the text itself goes on with, where it does."""
    p, values = view.position, view.trace.probabilities[view.position]
    ((best, probability),), (name,) = _top(view, values, 1)
    ids, chance = [*view.trace.ids[: p + 1].tolist(), best], percent(probability, 1)
    body = write(LEFT, y + 4, f"The tokens up to position {p}, and the most probable one after them ({chance})", SMALL)
    part, y = chips([*view.names[: p + 1], name], y + 16, p, new=1, lines=4)
    body, y = body + part + write(LEFT, y + 36, "As text", SMALL), y + 38
    for row in textwrap.wrap(signs(view.tokenizer.decode(ids)), COLUMNS, drop_whitespace=False)[-6:]:
        y += 20
        body += write(LEFT, y, row, TOKEN)
    words = f"After {view.here} the most probable token is {quoted(name, 24)}, {chance}."
    if view.later:
        true, value = quoted(view.names[p + 1], 24), float(values[int(view.trace.ids[p + 1])])
        loss = number(-math.log(value)) if value else "∞"
        words += f" The text goes on with {true}, {percent(value, 1)}: in training the loss here is −ln p = {loss} nats."
        notice = f"The text itself goes on with {true} ({percent(value, 1)}): loss {loss} nats"
    else:
        full = len(ids) > view.sizes.get(CONTEXT, len(ids))
        then = f"the next forward pass reads {amount(len(ids), 'token')}"
        then = "its context is full: the oldest token must go" if full else then
        words += f" Greedy decoding appends it, and {then}."
        notice = f"Appended, {then}."
    body += write(LEFT, y + 36, notice, 'font-size="13"')
    return Picture(f"After {view.token} the most probable token is {quoted(name, 24)} ({chance})", words, body, y + 36)


def _top(view: View, values, most: int) -> tuple[list[tuple[int, float]], list[str]]:
    """Return the tokens with the highest values as (id, value), ties by id, and how they are written."""
    order = values.double().sort(descending=True, stable=True)
    top = list(zip(order.indices[:most].tolist(), order.values[:most].tolist()))
    return top, pieces(view.tokenizer, [number for number, _ in top])


# For each kind of step: what draws it, and the line of code that computes it.
PICTURES = {
    "text": (text, ""),
    "tokens": (tokens, "ids = tokenizer.encode(text)"),
    "embedding": (embedding, "x = embed(ids) + positions(0 … T − 1)"),
    "scores": (scores, "scores = q @ k.transpose(-2, -1) / math.sqrt(D)"),
    "attention": (attention, "x = x + attention(norm_1(x))"),
    "MLP": (mlp, "x = x + down(activation(up(norm_2(x))))"),
    "norm": (norm, "x = norm(x)"),
    "logits": (logits, "logits = head(x)"),
    "probabilities": (probabilities, "probabilities = logits.softmax(-1)"),
    "next": (next_token, "ids.append(probabilities[-1].argmax())"),
}
