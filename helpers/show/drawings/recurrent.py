"""An RNN, unrolled: one cell, applied to character after character, and its gradient on the way back (built for notebook 02)."""

from __future__ import annotations

from typing import NamedTuple

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, spread
from helpers.show.lettering import Formula, shape_text
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import CRIMSON, INK, SOFT, amount, number

NAMES = {1: "RNN", 3: "GRU", 4: "LSTM"}  # by the number of hidden-sized parts that the matrices have
MOST = 7  # steps drawn


class Sizes(NamedTuple):
    """What a recurrent network is in numbers; None where it has no such part."""

    kind: str
    hidden: int
    embedding: int | None = None
    vocab: int | None = None
    n_layer: int = 1


def recurrent_sizes(model) -> Sizes:
    """Return the sizes of a recurrent network: of torch's layers, or of a cell with matrices for x and for h.

    `model` is a module or the hidden size alone. Raises ValueError for a module in which no recurrent part is found.
    """
    if isinstance(model, int):
        need(model >= 1, f"the hidden size is {model}: give at least 1")
        return Sizes("RNN", model)
    need(hasattr(model, "modules"), f"give a recurrent model or its hidden size, not {type(model).__name__}")
    parts = list(model.modules())
    kind = hidden = None
    vocab, embedding, n_layer = None, None, 1
    for part in parts:
        if hasattr(part, "hidden_size") and hasattr(part, "input_size"):  # torch's own
            name = type(part).__name__
            kind = next((each for each in ("LSTM", "GRU") if each in name), "RNN")
            hidden, embedding, n_layer = part.hidden_size, part.input_size, getattr(part, "num_layers", 1)
            break
        matrices = [p for p in part.parameters(recurse=False) if p.ndim == 2 and max(p.shape) % min(p.shape) == 0]
        square = [p for p in matrices if max(p.shape) // min(p.shape) in NAMES]
        if len(matrices) >= 1 and square and not hasattr(part, "num_embeddings") and not hasattr(part, "in_features"):
            own = [p for p in part.parameters(recurse=False) if p.ndim == 2]
            recurrent = min(square, key=lambda p: max(p.shape) // min(p.shape) if p is own[-1] else 9)
            hidden, kind = min(recurrent.shape), NAMES[max(recurrent.shape) // min(recurrent.shape)]
            rest = [p for p in own if p is not recurrent]
            if rest:
                embedding = next(iter({*rest[0].shape} - {max(recurrent.shape)}), hidden)
            break
    need(hidden is not None, f"no recurrent layer was found in {type(model).__name__}: give its hidden size instead")
    for part in parts:
        if hasattr(part, "num_embeddings"):
            vocab = part.num_embeddings
            break
    for part in parts:
        if hasattr(part, "out_features") and part.in_features == hidden:
            vocab = vocab or part.out_features
    return Sizes(kind, hidden, embedding, vocab, n_layer)


def unrolled_rnn(model, text: str = "hello") -> Drawing:
    """Draw a recurrent network reading `text`: the hidden state passes from step to step, each step predicts the next character.

    `model` is a recurrent network (torch's layers, or a cell of one's own) or only its hidden size. Up to seven steps are
    drawn. Raises ValueError for a text of fewer than two characters, or a module without a recurrent part.
    """
    need(
        isinstance(text, str) and len(text) >= 2, "give a text of at least two characters: one to read, one to predict"
    )
    sizes = recurrent_sizes(model)
    steps = min(len(text) - 1, MOST)
    figure = Diagram(f"{'An' if sizes.kind != 'GRU' else 'A'} {sizes.kind}, unrolled over {amount(steps, 'character')}")
    columns = spread(steps, LEFT + 84, RIGHT - 78, 92, 42 if steps < 6 else 30)
    top = TITLE_HEIGHT + 30
    y_target, y_cell, y_input = top, top + 96, top + 204
    figure.label(LEFT, y_target + 19, "target", 12, "start")
    figure.label(LEFT, y_input + 19, "input", 12, "start")
    wide = sizes.kind == "LSTM"
    state = "h_{{{0}}}, c_{{{0}}}" if wide else "h_{{{0}}}"
    cells, shape = [], [sizes.hidden]
    for t, (x, width) in enumerate(columns, start=1):
        target = figure.tensor(x + 12, y_target, width - 24, 28, seen(text[t], 3), size=14)
        cell = figure.box(x, y_cell, width, 52, sizes.kind, "recurrent", Formula(f"h_{{{t}}} {shape_text(shape)}"))
        given = figure.tensor(x + 12, y_input, width - 24, 28, seen(text[t - 1], 3), size=14)
        figure.arrow(cell.top_middle, target.bottom_middle)
        figure.arrow(given.top_middle, cell.bottom_middle)
        middle = cell.center[0]
        first = t == 1
        figure.label(middle + 7, y_cell - 27, Formula("W_{hy}"), 12.5, "start", CRIMSON if first else SOFT, bold=first)
        figure.label(middle + 7, y_cell + 80, Formula("W_{xh}"), 12.5, "start", CRIMSON if first else SOFT, bold=first)
        cells.append(cell)
    gap = columns[1][0] - columns[0][0] - columns[0][1] if steps > 1 else 42
    start = (cells[0].x - gap - 6, cells[0].center[1])
    figure.label(start[0] - 6, start[1] + 4, Formula(state.format(0)), 13, "end", INK)
    ends = [start, *[cell.right_middle for cell in cells]]
    for t, cell in enumerate(cells):
        figure.arrow(ends[t], cell.left_middle, width=2.2)
        figure.label(
            (ends[t][0] + cell.x) / 2 - 3,
            cell.center[1] - 9,
            Formula("W_{hh}"),
            12,
            "middle",
            CRIMSON if not t else SOFT,
            bold=not t,
        )
    last = cells[-1].right_middle
    figure.arrow(last, (last[0] + gap, last[1]), width=2.2)
    figure.label(last[0] + gap + 6, last[1] + 4, Formula(state.format(steps)), 13, "start", INK)
    facts = [f"hidden state {shape_text(shape)}"]
    facts += [f"embedding {shape_text([sizes.embedding])}"] if sizes.embedding else []
    facts += [f"vocabulary {number(sizes.vocab)}"] if sizes.vocab else []
    facts += [f"{sizes.n_layer} layers"] if sizes.n_layer > 1 else []
    note = f"The same three matrices at every step: {', '.join(facts)}."
    pairs = ", ".join(f"{quoted(text[t])} → {quoted(text[t + 1])}" for t in range(steps))
    words = (
        f"{'An' if sizes.kind != 'GRU' else 'A'} {sizes.kind} reads {quoted(text[:steps])} one character at a time. Its {' and '.join(['hidden state', *['cell state'] * wide])} "
        f"({amount(sizes.hidden, 'number')}{' each' * wide}) passes from each step to the next, and the weights W_xh, W_hh and W_hy are shared by "
        f"all steps. Each step predicts the next character: {pairs}. {', '.join(facts).capitalize()}."
    )
    words += f" Only the first {steps} of {len(text) - 1} steps are drawn." * (len(text) - 1 > steps)
    return figure.finish(words, note)


def rnn_gradient_path(steps: int, factor: float) -> Drawing:
    """Draw how the gradient of the last step's loss changes on its way back: times `factor` at each step.

    The width of an arrow is the gradient's size, factor ** (steps back). Raises ValueError for fewer than 2 or more than 12
    steps, or a factor that is not above 0.
    """
    need(2 <= steps <= 12, f"{steps} steps were given: give 2 to 12")
    need(factor > 0, f"the factor is {factor}: give a number above 0, such as 0.7")
    fate = "vanishes" if factor < 1 else "explodes" if factor > 1 else "keeps its size"
    figure = Diagram(f"Through {steps} steps the gradient {fate}: times {number(float(factor))} at each")
    columns = spread(steps, LEFT + 6, RIGHT - 6, 58, 130 / steps + 10)
    y = TITLE_HEIGHT + 88
    sizes = [factor ** (steps - t) for t in range(1, steps + 1)]  # of h_1 … h_steps
    largest = max(sizes)
    boxes = [figure.box(x, y, width, 40, Formula(f"h_{{{t}}}"), "recurrent") for t, (x, width) in enumerate(columns, 1)]
    for before, after in zip(boxes, boxes[1:]):
        figure.arrow(before.right_middle, after.left_middle, width=1.3, color=SOFT)
    loss = figure.box(boxes[-1].x, TITLE_HEIGHT + 12, columns[-1][1], 30, "loss", "loss", size=12)
    figure.arrow(loss.bottom_middle, boxes[-1].top_middle, color=CRIMSON, width=max(0.6, 11 * sizes[-1] / largest))
    for t in range(steps - 1, 0, -1):
        start, end = boxes[t], boxes[t - 1]
        strength = max(0.6, 11 * sizes[t - 1] / largest)
        low = y + 40
        path = (
            (start.center[0] - 7, low),
            (start.center[0] - 7, low + 34),
            (end.center[0] + 7, low + 34),
            (end.center[0] + 7, low),
        )
        figure.arrow(*path, color=CRIMSON, width=strength, corner=14)
    for box, size in zip(boxes, sizes):
        figure.label(
            box.center[0], y + 98, "1" if size == 1 else number(float(size)), 12, color=INK, room=columns[0][1] + 10
        )
    figure.label(LEFT, y - 14, "forward", 12, "start")
    figure.label(LEFT, y + 118, "size of the gradient of the last loss at each hidden state", 12, "start", CRIMSON)
    first = number(float(sizes[0]))
    words = (
        f"The gradient of the last step's loss passes back through {steps} hidden states and is multiplied by about "
        f"{number(float(factor))} at each step: it {fate}. At the last hidden state it is 1, at the first, {steps - 1} steps back, {first}."
    )
    return figure.finish(words)
