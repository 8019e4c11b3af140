"""A model that is cut: who keeps which bytes, and a layer of which each worker has a part (built for notebook 13)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Area, Diagram, need, tint
from helpers.show.drawings.parts import short
from helpers.show.lettering import Formula, text_width
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import BLUE, INK, ORANGE, RULE, SOFT, TEAL, amount, letters_on

STAGES = ("nothing is split", "ZeRO 1: optimizer", "ZeRO 2: + gradients", "ZeRO 3, FSDP: + parameters")
# What is kept: its name and how it is drawn (paper, edge); pale, middle and dark, so that gray paper tells them apart.
WHAT = {
    "parameters": (tint(BLUE, 0.85), BLUE),
    "gradients": (tint(ORANGE, 0.55), ORANGE),
    "optimizer": (tint(TEAL, 0.22), TEAL),
}


def bytes_text(count: float) -> str:
    """Return a number of bytes with a unit that fits: "31.4 GB", "2.8 TB"."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            value = count / size
            return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
    return f"{count:.0f} bytes"


def sharding(n: int = 64, parameters: float = 7.5e9, stages: Sequence[int] = (0, 1, 2, 3)) -> Drawing:
    """Draw what one of n workers keeps of a model: parameters, gradients and Adam's numbers, by what is split (ZeRO's stages).

    The bytes are those of ``helpers.models.cluster_costs.bytes_per_worker``. The usual numbers are those of figure 1 of
    Rajbhandari et al. 2019. Raises ValueError for fewer than 2 workers and for another stage than 0 to 3.
    """
    from helpers.models.cluster_costs import bytes_per_worker

    need(n >= 2, f"{amount(n, 'worker')} cannot split anything: give 2 or more")
    held = {stage: bytes_per_worker(parameters, n, stage) for stage in stages}
    need(len(held) >= 1, "give one of the stages 0 to 3 at least")
    spoken = short(parameters).replace(" B", " billion")  # B alone would be bytes here
    most = max(sum(parts.values()) for parts in held.values())
    figure = Diagram(f"A model of {spoken} parameters on {n:,} workers: bytes on each")
    y, at, high = TITLE_HEIGHT + 28, LEFT + 216, 30
    room = RIGHT - at - 84
    x = at
    for name, (fill, edge) in WHAT.items():
        figure.rect(x, y - 24, 14, 14, fill, edge, 1.2, 2)
        text = name if name != "optimizer" else "optimizer (Adam, and 32-bit weights)"
        figure.label(x + 20, y - 12, text, 12.5, "start", INK)
        x += 44 + text_width(text, 12.5)
    for row, (stage, parts) in enumerate(held.items()):
        top, x = y + row * (high + 12), float(at)
        figure.label(LEFT, top + 20, STAGES[stage], 12.5, "start", INK)
        for name, size in parts.items():
            fill, edge = WHAT[name]
            wide = max(1.0, room * size / most)
            figure.rect(x, top, wide, high, fill, edge, 1 if wide > 3 else 0, 1)
            text = bytes_text(size)
            if wide > text_width(text, 11.5) + 8:
                figure.label(x + wide / 2, top + 20, text, 11.5, color=letters_on(fill))
            x += wide
        figure.label(x + 8, top + 20, bytes_text(sum(parts.values())), 13, "start", INK, bold=True)
    said = "; ".join(f"{STAGES[stage]}, {bytes_text(sum(parts.values()))}" for stage, parts in held.items())
    return figure.finish(
        f"Bytes that each of {n:,} workers keeps of a model of {spoken} parameters in mixed precision with "
        f"Adam, without activations: {said}.",
        "Without activations. 2 bytes a parameter, 2 a gradient, 12 for the optimizer.",
    )


def tensor_parallel() -> Drawing:
    """Draw y = relu(x Uᵀ + b) Vᵀ + c with half of the hidden features on each of two workers, and one sum at the end.

    U [H, D] and V [D, H] are as torch keeps them; drawn is what x meets, Uᵀ [D, H] and Vᵀ [H, D] (Shoeybi et al. 2019).
    """
    figure = Diagram("One MLP on two workers: where is it cut, and where do they have to talk?")
    y, lane = TITLE_HEIGHT + 34, 112
    x = figure.tensor(LEFT, y + lane / 2 + 2, 76, 52, "x", "[B, D]", size=15)
    plus = figure.circle(LEFT + 560, y + lane / 2 + 28, "+", 17)
    bias = figure.box(LEFT + 604, y + lane / 2 + 8, 70, 40, "+ c", "step", "once", size=13)
    out = figure.tensor(RIGHT - 76, y + lane / 2 + 2, 76, 52, "y", "[B, D]", size=15)
    for i, name in enumerate(("worker 0", "worker 1")):
        top = y + i * lane
        figure.label(LEFT + 118, top - 8, name, 12.5, "start", INK, bold=True)
        up = _cut(figure, LEFT + 118, top, 96, 56, f"U_{{{i}}}^{{T}}", i, by_columns=True)
        act = figure.box(LEFT + 244, top + 6, 66, 44, "relu", "step", Formula(f"+ b_{{{i}}}"), size=13)
        hidden = figure.tensor(LEFT + 336, top + 2, 62, 52, Formula(f"h_{{{i}}}"), "[B, H/2]", size=13)
        down = _cut(figure, LEFT + 424, top, 82, 56, f"V_{{{i}}}^{{T}}", i, by_columns=False)
        figure.arrow(
            x.right_middle, (x.right + 20, x.center[1]), (x.right + 20, up.center[1]), up.left_middle, width=1.8
        )
        for one, other in ((up, act), (act, hidden), (hidden, down)):
            figure.arrow(one.right_middle, other.left_middle, width=1.8)
        figure.arrow(down.right_middle, (plus.center[0], down.center[1]), (plus.center[0], plus.center[1] + (17 if i else -17)),
                     color=ORANGE, width=2.6)  # fmt: skip
    figure.arrow(plus.right_middle, bias.left_middle, width=1.8)
    figure.arrow(bias.right_middle, out.left_middle, width=1.8)
    figure.label(LEFT + 588, y + 22, "all-reduce: the one sum", 12.5, "start", INK, bold=True)
    figure.label(LEFT + 118, y + lane + 80, "cut by columns: half of the hidden features", 12, "start", SOFT, room=300)
    figure.label(LEFT + 424, y + lane + 80, "cut by rows", 12, "start", SOFT)
    return figure.finish(
        "An MLP on two workers. Both read the same x. Uᵀ is cut by columns: each worker computes half of the hidden features, "
        "with its half of the bias b and ReLU, and needs nothing from the other. Vᵀ is cut by rows, the same features: each "
        "gets a partial result of the full width. One sum over the workers (all-reduce), then the bias c, added once.",
        "Colored: the half that this worker has. Orange: what goes over the network.",
    )


def _cut(
    figure: Diagram, x: float, y: float, width: float, height: float, name: str, which: int, by_columns: bool
) -> Area:
    """A matrix whose half number `which` is colored and named, the other half dashed."""
    area = Area(x, y, width, height)
    for half in (0, 1):
        left, top = (x + half * width / 2, y) if by_columns else (x, y + half * height / 2)
        wide, high = (width / 2, height) if by_columns else (width, height / 2)
        mine = half == which
        figure.rect(left, top, wide, high, tint(TEAL, 0.32) if mine else "#ffffff", TEAL if mine else RULE, 1.6 if mine else 1,
                    2, dashed=not mine, behind=not mine)  # fmt: skip
        if mine:
            figure.label(left + wide / 2, top + high / 2 + 5, Formula(name), 14, color=INK, bold=True)
    return area
