"""Text of the notebooks taken apart: paragraphs, sentences, the ones that define a term, the question a section asks."""

import re

from tests.kit.render import _parser, plain

# What ends with a period inside a sentence: initials, references, a few abbreviations.
SHORT = re.compile(r"(?:\b(?:al|vs|e\.g|i\.e|cf|Fig|Sec|St|Dr|no|approx|etc)|\b[A-Z])\.$")
ENDS = re.compile(r"[.?!:][\"”’)*_\]]*\s+(?=[\"“‘(*_`$\[]*[A-Z0-9π√Δ]|[*_]*[a-z]\w*[*_])")
BOLD = re.compile(r"\*\*([^*\n]+?)\*\*")
FOLDED = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
PREDICT = "**Predict.**"


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the top-level blocks of Markdown as (kind, source), folded parts left out.

    A kind is what the parser calls it: "paragraph_open", "math_block", "ordered_list_open", "fence", "table_open", …
    """
    text = FOLDED.sub("", text)
    lines = text.splitlines()
    found, end = [], 0
    for token in _parser().parse(text):
        if token.level == 0 and token.map and token.map[0] >= end:
            found.append((token.type, "\n".join(lines[slice(*token.map)]).strip()))
            end = token.map[1]
    return found


def folded(text: str) -> list[tuple[str, str]]:
    """Return the folded parts of Markdown, (summary, text) each."""
    return [(summary.strip(), inside.strip()) for summary, inside in FOLDED.findall(text)]


def unlinked(text: str) -> str:
    """Return Markdown with the words of its links in their place."""
    return LINK.sub(r"\1", text)


def sentences(paragraph: str) -> list[str]:
    """Split a paragraph of Markdown into sentences; an equation or a quotation in it is never cut."""
    text = " ".join(paragraph.split())
    found, start = [], 0
    for end in ENDS.finditer(text):
        part = text[start : end.end()].strip()
        marks = (part.count("$"), part.count("`"), part.count("**"))
        whole = all(count % 2 == 0 for count in marks) and part.count("(") == part.count(")") and _quotes(part)
        if whole and not part.endswith(":") and not SHORT.search(part):
            found.append(part)
            start = end.end()
    return [*found, rest] if (rest := text[start:].strip()) else found


def _quotes(part: str) -> bool:
    return part.count("“") == part.count("”") and part.count('"') % 2 == 0


def lead(paragraph: str, most: int = 220) -> str:
    """Return the first sentences of a paragraph, as many as fit into `most` characters, at least one."""
    found = ""
    for sentence in sentences(paragraph):
        if found and len(plain(f"{found} {sentence}")) > most:
            break
        found = f"{found} {sentence}".strip()
    return found


def last(paragraph: str, most: int = 320) -> str:
    """Return the last sentences of a paragraph, as many as fit into `most` characters, at least one."""
    found = ""
    for sentence in reversed(sentences(paragraph)):
        if found and len(plain(f"{sentence} {found}")) > most:
            break
        found = f"{sentence} {found}".strip()
    return found


def terms(sentence: str) -> list[str]:
    """Return the terms that a sentence sets in bold, short ones that are no heading of their own ("**Predict.**")."""
    return [term for term in BOLD.findall(sentence) if term[-1] not in ".:?!" and len(term.split()) <= 5]


def definitions(paragraph: str) -> list[str]:
    """Return the sentences of a paragraph that introduce a term."""
    return [sentence for sentence in sentences(paragraph) if terms(sentence)]


def question(paragraphs: list[str]) -> str:
    """Return the first question in these paragraphs, or else how they begin; nothing where there is none."""
    every = [sentence for paragraph in paragraphs for sentence in sentences(paragraph)]
    asked = [number for number, sentence in enumerate(every) if sentence.rstrip('"”*_)').endswith("?")]
    if not asked:
        return lead(paragraphs[0], 200) if paragraphs else ""
    at = asked[0]  # a short question is not understood without what comes before it
    return f"{every[at - 1]} {every[at]}" if at and len(every[at]) < 50 else every[at]


def predicted(paragraph: str) -> tuple[str, str] | None:
    """Return (what comes before it, the prediction asked for) of a paragraph that asks for one, or None."""
    before, found, after = paragraph.partition(PREDICT)
    return (before.strip(), after.strip()) if found else None
