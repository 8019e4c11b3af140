"""An RNN, unrolled: one cell, applied to character after character, and its gradient on the way back (built for notebook "
"02)."""

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
    sizes = next(filter(None, map(_torchs_own, parts)), None) or next(filter(None, map(_own_cell, parts)), None)
    need(sizes is not None, f"no recurrent layer was found in {type(model).__name__}: give its hidden size instead")
    heads = [p.out_features for p in parts if getattr(p, "in_features", None) == sizes.hidden]
    vocab = next((p.num_embeddings for p in parts if hasattr(p, "num_embeddings")), heads[-1] if heads else None)
    return sizes._replace(vocab=vocab)


def _torchs_own(part) -> Sizes | None:
    if not (
        hasattr(part, "hidden_size")
        and hasattr(part, "input_size")
        and hasattr(part, "weight_ih_l0" if hasattr(part, "num_layers") else "weight_ih")
    ):
        return None
    kind = next((each for each in ("LSTM", "GRU") if each in type(part).__name__), "RNN")
    return Sizes(kind, part.hidden_size, part.input_size, None, getattr(part, "num_layers", 1))


def _own_cell(part) -> Sizes | None:
    """Read a cell whose own parameters are matrices: the last that is square, or 3 or 4 squares side by side, is for h."""
    matrices = [p for p in part.parameters(recurse=False) if p.ndim == 2]
    if hasattr(part, "num_embeddings") or hasattr(part, "in_features") or len(matrices) < 2:
        return None
    for matrix in reversed(matrices):
        small, large = sorted(matrix.shape)
        if large % small == 0 and large // small in NAMES:
            others = [p for p in matrices if p is not matrix and large in p.shape]
            embedding = next((a if b == large else b for a, b in (p.shape for p in others)), None)
            return Sizes(NAMES[large // small], small, embedding)
    return None


def unrolled_rnn(model, text: str = "hello") -> Drawing:
    """Draw a recurrent network reading `text`: the hidden state passes on, each step predicts the next character.

    `model` is a recurrent network (torch's layers, or a cell of one's own) or only its hidden size. Up to seven steps are
    drawn. Raises ValueError for a text of fewer than two characters, or a module without a recurrent part.
    """
    need(
        isinstance(text, str) and len(text) >= 2, "give a text of at least two characters: one to read, one to predict"
    )
    sizes = recurrent_sizes(model)
    steps, wide = min(len(text) - 1, MOST), sizes.kind == "LSTM"
    a = "A" if sizes.kind == "GRU" else "An"
    figure = Diagram(f"{a} {sizes.kind}, unrolled over {amount(steps, 'character')}: the same weights at every step")
    gap = 62 if steps < 6 else 40
    columns = spread(steps, LEFT + 116, RIGHT - 66, 84, gap)
    top = TITLE_HEIGHT + 12
    y_cell, y_input = top + 84, top + 190
    for y, name in ((top, "target"), (y_input, "input")):
        figure.label(LEFT, y + 19, name, 12.5, "start", INK, bold=True)
    cells = []
    for t, (x, width) in enumerate(columns):
        target = figure.tensor(x + 8, top, width - 16, 28, seen(text[t + 1], 3), size=15)
        cell = figure.box(x, y_cell, width, 48, sizes.kind, "recurrent", shape_text([sizes.hidden]))
        given = figure.tensor(x + 8, y_input, width - 16, 28, seen(text[t], 3), size=15)
        figure.arrow(cell.top_middle, target.bottom_middle)
        figure.arrow(given.top_middle, cell.bottom_middle)
        for y, name in ((y_cell - 24, "W_{hy}"), (y_cell + 76, "W_{xh}")):
            figure.label(cell.center[0] + 8, y, Formula(name), 13, "start", CRIMSON)
        cells.append(cell)
    state = "h_{{{0}}}, c_{{{0}}}" if wide and gap > 50 else "h_{{{0}}}"
    middle = y_cell + 24
    ends = [cells[0].x - gap, *(cell.right for cell in cells)]
    for t, x in enumerate(ends):
        figure.arrow((x, middle), (x + gap, middle), width=2.2)
        figure.label(x + gap / 2 - 3, middle - 10, Formula(state.format(t)), 13, color=INK, bold=True, room=gap - 4)
        if t < steps:
            figure.label(x + gap / 2 - 3, middle + 19, Formula("W_{hh}"), 13, color=CRIMSON)
    facts = [f"{'hidden state and cell state' if wide else 'hidden state'} {shape_text([sizes.hidden])}"]
    facts += [f"embedding {shape_text([sizes.embedding])}"] if sizes.embedding else []
    facts += [f"vocabulary {number(sizes.vocab)}"] if sizes.vocab else []
    facts += [f"{sizes.n_layer} layers"] if sizes.n_layer > 1 else []
    pairs = ", ".join(f"{quoted(text[t])} → {quoted(text[t + 1])}" for t in range(steps))
    passes = "hidden state and cell state pass" if wide else "hidden state passes"
    words = (
        f"{a} {sizes.kind} reads {quoted(text[:steps])} one character at a time. Its {passes} from each step to the next; "
        f"the "
        f"weights W_xh, W_hh and W_hy are shared by all steps. Each step predicts the next character: {pairs}. "
        f"Sizes: {', '.join(facts)}."
    )
    words += f" Only the first {steps} of {len(text) - 1} steps are drawn." * (len(text) - 1 > steps)
    return figure.finish(words, f"The same three matrices at every step. {', '.join(facts).capitalize()}.")


def rnn_gradient_path(steps: int, factor: float) -> Drawing:
    """Draw how the gradient of the last step's loss changes on its way back: times `factor` at each step.

    The width of an arrow is the gradient's size, factor ** (steps back). Raises ValueError for fewer than 2 or more than 12
    steps, or a factor that is not above 0.
    """
    need(2 <= steps <= 12, f"{steps} steps were given: give 2 to 12")
    need(factor > 0, f"the factor is {factor}: give a number above 0, such as 0.7")
    fate = "vanishes" if factor < 1 else "explodes" if factor > 1 else "keeps its size"
    figure = Diagram(f"Over {steps} steps the gradient {fate}: a factor of {number(float(factor))} at each")
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
        f"{number(float(factor))} at each step: it {fate}. At the last hidden state it is 1, at the first, {steps - 1} "
        f"steps back, {first}."
    )
    return figure.finish(words)
