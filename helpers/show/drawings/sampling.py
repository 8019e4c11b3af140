"""From logits to the next token: the steps of the sampler with real numbers (built for notebook 02)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import BLUE, INK, ORANGE, RULE, SOFT, TEAL, amount, listing, number, only_first

MOST = 9  # tokens drawn


def sampling_pipeline(
    tokens: Sequence[str],
    logits: Sequence[float],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    chosen: str | int | None = None,
) -> Drawing:
    """Draw how logits become the next token: divided by the temperature, softmax, cut by top-k and top-p, sampled.

    `tokens` [V] and `logits` [V] are the whole vocabulary (or all that is to count); the nine likeliest are drawn. The
    numbers are those of `helpers.generation.sampling.distribution`. `chosen`, a token or its index, is the one that was sampled.
    Raises ValueError when the lengths differ, for a temperature that is not above 0, or a token that is not there.
    """
    import torch

    from helpers.generation.sampling import distribution

    tokens, logits = [str(token) for token in tokens], torch.as_tensor(logits, dtype=torch.float64).flatten()
    need(
        len(tokens) == len(logits) > 0, f"{len(tokens)} tokens and {len(logits)} logits: give one logit for each token"
    )
    need(
        temperature > 0,
        f"the temperature is {temperature}: give a number above 0 (0 would be greedy, with nothing to sample)",
    )
    if isinstance(chosen, str):
        need(chosen in tokens, f"{chosen!r} is not among the tokens")
        chosen = tokens.index(chosen)
    need(chosen is None or 0 <= chosen < len(tokens), f"there is no token {chosen}: give 0 to {len(tokens) - 1}")
    order = logits.argsort(descending=True, stable=True).tolist()
    shown = order[:MOST]
    if chosen is not None and chosen not in shown:
        shown[-1] = chosen
    plain, final = distribution(logits, temperature), distribution(logits, temperature, top_k, top_p)
    kept = int((final > 0).sum())
    cut = listing(([f"top-k {top_k}"] if top_k else []) + ([f"top-p {top_p:g}"] if top_p is not None else []))
    columns = [
        ("logits", logits, "score of each token"),
        (f"÷ {temperature:g}", logits / temperature, "temperature"),
        ("softmax", plain, "probabilities"),
        ("cut, rescaled" if cut else "nothing cut", final, cut or "no top-k, no top-p"),
    ]
    figure = Diagram(f"From logits to the next token: temperature {temperature:g}" + (f", {cut}" if cut else ""))
    x0, wide, gap, y = LEFT + 96, 142.0, 22.0, TITLE_HEIGHT + 58
    row = 27
    for c, (name, values, note) in enumerate(columns):
        x = x0 + c * (wide + gap)
        figure.label(x, TITLE_HEIGHT + 18, name, 13.5, "start", INK, bold=True)
        figure.label(x, TITLE_HEIGHT + 35, note, 11.5, "start", room=wide)
        if c:
            figure.arrow((x - gap - 12, TITLE_HEIGHT + 14), (x - 6, TITLE_HEIGHT + 14), width=1.8)
        top = max(abs(float(values[i])) for i in shown if math.isfinite(float(values[i]))) or 1.0
        scale = (
            top
            if c > 1
            else max(
                abs(float(v)) for i in shown for v in (logits[i], logits[i] / temperature) if math.isfinite(float(v))
            )
            or 1.0
        )
        for r, i in enumerate(shown):
            value = float(values[i])
            gone = c == 3 and value == 0
            color = BLUE if c < 2 else TEAL
            length = 0 if gone or not math.isfinite(value) else (wide - 56) * abs(value) / scale
            figure.rect(x, y + row * r, max(length, 0.5), 17, "#b9bfcb" if value < 0 else tint(color, 0.7), RULE, 0, 2)
            text = "cut" if gone else "−∞" if value == -math.inf else f"{value:.2f}".replace("-", "−")
            text = "< 0.01" if c > 1 and 0 < value < 0.005 else text
            figure.label(x + length + 6, y + row * r + 13, text, 12, "start", SOFT if gone else INK)
    for r, i in enumerate(shown):
        strong = i == chosen
        if strong:
            figure.rect(
                LEFT - 4, y + row * r - 5, RIGHT - LEFT + 8, row, tint(ORANGE, 0.14), ORANGE, 1.6, 5, behind=True
            )
            figure.label(RIGHT - 4, y + row * r + 13, "sampled", 12, "end", INK, bold=True)
        figure.label(
            x0 - 12, y + row * r + 13, seen(tokens[i], 10, space=True), 13, "end", INK, bold=strong, mono=True, room=84
        )
    notice = only_first(MOST, len(tokens), "tokens")
    sentence = (
        f"Divided by the temperature {temperature:g} and passed through the softmax, the likeliest tokens are "
        + listing(f"{quoted(tokens[i])} {float(plain[i]):.2f}" for i in order[:3])
        + "."
    )
    if cut:
        left = listing(f"{quoted(tokens[i])} {float(final[i]):.2f}" for i in order[: min(kept, 3)])
        sentence += f" {cut.capitalize()} keeps {number(kept)} of {amount(len(tokens), 'token')}, rescaled to sum to 1: "
        sentence += f"{left}{', …' * (kept > 3)}."
    sentence += f" Sampled: {quoted(tokens[chosen])}." if chosen is not None else ""
    return figure.finish(f"{sentence} {notice}".strip(), notice)
