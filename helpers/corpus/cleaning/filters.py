"""Which comments a conversation can do without, and how many fell for which reason.

A filter is a set of opinions. Each of them is a field with a default you can change, every comment that falls
adds one to a reason, and the table of counts belongs beside every result. Compare: DialoGPT kept turns of at most
30 words and dropped any with a link or with a token three times in a row (Zhang et al. 2020); PolyAI kept 9 to 127
characters (Henderson et al. 2019). Built in notebook 01.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from operator import eq

from helpers.corpus.cleaning.markup import decode_entities, is_table_ruler
from helpers.corpus.cleaning.redaction import redact
from helpers.corpus.cleaning.rules import clean

REASONS: dict[str, str] = {
    "kept": "stays in the conversation",
    "deleted": "the text or the account was deleted or removed: we do not learn from what was taken back",
    "bot": "written by a program (by its name, or because it says so): its replies would be learned as human",
    "moderator note": "pinned by the moderators: a notice on the wall, not a reply",
    "low score": "voted below the threshold by the readers",
    "markdown table or code": "a table or a block of code: no sentence to learn from",
    "nothing left": "empty, or empty once quotes and mark-up are gone",
    "link only": "an address and no word about it",
    "too short": "fewer characters or words than the threshold",
    "too long": "more characters or words than the threshold",
    "repetition": "one word several times in a row",
    "not English": "mostly words or letters of another language, as far as a light test can tell",
    "same text again": "the author has posted the same text before, more often than the threshold",
}

# "[removed]", "[ Removed by Reddit on account of violating the [content policy](/help/contentpolicy). ]", "[deleted by user]"
_NOTICE = re.compile(
    r"\\?\[\s*(?:(?:this|the|your)\s+)?(?:(?:comment|post|message|content|text|submission|account)\s+)?"
    r"(?:(?:was|is|has been|have been)\s+)?(?:removed|deleted)\s*"
    r"(?:[.!]|\b(?:automatically|by|in|on|for|due|because|too many|after|as|per|under)\b(?:[^\[\]]|\[[^\[\]]*\])*)?\s*\\?\]",
    re.IGNORECASE,
)
LONGEST_NOTICE = 500  # characters
BOTS = frozenset({"automoderator", "autotldr", "haikusbot", "totesmessenger", "transcribot", "tweetposter"})
_BOT_ENDS = frozenset(name[-3:] for name in BOTS) | {"bot", "ot_", "ot-"}  # a quick look before the slow one
# metronome_bot and MetronomeBot, but not abbot
_BOT_NAME = re.compile(r"(?:[-_][Bb]ot|[-_]BOT|[a-z0-9]Bot|[a-z]BOT)[-_]?$|^(?:[Bb]ot|BOT)$")
_BOT_SAYS = re.compile(
    r"\bI(?:['’]m| am) an? (?:\w+ ){0,2}bot\b|\bthis (?:action|comment) was (?:performed|posted) automatically",
    re.IGNORECASE,
)

_ENGLISH = frozenset(
    (
        "the a and of to is it that you for with this have are not but my your what they would just i'm don't it's if "
        "or we he she at by from be i do how all there their some who can't that's like when how's get got been i've "
        "has had were our one any more"
    ).split()
)
_OTHERS = (
    frozenset(
        "der die das und ist nicht ein eine ich wir sie auch mit auf für von den dem zu sehr aber "
        "le la les des est et une un je que qui dans pour pas sur avec vous nous mais "
        "el los las una es y por para con pero muy como en lo se del su "
        "il di che non per sono della gli anche um uma não eu você do da "
        "het een van en ik niet maar ook zijn det och jag att inte på är har jeg er ikke "
        "nie jest się to na że w z".split()
    )
    - _ENGLISH
)
_PLACEHOLDER = re.compile(r"\[(?:link|email|phone|user|machine)\]")
_WORD = re.compile(r"\w")
# Indented, after an empty line or at the beginning, and no list.
_CODE_BLOCK = re.compile(r"(?:\A|(?:\A|\n)[^\S\n]*\n)(?: {4}|\t)[^\S\n]*[^\s*+>&1-9-]")
_LETTER_ABROAD = re.compile(r"[^\W\d_a-zA-Z\u00c0-\u024f]")  # a letter of another script


@dataclass
class Filter:
    """Reasons to drop a comment. A threshold of None is never applied.

    `reason` gives the first reason to drop one comment or None, and counts nothing; `keep` counts under `counts`, whose
    table is `table()`. To notice the same text again, `reason` remembers a 64-bit number per longer text, in two halves
    of at most `memory` numbers each (about 20 MB in all). So memory stays flat however long the dump is, repeats
    further apart than that are missed, and asking `reason` twice about one comment counts as posting it twice.
    `helpers.corpus.dumps.threads.conversations`, which has all comments at hand, counts without these limits.
    """

    min_characters: int | None = 2  # of the cleaned text; DialoGPT and others ask for more
    max_characters: int | None = 1000
    min_words: int | None = 1
    max_words: int | None = 200
    min_score: int | None = 1  # an unknown score (null in late 2017) passes
    repeats: int | None = 3  # so many equal words in a row are a repetition (at least 2)
    same_text: int | None = 2  # so often may one author post one text
    same_text_characters: int = 20  # shorter texts ("Thank you!") may come as often as they like
    english: bool = True
    bots: bool = True
    code: bool = True  # drop comments with tables or blocks of code
    deleted_accounts: bool = True  # drop the text of people who have left, too
    memory: int = 100_000
    counts: Counter = field(default_factory=Counter, init=False, repr=False)
    _seen: dict[int, int] = field(default_factory=dict, init=False, repr=False)
    _seen_before: dict[int, int] = field(default_factory=dict, init=False, repr=False)

    def reason(self, comment, text: str | None = None) -> str | None:
        """The first reason to drop the comment (a key of `REASONS`), or None if it may stay.

        `comment` has body, author, score, distinguished and stickied; `text` is its cleaned and redacted body, computed
        here if not given.
        """
        body, author = comment.body, comment.author or "[deleted]"
        if is_removal_notice(body) or (self.deleted_accounts and is_removal_notice(author)):
            return "deleted"
        if self.bots and author[-3:].lower() in _BOT_ENDS and is_bot_name(author):
            return "bot"
        if comment.stickied and comment.distinguished:
            return "moderator note"
        if self.min_score is not None and comment.score is not None and comment.score < self.min_score:
            return "low score"
        if text is None:
            text = redact(clean(body))
        return self._reason_in_text(body, author, text)

    def _reason_in_text(self, body: str, author: str, text: str) -> str | None:
        length = len(text)
        if not length:
            return "nothing left"
        if (reason := _outside(length, self.min_characters, self.max_characters)) is not None:
            return reason
        if self.code and ("\n" in body or "```" in body) and has_table_or_code(body):
            return "markdown table or code"
        if "[link]" in text and not _WORD.search(_PLACEHOLDER.sub("", text)):
            return "link only"
        lowered = text.lower()
        words = lowered.split()
        if (reason := _outside(len(words), self.min_words, self.max_words)) is not None:
            return reason
        if self.repeats is not None and any(map(eq, words, words[1:])) and _longest_run(words) >= self.repeats:
            return "repetition"
        if self.bots and ("bot" in lowered or "automatically" in lowered) and _BOT_SAYS.search(text):
            return "bot"
        if self.english and not is_english(text, words):
            return "not English"
        if self.same_text is not None and length >= self.same_text_characters:
            if self._count_same(author, text) > self.same_text:
                return "same text again"
        return None

    def keep(self, comment, text: str | None = None) -> bool:
        """True if there is no reason to drop the comment; counts it either way."""
        reason = self.reason(comment, text)
        self.counts[reason or "kept"] += 1
        return reason is None

    def _count_same(self, author: str, text: str) -> int:
        key = hash((author, text))
        count = self._seen.get(key)
        if count is None:
            count = self._seen_before.get(key, 0)
            if len(self._seen) >= self.memory:
                self._seen_before, self._seen = self._seen, {}
        self._seen[key] = count = count + 1
        return count

    def table(self):
        """A `pandas.DataFrame` of reason, what it means, comments, share: kept first, then the commonest."""
        import pandas

        total = sum(self.counts.values())
        rows = sorted(self.counts.items(), key=lambda item: (item[0] != "kept", -item[1], item[0]))
        return pandas.DataFrame(
            [(reason, REASONS.get(reason, ""), count, count / total if total else 0.0) for reason, count in rows],
            columns=["reason", "what it means", "comments", "share"],
        )


def is_removal_notice(text: str) -> bool:
    """True if a raw text is nothing but a notice in brackets that something was removed or deleted, whatever its wording.

    A person's own sentence about a removal is none, with brackets in it ("I [deleted] mine") or around it.
    """
    if len(text) > LONGEST_NOTICE or not (text := text.strip()).startswith(("[", "\\[", "&")):
        return False
    return _NOTICE.fullmatch(decode_entities(text)) is not None


def is_bot_name(author: str) -> bool:
    """True for AutoModerator, a few well-known programs, and names in Bot, _bot or -bot; not for abbot or talbot."""
    return author.lower() in BOTS or _BOT_NAME.search(author) is not None


def has_table_or_code(body: str) -> bool:
    """True if the raw body has a Markdown table, a fenced block or an indented block of code."""
    if "```" in body or "|" in body and any(is_table_ruler(line) for line in body.splitlines()):
        return True
    return ("    " in body or "\t" in body) and _CODE_BLOCK.search(body) is not None


def _longest_run(words: list[str]) -> int:
    """How often one word stands in a row at most; placeholders such as [link] are no words."""
    return max((len(list(run)) for word, run in groupby(words) if word[0] != "["), default=1)


def _outside(number: int, least: int | None, most: int | None) -> str | None:
    if least is not None and number < least:
        return "too short"
    return "too long" if most is not None and number > most else None


def is_english(text: str, words: list[str]) -> bool:
    """False if the text is mostly in another script, or its small words are those of another language.

    A light test for casual text: fewer than four words pass (unless in another script), and so do names and jokes. It
    misses short foreign sentences without small words and drops the rare English comment that quotes a foreign one. A
    real identifier (fastText, CLD3) does better at many times the cost.
    """
    if " the " in text or " and " in text or " you " in text or len(words) < 4 and text.isascii():
        return True  # four in five English comments end here
    if not text.isascii():
        abroad = len(_LETTER_ABROAD.findall(text))
        if abroad * 3 > len(text):
            return False
    if len(words) < 4:
        return True
    if not _ENGLISH.isdisjoint(words) and _OTHERS.isdisjoint(words):
        return True
    small = [word.strip(".,!?;:\"'()") for word in words]
    english = sum(word in _ENGLISH for word in small)
    other = sum(word in _OTHERS for word in small)
    if other > english:
        return other < 2 and len(words) < 8
    return english > 0 or len(words) < 12
