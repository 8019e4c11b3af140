"""A manner of writing, put on by rule: a small set that no pretrained bot has read (built in notebook 07)."""

import unicodedata
from dataclasses import replace

from helpers.corpus.conversations import Conversation


def texting(text: str) -> str:
    """Return ``text`` as if typed with a thumb: lower case, no punctuation but line breaks, "you", "are", "and" shortened.

    A text of punctuation alone stays as it is: a turn must say something.
    """
    kept = "".join(letter for letter in text.lower() if not unicodedata.category(letter).startswith("P"))
    lines = (" ".join(SHORT.get(word, word) for word in line.split()) for line in kept.split("\n"))
    return "\n".join(line for line in lines if line) or text


SHORT = {"you": "u", "your": "ur", "youre": "ur", "are": "r", "and": "n", "to": "2", "for": "4", "because": "cuz"}


def restyled(conversation: Conversation, speaker: str = "B", style=texting) -> Conversation:
    """Return the conversation with all turns of ``speaker`` rewritten by ``style``, a function of a text.

    Raises ValueError when that speaker says nothing.
    """
    if not any(turn.speaker == speaker for turn in conversation.turns):
        raise ValueError(f"speaker {speaker!r} says nothing in conversation {conversation.id}: choose another")
    turns = [replace(turn, text=style(turn.text)) if turn.speaker == speaker else turn for turn in conversation.turns]
    return replace(conversation, turns=tuple(turns))
