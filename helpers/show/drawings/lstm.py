"""The LSTM cell in four steps: the cell state, then one gate after the other (built for notebook 02)."""

from __future__ import annotations

from helpers.show.diagram import KINDS, STREAM, Diagram, need
from helpers.show.drawings.recurrent import recurrent_sizes
from helpers.show.lettering import Formula
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import INK, ORANGE, PAPER, SOFT, amount, readable

INSIDE = "#f7f8fb"  # the cell's paper
TITLES = {
    1: "LSTM, step 1 of 4: the cell state runs straight through",
    2: "LSTM, step 2 of 4: the forget gate decides what to keep",
    3: "LSTM, step 3 of 4: the input gate adds new candidates",
    4: "LSTM, step 4 of 4: the output gate decides what to show",
}
FORMULAS = {
    1: [("", "c_{t} = c_{t−1} as long as no gate acts on it")],
    2: [("forget gate", "f_{t} = σ(W_{f} [x_{t}, h_{t−1}] + b_{f})"), ("", "c_{t} = f_{t} ⊙ c_{t−1}")],
    3: [
        ("input gate", "i_{t} = σ(W_{i} [x_{t}, h_{t−1}] + b_{i})"),
        ("candidate", "g_{t} = tanh(W_{g} [x_{t}, h_{t−1}] + b_{g})"),
        ("", "c_{t} = f_{t} ⊙ c_{t−1} + i_{t} ⊙ g_{t}"),
    ],
    4: [("output gate", "o_{t} = σ(W_{o} [x_{t}, h_{t−1}] + b_{o})"), ("", "h_{t} = o_{t} ⊙ tanh(c_{t})")],
}
SAYS = {
    1: "The cell state c runs from step to step along one line; only the gates change it, so a gradient can survive many steps.",
    2: "The forget gate f, a sigmoid between 0 and 1, multiplies each number of the cell state: 0 erases it, 1 keeps it.",
    3: "The input gate i decides which of the candidate values g (a tanh between −1 and 1) are added to the cell state.",
    4: "The output gate o decides which numbers of tanh(c) become the hidden state h, which the next layer and step read.",
}
TOP, DEEP = TITLE_HEIGHT + 14, 254  # of the cell: its upper edge and height
LINE, MIX, GATES, JOIN = TOP + 36, TOP + 104, TOP + 158, TOP + 222  # cell state, i ⊙ g, gates, x and h together
FORGET, INPUT, CANDIDATE, OUTPUT, SHOW = 248, 356, 466, 572, 650  # from left to right
IN, OUT = 136, 700  # left and right edge of the cell


def lstm_cell(step: int = 4, hidden_size=128) -> Drawing:
    """Draw an LSTM cell up to `step`: 1 the cell state, 2 the forget gate, 3 input gate and candidate, 4 the output gate.

    What is new in a step is emphasized, what comes later is only hinted at. `hidden_size` is a number or a model with an
    LSTM. Raises ValueError for another step, or a model without a recurrent part.
    """
    need(step in TITLES, f"step is {step!r}: give 1 (cell state), 2 (forget gate), 3 (input gate) or 4 (output gate)")
    size = recurrent_sizes(hidden_size).hidden
    figure = Diagram(TITLES[step])
    figure.rect(IN, TOP, OUT - IN, DEEP, INSIDE, "#9aa1b0", 1.4, 16)
    for number in [*range(4, step, -1), *range(1, step + 1)]:
        _PARTS[number](figure, number > step, number == step)
    _names(figure, step)
    y = TOP + DEEP + 30
    for number in range(1, step + 1):
        for name, formula in FORMULAS[number]:
            if number < step and not name:
                continue  # the cell state, as it was up to that step
            ink = INK if number == step else SOFT
            figure.label(308, y, name, 13, "end", ink)
            figure.label(322, y, Formula(formula), 14.5, "start", ink, bold=number == step and not name)
            y += 25
    sentence = f"{TITLES[step]}. {SAYS[step]} Cell state, hidden state and gates are {amount(size, 'number')} each."
    return figure.finish(
        sentence, f"σ, tanh in gray boxes: learned layers. ×, + in circles: number by number. All vectors: [{size:,}]."
    )


def _names(figure: Diagram, step: int) -> None:
    names = [(IN - 44, LINE + 5, "c_{t−1}", "end"), (OUT + 52, LINE + 5, "c_{t}", "start")]
    if step > 1:
        names += [(IN - 44, JOIN + 5, "h_{t−1}", "end"), (IN + 30, TOP + DEEP + 48, "x_{t}", "middle")]
    if step == 4:
        names.append((OUT + 52, JOIN + 5, "h_{t}", "start"))
    for x, y, text, anchor in names:
        figure.label(x, y, Formula(text), 16, anchor, INK, bold=True)


def _style(ghost: bool, new: bool) -> tuple[str, float]:
    return (KINDS["ghost"][1], 1.2) if ghost else (ORANGE, 2.6) if new else (INK, 1.6)


def _cell_state(figure: Diagram, ghost: bool, new: bool) -> None:
    figure.arrow((IN - 38, LINE), (OUT + 46, LINE), color=STREAM, width=5 if new else 4)


def _join(figure: Diagram, ghost: bool, to: float) -> None:
    color, width = _style(ghost, False)
    figure.line((IN - 38, JOIN), (to, JOIN), color=color, width=width)
    figure.line((IN + 30, TOP + DEEP + 30), (IN + 30, JOIN + 8), (IN + 40, JOIN), color=color, width=width)


def _gate(figure: Diagram, x: float, text: str, name: str, ghost: bool, new: bool) -> None:
    color, width = _style(ghost, new)
    figure.arrow((x, JOIN), (x, GATES + 30), color=color, width=width)
    if ghost:
        figure.box(x - 24, GATES, 48, 30, "", "ghost")
        return
    figure.box(x - 24, GATES, 48, 30, text, "gate", size=14)
    figure.label(x + 8, GATES - 10, Formula(name), 14, "start", readable(ORANGE, INSIDE) if new else INK, bold=True)


def _operation(figure: Diagram, x: float, y: float, sign: str, ghost: bool, new: bool) -> None:
    if ghost:
        figure.circle(x, y, " ", 11, KINDS["ghost"][1])
    else:
        figure.circle(x, y, sign, 11, ORANGE if new else INK, PAPER)


def _forget(figure: Diagram, ghost: bool, new: bool) -> None:
    color, width = _style(ghost, new)
    _join(figure, ghost, FORGET)
    _gate(figure, FORGET, "σ", "f_{t}", ghost, new)
    figure.arrow((FORGET, GATES), (FORGET, LINE + 11), color=color, width=width)
    _operation(figure, FORGET, LINE, "×", ghost, new)


def _input(figure: Diagram, ghost: bool, new: bool) -> None:
    color, width = _style(ghost, new)
    _join(figure, ghost, CANDIDATE)
    for x, text, name in ((INPUT, "σ", "i_{t}"), (CANDIDATE, "tanh", "g_{t}")):
        _gate(figure, x, text, name, ghost, new)
    figure.arrow((INPUT, GATES), (INPUT, MIX), (CANDIDATE - 11, MIX), color=color, width=width)
    figure.arrow((CANDIDATE, GATES), (CANDIDATE, MIX + 11), color=color, width=width)
    figure.arrow((CANDIDATE, MIX - 11), (CANDIDATE, LINE + 11), color=color, width=width)
    _operation(figure, CANDIDATE, MIX, "×", ghost, new)
    _operation(figure, CANDIDATE, LINE, "+", ghost, new)


def _output(figure: Diagram, ghost: bool, new: bool) -> None:
    color, width = _style(ghost, new)
    _join(figure, ghost, OUTPUT)
    _gate(figure, OUTPUT, "σ", "o_{t}", ghost, new)
    figure.arrow((SHOW, LINE), (SHOW, MIX - 39), color=color, width=width)
    if ghost:
        figure.box(SHOW - 24, MIX - 39, 48, 28, "", "ghost")
    else:
        figure.box(SHOW - 24, MIX - 39, 48, 28, "tanh", "step", bold=False)
    figure.arrow((SHOW, MIX - 11), (SHOW, MIX + 21), color=color, width=width)
    figure.arrow((OUTPUT, GATES), (OUTPUT, MIX + 32), (SHOW - 11, MIX + 32), color=color, width=width)
    _operation(figure, SHOW, MIX + 32, "×", ghost, new)
    figure.arrow((SHOW, MIX + 43), (SHOW, JOIN), (OUT + 46, JOIN), color=color, width=width)


_PARTS = {1: _cell_state, 2: _forget, 3: _input, 4: _output}
