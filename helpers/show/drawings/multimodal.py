"""Pictures become tokens: patches, codes, one sequence with words, one GPT over both (built for notebook 16)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.small_pictures import gray_levels, small_picture
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import INK, ORANGE, PLUM, SOFT, TEAL, amount, number

WORDS, PICTURES, MARKS, SOUNDS = TEAL, ORANGE, SOFT, PLUM  # one color a kind of token, in all drawings of the notebook


def patches(image: Sequence, size: int = 2) -> Drawing:
    """Draw a picture cut into patches, numbered in reading order, and each patch as a row of numbers.

    ``image`` [H, W] goes from −1 (paper) to 1 (ink), at most 16 pixels wide and high; ``size`` is a patch's side. Raises
    ValueError where it does not divide both sides, and for more than 64 patches.
    """
    rows = image.tolist() if hasattr(image, "tolist") else [list(row) for row in image]
    gray_levels(rows)  # complains where it is no picture
    high, wide = len(rows), len(rows[0])
    need(max(high, wide) <= 16, f"{high} × {wide} pixels cannot be drawn: give 16 × 16 at most")
    need(
        size >= 1 and high % size == wide % size == 0,
        f"patches of {size} × {size} do not divide {high} × {wide} pixels",
    )
    across, count = wide // size, high * wide // size**2
    need(count <= 64, f"{count} patches cannot be drawn: give 64 at most")
    cut = [[rows[patch // across * size + dy][patch % across * size + dx] for dy in range(size) for dx in range(size)]
           for patch in range(count)]  # fmt: skip
    figure = Diagram(f"{high} × {wide} pixels become {count} patches, in reading order")
    y, side = TITLE_HEIGHT + 8, 216
    small_picture(figure, rows, LEFT, y, side)
    piece = side * size / wide
    for patch in range(count):
        x, top = LEFT + patch % across * piece, y + patch // across * piece
        figure.rect(x, top, piece, piece, "none", PICTURES, 1.6, 0)
        if piece >= 22:
            figure.rect(x + 2, top + 2, 19, 14, "#ffffff", "#ffffff", 0, 2)
            figure.label(x + 11.5, top + 13, str(patch), 11, color=INK, bold=True)
    columns = 2 if size <= 2 and 8 < count else 1
    shown = min(count, 8 * columns)
    for row in range(shown):
        patch = row if row < shown - 1 else count - 1  # the last one always
        x, top = LEFT + 262 + row // 8 * 276, y + row % 8 * 27
        small_picture(
            figure, [cut[patch][i : i + size] for i in range(0, size * size, size)], x, top, 22, PICTURES, 1.4
        )
        figure.label(x - 7, top + 16, f"… {patch}" if patch != row else str(patch), 12, "end", INK, bold=True)
        text = ", ".join(f"{value:.2f}".replace("-", "−") for value in cut[patch][:9]) + ", …" * (size > 3)
        figure.label(
            x + 30, top + 16, f"[{text}]", 12.5, "start", INK, mono=True, room=(RIGHT - LEFT - 262) / columns - 36
        )
    return figure.finish(
        f"A picture of {high} × {wide} pixels, cut into {amount(count, 'patch', 'patches')} of {size} × {size}. They are read "
        f"like a text: from left to right, row by row. Each becomes a vector of {amount(size * size, 'number')}, its pixels in "
        f"reading order, too; the array is [{count}, {size * size}].",
        "Numbers from −1 (paper) to 1 (ink).",
    )


def codebook(codes: Sequence, image: Sequence | None = None) -> Drawing:
    """Draw the codes of k-means as small pictures with their numbers; with ``image``: its patches as codes, and what comes back.

    ``codes`` [K, size²] go from −1 to 1, K from 2 to 64; ``image`` [H, W] is cut as `patches` does. Raises ValueError for more
    codes, for codes that are no squares, and where an image cannot be cut.
    """
    rows = codes.tolist() if hasattr(codes, "tolist") else [list(code) for code in codes]
    need(2 <= len(rows) <= 64, f"{amount(len(rows), 'code')} cannot be drawn: give 2 to 64")
    size = round(len(rows[0]) ** 0.5)
    need(
        size * size == len(rows[0]) and len({len(row) for row in rows}) == 1,
        "a code is a square patch: size² numbers each",
    )
    figure = Diagram(
        f"A codebook of {len(rows)} patches" + (": the picture as a list of numbers" if image is not None else "")
    )
    y, per = TITLE_HEIGHT + 8, 8 if image is not None else 16
    pitch, tall, side = (40.5, 36, 20) if image is not None else (49, 44, 26)
    for code, values in enumerate(rows):
        x, top = LEFT + code % per * pitch, y + code // per * tall
        small_picture(figure, [values[i : i + size] for i in range(0, size * size, size)], x, top, side, SOFT, 0.8)
        figure.label(x + side / 2, top + side + 11, str(code), 10.5)
    if image is None:
        return figure.finish(
            f"{len(rows)} codes of {size} × {size} pixels, found by k-means: each is the mean of the patches nearest to it. A "
            "patch is replaced by its nearest code, and is then a number."
        )
    picture = image.tolist() if hasattr(image, "tolist") else [list(row) for row in image]
    gray_levels(picture)
    high, wide = len(picture), len(picture[0])
    need(
        max(high, wide) <= 16 and high % size == wide % size == 0,
        f"{high} × {wide} pixels cannot be cut into {size} × {size}",
    )
    across = wide // size
    ids, error, back = [], 0.0, [[0.0] * wide for _ in picture]
    for patch in range(high * wide // size**2):
        at = [(patch // across * size + dy, patch % across * size + dx) for dy in range(size) for dx in range(size)]
        distances = [sum((picture[r][c] - value) ** 2 for (r, c), value in zip(at, code)) for code in rows]
        ids.append(distances.index(min(distances)))
        error += min(distances)
        for (r, c), value in zip(at, rows[ids[-1]]):
            back[r][c] = value
    error /= high * wide
    left, step = LEFT + 8 * 40.5 + 24, 134
    for column, (title, pixels) in enumerate((("the picture", picture), ("its codes", None), ("from the codes", back))):
        x = left + column * (step + 18)
        figure.label(x + step / 2, y + 12, title, 12.5, color=INK, bold=True)
        if column:
            figure.arrow((x - 16, y + 88), (x - 2, y + 88), width=1.6)
        if pixels is not None:
            small_picture(figure, pixels, x, y + 22, step)
            continue
        piece = step / across
        for patch, code in enumerate(ids):
            at = figure.rect(x + patch % across * piece, y + 22 + patch // across * piece, piece, piece,
                             tint(PICTURES, 0.26), PICTURES, 1.2, 2)  # fmt: skip
            figure.label(at.center[0], at.center[1] + 4.5, str(code), 12.5, color=INK, room=piece - 2)
    figure.label(RIGHT, y + 40 + step * high / wide, f"mean squared error {number(error)}", 12, "end")
    listed = ", ".join(map(str, ids))
    return figure.finish(
        f"{len(rows)} codes of {size} × {size} pixels. Each patch of the picture is replaced by its nearest code: {listed}. Put "
        f"back together, these {len(ids)} numbers give the picture again, with a mean squared error of {number(error)}.",
        "Nearest: least sum of squared differences.",
    )
