"""Checks of notebook 05, *Words from bytes*."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, near, number, shown


@exercise
def check_next_pair(next_pair: Callable[[dict], tuple]) -> str:
    """Exercise 1: the pair of neighboring letters that occurs most often; ties by the alphabet."""

    def ask(words: dict) -> tuple:
        changed = "You changed the dictionary you were given. Only read from it."
        answer = call(next_pair, words, changed=changed, first=words == {"no": 2, "now": 1})
        if isinstance(answer, str):
            raise Wrong(f"I expected a pair, a tuple of two letters such as ('n', 'o'), and got the text {answer!r}.")
        if isinstance(answer, tuple | list) and len(answer) == 2 and isinstance(answer[0], tuple):
            raise Wrong("You returned the pair and its count. Return the pair alone.")
        if not isinstance(answer, tuple | list) or [len(p) if isinstance(p, str) else 0 for p in answer] != [1, 1]:
            raise Wrong(f"I expected a tuple of two letters and got {shown(answer)}.")
        return tuple(answer)

    answer = ask({"no": 2, "now": 1})
    if answer != ("n", "o"):
        raise Wrong(f"In {{'no': 2, 'now': 1}}, n and o stand side by side three times; I got {answer}.")
    answer = ask({"ab": 1, "cd": 3})
    if answer == ("a", "b"):
        raise Wrong("You took each word once. 'cd' occurs three times, so its pair counts three times.")
    if answer != ("c", "d"):
        raise Wrong(f"In {{'ab': 1, 'cd': 3}} the pair is ('c', 'd'), three times; I got {answer}.")
    if ask({"ab": 2, "xy": 2}) != ("a", "b"):
        raise Wrong(
            "Two pairs tie, and you took the last in the alphabet. Take the first: ('a', 'b') before ('x', 'y')."
        )
    if ask({"xy": 2, "ab": 2}) != ("a", "b"):
        raise Wrong("Two pairs tie, and you took the one that was seen first. The alphabet decides: ('a', 'b').")
    if ask({"ba": 2, "ab": 2}) != ("a", "b"):
        raise Wrong("('b', 'a') and ('a', 'b') are two pairs: keep their order, and let the left letter decide a tie.")
    if ask({"aaa": 2, "bc": 3}) != ("a", "a"):
        raise Wrong("'aaa' holds ('a', 'a') twice: pairs may overlap. Look at every position.")
    if ask({"a": 5, "b": 5, "cd": 1}) != ("c", "d"):
        raise Wrong("You took a pair across two words. The letters of a pair stand side by side in one word.")
    return (
        "Each pair as often as its words occur, and a tie has one winner: the same text always gives the same merges."
    )


@exercise
def check_decode(decode: Callable[[list, dict], str]) -> str:
    """Exercise 2: the text of a list of numbers; the bytes are joined before they are decoded."""

    def ask(ids: list, merges: dict, stopped: str = "") -> str:
        """Return the answer; ``stopped`` is what to say where only one mistake leaves bytes that are no text."""
        changed = "You changed the list or the dictionary that you were given. Only read from them."
        try:
            answer = call(decode, ids, merges, changed=changed, first=ids == [110, 101, 119])
        except UnicodeDecodeError:
            raise Wrong(stopped or "You stopped at bytes that are no text: look at what you decode.") from None
        if isinstance(answer, bytes | bytearray):
            raise Wrong('You returned bytes, and a text was asked for: .decode("utf-8", …) makes it one.')
        if not isinstance(answer, str):
            raise Wrong(f"I expected a text and got {shown(answer)}.")
        return answer

    answer = ask([110, 101, 119], {})
    if answer != "new" and "".join(answer.split()) == "new":
        raise Wrong("You put something between the pieces. Spaces are bytes, too, and come by themselves.")
    if answer != "new":
        raise Wrong(f"110, 101 and 119 are the bytes of 'new'; I got {shown(answer)}.")
    merges = {(110, 111): 256}
    answer = ask([256, 115], merges)
    if answer == "Ās":
        raise Wrong("You took 256 for a character, as `chr` does. It is a merge: it stands for the bytes of its parts.")
    if answer == "ons":
        raise Wrong("In 256, the merge of 110 and 111, the left part comes first: 'no'. You joined right to left.")
    if answer != "nos":
        raise Wrong(f"With (110, 111) → 256, [256, 115] is 'nos'; I got {shown(answer)}.")
    merges = {(110, 111): 256, (256, 119): 257}
    deeper = "257 stands for 256 and 119, and 256 is a merge itself: a part can be any piece that you know already."
    try:
        answer = ask([257, 115], merges)
    except (ValueError, KeyError, OverflowError):  # bytes([256, 119]) is what is usually tried
        raise Wrong(deeper) from None
    if answer != "nows":
        raise Wrong(f"{deeper} [257, 115] is 'nows'; I got {shown(answer)}.")
    alone = "You decoded each token alone. ñ is two bytes, here in two tokens: join all bytes first, decode once."
    answer = ask([195, 177], {}, stopped=alone)
    if answer == "Ã±":
        raise Wrong("You took each byte for a character. In UTF-8 195 and 177 are one: 'ñ'.")
    if "\N{REPLACEMENT CHARACTER}" in answer or not answer:
        raise Wrong(alone)
    if answer != "ñ":
        raise Wrong(f"195 and 177 are the bytes of 'ñ' in UTF-8; I got {shown(answer)}.")
    strict = '[110, 195] ends inside a character, as a model\'s reply may: errors="replace" shows a sign and goes on.'
    answer = ask([110, 195], {}, stopped=strict)
    if answer == "n":
        raise Wrong('[110, 195] ends inside a character, and you hid that, as errors="ignore" does. Show the sign �.')
    if answer != "n\N{REPLACEMENT CHARACTER}":
        raise Wrong(f"[110, 195] ends inside a character: 'n�' was expected; I got {shown(answer)}.")
    if ask([], merges) != "":
        raise Wrong("No numbers are no text: for an empty list return an empty text.")
    return "Bytes first, text last. So a model can say any character there is, even one that no token holds."


@exercise
def check_encode(encode: Callable[[str, dict], list]) -> str:
    """Exercise 3: the numbers of a text, the earliest merge first."""

    def ask(text: str, merges: dict) -> list:
        changed = "You changed the merges, as `pop` does. The next text needs them all."
        answer = call(encode, text, merges, changed=changed, first=text == "now")
        if not isinstance(answer, list | tuple) or not all(isinstance(token, int) for token in answer):
            raise Wrong(f"I expected a list of whole numbers and got {shown(answer)}.")
        return list(answer)

    merges = {(110, 111): 256, (256, 119): 257}
    answer = ask("now", merges)
    if answer == [110, 111, 119]:
        raise Wrong("Nothing was merged. Begin with bytes, then replace pairs as long as one of the merges fits.")
    if answer == [256, 119]:
        raise Wrong("You stopped after one merge. 256 stands beside 119 now, and (256, 119) is a merge: look again.")
    if answer[:1] == [256] and len(answer) > 2:
        raise Wrong("Two numbers went in and one comes out: replace both by the new one, ids[i : i + 2] = [new].")
    if answer != [257]:
        raise Wrong(f"With (110, 111) → 256 and (256, 119) → 257, 'now' is [257]; I got {shown(answer)}.")
    answer = ask("nono", {(110, 111): 256})
    if answer in ([256, 110, 111], [110, 111, 256]):
        raise Wrong("(110, 111) stands in 'nono' twice, and you replaced it once. A merge is never used up.")
    if answer != [256, 256]:
        raise Wrong(f"With (110, 111) → 256, 'nono' is [256, 256]; I got {shown(answer)}.")
    answer = ask("abc", {(97, 98): 256, (98, 99): 257})
    if answer == [97, 257]:
        raise Wrong("You used the merge that was learned last. The one learned first goes first: 'abc' is [256, 99].")
    if answer != [256, 99]:
        raise Wrong(f"With (97, 98) learned before (98, 99), 'abc' is [256, 99]; I got {shown(answer)}.")
    answer = ask("abc", {(98, 99): 256, (97, 98): 257})
    if answer == [257, 99]:
        raise Wrong(
            "In 'abc' both merges fit, and you took the one further left. (98, 99) was learned first, so it goes first: "
            "[97, 256]."
        )
    if answer != [97, 256]:
        raise Wrong(f"With (98, 99) learned before (97, 98), 'abc' is [97, 256]; I got {shown(answer)}.")
    answer = ask("aaa", {(97, 97): 256})
    if answer == [97, 256]:
        raise Wrong("In 'aaa' you began at the right. The leftmost pair goes first: [256, 97].")
    if answer != [256, 97]:
        raise Wrong(f"With (97, 97) → 256, 'aaa' is [256, 97]: each a is used once; I got {shown(answer)}.")
    answer = ask("ñ", {})
    if answer == [241]:
        raise Wrong('241 is the character\'s number in Unicode, as `ord` gives it. Begin with text.encode("utf-8").')
    if answer != [195, 177]:
        raise Wrong(f"Without merges 'ñ' is its two bytes, [195, 177]; I got {shown(answer)}.")
    if ask("ñu", {(195, 177): 256}) != [256, 117]:
        raise Wrong("A merge may join the bytes of one character: with (195, 177) → 256, 'ñu' is [256, 117].")
    if ask("xyz", merges) != [120, 121, 122] or ask("", merges) != []:
        raise Wrong("Where no merge fits the bytes stay as they are, and an empty text has no numbers.")
    return "By rank and not from left to right: you encode as the library does, and decode brings everything back."


@exercise
def check_bits_per_byte(bits_per_byte: Callable[[float, int, str], float]) -> str:
    """Exercise 4: bits per token, the number of tokens and the text to bits for each UTF-8 byte."""
    answer = number(tried(bits_per_byte(8.0, 3, "straws")), "the bits for each byte")  # 24 bits for six bytes
    if near(answer, 24):
        raise Wrong("These are the bits of the whole text. Divide by its number of bytes.")
    if near(answer, 8 / 6):
        raise Wrong("8 bits is the cost of one token, and there are three of them: multiply by the number of tokens.")
    if near(answer, 8 / 3):
        raise Wrong("You divided by the tokens. The bits of all tokens are what the bytes share.")
    if near(answer, 16):
        raise Wrong("You divided by bytes per token the wrong way round: longer tokens must make the number smaller.")
    if near(answer, 24 * math.log(2) / 6) or near(answer, 24 / math.log(2) / 6):
        raise Wrong("These are bits already, no nats: no ln 2 is needed here.")
    if not near(answer, 4):
        raise Wrong(f"Three tokens at 8 bits are 24 bits for the 6 bytes of 'straws': 4.0; I got {shown(answer)}.")
    answer = bits_per_byte(10.0, 7, "né🐕")  # 70 bits for seven bytes
    if near(answer, 70 / 3):
        raise Wrong("You divided by characters. 'né🐕' has 3 characters, but 7 bytes in UTF-8: encode the text first.")
    if not near(answer, 10):
        raise Wrong(f"'né🐕' has 7 bytes, and 7 tokens at 10 bits are 70 bits: 10.0; I got {shown(answer)}.")
    return "Tokens cancel out: now a model that reads bytes can be compared with one that reads words."


@exercise
def check_premium(premium: Callable[[Callable, dict], dict]) -> str:
    """Exercise 5: how many times as many tokens a sentence has in each language as in English."""

    def encode(text: str) -> list[int]:
        """One token per ASCII word with the space before it, one per byte of everything else."""
        return [n for word in text.split() for n in (range(1) if word.isascii() else range(len(word.encode())))]

    sentences = {"Greek": "δύο γάτες", "English": "these are two cats", "German": "zwei Katzen"}  # 16, 4 and 2 tokens
    counts = {language: len(encode(text)) for language, text in sentences.items()}
    answer = call(premium, encode, sentences, changed="You changed the sentences you were given. Only read from them.")
    if not isinstance(answer, dict):
        raise Wrong(f"I expected a dictionary from language to number and got {shown(answer)}.")
    if set(answer) != set(sentences):
        raise Wrong(f"I expected one number for each of {', '.join(sentences)}, English too; I got {shown(answer)}.")

    def like(value: Callable[[str], float]) -> bool:
        return all(near(answer[language], value(language)) for language in sentences)

    if like(lambda language: counts[language]):
        raise Wrong("These are numbers of tokens. Divide each by the number of tokens in English.")
    if like(lambda language: counts["English"] / counts[language]):
        raise Wrong(
            "The division is the wrong way round: Greek needs more tokens than English, so its number is above 1."
        )
    if like(lambda language: counts[language] - counts["English"]):
        raise Wrong("You subtracted. 'How many times as many' asks for a division, and English gets 1.0.")
    if like(lambda language: counts[language] / len(sentences[language].split())):
        raise Wrong("These are tokens per word. Languages put more or less into a word: compare whole sentences.")
    if like(lambda language: counts[language] / len(sentences[language])) or like(
        lambda language: counts[language] / len(sentences[language].encode())
    ):
        raise Wrong("These are tokens per character or byte. The same sentence has another length in each language.")
    if like(lambda language: counts[language] / counts["Greek"]):
        raise Wrong(
            "You compared with the first language of the dictionary. Compare with 'English', wherever it stands."
        )
    if like(lambda language: round(counts[language] / counts["English"])):
        raise Wrong("You rounded to whole numbers: German is 0.5 here. Leave the rounding to the code that prints it.")
    if not like(lambda language: counts[language] / counts["English"]):
        expected = {language: count / counts["English"] for language, count in counts.items()}
        raise Wrong(f"With {counts} tokens I expected {shown(expected, 80)} and got {shown(answer)}.")
    return "The same sentence, another cost. Multiply it by a million requests."
