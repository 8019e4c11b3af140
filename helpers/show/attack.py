"""How many letters until it is wrong? A classifier of letters under attack, with a message of your own. Built for notebook 11.

`attacked_message` is a still drawing, `explore_attack` the same with controls.
"""

from __future__ import annotations

from collections.abc import Callable

from helpers.show.explore import Explore
from helpers.show.svg import MARGIN, TITLE_HEIGHT, WIDTH, Drawing, blank, key, monospaced, quoted, write
from helpers.show.theme import BLUE, ORANGE, RULE, SOFT, amount, percent, xml
from helpers.show.tokens_and_bars import labeled_bars

PITCH, LINE = 12, 62  # from one letter to the next, and from one line to the next
MOST_FLIPS = 6
ANSWERS = ("no question", "question")
CHOICES = ("gradient", "chance")


def attacked_message(
    model, message: str, flips: int = 2, chosen_by: str = "gradient", attack: Callable | None = None, seed: int = 0
) -> Drawing:
    """Attack what ``model``, a LetterClassifier, says about ``message``: letters swapped, and its answer before and after.

    ``attack(model, text, label, flips)`` returns the attacked text (None: ``helpers.robustness.hotflip.hotflip``); with
    ``chosen_by="chance"`` letters are swapped at random instead, from ``seed``. The attack works against the model's own
    answer and stops when that changes. Of the message counts what the model can read: 64 letters at most, in lower case.
    Raises ValueError for another ``chosen_by`` and for a negative number of flips.
    """
    import numpy as np

    from helpers.robustness.hotflip import hotflip, random_flips
    from helpers.robustness.letter_classifier import decode_letters, encode_letters, predictions

    if chosen_by not in CHOICES:
        raise ValueError(f"letters are chosen by {' or by '.join(CHOICES)}, not by {chosen_by!r}")
    if flips < 0:
        raise ValueError(f"flips is {flips}: give how many letters may be swapped, 0 or more")
    text = decode_letters(encode_letters([message])[0])
    if not text:
        return blank("Nothing to attack yet", "There is nothing the classifier can read: write a message in letters.")
    before = float(predictions(model, [text])[0])
    label = int(before > 0.5)
    if chosen_by == "gradient":
        changed = (attack or hotflip)(model, text, label, flips)
    else:
        changed = random_flips(model, [text], [label], flips, np.random.default_rng(seed))[0]
    after = float(predictions(model, [changed])[0])
    swapped = [place for place, (old, new) in enumerate(zip(text, changed)) if old != new]
    words = _words(text, changed, len(swapped), chosen_by, (before, after))
    title = f"{_swaps(len(swapped))}, chosen by {'its gradient' if chosen_by == 'gradient' else 'chance'}: " + (
        "the answer changes" if (before > 0.5) != (after > 0.5) else "the answer stays"
    )
    body, height = _letters(text, changed)
    bars = [("before", before), ("after", after)]
    room = WIDTH - 2 * MARGIN - 300
    lengths, written = [room * p for _, p in bars], [f"{percent(p, 1)}: “{_answer(p)}”" for _, p in bars]
    part, end = labeled_bars([name for name, _ in bars], lengths, written, MARGIN + 80)
    half = MARGIN + 80 + room / 2
    line = f'<path d="M{half:.1f} {TITLE_HEIGHT}V{end}" stroke="{ORANGE}" stroke-dasharray="4 4"/>'
    body += f'<g transform="translate(0 {height - TITLE_HEIGHT:g})">{part}{line}</g>'
    end += height - TITLE_HEIGHT
    notice = "Bars: the probability that it is a question, and the answer; dashed: one half."
    if len(message.strip()) > len(text) and len(text) == 64:
        notice += " Only the first 64 letters are read."
    return Drawing(body + key(end + 18, notice), words, title, end + 32)


def explore_attack(models: dict, message: str, attack: Callable | None = None) -> Explore:
    """`attacked_message` with a line for your message, a slider for the flips, and menus: chosen by what, defended how.

    ``models`` are the classifiers by the name of their defense, ``{"none": classifier, …}``. Raises ValueError for none.
    """
    if not models:
        raise ValueError('there is no classifier to attack: give a dict, explore_attack({"none": classifier}, message)')

    def draw(message, defense, flips=2, chosen_by="gradient"):
        return attacked_message(models[defense], message, flips, chosen_by, attack)

    return Explore(draw, message=message, flips=(0, MOST_FLIPS), chosen_by=list(CHOICES), defense=list(models))


def _answer(p: float) -> str:
    return ANSWERS[int(p > 0.5)]


def _swaps(number: int) -> str:
    return f"{amount(number, 'letter')} swapped"


def _words(text: str, changed: str, number: int, chosen_by: str, p: tuple[float, float]) -> str:
    answers = [f"“{_answer(each)}”, P(question) {each:.1f}" for each in p]
    start = f"{quoted(text, 64)}: {answers[0]}."
    if not number:
        return f"{start} Nothing was swapped."
    how = "by the gradient" if chosen_by == "gradient" else "by chance"
    return f"{start} {_swaps(number)}, chosen {how}. {quoted(changed, 64)}: {answers[1]}."


def _letters(text: str, changed: str) -> tuple[str, float]:
    """Write the text letter by letter, a swapped one above the letter that took its place; return SVG and height."""
    parts, per_line = [], int((WIDTH - 2 * MARGIN) // PITCH)
    for place, (old, new) in enumerate(zip(text, changed)):
        x, y = MARGIN + PITCH * (place % per_line), TITLE_HEIGHT + LINE * (place // per_line)
        if old == new:
            parts.append(write(x + 2, y + 44, new) if new != " " else "")
            continue
        parts.append(
            f'<g tabindex="0"><title>letter {place + 1}: {xml(old)} becomes {xml(new)}</title>'
            f'<rect x="{x - 0.5:g}" y="{y + 29}" width="{PITCH}" height="21" fill="{ORANGE}" fill-opacity="0.3" stroke="{RULE}"/>'
            + write(x + 2, y + 18, old, f'fill="{SOFT}" text-decoration="line-through"')
            + write(x + 2, y + 44, new, f'fill="{BLUE}" font-weight="700"')
            + "</g>"
        )
    return monospaced(parts), TITLE_HEIGHT + LINE * (1 + (len(text) - 1) // per_line) + 4
