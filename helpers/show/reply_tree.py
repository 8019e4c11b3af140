"""A Reddit thread drawn as the tree it is: one row per comment, replies indented below what they answer.

Built for notebook 01.
"""

from __future__ import annotations

from helpers.corpus.cleaning.filters import is_removal_notice
from helpers.corpus.dumps.reply_chains import best_chains
from helpers.show import theme
from helpers.show.svg import MARGIN, TITLE_HEIGHT, WIDTH, Drawing, key, write
from helpers.show.theme import BLUE, GRID, INK, PAPER, RULE, SOFT, amount, listing, number, only_first, shorten, xml

ROW = 30
MOST_ROWS = 60


def thread_tree(thread, title: str, highlight=None, text=str) -> Drawing:
    """Draw a `helpers.corpus.dumps.reddit` thread: author's letter, beginning of the text, score.

    Deleted comments are hatched. Those whose ids are in `highlight` are emphasized; without it, the chain of
    best-scored replies below every top-level comment, as ``reply_chains.best_chains`` takes it for a conversation. `text`
    is applied to each body first, e.g. ``redact``. More than 60 comments are cut with a notice.
    """
    rows = _rows(thread)
    if highlight is None:
        # The corpus sees no text in what was deleted, so no chain passes through it.
        kept = (comment._replace(body="") if is_gone(comment) else comment for comment in thread.comments.values())
        chains = list(best_chains(type(thread)(thread.id, kept)))
    else:
        chains = [[comment for _, comment, _ in rows if comment.id in set(highlight)]]
    highlighted = {comment.id for chain in chains for comment in chain}
    letters = _letters(comment for _, comment, _ in rows)
    drawn = rows[:MOST_ROWS]
    step = min(28, 320 / max(1, max((depth for depth, _, _ in drawn), default=0)))
    positions, links, nodes = {}, [], []
    top = TITLE_HEIGHT + ROW / 2
    for i, (depth, comment, missing) in enumerate(drawn, start=1):
        position = positions[comment.id] = (MARGIN + 12 + (depth + 1) * step, top + i * ROW)
        strong, parent = comment.id in highlighted, comment.parent_id[3:]
        both = strong and parent in highlighted
        links.append((both, _link(positions.get(parent, (MARGIN + 12, top)), position, both, missing)))
        shown = comment.body.strip() if is_gone(comment) else text(comment.body)
        nodes.append(_node(comment, shown, letters.get(comment.author, "–"), position, strong, missing))
    height = top + (len(drawn) + 1) * ROW - 6
    notice = only_first(MOST_ROWS, len(rows), "comments")
    body = (
        f'<defs><pattern id="oc-gone" width="6" height="6" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="6" height="6" fill="{PAPER}"/>'
        f'<path d="M0 0V6" stroke="{RULE}" stroke-width="4"/></pattern></defs>'
        + write(WIDTH - MARGIN, top + 5, "score", f'font-size="12" text-anchor="end" fill="{SOFT}"')
        + "".join(path for _, path in sorted(links))  # the emphasized ones last, on top
        + f'<rect x="{MARGIN}" y="{top - 11:g}" width="24" height="22" rx="3" fill="{SOFT}"/>'
        + write(MARGIN + 34, top + 5, "the post that all this answers", f'fill="{SOFT}"')
        + "".join(nodes)
        + key(height - 4, notice)
    )
    words = _words(thread, rows, chains, letters, text, title)
    return Drawing(body, f"{words} {notice}".strip(), title, height + 8)


def is_gone(comment) -> bool:
    """Whether the author or a moderator has taken the text away."""
    return is_removal_notice(comment.body)


def _rows(thread) -> list:
    """(depth, comment, parent is missing) for every comment that can be reached, orphans last."""
    rows = [(depth, comment, False) for depth, comment in thread.walk()]
    known = {comment.id for _, comment, _ in rows}
    waiting = [(0, comment, True) for comment in reversed(list(thread.orphans)) if comment.id not in known]
    while waiting:
        depth, comment, missing = waiting.pop()
        if comment.id in known:
            continue
        known.add(comment.id)
        rows.append((depth, comment, missing))
        waiting += [(depth + 1, reply, False) for reply in reversed(thread.children.get(f"t1_{comment.id}", []))]
    return rows


def _letters(comments) -> dict:
    """A letter per author in order of appearance, so that no real name reaches the page."""
    names: dict = {}
    for comment in comments:
        if not is_removal_notice(comment.author):
            names.setdefault(comment.author, _letter(len(names)))
    return names


def _letter(index: int) -> str:
    return (_letter(index // 26 - 1) if index >= 26 else "") + chr(ord("A") + index % 26)


def _link(parent, child, strong: bool, missing: bool) -> str:
    (px, py), (x, y) = parent, child
    ink = f'stroke="{BLUE}" stroke-width="3"' if strong else f'stroke="{RULE}" stroke-width="1.5"'
    if missing:  # a stump: what this answered is not in the thread
        return f'<path d="M{x - 22:g} {y:g}H{x - 11:g}" fill="none" stroke-dasharray="3 3" {ink}/>'
    return f'<path d="M{px:g} {py + 11:g}V{y - 6:g}q0 6 6 6H{x - 11:g}" fill="none" {ink}/>'


def _node(comment, text: str, letter: str, position, strong: bool, missing: bool) -> str:
    x, y = position
    gone = is_gone(comment)
    room = int((WIDTH - MARGIN - 64 - x) / (8.9 if strong else 7.9))  # wide fonts and bold letters fit too
    shown = text if gone else shorten(f"(parent missing) {text}" if missing else text, room)
    score = "hidden" if comment.score is None else number(comment.score)
    hatched = f'<rect x="{x + 16:g}" y="{y - 10:g}" width="78" height="20" fill="url(#oc-gone)"/>' * gone
    fill, ink = (BLUE, PAPER) if strong else ("url(#oc-gone)", theme.readable(SOFT, RULE)) if gone else (PAPER, INK)
    style = f'fill="{theme.readable(SOFT, RULE)}" font-style="italic"' if gone else 'font-weight="600"' if strong else ""
    name = f'font-size="12" font-weight="700" text-anchor="middle" fill="{ink}"'
    return (
        f'<g tabindex="0"><title>{letter}, score {score}: {xml(shorten(text, 300))}</title>'
        f'<path d="M{x + 16:g} {y + 15:g}H{WIDTH - MARGIN}" stroke="{GRID}"/>{hatched}'
        f'<circle cx="{x:g}" cy="{y:g}" r="11" fill="{fill}" stroke="{BLUE if strong else SOFT}"/>'
        + write(x, y + 4.5, letter, name)
        + write(x + 20, y + 5, shown, style)
        + write(WIDTH - MARGIN, y + 5, score, f'text-anchor="end" fill="{SOFT}"')
        + "</g>"
    )


def _words(thread, rows, chains, letters, text, title: str) -> str:
    gone = sum(is_gone(comment) for _, comment, _ in rows)
    depth = 1 + max((depth for depth, _, _ in rows), default=-1)
    facts = [amount(len(rows), "comment"), f"by {amount(len(letters), 'author')}", f"{amount(depth, 'level')} deep"]
    words = f"{title}{' ' if title[-1:] in '?!.' else ': '}{', '.join(facts)}"
    extras = [f"{gone} deleted"] if gone else []
    if thread.orphans:
        extras.append(f"{len(thread.orphans)} whose parent is missing")
    if thread.cycles:
        extras.append(f"{len(thread.cycles)} unreachable in a ring of parents, not drawn")
    words += f" ({listing(extras)})." if extras else "."
    for chain in [chain for chain in chains if chain][:3]:
        texts = [f"{letters.get(c.author, '–')} “{shorten(text(c.body), 48)}”" for c in chain]
        words += f" Emphasized: {' → '.join(texts)}."
    if len(chains) > 3:
        words += f" And {amount(len(chains) - 3, 'more chain')}."
    return words
