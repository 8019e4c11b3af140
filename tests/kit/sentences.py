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
# How a sentence begins that leans on the one before it; "The" does so unless it names the term that it defines.
BEGINS = re.compile(
    r"[\"“‘(*_]*(?:That|This|These|Those|Such|Its?|They|Them|Their|He|She|His|Her|One|So|Each|Both|Then|Here|There|First|Second|"
    r"Third|Finally|But|And|Or|Yet|Otherwise|Instead|Therefore|Hence|Thus|Also|Again|Another|Up to|By the|In this|Of these|"
    r"The (?!\*\*)|Most of (?:the|them|it)|Only)\b"
)
POINTS = re.compile(r"\b(?:its?|this|these|those|they|them|their|the same|the other|such|above)\b")
RELATIVE = re.compile(
    r"\b(?:an?|the|any|every|no|each|all|some\w*|one)\s+(?:\S+\s+){0,4}that\b"
    r"|\b(?:so|say|says|said|means|show|know) that\b",
    re.IGNORECASE,
)
OBJECT = re.compile(r"\b(?:does|do|did|for|of|with|by|from|than|like|after|before|in) (?:that|this|it|them)[.,:;)?]")
NEAR = 6  # words from the beginning of a sentence in which a pronoun stands for something said before it
DIRECTS = re.compile(r"(?:Begin|Compare|Look|Read|Test|Ask|Start|Take|Try|Check|Count|Move|Go) ")
ANNOUNCES = re.compile(r"(?:Two|Three|Four) (?:things|reasons|causes)\b[^:]*\.$")


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


def leans(sentence: str) -> bool:
    """Whether a sentence says little without the one before it: it begins with, or soon has, a word that points back."""
    near = " ".join(sentence.split()[:NEAR])
    demonstrative = re.search(r"\bthat\b", near) and not RELATIVE.search(sentence)
    return bool(BEGINS.match(sentence) or POINTS.search(near) or demonstrative or OBJECT.search(sentence))


def grounded(every: list[str], at: int, most: int) -> int:
    """Return where to begin so that the sentence at `at` is understood: as far back as sentences lean, within `most` letters."""
    start = at
    while start and leans(every[start]) and len(plain(" ".join(every[start - 1 : at + 1]))) <= most:
        start -= 1
    return start


def meant(paragraph: str) -> str:
    """Return what a paragraph below a result says of it: neither where to look first, nor what it goes on to."""
    every = sentences(paragraph)
    while every and DIRECTS.match(every[0]):
        every.pop(0)
    kept = sentences(lead(" ".join(every))) if every else []
    while kept and (kept[-1].endswith(":") or ANNOUNCES.match(kept[-1])):
        kept.pop()
    return " ".join(kept)


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
    start = grounded(every, at, 260)
    return " ".join(every[min(start, at - 1 if at and len(every[at]) < 50 else at) : at + 1])


def predicted(paragraph: str) -> tuple[str, str] | None:
    """Return (what comes before it, the prediction asked for) of a paragraph that asks for one, or None."""
    before, found, after = paragraph.partition(PREDICT)
    return (before.strip(), after.strip()) if found else None
