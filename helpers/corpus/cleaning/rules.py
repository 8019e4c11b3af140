r"""The cleaning rules: from a comment as it lies in the dump to the words its author meant.

Every rule has a name and a reason, and `clean` is nothing but the rules in order, repeated until the text no longer
changes. Therefore cleaning twice is the same as cleaning once. Each rule is linear in the length of the text, and after
`ROUNDS` rounds (real comments need two) all mark-up goes at once, so no comment however long or odd can hold the reader
up. Built rule by rule in notebook 01.

Known losses, the price of cleaning twice = cleaning once: an escaped `\*word\*` loses its stars; a line that opens with
a bare `>5` is read as a quote, as Reddit itself reads it; Python's `__init__` standing alone is read as bold; and a
quote that runs on over a line without its own `>` keeps that line.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from helpers.corpus.cleaning import markup

ROUNDS = 8  # before the blunt end; a real comment settles in one or two


class Rule(NamedTuple):
    """One step of cleaning: `apply` takes a text and returns it, changed or not.

    `symbols` are the ASCII characters of which one at least must be there for the rule to change a text in ASCII;
    empty if the rule looks at more than characters.
    """

    name: str
    why: str
    apply: Callable[[str], str]
    symbols: str = ""


_CONTROL = "".join(map(chr, [*range(9), *range(14, 32), 127]))

RULES: tuple[Rule, ...] = (
    Rule("entities", "Dumps write & < > as &amp; &lt; &gt;, sometimes twice: read them back first.",
         markup.decode_entities, "&"),
    Rule("line endings", "A third of the early comments end lines with CRLF: make every line end one \\n.",
         markup.unify_line_ends, "\r"),
    Rule("invisible characters", "Zero-width and control characters look like nothing and cost a token.",
         markup.drop_invisible, _CONTROL),
    Rule("Unicode normalization", "é is one code point or two: one form (NFC) makes words that look equal equal.",
         markup.compose_letters, "\x00"),
    Rule("quotes", "A quoted line is the parent's: drop it whole, or the reply contains its question.",
         markup.drop_quotes, ">"),
    Rule("horizontal rules", "Lines of ---, code fences and table rulers draw; they say nothing.", markup.drop_rulers),
    Rule("links", "Of [text](address) only the text was meant to be read.", markup.unlink, "]<"),
    Rule("inline code", "`word` was to look different, not to be read with its backticks.", markup.unquote_code, "`"),
    Rule("spoilers", "The signs >! and !< hide words on the page; we want the words.", markup.show_spoilers, ">"),
    Rule("emphasis", "Bold, italic and struck-out words lose their symbols, never their letters.",
         markup.drop_emphasis, "*_~"),
    Rule("superscripts", "^small and ^(small print) are words like others; 10^6 and ^_^ stay.",
         markup.drop_superscripts, "^"),
    Rule("headings and lists", "Lines lose their #, bullet or number and keep their words; #1 and C# stay.",
         markup.drop_headings_and_bullets),
    Rule("escapes", "A backslash before a mark was for Reddit's eyes only; the arm of the shrug ¯\\_(ツ)_/¯ stays.",
         markup.drop_escapes, "\\"),
    Rule("whitespace", "One space between words, one line end between lines, none at the edges.",
         markup.tidy_white_space),
)  # fmt: skip

# Most comments are plain: letters, digits and these. One pass over the bytes, many times faster than a regular
# expression, tells what else there is. The next line has what no rule looks at outside ASCII.
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !\"$%'()+,-./:;=?@{}\n"
_ODD = re.compile("[^\x00-\x7f¡-¬®-ÿ–—‘’“”…]")
_UNTIDY_LINE = re.compile(r"\n[ +\d\n-]")
_EVERY_SYMBOL = re.compile(r"[&\\\[\]()*_~^`#<>|!+•;-]|(?m:^[ \t]*(?:\d{1,3}[.)][ \t]+)+)")


def _symbols(text: str) -> bytes:
    """The telling bytes of a text: what is neither plain ASCII nor harmless outside it."""
    symbols = text.encode("utf-8", "surrogatepass").translate(None, _PLAIN)
    return b"" if symbols and min(symbols) > 127 and not _ODD.search(text) else symbols


def _is_tidy(text: str) -> bool:
    """True if the rules about lines and white space would leave a text without symbols alone (False may err)."""
    if "  " in text or text[:1] in {" ", "+", "-", "\n"} or text[-1:] in {" ", "\n"}:
        return False
    if "\n" not in text:
        return True
    return " \n" not in text and not text[:1].isdigit() and not _UNTIDY_LINE.search(text)


@lru_cache(maxsize=4096)
def _rules_for(symbols: frozenset[int]) -> tuple[Callable[[str], str], ...]:
    """What of the rules can apply to a text with these telling bytes: all of them, unless it is ASCII."""
    if max(symbols, default=0) > 127:
        return tuple(rule.apply for rule in RULES)
    return tuple(rule.apply for rule in RULES if not rule.symbols or not symbols.isdisjoint(rule.symbols.encode()))


def _one_round(text: str) -> str:
    for rule in RULES:
        text = rule.apply(text)
    return text


def clean(text: str) -> str:
    r"""The words of a comment's body without mark-up, quotes or debris of the dump.

    `text` is the raw body. The result has one space between words and one `\n` between lines; it is empty if there
    was only a quote. `clean(clean(text)) == clean(text)` for every text, in time linear in its length. Built in
    notebook 01.
    """
    for _ in range(ROUNDS):
        if "&" in text:
            text = markup.decode_entities(text)  # the first rules, done early: then most texts are plain
        if "\r" in text:
            text = markup.unify_line_ends(text)
        symbols = _symbols(text)
        if not symbols:
            if _is_tidy(text):
                return text
            if "\n" in text and _is_tidy(tidy := markup.tidy_white_space(text)):
                return tidy  # paragraphs of plain words
        before = text
        for apply in _rules_for(frozenset(symbols)):
            text = apply(text)
        if text == before:
            return text
    while (after := _one_round(_EVERY_SYMBOL.sub(" ", text))) != text:  # not prose: strip all mark-up at once
        text = after
    return text
