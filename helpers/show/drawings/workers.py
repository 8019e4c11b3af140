"""Workers with the same model: sums that go round a ring, gradients that are averaged (built for notebook 13)."""

from __future__ import annotations

from helpers.show.diagram import LEFT, RIGHT, Area, Diagram, need, spread
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import INK, ORANGE, PAPER, SOFT, amount


def ring_states(n: int) -> list[tuple[list[list[frozenset[int]]], list[int]]]:
    """Return what is where in a ring all-reduce of n workers: at the start, and after each of its 2 (n − 1) steps.

    Each entry is (held, received): ``held[worker][part]`` are the workers whose numbers are in that sum, ``received[worker]``
    the part that has just come from the worker before (−1 at the start). The order is that of ``helpers.training.ring``.
    """
    held = [[frozenset([worker])] * n for worker in range(n)]
    states = [([row[:] for row in held], [-1] * n)]
    for step in range(2 * (n - 1)):
        gather = step >= n - 1
        parts = [(worker - step % (n - 1) + gather) % n for worker in range(n)]
        sent = [held[worker][part] for worker, part in enumerate(parts)]
        received = [parts[worker - 1] for worker in range(n)]
        for worker, part in enumerate(received):
            held[worker][part] = sent[worker - 1] if gather else held[worker][part] | sent[worker - 1]
        states.append(([row[:] for row in held], received))
    return states


def ring_all_reduce(n: int = 4, step: int | None = None) -> Drawing:
    """Draw a ring all-reduce of n workers, whose vectors are cut into n chunks: all its steps, or what is sent in one of them.

    ``step`` counts from 1 to 2 (n − 1): first the reduce-scatter, then the all-gather. Raises ValueError for fewer than 2 or
    more than 6 workers, and for a step that is not there.
    """
    need(2 <= n <= 6, f"a ring of {n} workers cannot be drawn: give 2 to 6")
    need(step is None or 1 <= step <= 2 * (n - 1), f"there is no step {step}: a ring of {n} workers has {2 * (n - 1)}")
    return _whole_ring(n) if step is None else _one_step(n, step)


def _whole_ring(n: int) -> Drawing:
    figure, states = (
        Diagram(f"A ring of {n} workers: how many workers' numbers are in each chunk, step by step"),
        ring_states(n),
    )
    cell, high = min(40.0, (RIGHT - LEFT - 66 - 16 * n) / n**2), 23
    columns = spread(n, LEFT + 66, RIGHT, cell * n, 16)
    for row, (name, first) in enumerate((("reduce-scatter", 0), ("all-gather", n))):
        top = TITLE_HEIGHT + 44 + row * (n * high + 54)
        figure.label(LEFT, top - (34 if row == 0 else 20), name, 13, "start", INK, bold=True)
        for i in range(n):
            figure.label(LEFT + 52, top + i * high + 16, f"chunk {i}", 11.5, "end")
        for (x, _), number in zip(columns[row:] if row else columns, range(first, first + n - row)):
            held, received = states[number]
            figure.label(
                x + cell * n / 2,
                top - (18 if row == 0 else 4),
                f"step {number}" if number else "start",
                11.5,
                color=INK,
            )
            for worker in range(n):
                if row == 0:
                    figure.label(x + (worker + 0.5) * cell, top - 4, str(worker), 10.5)
                for part in range(n):
                    count = len(held[worker][part])
                    at = figure.cell(
                        x + worker * cell, top + part * high, cell, (count - 1) / (n - 1), str(count), high=high
                    )
                    if received[worker] == part:
                        for color, line in (("#ffffff", 5), (ORANGE, 2.2)):  # white around it: seen on gray paper, too
                            figure.rect(at.x + 2, at.y + 2, cell - 4, high - 4, "none", color, line, 2)
    return figure.finish(
        f"A ring all-reduce of {n} workers. Each vector is cut into {amount(n, 'chunk')}. In each step every worker sends one "
        f"chunk to the next and receives one. After {amount(n - 1, 'step')} (reduce-scatter) worker r has the whole sum of one "
        f"chunk; after {n - 1} more (all-gather) every worker has all of them. Each sent {2 * (n - 1)} chunks of a "
        f"vector that has {n}: 2 · {n - 1} / {n} of its length.",
        "A column is a worker, a number says how many workers' numbers are in that sum. Orange: just received.",
    )


def _one_step(n: int, step: int) -> Drawing:
    phase = "reduce-scatter" if step < n else "all-gather"
    figure = Diagram(f"Step {step} of {2 * (n - 1)}: {phase}")
    (before, _), (held, received) = ring_states(n)[step - 1 : step + 1]
    columns, high, top = spread(n, LEFT + 74, RIGHT - 30, 128, 34), 30, TITLE_HEIGHT + 26
    for part in range(n):
        figure.label(LEFT + 40, top + part * (high + 6) + 20, f"chunk {part}", 12, "end")
    for worker, (x, width) in enumerate(columns):
        figure.label(x + width / 2, top - 8, f"worker {worker}", 12.5, color=INK, bold=True)
        for part in range(n):
            y, workers = top + part * (high + 6), sorted(held[worker][part])
            text = "all" if len(workers) == n else "+".join(map(str, workers))
            new = received[worker] == part
            kind = "new" if new else "kept" if len(workers) == n else "tensor"
            figure.box(x, y, width, high, text, kind, bold=new or len(workers) == n, size=13, rx=2)
            if new:
                figure.arrow(
                    (x - 33 if worker else x - 28, y + high / 2), (x - 1, y + high / 2), color=ORANGE, width=2.6
                )
                if worker == 0:  # round the ring: it leaves at the right edge and comes in at the left
                    right = columns[-1][0] + width
                    figure.line((right + 1, y + high / 2), (right + 28, y + high / 2), color=ORANGE, width=2.6)
    sent = ", ".join(
        f"worker {(worker - 1) % n} sends chunk {part} to {worker}" for worker, part in enumerate(received)
    )
    does = "adds what comes to its own" if step < n else "keeps the sum that comes"
    whole = sum(len(part) == n for part in held[0])  # as many as on any other
    return figure.finish(
        f"Step {step} of {2 * (n - 1)}, {phase}: {sent}. Each {does}. Of the {n} whole sums each now "
        f"holds {whole or 'none'}.",
        "In a box: the workers whose numbers are in that sum, after the step. Orange: just received. Blue: whole.",
    )


def data_parallel(n: int = 2) -> Drawing:
    """Draw n workers that average their gradients, and beside them one worker that reads the same n batches one after another.

    Raises ValueError for fewer than 2 or more than 4.
    """
    need(2 <= n <= 4, f"{n} workers cannot be drawn side by side: give 2 to 4")
    figure = Diagram(
        f"The same step twice: {n} workers with a batch each, and one worker with {amount(n, 'batch', 'batches')}"
    )
    y, pitch, middle = TITLE_HEIGHT + 28, 66, LEFT + 440
    figure.label(LEFT, y - 12, f"{n} workers", 13, "start", INK, bold=True)
    tall = n * pitch - 26
    reduce = figure.box(LEFT + 276, y, 62, tall, "all-\nreduce", "new", size=12)
    for i in range(n):
        top = y + i * pitch
        batch = figure.tensor(LEFT, top, 74, 40, f"batch {i}")
        model = figure.box(LEFT + 100, top, 66, 40, "model", "attention", "weights θ", size=12.5)
        grad = figure.tensor(LEFT + 192, top, 58, 40, f"g{'₀₁₂₃'[i]}", kind="loss", size=14)
        step = figure.box(LEFT + 364, top, 58, 40, "step", "step", "same θ", size=12.5)
        for one, other in ((batch, model), (model, grad)):
            figure.arrow(one.right_middle, other.left_middle)
        figure.arrow(grad.right_middle, (reduce.x, grad.center[1]), color=ORANGE, width=2.2)
        figure.arrow((reduce.right, grad.center[1]), step.left_middle, color=ORANGE, width=2.2)
    figure.line((middle, y - 18), (middle, y + tall + 26), color=SOFT, width=1, dashed=True)
    _one_after_another(figure, n, middle + 26, y, pitch, tall)
    figure.text(LEFT, y + tall + 24, "time: one batch + sending", 12.5, INK)
    figure.text(middle + 26, y + tall + 24, f"time: {amount(n, 'batch', 'batches')}, nothing is sent", 12.5, INK)
    return figure.finish(
        f"Left, data parallel: {n} workers hold the same weights, each reads a batch of its own, an all-reduce gives all of them "
        f"the same weighted mean of the gradients, and all take the same step. Right, gradient accumulation: one worker reads "
        f"the same {amount(n, 'batch', 'batches')} one after another, adds up their gradients, and takes one step. The step is "
        f"the same; the time is not.",
        "Orange: what goes over the network. g: gradient of a batch.",
    )


def _one_after_another(figure: Diagram, n: int, x: float, y: float, pitch: float, tall: float) -> Area:
    figure.label(x, y - 12, f"one worker, accumulate = {n}", 13, "start", INK, bold=True)
    total = figure.circle(x + 232, y + tall / 2, "+", 13, INK, PAPER)
    model = figure.box(x + 92, y, 52, tall, "model", "attention", size=11.5)
    for i in range(n):
        top = y + i * pitch
        batch = figure.tensor(x, top, 74, 40, f"batch {i}")
        grad = figure.tensor(x + 164, top, 44, 40, f"g{'₀₁₂₃'[i]}", kind="loss", size=14)
        figure.arrow(batch.right_middle, (model.x, batch.center[1]))
        figure.arrow((model.right, batch.center[1]), grad.left_middle)
        figure.arrow(grad.right_middle, (total.center[0] - 11, total.center[1] + (i - (n - 1) / 2) * 8))
    step = figure.box(x + 264, y + tall / 2 - 20, 52, 40, "step", "step", size=12.5)
    figure.arrow(total.right_middle, step.left_middle)
    return step
