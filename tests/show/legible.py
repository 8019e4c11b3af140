"""Is a drawing legible? Its texts, measured with the letters of a wide font: inside the paper, none on another."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from helpers.show.lettering import text_width

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
    """Return a sentence for each text that leaves the paper or touches another."""
    root = ElementTree.fromstring(svg)
    wide, high = float(root.get("width")), float(root.get("height"))
    found, boxes = [], texts(svg)
    for i, (text, left, top, right, bottom) in enumerate(boxes):
        if left < 0 or right > wide or top < 0 or bottom > high:
            found.append(f"{text!r} leaves the paper: {left:.0f} to {right:.0f}, {top:.0f} to {bottom:.0f}")
        for other, left_2, top_2, right_2, bottom_2 in boxes[i + 1 :]:
            if left < right_2 - 0.5 and left_2 < right - 0.5 and top < bottom_2 - 0.5 and top_2 < bottom - 0.5:
                found.append(f"{text!r} touches {other!r} at {left:.0f}, {bottom:.0f}")
    return found


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
