"""Checks of notebook 11, the texts: typos, shouted texts, scrambled words, digits that stand for letters."""

import random
from collections import Counter
from collections.abc import Callable

import numpy as np

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import kind, shown

KINDS = {
    "neighbor": "another letter instead of it, a neighbor on the keyboard",
    "left out": "a letter that is left out",
    "doubled": "a letter that is doubled",
    "swapped": "a letter that changes places with the next character",
}


def text_of(answer, what: str = "a text") -> str:
    """Return an answer that is a str. Raises Wrong for everything else."""
    if not isinstance(answer, str):
        raise Wrong(f"I expected {what} and got {kind(answer)}.")
    return answer


def _refuse_other_randomness(function: Callable, text: str) -> None:
    """Raise ``Wrong`` when the random numbers are not all from ``rng``, also when another seeded generator was used."""
    first, again, other = (text_of(tried(function(text, np.random.default_rng(seed)))) for seed in (1, 1, 2))
    random.seed(5)
    np.random.seed(5)
    if first != again or first != text_of(function(text, np.random.default_rng(1))):
        raise Wrong("The same rng gave two different texts: take every random number from rng.")
    if first == other == text:
        raise Wrong("The text came back as it was.")
    if first == other:
        raise Wrong(
            "Two different generators gave the same text: take every random number from rng, and keep it as it is."
        )


@exercise
def check_keyboard_typos(keyboard_typos: Callable) -> str:
    """Build: letters become neighbors on the keyboard, fall out, are doubled or change places, each as often."""
    from helpers.robustness.noise import NEIGHBORS

    sentence = "The quick brown fox jumps over the lazy dog. " * 8
    _refuse_other_randomness(lambda text, rng: keyboard_typos(text, rng, 0.5), sentence)
    if (answer := text_of(keyboard_typos(sentence, np.random.default_rng(0), 0.0))) != sentence:
        raise Wrong(f"With share 0 nothing may change; yours gave {shown(answer)}.")
    if (answer := text_of(keyboard_typos("10 + 7, ok?"[:6], np.random.default_rng(0), 1.0))) != "10 + 7":
        raise Wrong(f"Only letters are hit: '10 + 7' became {shown(answer)}.")
    if (answer := text_of(keyboard_typos("é ñ 5", np.random.default_rng(0), 1.0))) != "é ñ 5":
        raise Wrong(f"Only a–z and A–Z are hit, the keys of NEIGHBORS: 'é ñ 5' became {shown(answer)}.")
    _refuse_emptied(keyboard_typos)
    for letter in "gG":
        _check_kinds(keyboard_typos, letter, NEIGHBORS["g"])
    _check_share(keyboard_typos)
    return "Four kinds of typo, each as often; the same rng gives the same ones."


def _refuse_emptied(keyboard_typos: Callable) -> None:
    for seed in range(40):
        if not text_of(keyboard_typos("g", np.random.default_rng(seed), 1.0)).strip():
            raise Wrong("From 'g' nothing was left. Where a text would end up empty, return it as it was.")
        if not text_of(keyboard_typos("g ", np.random.default_rng(seed), 1.0)).strip():
            raise Wrong("From 'g ' only the space was left. Where only white space would be left, return the text as it was.")


def _check_kinds(keyboard_typos: Callable, letter: str, near: str) -> None:
    kinds: Counter = Counter()
    near, first = near.upper() if letter.isupper() else near, set()
    names = {".": "left out", 2 * letter + ".": "doubled", "." + letter: "swapped"}
    for seed in range(400):
        answer = text_of(keyboard_typos(letter + ".", np.random.default_rng(seed), 1.0))
        if answer in names or (answer[:1] in near and answer[1:] == "."):
            first.add(answer[0])
            kinds[names.get(answer, "neighbor")] += 1
        elif answer[:1].lower() in near.lower() and answer[1:] == "." or answer.lower() == 2 * letter.lower() + ".":
            raise Wrong(f"'{letter}.' became {shown(answer)}: a capital letter stays one, a small letter stays small.")
        elif answer[:1] == "." and len(answer) > 1:
            raise Wrong(f"'{letter}.' became {shown(answer)}: a swap uses up both characters, so go on two positions later.")
        elif answer == letter + ".":
            raise Wrong(f"With share 1 every letter is hit; '{letter}.' came back as it was.")
        elif len(answer) == 2 and answer[0].isalpha() and answer[1] == ".":
            raise Wrong(f"'{letter}.' became {shown(answer)}, and {answer[0]} is not next to {letter} on a keyboard.")
        else:
            raise Wrong(f"'{letter}.' became {shown(answer)}: that is none of the four kinds of typo.")
    for name, what in KINDS.items():
        if not kinds[name]:
            raise Wrong(f"In 400 texts there was never {what}.")
    if not set(near) <= first:
        raise Wrong(f"In 400 texts '{letter}' never became some of its neighbors {near}: draw one of them at random.")
    if min(kinds.values()) < 55:
        raise Wrong(f"The four kinds should come equally often; yours came {dict(kinds)} times.")


def _check_share(keyboard_typos: Callable) -> None:
    hit = sum(keyboard_typos("g.", np.random.default_rng(seed), 0.3) != "g." for seed in range(600)) / 600
    if not 0.22 < hit < 0.38:
        raise Wrong(f"With share 0.3 about 30 % of the letters should be hit; of yours {hit:.0%} were.")
    usual = sum(keyboard_typos("g.", np.random.default_rng(seed)) != "g." for seed in range(600)) / 600
    if not 0.05 < usual < 0.15:
        raise Wrong(f"Without a share it is 0.1; of your letters {usual:.0%} were hit.")
    line = text_of(keyboard_typos("a1b2c3d4e5f6g7h8" * 20, np.random.default_rng(3), 0.5))
    if line == "a1b2c3d4e5f6g7h8" * 20 or not any(pair in line for pair in ("a1b2", "c3d4", "e5f6")):
        raise Wrong("Either all letters of a text are hit in yours, or none: draw a new random number for each letter.")
    mixed = [text_of(keyboard_typos("g.g.g.g.", np.random.default_rng(seed), 1.0)) for seed in range(20)]
    if all(answer in (".g.g.g.g", "....", "gg.gg.gg.gg.") or answer[1::2] == "...." for answer in mixed):
        raise Wrong("All typos of one text are of the same kind in yours: draw the kind anew for each hit.")
    if not any(text_of(keyboard_typos("g h", np.random.default_rng(seed), 1.0))[0] == " " for seed in range(200)):
        raise Wrong("A letter never changes places with a space in yours. The next character may be one.")


@exercise
def check_lower_capitals(lower_capitals: Callable) -> str:
    """Build: a shouted text in lower case, with capitals where sentences begin and for I; any other as it is."""
    text = "HELLO THERE! HOW ARE YOU? NOW I AM FINE. AND MY DOG"
    answer = text_of(tried(lower_capitals(text)))
    mistakes = {
        text.lower(): "That is all in lower case. A sentence begins with a capital, and I is written as one.",
        text.capitalize(): "Only the first sentence begins with a capital in yours, and I is written small.",
        text.capitalize().replace(" i ", " I "): "Only the first sentence begins with a capital in yours.",
        text.title(): "Every word begins with a capital in yours: only sentences do, and I.",
        "Hello there! How are you? Now i am fine. And my dog": "The word I has become a small i. It is a capital everywhere.",
        "hello there! how are you? now I am fine. and my dog": "Sentences begin with a small letter in yours.",
        "Hello there! how are you? now I am fine. And my dog": "A sentence begins after ! and ? too, not only after a dot.",
        text: "A text all in capitals came back as it was.",
    }
    if answer in mistakes:
        raise Wrong(mistakes[answer])
    if answer != "Hello there! How are you? Now I am fine. And my dog":
        raise Wrong(f"{shown(text)} became {shown(answer, 80)}.")
    for calm in ("I live in New York. OK?", "My friend from the USA said NO"):
        if (answer := text_of(lower_capitals(calm))) != calm:
            raise Wrong(
                f"{shown(calm)} is not shouted, but became {shown(answer)}: lower only where most letters are capitals."
            )
    _check_shares(lower_capitals)
    for text, right in (
        ("I'M HERE\nWHAT NOW", "I'm here\nWhat now"),
        ("WELL, I'M OK", "Well, I'm ok"),
        ("GO TO A.COM NOW", "Go to a.com now"),
        ("WHAT!  NO ", "What!  No "),
        ("SO ÄÖÜ ah oh", "So äöü ah oh"),
        ("I", "I"),
        ("", ""),
        ("12!", "12!"),
        ("a", "a"),
        ("5 A", "5 A"),
    ):
        if (answer := text_of(lower_capitals(text))) != right:
            raise Wrong(f"{shown(text)} should give {shown(right)} and gave {shown(answer)}.")
    return "Shouted texts are written as most of the training texts are; all others stay as they are."


def _check_shares(lower_capitals: Callable) -> None:
    if text_of(lower_capitals("HAHAHA so FUNNY")) == "HAHAHA so FUNNY":
        raise Wrong("'HAHAHA so FUNNY' stayed: more than half of its letters are capitals, that is enough.")
    if text_of(lower_capitals("OK")) == "OK":
        raise Wrong("'OK' stayed: all of its letters are capitals, and two are enough.")
    if text_of(lower_capitals("NO!!! 100 %")) == "NO!!! 100 %":
        raise Wrong("'NO!!! 100 %' stayed. Count letters only: spaces, digits and signs are neither capital nor small.")
    if text_of(lower_capitals("ABcd")) != "ABcd":
        raise Wrong("In 'ABcd' exactly half of the letters are capitals. That is not more than half: it stays.")


@exercise
def check_scrambled_words(scrambled_words: Callable) -> str:
    """Exercise 1: the inner letters of every word of four or more letters in random order."""
    text = "Researchers (at Cambridge) wouldn't believe strawberries, 2000 of them.\nReally"
    _refuse_other_randomness(scrambled_words, text)
    answer = text_of(scrambled_words(text, np.random.default_rng(0)))
    if sorted(answer) != sorted(text):
        raise Wrong(f"Letters were lost, added or changed: {shown(answer, 90)}.")
    if [place for place, sign in enumerate(answer) if not sign.isalpha()] != [
        place for place, sign in enumerate(text) if not sign.isalpha()
    ]:
        raise Wrong(f"Spaces, digits and punctuation stay where they are; yours gave {shown(answer, 90)}.")
    words = [("Researchers", 0), ("Cambridge", 16), ("believe", 36), ("strawberries", 44), ("Really", 72)]
    pieces = [answer[place : place + len(word)] for word, place in words]
    if any(sorted(piece) != sorted(word) for piece, (word, _) in zip(pieces, words)):
        raise Wrong("A letter moved to another word: scramble each word alone.")
    for seed in range(20):
        answer = text_of(scrambled_words(text, np.random.default_rng(seed)))
        for word, place in words:
            if answer[place] != word[0] or answer[place + len(word) - 1] != word[-1]:
                raise Wrong(
                    f"The first and the last letter stay where they are; {word} became {answer[place : place + len(word)]}."
                )
    if "at" not in answer or "of" not in answer:
        raise Wrong("Words of three letters or fewer have no inside to scramble: they stay.")
    seen = {scrambled_words("abcdefgh", np.random.default_rng(seed)) for seed in range(60)}
    if len(seen) < 30:
        raise Wrong(f"In 60 texts 'abcdefgh' came in only {len(seen)} orders: there are 720, draw one at random.")
    if {scrambled_words("word", np.random.default_rng(seed)) for seed in range(30)} != {"word", "wrod"}:
        raise Wrong("A word of four letters has two letters inside: 'word' may become 'wrod'.")
    _try_runs(scrambled_words)
    return "You can still read it. Can the bot?"


def _try_runs(scrambled_words: Callable) -> None:
    """Raise ``Wrong`` where the runs of letters are others than those of A–Z and a–z."""
    seen = {text: {scrambled_words(text, np.random.default_rng(seed)) for seed in range(30)} for text in (
        "1234567", "ab_cd_ef", "héllo", "ABcdefgh", "(abcdef),", "4abcdef_", "abcdefgh abcdefgh")}  # fmt: skip
    for text in ("1234567", "ab_cd_ef", "héllo"):
        if seen[text] != {text}:
            raise Wrong(f"{shown(text)} has no run of four letters A–Z or a–z, and became {shown(max(seen[text] - {text}))}.")
    if {answer[1] for answer in seen["ABcdefgh"]} == {"B"}:
        raise Wrong("In 'ABcdefgh' the B stayed where it is: capitals are letters, too.")
    for text in ("(abcdef),", "4abcdef_"):
        if seen[text] == {text}:
            raise Wrong(f"{shown(text)} stayed as it was. Signs and digits beside a run of letters do not protect it.")
    if all(answer[:8] == answer[9:] for answer in seen["abcdefgh abcdefgh"]):
        raise Wrong("Words of the same length get the same order in yours: draw a new one for each word.")


@exercise
def check_letters_for_digits(letters_for_digits: Callable) -> str:
    """Exercise 3: 0, 1, 3, 4, 5, 7 become o, i, e, a, s, t where a letter stands on both sides."""
    cases = {
        "b4d": ("bad", "'b4d' should become 'bad' and became {}."),
        "4 cats, 10 dogs": ("4 cats, 10 dogs", "Digits that stand alone are numbers: '4 cats, 10 dogs' became {}."),
        "2nd 5th": ("2nd 5th", "'2nd 5th' became {}: before such a digit there is no letter."),
        "mp3": ("mp3", "'mp3' became {}: after this digit there is no letter."),
        "a10b": ("a10b", "'a10b' became {}: beside each of these digits stands another digit on one side."),
        "g0l1d3n": ("goliden", "Digits that follow each other with one letter between: 'g0l1d3n' became {}."),
        "h3y t0p f5f n7t": ("hey top fsf ntt", "'h3y t0p f5f n7t' should give 'hey top fsf ntt' and gave {}."),
        "a2b c6d e8f g9h": ("a2b c6d e8f g9h", "2, 6, 8 and 9 stand for no letter here: 'a2b c6d e8f g9h' became {}."),
        "B4D": ("BAD", "Between capitals the letter is a capital, too: 'B4D' became {}."),
        "so B4D": ("so BAD", "What counts are the two letters beside the digit, not the whole text: 'so B4D' became {}."),
        "b4D B4d": ("baD Bad", "A capital only where *both* neighbors are capitals: 'b4D B4d' became {}."),
        "5th": ("5th", "'5th' became {}: nothing stands before this digit (text[-1] is the last character)."),
        "": ("", "The empty text became {}."),
    }
    for text, (right, message) in cases.items():
        answer = text_of(tried(letters_for_digits(text)))
        if answer != right:
            raise Wrong(message.format(shown(answer)))
    return "One hole fewer. Which is next?"
