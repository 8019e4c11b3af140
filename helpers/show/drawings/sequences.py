"""Words and picture codes as one row of ids, in both orders, and one GPT for all kinds of tokens (built for notebook 16)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.drawings.multimodal import MARKS, PICTURES, SOUNDS, WORDS
from helpers.show.lettering import text_width
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import INK, SOFT, amount, listing, readable

MARK_NAMES = ("<caption>", "<media>", "<end>")


def one_sequence(
    words: Sequence[str] = ("thick", "upright", "seven"),
    codes: Sequence[int] = (40, 12, 7, 40, 2, 31, 44, 40, 40, 9, 18, 40, 40, 27, 40, 40),
    n_words: int = 20,
) -> Drawing:
    """Draw a caption and a picture as one row of ids, in both orders: caption first, and picture first.

    ``words`` are 1 to 4 words of a caption, ``codes`` 1 to 16 codes of its picture; the ids of words end at ``n_words`` − 1 and
    those of codes begin there. A code is written as it is given, its id is ``n_words`` more. Raises ValueError for other sizes.
    """
    words, codes = [str(word) for word in words], [int(code) for code in codes]
    need(1 <= len(words) <= 4, f"{amount(len(words), 'word')} cannot be drawn: give 1 to 4")
    need(
        1 <= len(codes) <= 16 and min(codes) >= 0,
        f"{amount(len(codes), 'code')} cannot be drawn: give 1 to 16, from 0 on",
    )
    need(n_words >= 1, "n_words is how many ids the words take: 1 or more")
    caption, media, end = ((name, "mark") for name in MARK_NAMES)
    said, drawn = [(word, "word") for word in words], [(str(code), "code") for code in codes]
    orders = (
        ("caption first", "paints", [caption, *said, media, *drawn, end]),
        ("picture first", "reads", [media, *drawn, caption, *said, end]),
    )
    figure = Diagram("One row of tokens, in two orders: what does the GPT learn from each?")
    wide = [min(92.0, max(50.0, text_width(word, 11.5) + 12)) for word in words]
    each = min(30.0, (RIGHT - LEFT - sum(wide) - 60 * 3) / len(codes))
    width_of = {"word": iter(wide * 2).__next__, "mark": lambda: 60.0, "code": lambda: each}
    length = {"word": sum(wide), "code": each * len(codes)}
    look = {"word": WORDS, "mark": MARKS, "code": PICTURES}
    y = TITLE_HEIGHT + 12
    for name, does, tokens in orders:
        figure.label(LEFT, y + 12, name, 13, "start", INK, bold=True)
        x, starts = LEFT, {}
        for text, kind in tokens:
            width = width_of[kind]()
            starts.setdefault(kind, x)
            figure.rect(x, y + 22, width - 2, 32, tint(look[kind], 0.26), look[kind], 1.3, 3)
            figure.label(x + width / 2 - 1, y + 43, text, 11.5, color=INK, mono=kind == "mark", room=width - 5)
            x += width
        first, second = ("word", "code") if does == "paints" else ("code", "word")
        at, until = starts[first] + length[first] / 2, starts[second] + length[second] / 2
        figure.arrow((at, y + 57), (at, y + 74), (until, y + 74), (until, y + 58), color=look[second], width=2.4)
        said_below = (
            "a caption is given, a picture is sampled"
            if does == "paints"
            else "a picture is given, its words are sampled"
        )
        figure.label((at + until) / 2, y + 90, said_below, 12, color=INK)
        y += 118
    figure.label(LEFT, y + 4, f"ids 0 … {n_words - 1}: marks and words", 12.5, "start", INK)
    figure.label(
        LEFT + 250, y + 4, f"ids {n_words} and up: code {codes[0]} is id {codes[0] + n_words}", 12.5, "start", INK
    )
    figure.label(RIGHT, y + 4, "every token sees those to its left", 12.5, "end")
    return figure.finish(
        f"One row of tokens in two orders. Caption first: {MARK_NAMES[0]} {' '.join(words)} {MARK_NAMES[1]}, "
        f"{amount(len(codes), 'code')}, {MARK_NAMES[2]}: from the caption the GPT learns to paint. Picture first: "
        f"{MARK_NAMES[1]}, the codes, {MARK_NAMES[0]} {' '.join(words)} {MARK_NAMES[2]}: from the codes it learns to read. Words "
        f"and codes never share an id: words end at {n_words - 1}, and code {codes[0]} is id {codes[0] + n_words}.",
        "Teal: words. Orange: codes of the picture. Gray: marks.",
    )


def one_gpt(kinds: Sequence[str] = ("words", "pictures", "sound")) -> Drawing:
    """Draw one GPT for several kinds of tokens: each kind is cut, becomes ids of one vocabulary, and back.

    ``kinds`` are some of "words", "pictures", "sound". Raises ValueError for others, and for none.
    """
    made = {
        "words": (WORDS, "text", "tokenize", "words, pieces"),
        "pictures": (PICTURES, "pixels", "patches, nearest code", "codes"),
        "sound": (SOUNDS, "samples", "frames, nearest code", "codes"),
    }
    need(
        bool(kinds) and set(kinds) <= set(made),
        f"there is no such kind among {list(kinds)}: give some of {', '.join(made)}",
    )
    figure = Diagram("Everything becomes ids of one vocabulary, and one GPT predicts the next one")
    y, pitch = TITLE_HEIGHT + 14, 62
    tall = pitch * len(kinds) - 18
    vocabulary = figure.box(LEFT + 374, y, 104, max(tall, 44), "ids", "embedding", "one table", size=14)
    model = figure.box(LEFT + 512, y, 100, max(tall, 44), "GPT", "attention", "of notebook 06", size=15)
    back = figure.box(RIGHT - 134, y, 134, max(tall, 44), "next id", "new", "word, code, end …", size=14)
    for number, kind in enumerate(kinds):
        color, source, cut, result = made[kind]
        top = y + number * pitch
        paper = tint(color, 0.26)
        start = figure.rect(LEFT, top, 96, 44, paper, color, 1.5, 5)
        figure.label(start.center[0], top + 19, kind, 13, color=INK, bold=True)
        figure.label(start.center[0], top + 36, source, 11.5, color=readable(SOFT, paper))
        middle = figure.box(LEFT + 138, top, 188, 44, cut, "step", result, size=12.5)
        figure.arrow(start.right_middle, middle.left_middle, color=color, width=2.2)
        figure.arrow(middle.right_middle, (vocabulary.x, middle.center[1]), color=color, width=2.2)
    figure.arrow(vocabulary.right_middle, model.left_middle, width=2)
    figure.arrow(model.right_middle, back.left_middle, width=2)
    loop = max(vocabulary.bottom, y + tall) + 16
    figure.arrow(back.bottom_middle, (back.center[0], loop), (vocabulary.center[0], loop), vocabulary.bottom_middle,
                 color=SOFT, width=1.6, dashed=True)  # fmt: skip
    return figure.finish(
        f"{listing(kinds).capitalize()}: each is cut into pieces and becomes ids of one vocabulary. One GPT predicts the next "
        "id, and it goes back into the row. The tokenizer knows from the start which ids are words; the GPT has to learn it."
    )
