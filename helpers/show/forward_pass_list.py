"""The list of all steps of a forward pass, beside the picture of the current one: where in the network one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from helpers.show.svg import MARGIN, TITLE_HEIGHT, write
from helpers.show.theme import BLUE, INK, PAPER, RULE, SOFT

WIDE = 192  # of the list
ROW, HEADING = 24, 22  # heights of a step and of a block's name
TALL = 400  # a list that would be taller shows the steps of one block only
TINTED = "#f5f6f9"  # its paper


class Step(NamedTuple):
    """One step of a forward pass: what kind of thing happens, in which block, and what it is called in the list."""

    kind: str
    label: str
    block: int | None = None

    @property
    def name(self) -> str:
        """What ``forward_pass(step=…)`` takes: the kind, and the block's number where there is one."""
        return self.kind if self.block is None else f"{self.kind} {self.block}"

    @property
    def title(self) -> str:
        return self.label if self.block is None else f"block {self.block}, {self.label}"


FIRST = (Step("text", "text"), Step("tokens", "tokens"), Step("embedding", "embeddings"))
EACH = (Step("scores", "queries · keys"), Step("attention", "attention"), Step("MLP", "MLP"))
LAST = (Step("norm", "final norm"), Step("logits", "logits"), Step("probabilities", "probabilities"), Step("next", "next token"))


def steps_of(n_layer: int) -> list[Step]:
    """Return the steps of a forward pass through that many blocks, in order."""
    blocks = [step._replace(block=number) for number in range(n_layer) for step in EACH]
    return [*FIRST, *blocks, *LAST]


def list_of_steps(steps: Sequence[Step], current: int) -> tuple[str, float]:
    """Draw all steps below each other, the current one highlighted; return the SVG and where it ends."""
    top = TITLE_HEIGHT + 4
    rows, y = [], top + 8
    for entry in _entries(steps, current):
        height = ROW if entry[0] != "heading" else HEADING
        rows.append((*entry, y + height / 2))
        y += height
    parts = [f'<rect x="{MARGIN - 4}" y="{top}" width="{WIDE}" height="{y + 8 - top:g}" rx="6" fill="{TINTED}"/>']
    nodes = [(number, middle) for kind, _, number, middle in rows if kind != "heading"]
    reached = max((middle for number, middle in nodes if number <= current), default=nodes[0][1])
    line = f'<path d="M{MARGIN + 14} {{:g}}V{{:g}}" stroke="{{}}" stroke-width="3"/>'
    parts.append(line.format(nodes[0][1], nodes[-1][1], RULE) + line.format(nodes[0][1], reached, BLUE))
    parts.append(_again(nodes[1][1], nodes[-1][1], current == len(steps) - 1))
    for kind, label, number, middle in rows:
        parts.append(_entry(kind, label, middle, number == current and kind == "step", number <= current))
    return "".join(parts), y + 8


def _again(top: float, bottom: float, now: bool) -> str:
    """The arrow from the last step back to the tokens: what was generated is read in the next pass."""
    edge, style = MARGIN - 4 + WIDE, f'stroke="{BLUE if now else RULE}" stroke-width="{2 if now else 1.5}"'
    return f'<path d="M{edge} {bottom:g}h10V{top:g}h-9m5 -4l-5 4l5 4" fill="none" {style}/>'


def _entries(steps, current: int) -> list[tuple[str, str, int]]:
    """Return (kind, label, number of its first step): headings and steps of blocks, or a block as one entry."""
    n_layer = sum(step.kind == "MLP" for step in steps)
    here = steps[current].block
    if here is None:
        here = 0 if current < len(FIRST) else n_layer - 1
    everything = ROW * (len(FIRST) + len(LAST)) + n_layer * (HEADING + len(EACH) * ROW) <= TALL
    near = set(range(n_layer)) if n_layer <= 10 else {0, n_layer - 1, *range(here - 2, here + 3)}
    entries, skipped = [], []
    for number, step in enumerate(steps):
        if step.block is None or everything or step.block == steps[current].block:
            if step.kind == EACH[0].kind:
                entries.append(("heading", f"block {step.block}", number))
            entries.append(("step", step.label, number))
        elif step.kind == EACH[0].kind and step.block in near:
            entries.append(("block", f"block {step.block}", number))
        elif step.kind == EACH[0].kind:
            skipped.append(step.block)
            if step.block + 1 in near:
                entries.append(("block", f"blocks {skipped[0]} to {skipped[-1]}", number))
                skipped = []
    return entries


def _entry(kind: str, label: str, middle: float, current: bool, done: bool) -> str:
    x = MARGIN + 14
    if kind == "heading":
        return write(x + 16, middle + 6, label, f'font-size="11.5" font-weight="700" fill="{SOFT}"')
    node = f'stroke="{BLUE if done else RULE}" stroke-width="2" fill="{BLUE if done else PAPER}"'
    mark = f'<circle cx="{x}" cy="{middle:g}" r="{6.5 if current else 4.5}" {node}/>'
    if kind == "block":
        mark = f'<rect x="{x - 5}" y="{middle - 6:g}" width="10" height="12" rx="2" {node}/>'
    if current:
        pill = f'<rect x="{x + 12}" y="{middle - 11:g}" width="{WIDE - 36}" height="22" rx="11" fill="{BLUE}"/>'
        return pill + mark + write(x + 22, middle + 4.5, label, f'font-size="13" font-weight="700" fill="{PAPER}"')
    return mark + write(x + 22, middle + 4.5, label, f'font-size="13" fill="{INK if done else SOFT}"')
