"""Ask your own model: which words it did not see coming, and what its sampling parameters do. Built in notebook 02.

Each question has two forms: a still drawing, and the same with controls. A bot is a `helpers.bots.bot.Bot`.
"""

from __future__ import annotations

import math
import textwrap

from helpers.show.display import CONTROL
from helpers.show.explore import Explore
from helpers.show.svg import MARGIN, WIDTH, Drawing, blank, cells, quoted, reword, seen, write
from helpers.show.theme import SOFT, amount, listing, number, only_first, percent, signs, xml
from helpers.show.tokens_and_bars import MOST_TOKENS, Tokens, labeled_bars

# Ends of the scales, fixed so that the colors of two bots or two texts can be compared.
TOP_WORD, TOP_TOKEN, TOP_CHARACTER = 30.0, 20.0, 10.0  # bits
LONGEST = 500  # characters of a message or text typed into a control that are read
BARS = 8
REPLY_TOKENS = 80  # of a reply beside the sliders: three must come while you watch
BOOK_TEMPERATURES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.2)
LEFT = MARGIN + 90  # where the bars begin
COLUMNS = 92  # of a line of a reply


def surprisal_tokens(bot, text: str, context=(), words: bool = True) -> Tokens:
    """Color `text` by its surprisal for `bot`, −log₂ p in bits: word by word, or by characters.

    A bot that reads other tokens is drawn token by token instead. `context` holds the messages before it, A and B in
    turn. The scale ends at 30 bits a word, 20 bits a token and 10 bits a character, so that drawings can be compared.
    An unknown character costs about 20 bits more (see `helpers.evaluation.likelihood`). Raises ValueError for an empty
    text.
    """
    return _surprisal_tokens(bot, bot.name, text, context, words)


def explore_surprisal(bots: dict, text: str, context=()) -> Explore:
    """`surprisal_tokens` with a menu of `bots` (a dict from name to Bot), a line for your own text, and a tick box.

    Raises ValueError when there is no bot.
    """
    if not bots:
        raise ValueError('there is no bot to ask: give a dict, explore_surprisal({"rnn": rnn}, text)')

    def draw(bot, text, by_word):
        if not text:
            return blank("Nothing to read yet", "There is no text yet: write a sentence of your own.")
        drawing = _surprisal_tokens(bots[bot], bot, text[:LONGEST], context, by_word)
        return _noticed(drawing, text)

    return Explore(draw, bot=list(bots), text=text, by_word=True)


def sampling_parameters(
    bot, message: str, temperature=0.7, top_k: int = 0, top_p: float = 1.0, seeds=(0, 1, 2)
) -> Drawing:
    """Show how a reply to `message` may begin, and one reply for each of `seeds`, with these sampling parameters.

    The bars are the probabilities of the eight tokens likeliest to come first, after `temperature` (0: always the
    likeliest), `top_k` (0: no cut) and `top_p` (1: no cut); what a cut removed stays in its place, with 0. Replies have
    80 tokens at most. Raises ValueError for settings that make no sense.
    """
    from helpers.models.utils import evaluating

    settings = {"temperature": temperature, "top_k": top_k or None, "top_p": None if top_p == 1 else top_p}
    with evaluating(bot.model):
        order, before, after, labels = _first_token(bot, message, settings)
        replies = [bot.reply([message], **settings, seed=seed, max_tokens=REPLY_TOKENS) for seed in seeds]
    likeliest = order[0]
    title = f"At temperature {number(float(temperature))}, {bot.name} begins with “{labels[likeliest]}” in "
    title += f"{percent(after[likeliest], 1)} of its replies"
    cut = [i for i in order if before[i] > 0 and after[i] == 0]
    bars = [(labels[i], after[i], i in cut) for i in order[:BARS]]
    room = WIDTH - MARGIN - LEFT - 110
    written = ["0 %, cut off" if gone else percent(p, 1) for _, p, gone in bars]
    body, height = labeled_bars([name for name, *_ in bars], [room * p for _, p, _ in bars], written, LEFT)
    reply_lines, end = _replies(seeds, replies, height + 18)
    entropy = sum(-p * math.log2(p) for p in after if p > 0)
    sentences = [
        f"{title}. Likeliest first tokens: {listing(f'“{name}” {percent(p, 1)}' for name, p, gone in bars if p > 0)}.",
        _cut_words(settings, bars, len(cut), sum(p > 0 for p in before)),
        f"Entropy {entropy:.1f} bits.",
        *(f"Seed {seed}: {_quoted_reply(reply)}." for seed, reply in zip(seeds, replies)),
    ]
    return Drawing(body + reply_lines, " ".join(filter(None, sentences)), title, end, label=sentences[0])


def explore_sampling(bot, message: str) -> Explore:
    """`sampling_parameters` with sliders for temperature (0.1 to 3.2, logarithmic), top-k and top-p, and a line for your message.

    The seeds stay 0, 1 and 2, so what changes in the replies is the work of the parameters.
    """
    import ipywidgets

    def draw(temperature, message, top_k=0, top_p=1.0):
        drawing = sampling_parameters(bot, message[:LONGEST], temperature, top_k, top_p)
        return _noticed(drawing, message)

    temperature = ipywidgets.FloatLogSlider(
        value=0.7, base=10, min=-1, max=0.5, step=0.05, readout_format=".2f", continuous_update=False, **CONTROL
    )
    explore = Explore(draw, temperature=temperature, top_k=(0, 20), top_p=(0.1, 1.0, 0.05), message=message)
    return explore.in_book(temperature=BOOK_TEMPERATURES, top_k=[], top_p=[])


def _surprisal_tokens(bot, name: str, text: str, context, words: bool) -> Tokens:
    from helpers.evaluation.likelihood import by_word, surprisal

    if not text:
        raise ValueError("the text is empty: give at least one character")
    tokens, bits = surprisal(bot.model, bot.tokenizer, text, context)
    joined, sums = by_word(tokens, bits)
    if words:
        kind, pieces, values, top = "word", joined, sums, TOP_WORD
        names = [quoted(word, 24) for word in joined]
    else:
        kind = "character" if hasattr(bot.tokenizer, "characters") else "token"
        pieces, values, top = tokens, bits, TOP_CHARACTER if kind == "character" else TOP_TOKEN
        names = [
            quoted(token, 24)
            + f" of {quoted(word, 24)}" * (word.strip() not in ("", token.strip()) and token.strip() != "")
            for token, word in _with_words(tokens, joined)
        ]
    total = math.fsum(bits)  # of the tokens in both cases: the last digit must not depend on the tick box
    order = sorted(range(len(values)), key=lambda i: (-round(values[i], 6), i))
    if values[order[0]] < 1:  # nothing was less likely than one in two
        title = f"{name} saw every {kind} coming"
    else:
        title = f"{name} did not see {'the ' if '” of “' in names[order[0]] else ''}{names[order[0]]} coming"
    # As the picture writes them, but never more than there are in all.
    highest = listing(f"{names[i]} {(number if values[i] < 99.5 else _whole)(values[i])}" for i in order[:3])
    sentence = (
        f"{title}. {_whole(total)} bits in all, {number(total / len(text))} per character. "
        f"Most surprising, in bits: {highest}. {only_first(MOST_TOKENS, len(values), 'tokens')}"
    )
    return reword(Tokens(pieces, values, title, top=top), sentence.strip())


def _with_words(tokens, words) -> list[tuple[str, str]]:
    """Return each token with the word it is part of, for a character of the word the same: no token reaches into two."""
    pairs, rest = [], list(words)
    left = ""
    for token in tokens:
        if not left:
            word = left = rest.pop(0)
        pairs.append((token, word))
        left = left[len(token) :]
    return pairs


def _first_token(bot, message, settings) -> tuple[list, list, list, list]:
    """Return the possible first tokens, the likeliest first, their probabilities before and after the cuts, their names."""
    import torch

    from helpers.generation import sampling
    from helpers.models.utils import device_of

    ids = torch.tensor([bot.prompt([message])], device=device_of(bot.model))
    logits = bot.model(ids)[0][0, -1].float().cpu()
    silent = [number for number in (bot.tokenizer.pad, bot.tokenizer.unknown) if number is not None]
    logits[silent] = -math.inf  # a bot never generates these
    order = logits.argsort(descending=True, stable=True).tolist()  # no parameter changes the order
    distribution = getattr(bot, "distribution", None) or sampling.distribution
    before = distribution(logits, settings["temperature"], None, None).tolist()
    after = distribution(logits, **settings).tolist()
    return order, before, after, [seen(token, 10, space=True) for token in bot.tokenizer.tokens]


def _replies(seeds, replies, y) -> tuple[str, float]:
    """Write the replies under each other; return the SVG and the height of the whole drawing."""
    parts = []
    for seed, reply in zip(seeds, replies):
        reply = _quoted_reply(reply)
        # Emoji and East Asian characters are twice as wide.
        lines = textwrap.wrap(reply, max(20, COLUMNS * len(reply) // max(cells(reply), 1)))
        parts.append(f'<g tabindex="0"><title>seed {xml(seed)}</title>')
        parts.append(write(LEFT - 10, y + 6, f"seed {seed}", f'text-anchor="end" fill="{SOFT}"'))
        for line in lines:
            parts.append(write(LEFT, y + 6, line))
            y += 20
        parts.append("</g>")
        y += 6
    return "".join(parts), y + 4


def _cut_words(settings, bars, number_cut: int, number_before: int) -> str:
    if not number_cut:
        return ""
    names = {"top_k": "top-k", "top_p": "top-p"}
    by = listing(f"{name} {number(settings[key])}" for key, name in names.items() if settings[key])
    gone = listing(f"“{name}”" for name, _, is_cut in bars if is_cut)
    left = number_before - number_cut
    named = f", of these eight {gone}" if gone else ""
    return f"Cut by {by}: {amount(number_cut, 'token')}{named}; {number(left)} {'is' if left == 1 else 'are'} left."


def _quoted_reply(reply: str) -> str:
    return f"“{signs(reply)}”" if reply else "(an empty reply)"


def _noticed(drawing: Drawing, text: str) -> Drawing:
    """Add to a drawing's words that not all of `text` was read."""
    return reword(drawing, f"{drawing.words} {only_first(LONGEST, len(text), 'characters', 'read')}".strip())


def _whole(bits: float) -> str:
    return number(round(bits)) if math.isfinite(bits) else number(bits)
