"""Is a drawing legible? Its texts, measured with the letters of a wide font: inside the paper, none on another, none too pale."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from helpers.show.lettering import text_width
from helpers.show.theme import READABLE, contrast

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[tuple[str, float, float, float, float]]:
    """Return every text as (text, left, top, right, bottom), in pixels."""
    boxes = []
    for element in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        size = float(element.get("font-size", 14))
        strong, even = element.get("font-weight") == "700", "mono" in element.get("font-family", "")
        pieces = [(element.text or "", size)] if element.text else []
        for span in element.iter(f"{SVG}tspan"):
            pieces.append((span.text or "", float(span.get("font-size", size))))
        width = sum(text_width(text, letters, strong, even) for text, letters in pieces)
        x, y = float(element.get("x")), float(element.get("y"))
        left = x - width * {"start": 0, "middle": 0.5, "end": 1}[element.get("text-anchor", "start")]
        text = "".join(text for text, _ in pieces)
        if text.strip():
            boxes.append((text, left, y - 0.74 * size, left + width, y + 0.2 * size))
    return boxes


def problems(svg: str) -> list[str]:
    """Return a sentence for each text that leaves the paper, touches another or is too pale."""
    root = ElementTree.fromstring(svg)
    wide, high = float(root.get("width")), float(root.get("height"))
    found, boxes = [], texts(svg)
    for i, (text, left, top, right, bottom) in enumerate(boxes):
        if left < 0 or right > wide or top < 0 or bottom > high:
            found.append(f"{text!r} leaves the paper: {left:.0f} to {right:.0f}, {top:.0f} to {bottom:.0f}")
        for other, left_2, top_2, right_2, bottom_2 in boxes[i + 1 :]:
            if left < right_2 - 0.5 and left_2 < right - 0.5 and top < bottom_2 - 0.5 and top_2 < bottom - 0.5:
                found.append(f"{text!r} touches {other!r} at {left:.0f}, {bottom:.0f}")
    return found + pale(svg)


def edges(svg: str) -> tuple[float, float, float]:
    """Return how far left, right and down rectangles, circles and paths reach."""
    points = []
    for element in ElementTree.fromstring(svg).iter():
        if element.tag == f"{SVG}rect":
            x, y = float(element.get("x", 0)), float(element.get("y", 0))
            points += [(x, y), (x + float(element.get("width")), y + float(element.get("height")))]
        elif element.tag == f"{SVG}circle":
            x, y, r = (float(element.get(name)) for name in ("cx", "cy", "r"))
            points += [(x - r, y - r), (x + r, y + r)]
        elif element.tag == f"{SVG}path":
            numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", element.get("d"))]
            points += list(zip(numbers[::2], numbers[1::2]))
    return min(x for x, _ in points), max(x for x, _ in points), max(y for _, y in points)


def pale(svg: str) -> list[str]:
    """Return a sentence for each text whose contrast with what is drawn below it is under 4.5 : 1."""
    faint = {found: contrast(*found[1:]) for found in letters(svg)}
    return [f"{text!r}: {ink} on {ground} is {ratio:.2f} : 1" for (text, ink, ground), ratio in faint.items() if ratio < READABLE]


def letters(svg: str) -> list[tuple[str, str, str]]:
    """Return (text, ink, ground) at four places of each text, colors as "#rrggbb".

    Below a text are the rectangles and circles drawn before it. tests/book/contrast.py asks a browser, which knows every shape
    and letter; this needs none, so that every drawing under test is measured.
    """
    grounds, found = [], []
    boxes = iter(texts(svg))
    for element, ink, opacity in _inherited(ElementTree.fromstring(svg), "#000000", 1.0):
        if element.tag in (f"{SVG}rect", f"{SVG}circle") and ink.startswith("#"):
            grounds.append((_box(element), ink, opacity * float(element.get("fill-opacity", 1))))
        if element.tag == f"{SVG}text" and "".join(element.itertext()).strip():
            text, left, top, right, bottom = next(boxes)
            for fifth in range(1, 5):
                ground = _ground(grounds, left + (right - left) * fifth / 5, (top + bottom) / 2)
                found.append((text, ink, ground))
    return found


def _inherited(element, ink: str, opacity: float):
    """Every element in the order of painting, with its fill and the product of all opacities around it."""
    if element.tag in (f"{SVG}defs", f"{SVG}title"):
        return
    ink, opacity = element.get("fill", ink), opacity * float(element.get("opacity", 1))
    opacity *= float(element.get("fill-opacity", 1)) if element.tag == f"{SVG}g" else 1
    yield element, ink, opacity
    for child in element:
        yield from _inherited(child, ink, opacity)


def _box(element) -> tuple[float, float, float, float]:
    x, y, wide, high = (float(element.get(name, 0)) for name in ("x", "y", "width", "height"))
    if element.tag == f"{SVG}circle":
        x, y, r = (float(element.get(name, 0)) for name in ("cx", "cy", "r"))
        x, y, wide, high = x - 0.7 * r, y - 0.7 * r, 1.4 * r, 1.4 * r  # the square inside
    return x, y, x + wide, y + high


def _ground(grounds, x: float, y: float) -> str:
    """The color at a point: each area over those before it, on white paper."""
    color = (255.0, 255.0, 255.0)
    for (left, top, right, bottom), fill, opacity in grounds:
        if left <= x <= right and top <= y <= bottom:
            own = (int(fill[i : i + 2], 16) for i in (1, 3, 5))
            color = tuple(below + (above - below) * opacity for above, below in zip(own, color))
    return "#" + "".join(f"{round(channel):02x}" for channel in color)
