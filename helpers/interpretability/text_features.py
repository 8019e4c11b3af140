"""What a person can see in a text, one number per character, for comparison with a model's units. Built in notebook 02.

Each function takes a sequence of characters, a string or what ``units.record`` returns (where "<A>", "<B>", "<other>" and
"<end>" are one element each), and returns one number per character: what is known once that character has been read.
None looks ahead. ``LABELS`` lists them by name.
"""

import re
from collections.abc import Callable, Sequence

from helpers.corpus.tokenizers.base import END, SPEAKERS

OPENERS = set("who what when where why which whose how do does did is are can have".split())


def inside_word(characters: Sequence[str]) -> list[int]:
    """1 at letters, digits and the apostrophe between letters."""
    return [int(_in_word(characters, i)) for i in range(len(characters))]


def word_position(characters: Sequence[str]) -> list[int]:
    """How many characters were read since the last space: 0 at the space itself."""
    return _since(characters, lambda c: c.isspace() or _is_special(c))


def turn_position(characters: Sequence[str]) -> list[int]:
    """How many characters were read since the turn began: 0 at the speaker token."""
    return _since(characters, _is_special)


def sentence_position(characters: Sequence[str]) -> list[int]:
    """How many characters were read since the last full stop, question mark or exclamation mark."""
    return _since(characters, lambda c: c in ".?!\n" or _is_special(c))


def inside_quotes(characters: Sequence[str]) -> list[int]:
    """1 from an opening quotation mark up to the closing one; a turn's end closes all."""
    result, inside = [], False
    for character in characters:
        if character == '"':
            inside = not inside
        elif character in "“”" or _is_special(character):
            inside = character == "“"
        result.append(int(inside))
    return result


def inside_brackets(characters: Sequence[str]) -> list[int]:
    """1 from ( or [ up to the bracket that closes it; a turn's end closes all. Smileys such as :( do not open one."""
    result, depth, before = [], 0, ""
    for character in characters:
        if character in "([" and before not in (":", ";", "=", "-", "'"):
            depth += 1
        elif character in ")]":
            depth = max(depth - 1, 0)
        elif _is_special(character):
            depth = 0
        result.append(int(depth > 0))
        before = character
    return result


def inside_number(characters: Sequence[str]) -> list[int]:
    """1 at every digit."""
    return [int(character.isdecimal()) for character in characters]


def question_began(characters: Sequence[str]) -> list[int]:
    """1 while the present sentence is one that began with a question word ("what", "do", …), once that was read."""
    result, word, asks, first = [], "", False, True
    for i, character in enumerate(characters):
        if _is_special(character) or character in ".?!\n":
            word, asks, first = "", False, True
        elif first and _in_word(characters, i):
            word += character.lower()
        elif first and word:
            asks, first = re.split("['’]", word)[0] in OPENERS, False
        result.append(int(asks))
    return result


def asked_before(characters: Sequence[str]) -> list[int]:
    """1 where the turn before this one held a question mark."""
    result, now, before = [], False, False
    for character in characters:
        if character == END:
            now = before = False
        elif _is_special(character):
            now, before = False, now
        now = now or character == "?"
        result.append(int(before))
    return result


def speaker_b(characters: Sequence[str]) -> list[int]:
    """1 from speaker B's token to the next special token."""
    result, speaks = [], False
    for character in characters:
        speaks = character == "<B>" if _is_special(character) else speaks
        result.append(int(speaks))
    return result


def capital_word(characters: Sequence[str]) -> list[int]:
    """1 from a capital letter to the end of its word."""
    result, capital = [], False
    for i, character in enumerate(characters):
        capital = _in_word(characters, i) and (capital or character.isupper())
        result.append(int(capital))
    return result


def after_i(characters: Sequence[str]) -> list[int]:
    """1 from the end of the word I ("I'm" and "i" too) to the end of the next word."""
    result, word, last = [], "", ""
    for i, character in enumerate(characters):
        if _in_word(characters, i):
            word += character.lower()
        elif word or _is_special(character):
            word, last = "", "" if _is_special(character) else re.split("['’]", word)[0]
        result.append(int(last == "i"))
    return result


def first_word(characters: Sequence[str]) -> list[int]:
    """1 from a sentence's beginning (". ", the speaker token) to the end of its first word."""
    result, first, word = [], False, False
    for i, character in enumerate(characters):
        if _is_special(character) or character in ".?!\n":
            first, word = True, False
        elif first:
            inside = _in_word(characters, i)
            first, word = inside or not word, inside
        result.append(int(first))
    return result


def small_turn(characters: Sequence[str]) -> list[int]:
    """1 in a turn whose first letter was a small one, once that was read: some people never write capitals."""
    result, small = [], None
    for character in characters:
        if _is_special(character):
            small = None
        elif small is None and character.isalpha():
            small = character.islower()
        result.append(int(bool(small)))
    return result


def conversation_opens(characters: Sequence[str]) -> list[int]:
    """1 in the first two turns of a conversation."""
    result, turns = [], 0
    for character in characters:
        turns = 0 if character == END else turns + _is_special(character)
        result.append(int(1 <= turns <= 2))
    return result


LABELS: dict[str, Callable[[Sequence[str]], list[int]]] = {
    "inside a word": inside_word,
    "characters since the last space": word_position,
    "characters since the turn began": turn_position,
    "characters since the sentence began": sentence_position,
    "inside a quotation": inside_quotes,
    "inside brackets": inside_brackets,
    "inside a number": inside_number,
    "the sentence began with a question word": question_began,
    "the turn before asked a question": asked_before,
    "speaker B is talking": speaker_b,
    "a capital letter in this word": capital_word,
    "the word before was I": after_i,
    "the first word of a sentence": first_word,
    "the turn began with a small letter": small_turn,
    "the conversation has just begun": conversation_opens,
}


def _is_special(character: str) -> bool:
    return character in SPEAKERS or character == END


def _in_word(characters: Sequence[str], i: int) -> bool:
    character = characters[i]
    if character in ("'", "’"):
        return i > 0 and characters[i - 1].isalnum() and not _is_special(characters[i - 1])
    return character.isalnum()


def _since(characters: Sequence[str], begins: Callable[[str], bool]) -> list[int]:
    result, count = [], -1
    for character in characters:
        count = 0 if begins(character) else count + 1
        result.append(count)
    return result
