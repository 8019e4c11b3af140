"""Small gray pictures side by side, a row for each kind: generated ones above real ones. Built in notebook 08."""

from __future__ import annotations

from helpers.show.figure import Picture, new, plain, sentence

MOST = 24  # pictures in a row


def pictures(rows: dict, title: str, words: str) -> Picture:
    """Return a figure of small pictures. ``rows`` maps a name to pictures [N, 1, H, W] or [N, H, W], from −1 (white) to 1.

    ``title`` states the claim; ``words`` say what is to be seen, for who cannot see it. Rows may differ in length; of each
    the first 24 are drawn. Raises ValueError when there is none, or when the sizes differ.
    """
    import numpy as np

    kinds = {name: np.asarray(_on_cpu(images), dtype=float)[:MOST] for name, images in rows.items()}
    kinds = {name: images.reshape(len(images), *images.shape[-2:]) for name, images in kinds.items()}
    sizes = {images.shape[1:] for images in kinds.values()}
    if len(sizes) != 1 or not all(map(len, kinds.values())):
        raise ValueError("give at least one row, each with pictures [N, 1, H, W] of the same size")
    height, width = sizes.pop()
    longest = max(map(len, kinds.values()))
    # The gaps are no numbers: matplotlib leaves them as paper.
    sheet = np.full((len(kinds) * (height + 1) - 1, longest * (width + 1) - 1), np.nan)
    for row, images in enumerate(kinds.values()):
        for i, image in enumerate(images):
            top, left = row * (height + 1), i * (width + 1)
            sheet[top : top + height, left : left + width] = image
    scale = min(0.055, 5.6 / sheet.shape[1])  # inches a pixel
    fig, ax = new(title, size=(7, 0.85 + scale * sheet.shape[0]))
    ax.imshow(sheet, cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest")
    ax.set_yticks([row * (height + 1) + (height - 1) / 2 for row in range(len(kinds))], list(map(plain, kinds)))
    ax.set_xticks([])
    ax.grid(False)
    ax.spines["bottom"].set_visible(False)
    return Picture(fig, f"{sentence(title)} {words}")


def _on_cpu(images):
    return images.detach().cpu().numpy() if hasattr(images, "detach") else images
