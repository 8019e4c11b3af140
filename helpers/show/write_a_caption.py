"""What does guidance buy that a low temperature cannot? Write a caption, see the pictures and how varied they are (notebook 16).

`caption_pictures` is a still drawing, `explore_captions` the same with controls. The learner's function paints.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need
from helpers.show.display import CONTROL
from helpers.show.explore import Explore
from helpers.show.small_pictures import small_picture
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import CRIMSON, INK, amount, number

GUIDANCES = (1.0, 1.5, 2.0, 3.0, 5.0)
TEMPERATURES = (0.3, 0.5, 0.7, 1.0, 1.3)
KINDS = ("thickness", "slant", "digit")  # what the words of a caption are about, where there are three
MOST, PER_ROW = 24, 12


def caption_pictures(
    paint: Callable,
    caption: str,
    guidance: float = 1.0,
    temperature: float = 1.0,
    read: Callable | None = None,
    reference=None,
) -> Drawing:
    """Draw the pictures painted for a caption, with what a classifier calls each, and say how many are as asked.

    ``paint(caption, guidance, temperature)`` returns pictures [N, 8, 8] (or [N, 1, 8, 8]) from −1 (paper) to 1 (ink), N from 2 to
    24. ``read(pictures)`` returns N texts, such as the digit's name; each of their words is compared with the caption's word at
    its place, counted from the end. ``reference`` are real pictures [M, 8, 8]: the spread is then a share of theirs. Raises
    ValueError for other numbers of pictures, or of texts.
    """
    painted = paint(caption, guidance, temperature)
    pictures = _pictures(painted)
    need(2 <= len(pictures) <= MOST, f"{amount(len(pictures), 'picture')} cannot be drawn: paint 2 to {MOST}")
    words, texts = caption.split(), [str(text) for text in read(painted)] if read is not None else []
    need(
        read is None or len(texts) == len(pictures),
        f"read gave {len(texts)} texts for {len(pictures)} pictures: one for each",
    )
    spread = _spread(pictures)
    share = spread / _spread(_pictures(reference)) if reference is not None else None
    figure = Diagram(f"“{caption}”: guidance {guidance:g}, temperature {temperature:g}")
    pitch, side, head = (RIGHT - LEFT + 8) / PER_ROW, 56, 18 if texts else 0
    for i, picture in enumerate(pictures):
        x, y = LEFT + i % PER_ROW * pitch, TITLE_HEIGHT + 6 + i // PER_ROW * (side + head + 16)
        wrong = bool(texts) and texts[i].split()[-1:] != words[-1:]
        small_picture(figure, picture, x, y + head, side, *((CRIMSON, 2.2) if wrong else ()))
        if texts:
            figure.label(
                x + side / 2, y + 12, f"✗ {texts[i]}" if wrong else texts[i], 12, color=INK, bold=wrong, room=pitch - 4
            )
    return figure.finish(
        _words(caption, guidance, temperature, texts, len(pictures), spread, share),
        "Above a picture: what a classifier of its own sees in it. ✗: not what was asked." if texts else "",
    )


def explore_captions(paint: Callable, captions: Sequence[str], read: Callable | None = None, reference=None) -> Explore:
    """`caption_pictures` with a menu for each word of a caption, and sliders for guidance and temperature.

    ``captions`` are texts of equally many words; any combination of their words can be asked for. Each setting is painted once.
    ``reference`` as in `caption_pictures`. Raises ValueError for no caption, and where the numbers of words differ.
    """
    import ipywidgets

    rows = [caption.split() for caption in captions]
    need(
        bool(rows) and bool(rows[0]) and len({len(row) for row in rows}) == 1,
        "give captions of equally many words, at least one",
    )
    names = KINDS if len(rows[0]) == len(KINDS) else tuple(f"word {i + 1}" for i in range(len(rows[0])))
    menus = {name: list(dict.fromkeys(row[i] for row in rows)) for i, name in enumerate(names)}
    kept: dict[tuple, Drawing] = {}

    def draw(guidance, temperature, **words):
        key = (" ".join(words[name] for name in names), guidance, temperature)
        if key not in kept:
            kept[key] = caption_pictures(paint, *key, read, reference)
        return kept[key]

    def slider(name, values):
        options = [(f"{value:g}", value) for value in values]
        return ipywidgets.SelectionSlider(
            options=options, value=1.0, description=name, continuous_update=False, **CONTROL
        )

    sliders = {"guidance": slider("guidance", GUIDANCES), "temperature": slider("temperature", TEMPERATURES)}
    return Explore(draw, **menus, **sliders).in_book(**{name: [] for name in menus})


def _pictures(images) -> list[list[list[float]]]:
    """Pictures [N, H, W] or [N, 1, H, W] as lists."""
    rows = images.tolist() if hasattr(images, "tolist") else [list(image) for image in images]
    return [image[0] if len(image) == 1 and isinstance(image[0][0], list) else image for image in rows]


def _spread(pictures: list) -> float:
    """Root of the mean squared distance from the mean picture, in numbers from −1 to 1; of N pictures, N − 1 are counted."""
    flat = [[value for row in picture for value in row] for picture in pictures]
    means = [sum(values) / len(flat) for values in zip(*flat)]
    squares = sum((value - mean) ** 2 for picture in flat for value, mean in zip(picture, means))
    return math.sqrt(squares / max(len(flat) - 1, 1))


def _words(caption, guidance, temperature, texts, count, spread, share) -> str:
    said = f"{amount(count, 'picture')} for “{caption}”, guidance {guidance:g}, temperature {temperature:g}."
    if texts:
        words, read = caption.split(), [text.split() for text in texts]
        known = min(len(words), min(map(len, read)))
        right = [(words[-i], sum(row[-i] == words[-i] for row in read)) for i in range(known, 0, -1)]
        said += f" A classifier of its own sees {', '.join(f'“{word}” in {times}' for word, times in right)}."
    if share is not None:
        return f"{said} Their spread is {number(float(share))} times that of real pictures."
    return f"{said} Their spread around the mean picture is {number(float(spread))}."
