"""What goes on inside a model: how far back its input gradients reach, how one unit is activated. Built in notebook 02.

A text here is a string, read as a turn of speaker A, or a conversation. Every model of the course has input
gradients; units are those of a model with ``read``, such as ``CharRNN``.
"""

from __future__ import annotations

from collections.abc import Sequence

from helpers.corpus.tokenizers.base import SPEAKERS
from helpers.show.explore import Explore, places
from helpers.show.svg import Drawing, key, monospaced, quoted, seen, write
from helpers.show.theme import BLUE, ORANGE, amount, listing, number, only_first, shorten, xml
from helpers.show.tokens_and_bars import LINE, MOST_TOKENS, Tokens, place_tokens

BAR = 18  # pixels of a full bar
BEST_UNITS = 16  # of all units, in a book
PITCH = LINE + BAR + 2  # from line to line where bars also hang below


def input_gradient_map(model, tokenizer, text, position: int | None = None, name: str = "") -> Tokens:
    """Color the characters up to ``position`` by how much each matters for the character after it.

    The color is the size of the gradient (``helpers.interpretability.input_gradients.input_gradient_norms``) in per cent of the
    largest; the title says how many characters back half and 90 % of the sum of all gradients lie. ``position`` counts
    from 0 and is the last one if not given; there, the likeliest next character stands for the unknown one. ``name`` of
    the model begins the title. The last 200 characters are drawn. With another tokenizer all of this holds for its tokens,
    with the number of their characters beside. What lies further back than the model can read counts nothing. Raises
    ValueError for an empty text or a position outside it.

    An encoder-decoder reads the earlier turns as a whole: give it a conversation, and ask inside its last turn.
    """
    import numpy as np

    from helpers.interpretability.input_gradients import input_gradient_norms

    context, ids, characters = _read(tokenizer, text)
    kind = "character" if hasattr(tokenizer, "characters") else "token"
    position = len(ids) - 1 if position is None else position
    if not 0 <= position < len(ids):
        raise ValueError(f"there is no position {position} in {len(ids)} {kind}s; take 0 to {len(ids) - 1}")
    read = context + ids[: position + 2]
    begins = _first_read(model, read, len(context) + position)
    norms = np.zeros(len(context) + position + 1)
    norms[begins:] = input_gradient_norms(model, read[begins:], len(context) + position - begins)
    norms = norms[len(context) :]
    following = f"for {quoted(characters[position + 1])}" if position + 1 < len(ids) else "here"
    name = shorten(name, 20)  # the title has one line
    if norms.sum() > 0:
        # The 1e-9 forgives rounding: exactly half is half.
        back = np.cumsum(norms[::-1]) / norms.sum() + 1e-9
        half, most = (int(np.argmax(back >= part)) + 1 for part in (0.5, 0.9))
        plural = f" {kind}s" if half > 1 else ""
        half_length = most_length = ""
        if kind == "token":  # in characters too, so that it can be compared with a model that reads those
            half_length, most_length = (
                _length(tokenizer.decode(ids[position + 1 - back : position + 1])) for back in (half, most)
            )
        title = f"half of the input gradient {following} falls on {_last(half, kind)}{plural}{half_length}, "
        title += f"90 % on {_last(most, kind)}{most_length}"
    else:
        title = f"no {kind} has a gradient {following}"
    title = f"{name}: {title}" if name else title[0].upper() + title[1:]
    relative = 100 * norms / (norms.max() or 1)
    drawn = characters[: position + 1][-MOST_TOKENS:]
    return Tokens(drawn, relative[-MOST_TOKENS:], title, "% of the largest", top=100.0, position=len(drawn) - 1)


def explore_input_gradients(models: dict, tokenizer, text) -> Explore:
    """Choose a model from ``models`` (name to model) and walk through the text's first 200 characters.

    Raises ValueError when there is no model, or no text.
    """
    if not models:
        raise ValueError('give at least one model: {"LSTM": model}')
    last = min(len(_read(tokenizer, text)[1]), MOST_TOKENS) - 1

    def draw(model, position=last):
        return input_gradient_map(models[model], tokenizer, text, position, name=model)

    return Explore(draw, model=list(models), position=range(last + 1)).in_book(position=places(last + 1))


def _last(count: int, kind: str) -> str:
    return f"the last {kind}" if count == 1 else f"the last {number(count)}"


def _length(text: str) -> str:
    """Say in parentheses how many characters a text has; nothing of one that has none: a speaker's token alone."""
    return f" ({amount(len(text), 'character')})" if text else ""


def _first_read(model, ids, position: int) -> int:
    """Return the index of the first token that the model still reads when it stands at ``position``."""
    limit = getattr(model, "context", None)
    if limit is not None:
        return max(0, position + 1 - limit)
    config = getattr(model, "config", {})
    if "context_tokens" not in config:
        return 0
    turns = [i for i in range(position + 1) if ids[i] in config["speakers"]]
    return max(0, turns[-1] - config["context_tokens"]) if turns else 0


def _read(tokenizer, text) -> tuple[list[int], list[int], list[str]]:
    """Return what the model reads first, the token numbers of the text, and the text in pieces to draw."""
    from helpers.interpretability.units import pieces, token_ids

    ids = token_ids(tokenizer, text)[:-1]  # without <end>
    added = int(isinstance(text, str))  # nobody typed the <A> before a string
    if len(ids) == added:
        raise ValueError("the text is empty: give at least one character")
    return [tokenizer.end, *ids[:added]], ids[added:], pieces(tokenizer, ids[added:])


class Activations(Tokens):
    """A text and the activation of one unit after each character: orange bars stand up for more than 0, blue hang for less.

    ``values`` are numbers around 0, ``top`` is the length of a full bar; ``words`` state the finding. Raises ValueError
    when the lengths differ or nothing is given. More than 200 characters are cut with a notice.
    """

    def __init__(self, characters, values, title: str, words: str, top: float = 1.0):
        characters, values = [str(c) for c in characters], [float(v) for v in values]
        _checked(characters, values)
        notice = only_first(MOST_TOKENS, len(values), "characters")
        turns = {i for i, character in enumerate(characters) if character in SPEAKERS}
        places, y = place_tokens(characters[:MOST_TOKENS], PITCH, breaks=turns)
        parts = [
            _signed_box(seen(character), value, max(-1.0, min(value / top, 1.0)), *place)
            for character, value, place in zip(characters, values, places)
        ]
        legend = (
            f"Orange, up: more than 0; blue, down: less than 0; a full bar: {number(top)} or −{number(top)}. {notice}"
        )
        Drawing.__init__(self, monospaced(parts) + key(y + 14, legend), f"{words} {notice}".strip(), title, y + 28)


def _checked(characters, values) -> None:
    if not len(values) or len(characters) != len(values):
        got = f"{len(characters)} characters and {len(values)} numbers"
        raise ValueError(f"give one number per character, at least one: got {got}")


def _signed_box(text: str, value: float, part: float, x: float, y: float, width: float) -> str:
    """One character as SVG: its bar stands on its box, or hangs from it."""
    # The blue is the darker of the two: as paper it is laid on more thinly, so that the letters stay legible.
    color, most = (ORANGE, 0.77) if part >= 0 else (BLUE, 0.32)
    start, way = y + 30 if part >= 0 else y + 52, -BAR * part
    bar = f"M{x:.1f} {start:g}v{way:.1f}h{width:.1f}v{-way:.1f}z"
    letter = "" if text == "␣" else write(x + 2, y + 46, text)
    return (
        f'<g tabindex="0"><title>{xml(text)} {number(value)}</title><path d="{bar}" fill="{color}"/>'
        f'<rect x="{x:.1f}" y="{y + 30:g}" width="{width:.1f}" height="22" fill="{color}" '
        f'fill-opacity="{0.04 + most * abs(part):.2f}"/>{letter}</g>'
    )


def unit_activations(characters: Sequence[str], outputs, unit: int, label: str = "", scores=None) -> Activations:
    """Draw the activation of ``unit`` after each of up to 200 characters, from −1 to 1.

    ``characters`` [N] and ``outputs`` [N, H] come from ``helpers.interpretability.units.record``. ``label`` names what
    the unit is thought to know, ``scores`` [H] are its ``unit_scores``; both go into the title. The words give the mean and
    the characters it is highest and lowest on, on average over all N. Raises ValueError for a unit that is not there.
    """
    import numpy as np

    outputs = np.asarray(outputs)
    if outputs.ndim != 2 or not 0 <= unit < outputs.shape[1]:
        most = outputs.shape[1] - 1 if outputs.ndim == 2 else "nothing"
        raise ValueError(f"there is no unit {unit}; these outputs [N, H] have 0 to {most}")
    _checked(characters, outputs)
    values = outputs[:, unit].astype(float)
    kinds, which = np.unique(np.array(list(characters), dtype=object).astype(str), return_inverse=True)
    means = np.bincount(which, weights=values) / np.bincount(which)
    order = np.argsort(-means, kind="stable")
    high = listing(f"{quoted(kinds[i])} {number(float(means[i]))}" for i in order[:3])
    score = f"score {number(float(scores[unit]))}" if scores is not None else ""
    most = f"fires most on {listing(quoted(kinds[i]) for i in order[:3])}"
    if label:  # what a unit is thought to know says more than the characters it likes
        title = f"Unit {unit} and “{label}”" + (f": {score}" if score else "")
        words = f"{title}. It {most}."
    else:
        title = f"Unit {unit}" + (f" ({score})" if score else "") + f" {most}"
        words = f"{title}."
    words += f" Mean activation {number(float(values.mean()))} over {amount(len(values), 'character')}; by character, "
    words += f"highest {high}; lowest {quoted(kinds[order[-1]])} {number(float(means[order[-1]]))}."
    return Activations(characters, values, title, words, top=max(1.0, float(np.abs(values).max())))


def explore_units(model, tokenizer, text, scores=None, label: str = "") -> Explore:
    """Walk through the units of a model that has read ``text``; the slider begins at the unit with the best score.

    ``scores`` [H] and ``label`` are as in ``unit_activations``. Raises ValueError for an empty text.
    """
    import numpy as np

    from helpers.interpretability.units import record

    skipped = len(_read(tokenizer, text)[0]) - 1
    characters, outputs = record(model, tokenizer, [text])
    characters, outputs = characters[skipped:-1], outputs[skipped:-1]
    count = outputs.shape[1]
    order = np.argsort(-np.asarray(scores), kind="stable").tolist() if scores is not None else list(range(count))

    def draw(unit=order[0]):
        return unit_activations(characters, outputs, unit, label, scores)

    return Explore(draw, unit=range(count)).in_book(unit=order[:BEST_UNITS])
