"""How many GPUs, how many days? What a GPT costs: days, dollars, bytes sent and kept. Built for notebook 13.

`how_many_gpus` is a still drawing, `explore_how_many_gpus` the same with controls. The arithmetic is that of
``helpers.models.cluster_costs``; the price of a GPU-hour is the reader's own guess.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from helpers.models.cluster_costs import GPUS, bytes_per_worker, ring_numbers
from helpers.models.cluster_costs import training_days as package_days
from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.drawings.cut_models import STAGES, bytes_text
from helpers.show.explore import Explore
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import BLUE, CRIMSON, GRID, INK, ORANGE, number

COUNTS = (1, 8, 64, 512, 1024, 4096, 16_384, 65_536)
MFUS = (0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.6, 1.0)
PRICES = (0.5, 1.0, 2.0, 3.0, 5.0)
LEAST, MOST = 1e8, 1e14  # ends of the scale, bytes


class Training(NamedTuple):
    """What is to be trained."""

    active: float  # parameters that work on a token
    total: float  # parameters that must be kept
    tokens: float
    source: str
    estimate: bool = False  # made from outside: the developers did not say


TRAININGS = {
    "GPT-3 XL": Training(1.3e9, 1.3e9, 300e9, "Brown et al. 2020, table 2.1"),
    "GPT-3": Training(175e9, 175e9, 300e9, "Brown et al. 2020, table 2.1"),
    "Llama 2 70B": Training(70e9, 70e9, 2e12, "Touvron et al. 2023, table 1"),
    "Llama 3.1 405B": Training(405e9, 405e9, 15.6e12, "Llama Team 2024, arXiv:2407.21783"),
    "DeepSeek-V3": Training(37e9, 671e9, 14.8e12, "DeepSeek-AI 2024, abstract"),
    "A GPT-4-class run (an outside estimate)": Training(
        280e9, 1.8e12, 13e12, "Patel & Wong 2023, SemiAnalysis: a guess", True
    ),
}


def how_many_gpus(
    run: str = "GPT-3",
    gpus: int = 1024,
    gpu: str = "A100",
    mfu: float = 0.45,
    price: float = 2.0,
    training_days: Callable | None = None,
    parameters: float | None = None,
    tokens: float | None = None,
) -> Drawing:
    """Draw what a training costs: days, dollars, bytes each GPU sends a step, and what is kept on each, split or not.

    ``run`` is one of ``TRAININGS``, ``gpu`` of ``GPUS``; ``mfu`` a share, ``price`` dollars per GPU and hour, as you set it.
    ``training_days(parameters, tokens, gpus, peak, mfu)`` is the learner's function (None:
    ``helpers.models.cluster_costs.training_days``). With both ``parameters`` and ``tokens`` it is a run of your own, dense.
    Raises ValueError for a run or a GPU that is not there, and for only one of the two.
    """
    need((parameters is None) == (tokens is None), "a run of your own needs both: give parameters and tokens")
    need(run in TRAININGS, f'there is no run "{run}": give one of {", ".join(TRAININGS)}')
    training = TRAININGS[run]
    if parameters is not None:
        run, training = "A run of your own", Training(parameters, parameters, tokens, "Your own numbers")
    need(gpu in GPUS, f'there is no GPU "{gpu}": give one of {", ".join(GPUS)}')
    kind = GPUS[gpu]
    days = (training_days or package_days)(training.active, training.tokens, gpus, kind.peak, mfu)
    dollars, sent = 24 * days * gpus * price, 2 * ring_numbers(training.total, gpus)
    kept = {stage: sum(bytes_per_worker(training.total, gpus, stage).values()) for stage in range(4)}
    figure = Diagram(f"{run} on {number(gpus)} × {gpu}")
    facts = (
        ("time", _time(days)),
        ("GPU-hours", _large(24 * days * gpus)),
        (f"at ${price:g} per GPU-hour", f"${_large(dollars)}"),
        ("sent by each, every step", bytes_text(sent) if sent else "nothing"),
    )
    y = TITLE_HEIGHT + 10
    for i, (name, text) in enumerate(facts):
        x = LEFT + i * (RIGHT - LEFT) / 4
        figure.rect(x, y, (RIGHT - LEFT) / 4 - 10, 60, tint(BLUE, 0.07), "#9aa1b0", 1, 6)
        figure.label(x + 10, y + 21, name, 12, "start", room=(RIGHT - LEFT) / 4 - 28)
        figure.label(x + 10, y + 46, text, 17, "start", INK, bold=True, room=(RIGHT - LEFT) / 4 - 28)
    _memory(figure, kept, kind, y + 106)
    said = f"6 · {_large(training.active)} parameters · {_large(training.tokens)} tokens"
    note = f"{training.source}. Without activations. Sent: gradients of 16 bits, nothing split."
    return figure.finish(_words(run, gpus, gpu, mfu, price, days, dollars, sent, kept, said, training.estimate), note)


def explore_how_many_gpus(training_days: Callable | None = None) -> Explore:
    """`how_many_gpus` with menus: the run, how many GPUs of which kind, the share of the peak, dollars per GPU-hour."""

    def draw(run="GPT-3", gpus=1024, gpu="A100", mfu=0.45, price=2.0):
        return how_many_gpus(run, gpus, gpu, mfu, price, training_days)

    menus = {"run": TRAININGS, "gpus": COUNTS, "gpu": GPUS, "mfu": MFUS, "price": PRICES}
    explore = Explore(draw, **{name: list(entries) for name, entries in menus.items()})
    return explore.in_book(gpu=["A100", "H100"], mfu=[0.2, 0.45, 1.0], price=[])


def _memory(figure: Diagram, kept: dict[int, float], kind, top: float) -> None:
    """Bars of what one GPU has to keep, on a scale of powers of ten, and the line of what it can."""
    left, right, high = LEFT + 216, RIGHT - 150, 26

    def x(size: float) -> float:
        return left + (right - left) * math.log(min(max(size, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)

    bottom = top + 4 * (high + 8)
    figure.label(LEFT, top - 12, "kept on each GPU", 12.5, "start", INK, bold=True)
    for power in range(8, 15):
        figure.line((x(10.0**power), top - 4), (x(10.0**power), bottom), color=GRID, width=1, behind=True)
        figure.label(x(10.0**power), bottom + 14, bytes_text(10.0**power).replace(".0", ""), 11)
    for stage, size in kept.items():
        y, fits = top + stage * (high + 8), size <= kind.memory
        figure.label(LEFT, y + 18, STAGES[stage], 12.5, "start", INK)
        figure.rect(left, y, max(2.0, x(size) - left), high, tint(BLUE, 0.3) if fits else tint(ORANGE, 0.4),
                    BLUE if fits else ORANGE, 1.2, 2)  # fmt: skip
        text = f"{bytes_text(size)}: {'fits' if fits else 'too much'}"
        figure.label(RIGHT, y + 18, text, 12.5, "end", INK, bold=fits)
    figure.line((x(kind.memory), top - 6), (x(kind.memory), bottom + 1), color=CRIMSON, width=2.2)
    figure.label(
        x(kind.memory), top - 12, f"{kind.name}: {bytes_text(kind.memory).replace('.0', '')}", 12, color=INK, bold=True
    )


def _time(days: float) -> str:
    if days >= 730:
        return f"{_large(days / 365.25)} years"
    return f"{number(days) if days < 100 else f'{days:,.0f}'} days" if days >= 1 else f"{number(24 * days)} hours"


def _large(value: float) -> str:
    """A large number as it is spoken: "4.6 million"."""
    for limit, unit in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= 0.9995 * limit:
            return f"{value / limit:,.0f} {unit}" if value >= 99.5 * limit else f"{value / limit:.3g} {unit}"
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 100 else number(float(value))


def _words(run, gpus, gpu, mfu, price, days, dollars, sent, kept, said, estimate) -> str:
    fitting = [stage for stage, size in kept.items() if size <= GPUS[gpu].memory]
    fits = "It does not fit, however it is split"
    if fitting:
        fits = f"It fits from ZeRO {fitting[0]} on" if fitting[0] else "It fits with nothing split"
    guess = " All of it is an outside estimate: the developers did not say." * estimate
    room = bytes_text(GPUS[gpu].memory).replace(".0", "")
    sends = bytes_text(sent) if sent else "nothing"
    return (
        f"{run}, {said}, on {number(gpus)} × {gpu} at MFU {mfu:g}: {_time(days)}, {_large(dollars)} "
        f"dollars at {price:g} per GPU-hour. Nothing split, each GPU sends {sends} a step and has to keep "
        f"{bytes_text(kept[0])}; all split, {bytes_text(kept[3])}. {fits} ({room} on a GPU, activations not counted).{guess}"
    )
