"""What each cleaning rule does: small functions from text to text, gathered in order by rules.py.

Each takes time linear in the length of the text, leaves it alone unless its symbols are there, and otherwise shortens it
(or, for letters of two forms, settles them for good). No pattern ever goes over the same text twice: what is
searched for between two symbols may not contain the opening one. Patterns begin with the symbol itself and look at
what stands before it second, because that is many times faster to find. Built rule by rule in notebook 01.
"""

import html
import re
import unicodedata
from html.entities import html5
from operator import itemgetter

# --- characters ----------------------------------------------------------------------------------------------
_ENTITY = re.compile(r"&(?:amp;)*(#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_LINE_END = re.compile("[\r\x85\u2028\u2029]\n?")
_INVISIBLE = re.compile(  # the zero-width joiner may stay inside an emoji
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
    "\ud800-\udfff](?<![\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]\u200d)"
)


def _entity(match: re.Match) -> str:
    name = match[1]
    if name[0] == "#":
        return html.unescape(f"&{name};")
    return html5.get(name + ";", f"&{name};")  # whole names only: html.unescape reads &notes; as ¬es;


def decode_entities(text: str) -> str:
    if "&" not in text or ";" not in text:
        return text
    text = text.replace("&amp;", "&").replace("&gt;", ">").replace("&lt;", "<")  # nearly all there are
    for _ in range(4):  # twice-escaped text needs two; deeper tricks wait for the next round
        if "&" not in text or ";" not in text:
            break
        before, text = text, _ENTITY.sub(_entity, text)
        if text == before:
            break
    return text


def unify_line_ends(text: str) -> str:
    text = text.replace("\r\n", "\n")
    if "\r" in text or not (text.isascii() or text.isprintable()):
        return _LINE_END.sub("\n", text)
    return text


def drop_invisible(text: str) -> str:
    return text if text.replace("\n", "").isprintable() else _INVISIBLE.sub("", text)


def compose_letters(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


# --- whole lines ---------------------------------------------------------------------------------------------
_SPECIAL = frozenset(">#*+-_`|:•")
_SPECIAL_LINE = re.compile(r"\n[^\S\n]*[>#*+_`|:•0-9-]")
_FACE = r"[:;=8xX]['’-]?[()\[\]{}/\\|DPpOo<>*]|[._=o-][<>]|[=<!]"  # what may follow > without making it a quote
_QUOTE = re.compile(rf"\s*>(?!{_FACE})")
_RULER = re.compile(r"[ \t]*(?:```[^`]*|([-*_])(?:[ \t]*\1){2,}[ \t]*)$")
_HEADING = re.compile(r"[ \t]*(?:#{1,6}[ \t]+)+")
_BULLET = re.compile(r"[ \t]*(?:[*+•-][ \t]+)+")
_NUMBER = re.compile(r"[ \t]*\d{1,3}[.)][ \t]+")


def _has_special_line(text: str) -> bool:
    """False if every line begins like a sentence, so that no rule about lines can apply."""
    return text.lstrip()[:1] in _SPECIAL or ("\n" in text and _SPECIAL_LINE.search(text) is not None)


def is_table_ruler(line: str) -> bool:
    """True for the line `:--|--:` that stands under the head of a Markdown table."""
    return "|" in line and "-" in line and not line.strip("|:- \t")


def drop_quotes(text: str) -> str:
    if ">" not in text or not _has_special_line(text):
        return text
    return "\n".join([line for line in text.split("\n") if ">" not in line or not _QUOTE.match(line)])


def drop_rulers(text: str) -> str:
    if not _has_special_line(text):
        return text
    return "\n".join([line for line in text.split("\n") if not (_RULER.match(line) or is_table_ruler(line))])


def drop_headings_and_bullets(text: str) -> str:
    if not _has_special_line(text):
        return text
    lines = text.split("\n")
    numbered = 0
    for number, line in enumerate(lines):
        first = line.lstrip(" \t")[:1]
        if first == "#":
            lines[number] = line[match.end() :] if (match := _HEADING.match(line)) else line
        elif first in _SPECIAL:
            lines[number] = line[match.end() :] if (match := _BULLET.match(line)) else line
        elif first.isdigit() and len(lines) > 1 and _NUMBER.match(line):
            numbered += 1
    if numbered > 1:  # "40. My age." alone is a sentence, not a list
        lines = [line[match.end() :] if (match := _NUMBER.match(line)) else line for line in lines]
    return "\n".join(lines)


def tidy_white_space(text: str) -> str:
    if "\n" not in text:
        return " ".join(text.split())
    return "\n".join([tidy for line in text.split("\n") if (tidy := " ".join(line.split()))])


# --- inside a line -------------------------------------------------------------------------------------------
# A target may hold pairs of brackets. [link] and its sisters are what `redact` writes: they stay.
_TARGET = r"[^()\s]{0,2000}(?:\([^()\s]{0,500}\)[^()\s]{0,500}){0,8}"
_LINK = re.compile(
    r"\[(?!(?:email|phone|link|user|machine)\]\((?!https?:|www\.|[/#]))([^\[\]\n]*)\]"
    rf"\([ \t]*{_TARGET}(?:[ \t]+[\"'][^\"'\n]{{0,300}}[\"'])?[ \t]*\)"
)
_PICTURE = re.compile(r"!\[(?:gif|img)\]\([^()\s]{0,500}\)")
_BARE_LINK = re.compile(r"<(https?://[^\s<>]+|mailto:[^\s<>]+)>")
_CODE = re.compile(r"`(?<!``)`*([^`\n]+)`+")
_SPOILER = re.compile(r">!([^!>\n]*(?:(?:!(?!<)|>(?!!))[^!>\n]*)*)!<")
_BOLD = re.compile(r"\*\*(?=[^\s*])([^*\n]*[^\s*])\*\*")
_ITALIC = re.compile(r"\*(?<![\w*\\^><]\*)(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])")
_BEFORE, _AFTER = r"[^\s\"'“‘(\[{*~/,.:;]", r"(?![^\s\"'”’)\]}*~/,.:;!?…])"
_UNDER_BOLD = re.compile(rf"__(?<!{_BEFORE}__)(?=[^\s_])([^_\n]*[^\s_])__{_AFTER}")
_UNDER = re.compile(rf"_(?<!{_BEFORE}_)(?=[^\s_^])([^_\n]*[^\s_])_{_AFTER}")
_STRIKE = re.compile(r"~~(?=[^\s~])([^~\n]*[^\s~])~~")
_SUPER_GROUP = re.compile(r"\^(?<!\w\^)\(([^()\n]*)\)")
_SUPER_GLUED = re.compile(r"\^(?<=[^\W\d_]{2}\^)\^*(?:\(([^()\n]*)\)|(?=[^\W\d_]{2}))")
_SUPER_WORD = re.compile(r"\^(?<![\w^]\^)\^*(?!\w\^)(?=\w)")
_ESCAPE = re.compile(r"\\(?<![¯\\]\\)\\*(?:(?=[*_~^#`\[\](){}|!.+-])|(?<=\S\\)(?=>))")
_SHRUG = re.compile(r"\\(?<=¯\\)\\+(?=_)")
_WORDS = itemgetter(1)  # of a match: what stands between the symbols


def unlink(text: str) -> str:
    if "](" in text:
        if "![" in text:
            text = _PICTURE.sub("", text)
        text = _LINK.sub(_WORDS, text)
    return _BARE_LINK.sub(_WORDS, text) if "<" in text else text


def unquote_code(text: str) -> str:
    return _CODE.sub(_WORDS, text) if "`" in text else text


def show_spoilers(text: str) -> str:
    return _SPOILER.sub(_WORDS, text) if "!<" in text else text


def drop_emphasis(text: str) -> str:
    if "*" in text:
        text = _ITALIC.sub(_WORDS, _BOLD.sub(_WORDS, text) if "**" in text else text)
    if "_" in text:
        text = _UNDER.sub(_WORDS, _UNDER_BOLD.sub(_WORDS, text) if "__" in text else text)
    return _STRIKE.sub(_WORDS, text) if "~~" in text else text


def drop_superscripts(text: str) -> str:
    if "^" not in text:
        return text
    text = _SUPER_GROUP.sub(_WORDS, text)
    text = _SUPER_GLUED.sub(lambda match: " " + (match[1] or ""), text)
    return _SUPER_WORD.sub("", text)


def drop_escapes(text: str) -> str:
    return _SHRUG.sub(r"\\", _ESCAPE.sub("", text)) if "\\" in text else text
