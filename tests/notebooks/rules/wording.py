"""Rules about words: the field's own, in American spelling, and references to what is really there."""

import json
import re

from tests.notebooks import books
from tests.notebooks.rules import FENCE, Book, rule

# The words for which the field has its own. Inside `code` and in quotations they may stand.
PRIVATE = re.compile(r"\b(by lot|whoever|judges?|jury|leash|heaps?|pupils?|dearer|dice)\b", re.IGNORECASE)
# Where a notebook is about programs that vote, the field's own word is "judge" (Zheng et al. 2023).
JUDGING = "LLM-as-a-judge"
BRITISH = re.compile(
    r"\b(?:\w*(?:optimis|tokenis|normalis|quantis|organis|recognis|summaris|generalis|initialis|regularis|minimis|maximis|memoris)"
    r"(?:e[ds]?|ers?|ing|ations?)|\w*(?:colour|behaviour|neighbour|favour)\w*|(?:un)?labell(?:ed|ers?|ing)|modell(?:ed|ing)|centre"
    r"|licences?|(?:mis)?spelt|learnt|judgements?|grey)\b",
    re.IGNORECASE,
)
REFERENCE = re.compile(r"\b(sections?|exercises?) (\d+)(?:(?:,| and| to|–) (\d+))?(?: of (?:\[)?notebook (\d\d))?", re.IGNORECASE)
NOTEBOOKS = re.compile(r"\bnotebooks? (\d\d)\b", re.IGNORECASE)


def prose(text: str) -> str:
    """Return a text without code and quotations."""
    return re.sub(r"`[^`]*`|^>.*$|“[^”]*”|\"[^\"\n]*\"|\]\([^)]*\)", " ", FENCE.sub("", text), flags=re.MULTILINE)


@rule
def words_are_the_fields(book: Book) -> list[str]:
    """What a learner has read here can be looked up elsewhere (notebooks with build cells; the others will follow)."""
    if not book.builds:
        return []
    allowed = {"judge", "judges"} if any(JUDGING in cell.source for cell in book.markdown) else set()
    return [
        f"{book.where(cell)}: {word!r} is no word of the field"
        for cell in book.markdown
        for word in PRIVATE.findall(prose(cell.source))
        if word.lower() not in allowed
    ]


@rule
def spelling_is_american(book: Book) -> list[str]:
    """Optimizer, color, neighbor: as in torch and in the papers."""
    return [
        f"{book.where(cell)}: {word!r}: write the American form"
        for cell in book.markdown
        for word in BRITISH.findall(prose(cell.source))
    ]


@rule
def references_lead_somewhere(book: Book) -> list[str]:
    """A section, an exercise or a notebook that the text names exists."""
    found = []
    course = {entry["notebook"] for entry in json.loads((books.ROOT / "data" / "course.json").read_text(encoding="utf-8"))}
    for cell in book.markdown:
        text = FENCE.sub("", cell.source)
        found += [f"{book.where(cell)}: there is no notebook {name}" for name in NOTEBOOKS.findall(text) if name not in course]
        for kind, first, last, other in REFERENCE.findall(text):
            numbers = {int(first), int(last or first)}
            home = book
            if other and other != book.path.name[:2]:
                paths = [path for path in books.paths() if path.name.startswith(other)]
                if not paths:
                    continue  # a notebook to come has no sections yet
                home = Book(books.read(paths[0]), paths[0])
            pattern = r"^(\d+) ·" if kind.lower().startswith("section") else r"^Exercise (\d+)"
            known = {int(match[1]) for _, _, heading in home.headings if (match := re.match(pattern, heading))}
            found += [
                f"{book.where(cell)}: {kind} {number} of {home.path.name} does not exist" for number in sorted(numbers - known)
            ]
    return found


def absent_terms(glossary: str, name: str, text: str) -> list[str]:
    """Return the terms of a glossary that send their reader to the notebook `name` although its `text` has none of their words.

    "KL divergence (relative entropy)" is there when one of the two is; hyphens and a plural s make no difference.
    """
    text = _plain(text)
    found = []
    for entry in re.split(r"^## ", glossary, flags=re.MULTILINE)[1:]:
        term, _, body = entry.partition("\n")
        if f"]({name})" in body and not any(_plain(part) in text for part in re.split(r",|/|\(|\)| and ", term) if part.strip()):
            found.append(term)
    return found


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[*_`]", "", text.lower()).replace("-", " ")).strip().removesuffix("s")
