"""How a word is put together by byte-pair merges, drawn as a tree (built for notebook 05)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import BLUE, INK, ORANGE, amount, listing

MOST = 20  # bytes of a word


def bpe_tree(word: str, merges: Sequence[tuple[bytes | str, bytes | str]]) -> Drawing:
    """Draw how `word` is cut into tokens: its bytes below, a node for each merge, the tokens on top.

    `merges` are pairs of byte strings (or of strings) in the order in which they were learned; at each step the earliest one that
    fits is applied, as an encoder does. Raises ValueError for an empty word, one of more than 20 bytes, or merges that are not
    pairs.
    """
    data = word.encode("utf-8")
    need(0 < len(data) <= MOST, f"the word has {len(data)} bytes: give 1 to {MOST}")
    need(all(len(pair) == 2 for pair in merges), "each merge is a pair: (left, right)")
    ranks: dict = {}
    for rank, pair in enumerate(merges, start=1):
        ranks.setdefault(tuple(part.encode("utf-8") if isinstance(part, str) else bytes(part) for part in pair), rank)
    nodes, used = _merge(data, ranks)
    depth = max(node["level"] for node in nodes)
    figure = Diagram(
        f"{quoted(word)}: {amount(len(data), 'byte')}, {amount(used, 'merge')}, {amount(len(nodes), 'token')}"
    )
    width = min(64, (RIGHT - LEFT - 90) / len(data))
    left = (LEFT + 90 + RIGHT - width * len(data)) / 2
    step = 52
    top = TITLE_HEIGHT + 14
    base = top + depth * step
    figure.label(LEFT, base + 20, "bytes", 13, "start", INK, bold=True)
    if depth:
        figure.label(LEFT, top + 20, "tokens", 13, "start", INK, bold=True)

    def draw(node, token: bool):
        x = left + width * (node["start"] + node["end"]) / 2
        y = base - node["level"] * step
        for child in node["children"]:
            cx, cy = draw(child, False)
            figure.line((x, y + 15), (cx, cy), color=INK, width=1.2, behind=True)
        text = _text(node["data"])
        wide = max(min(width - 6, 60), min(9.2 * len(text) + 16, width * (node["end"] - node["start"]) - 6))
        fill, edge = (
            (tint(ORANGE, 0.28), ORANGE) if token else ("#dde2ec", BLUE) if node["children"] else ("#f4f6fa", "#9aa1b0")
        )
        figure.rect(x - wide / 2, y, wide, 30, fill, edge, 2 if token else 1.2, 4)
        figure.label(x, y + 20, text, 13.5, color=INK, bold=token, mono=True, room=wide - 4)
        if node["rank"]:
            figure.label(x + wide / 2 + 4, y + 12, f"#{node['rank']:,}", 11, "start")
        return x, y

    for node in nodes:
        draw(node, True)
    pieces = [_text(node["data"]) for node in nodes]
    order = sorted(_ranks(nodes), key=lambda node: node["rank"])
    sentence = f"The {amount(len(data), 'byte')} of {quoted(word)} become {amount(len(nodes), 'token')}: "
    sentence += listing(quoted(piece) for piece in pieces) + "."
    used_now = listing(f"{node['rank']:,} {quoted(_text(node['data']))}" for node in order[:8])
    sentence += f" Merges used, by their number: {used_now}{', …' * (len(order) > 8)}." if order else " No merge fits."
    return figure.finish(sentence, "Orange: a token. #: the merge's number, in the order in which merges were learned.")


def _merge(data: bytes, ranks: dict):
    nodes = [
        {"data": data[i : i + 1], "start": i, "end": i + 1, "level": 0, "children": [], "rank": 0}
        for i in range(len(data))
    ]
    used = 0
    while True:
        candidates = [
            (ranks[pair], i)
            for i in range(len(nodes) - 1)
            if (pair := (nodes[i]["data"], nodes[i + 1]["data"])) in ranks
        ]
        if not candidates:
            return nodes, used
        rank, i = min(candidates)
        a, b = nodes[i : i + 2]
        nodes[i : i + 2] = [
            {
                "data": a["data"] + b["data"],
                "start": a["start"],
                "end": b["end"],
                "level": 1 + max(a["level"], b["level"]),
                "children": [a, b],
                "rank": rank,
            }
        ]
        used += 1


def _ranks(nodes) -> list:
    return [each for node in nodes for each in [*_ranks(node["children"]), *([node] if node["rank"] else [])]]


def _text(data: bytes) -> str:
    try:
        return seen(data.decode("utf-8"), 20, space=True)
    except UnicodeDecodeError:
        return " ".join(f"{byte:02x}" for byte in data)
