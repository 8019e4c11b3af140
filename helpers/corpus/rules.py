"""The cleaning rules: from a comment as it lies in the dump to the words its author meant.

Every rule has a name and a reason, and `clean` is nothing but the rules in order, repeated until the text no longer
changes. Therefore cleaning twice is the same as cleaning once. Each rule takes time linear in the length of the text
and shortens it, and after `PASSES` rounds (real comments need two) every mark-up character goes at once, so no comment
however long or odd can hold the reader up. Built rule by rule in notebook 01.

Known losses, all of them the price of cleaning twice = cleaning once: an escaped `\\*word\\*` loses its stars, and a
line that opens with a bare `>5` is read as a quote, as Reddit itself reads it.
"""

import html
import re
import unicodedata
from collections.abc import Callable
from html.entities import html5
from typing import NamedTuple

PASSES = 8  # rounds before the blunt end; a real comment settles in one or two


class Rule(NamedTuple):
    """One step of cleaning. `apply` takes a text and returns it, changed or not."""

    name: str
    why: str
    apply: Callable[[str], str]


# --- characters ----------------------------------------------------------------------------------------------------
_ENTITY = re.compile(r"&(?:amp;)*(#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
    "\ud800-\udfff]|(?<![\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d"  # a joiner inside an emoji may stay
)
_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")


def _decode_entity(match: re.Match) -> str:
    name = match[1]
    if name[0] == "#":
        return html.unescape(f"&{name};")
    return html5.get(name + ";", f"&{name};")  # only whole names: html.unescape would also read &notes; as ¬es;


def _decode_entities(text: str) -> str:
    if "&" not in text or ";" not in text:
        return text
    for _ in range(4):
        decoded = _ENTITY.sub(_decode_entity, text)
        if decoded == text:
            return text
        text = decoded
    return text


def _line_ends(text: str) -> str:
    return _LINE_ENDS.sub("\n", text) if "\r" in text or not text.isascii() else text


def _drop_invisible(text: str) -> str:
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return _INVISIBLE.sub("", text)


def _compose(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


# --- whole lines ---------------------------------------------------------------------------------------------------
_FACE = r"[:;=8xX]['’-]?[()\[\]{}/\\|DPpOo<>*]|[._=o-][<>]|[=<!]"  # what may follow > without making it a quote
_QUOTE = re.compile(rf"^[^\S\n]*>(?!{_FACE})[^\n]*\n?", re.MULTILINE)
_RULER = re.compile(r"^[ \t]*(?:```[^\n`]*|([-*_])(?:[ \t]*\1){2,}[ \t]*)$\n?", re.MULTILINE)


def _drop_quotes(text: str) -> str:
    return _QUOTE.sub("", text) if ">" in text else text


def is_table_ruler(line: str) -> bool:
    """True for the line `:--|--:` that stands under the head of a Markdown table."""
    return "|" in line and "-" in line and not line.strip("|:- \t")


def _drop_rulers(text: str) -> str:
    if "---" in text or "***" in text or "___" in text or "```" in text or "- -" in text or "* *" in text:
        text = _RULER.sub("", text)
    if "|" in text and "-" in text:
        text = "\n".join(line for line in text.split("\n") if not is_table_ruler(line))
    return text


_HEADING = re.compile(r"[ \t]*(?:#{1,6}[ \t]+)+")
_BULLET = re.compile(r"[ \t]*(?:[*+•-][ \t]+)+")
_NUMBER = re.compile(r"[ \t]*\d{1,3}[.)][ \t]+")


def _headings_and_lists(text: str) -> str:
    lines = text.split("\n")
    numbered = 0
    for place, line in enumerate(lines):
        first = line.lstrip(" \t")[:1]
        if first == "#":
            lines[place] = line[match.end() :] if (match := _HEADING.match(line)) else line
        elif first and first in "*+•-":
            lines[place] = line[match.end() :] if (match := _BULLET.match(line)) else line
        elif first.isdigit() and len(lines) > 1 and _NUMBER.match(line):
            numbered += 1
    if numbered > 1:  # "40. My age." alone is a sentence, not a list
        lines = [line[match.end() :] if (match := _NUMBER.match(line)) else line for line in lines]
    return "\n".join(lines)


# --- inside a line -------------------------------------------------------------------------------------------------
# A target may hold one pair of brackets. [link] and its sisters are what `redact` writes: they stay.
_TARGET = r"[^()\s]{0,2000}(?:\([^()\s]{0,500}\)[^()\s]{0,500}){0,8}"
_LINK = re.compile(
    r"!?\[(?!(?:email|phone|link|user|machine)\]\((?!https?:|www\.|[/#]))([^\[\]\n]*)\]"
    rf"\([ \t]*{_TARGET}(?:[ \t]+[\"'][^\"'\n]{{0,300}}[\"'])?[ \t]*\)"
)
_AUTOLINK = re.compile(r"<(https?://[^\s<>]+|mailto:[^\s<>]+)>")
_CODE = re.compile(r"(?<!`)`+([^`\n]+)`+")
_SPOILER = re.compile(r">!((?:[^!>\n]|!(?!<)|>(?!!))*)!<")
_BOLD = re.compile(r"\*\*(?=[^\s*])([^*\n]*[^\s*])\*\*")
_ITALIC = re.compile(r"(?<![\w*\\^><])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])")
_BEFORE_LINE, _AFTER_LINE = r"(?<![^\s\"'“‘(\[{*~/,.:;])", r"(?![^\s\"'”’)\]}*~/,.:;!?…])"
_UNDER_BOLD = re.compile(rf"{_BEFORE_LINE}__(?=[^\s_])([^_\n]*[^\s_])__{_AFTER_LINE}")
_UNDER = re.compile(rf"{_BEFORE_LINE}_(?=[^\s_^])([^_\n]*[^\s_])_{_AFTER_LINE}")
_STRIKE = re.compile(r"~~(?=[^\s~])([^~\n]*[^\s~])~~")
_SUPER_GROUP = re.compile(r"(?<!\w)\^\(([^()\n]*)\)")
_SUPER_GLUED = re.compile(r"(?<=[^\W\d_]{2})\^+(?:\(([^()\n]*)\)|(?=[^\W\d_]{2}))")
_SUPER_WORD = re.compile(r"(?<![\w^])\^+(?!\w\^)(?=\w)")
_ESCAPE = re.compile(r"(?<![¯\\])\\+(?=[*_~^#`\[\](){}|!.+-])|(?<![¯\\\n])(?<=[^\s])\\+(?=>)")
_SHRUG = re.compile(r"(?<=¯)\\{2,}(?=_)")


def _links(text: str) -> str:
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    return _AUTOLINK.sub(r"\1", text) if "<" in text else text


def _code_marks(text: str) -> str:
    return _CODE.sub(r"\1", text) if "`" in text else text


def _spoilers(text: str) -> str:
    return _SPOILER.sub(r"\1", text) if "!<" in text else text


def _emphasis(text: str) -> str:
    if "*" in text:
        text = _ITALIC.sub(r"\1", _BOLD.sub(r"\1", text))
    if "_" in text:
        text = _UNDER.sub(r"\1", _UNDER_BOLD.sub(r"\1", text))
    return _STRIKE.sub(r"\1", text) if "~~" in text else text


def _superscripts(text: str) -> str:
    if "^" not in text:
        return text
    text = _SUPER_GROUP.sub(r"\1", text)
    text = _SUPER_GLUED.sub(lambda match: " " + (match[1] or ""), text)
    return _SUPER_WORD.sub("", text)


def _escapes(text: str) -> str:
    return _SHRUG.sub(r"\\", _ESCAPE.sub("", text)) if "\\" in text else text


def _whitespace(text: str) -> str:
    if "\n" not in text:
        return " ".join(text.split())
    return "\n".join([tidy for line in text.split("\n") if (tidy := " ".join(line.split()))])


RULES: tuple[Rule, ...] = (
    Rule("entities", "Dumps write & < > as &amp; &lt; &gt;, sometimes twice: read them back first.", _decode_entities),
    Rule("line ends", "A third of the early comments end lines with CRLF: make every end of line one \\n.", _line_ends),
    Rule("invisible characters", "Zero-width and control characters look like nothing and cost a token.", _drop_invisible),
    Rule("one form of each letter", "é is one code point or two: NFC makes equal-looking words equal.", _compose),
    Rule("quotes", "A quoted line is what the parent said: drop it whole, or the reply contains its question.", _drop_quotes),
    Rule("rulers", "Lines of ---, code fences and table rulers draw; they say nothing.", _drop_rulers),
    Rule("links", "Of [text](address) only the text was meant to be read.", _links),
    Rule("code marks", "`word` was marked to look different, not to be said with its marks.", _code_marks),
    Rule("spoilers", "The marks >! and !< hide words on the page; here we want the words.", _spoilers),
    Rule("emphasis", "Bold, italic and struck-out words lose their marks, never their letters.", _emphasis),
    Rule("superscripts", "^small and ^(small print) are said like other words; 10^6 and ^_^ stay.", _superscripts),
    Rule("headings and lists", "Lines lose their #, bullet or number and keep their words; #1 and C# stay.", _headings_and_lists),
    Rule("escapes", "A backslash before a mark was for Reddit's eyes only; the arm of the shrug stays.", _escapes),
    Rule("white space", "One space between words, one line end between lines, none at the edges.", _whitespace),
)

# Most comments are plain: letters, digits and these. One pass over the bytes (many times faster than a regular
# expression) tells what else there is; the second line holds what no rule looks at outside ASCII.
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !\"$%'()+,-./:;<=?@{}\n"
_ODD = re.compile("[^\x00-\x7f¡-¬®-ÿ–—‘’“”…]")
_LINE_START = re.compile(r"\n[ +\d\n-]| \n")
_BLUNT = re.compile(r"[&\\\[\]()*_~^`#<>|!+•;-]|(?m:^[ \t]*(?:\d{1,3}[.)][ \t]+)+)")


def _is_plain(text: str) -> bool:
    """True only where no rule would change anything (False may err)."""
    marks = text.encode("utf-8", "surrogatepass").translate(None, _PLAIN)
    if marks and (min(marks) < 128 or _ODD.search(text)):
        return False
    if "  " in text or text[:1] in {" ", "+", "-", "\n"} or text[-1:] in {" ", "\n"}:
        return False
    return "\n" not in text or (not text[:1].isdigit() and not _LINE_START.search(text))


def _one_round(text: str) -> str:
    for rule in RULES:
        text = rule.apply(text)
    return text


def clean(text: str) -> str:
    """The words of a comment's body without mark-up, quotes or debris of the dump.

    `text` is the raw body; the result has one space between words, lines joined by one "\\n", and may be empty (a comment
    that only quotes). `clean(clean(text)) == clean(text)` for every text. Time is linear in the length. Built in notebook 01.
    """
    if _is_plain(text):
        return text
    if "\n" in text and _is_plain(tidy := _whitespace(text)):
        return tidy  # paragraphs of plain words
    for _ in range(PASSES):
        before, text = text, _one_round(text)
        if text == before or _is_plain(text):
            return text
    while (after := _one_round(_BLUNT.sub(" ", text))) != text:  # not prose any more: strip every mark at once
        text = after
    return text
