"""Checks of notebook 05, *Words from bytes*."""

import math
from collections.abc import Callable

from . import Wrong, exercise, shown, tried


def _plain(value) -> str:
    """Show a tensor as a list: its repr can take more than one line."""
    return shown(value.tolist() if hasattr(value, "tolist") else value)


def _number(value) -> float:
    """Return a number as a float; NaN for what is no number, which is close to nothing."""
    try:
        return math.nan if isinstance(value, str | bool) or value is None else float(value)
    except (TypeError, ValueError, RuntimeError):  # RuntimeError: a tensor of many numbers
        return math.nan


def _close(a, b: float) -> bool:
    return math.isclose(_number(a), b, rel_tol=1e-6, abs_tol=1e-9)


@exercise
def check_next_pair(next_pair: Callable[[dict], tuple]) -> str:
    """Exercise 1: the pair of neighbouring letters that occurs most often; ties by the alphabet."""

    def ask(words: dict) -> tuple:
        kept = dict(words)
        answer = next_pair(words)
        if kept == {"no": 2, "now": 1}:  # the first question: later a None is a forgotten return
            tried(answer)
        if words != kept:
            raise Wrong("You changed the dictionary you were given. Only read from it.")
        if isinstance(answer, str):
            raise Wrong(f"I expected a pair, a tuple of two letters such as ('n', 'o'), and got the text {answer!r}.")
        if isinstance(answer, tuple | list) and len(answer) == 2 and isinstance(answer[0], tuple):
            raise Wrong("You returned the pair together with its count. Return the pair alone.")
        if not isinstance(answer, tuple | list) or [len(p) if isinstance(p, str) else 0 for p in answer] != [1, 1]:
            raise Wrong(f"I expected a tuple of two letters and got {_plain(answer)}.")
        return tuple(answer)

    answer = ask({"no": 2, "now": 1})
    if answer != ("n", "o"):
        raise Wrong(f"In {{'no': 2, 'now': 1}}, n and o stand side by side three times; I got {answer}.")
    answer = ask({"ab": 1, "cd": 3})
    if answer == ("a", "b"):
        raise Wrong("You counted each word once. 'cd' occurs three times, so its pair counts three times.")
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
        raise Wrong("'aaa' holds ('a', 'a') twice: pairs may overlap when they are counted. Look at every place.")
    if ask({"a": 5, "b": 5, "cd": 1}) != ("c", "d"):
        raise Wrong("You counted a pair across two words. The letters of a pair stand side by side in one word.")
    return "Counted as often as the words occur, and a tie has one winner: the same text always gives the same merges."


@exercise
def check_merge_numbers(merge_numbers: Callable[[list, tuple, int], list]) -> str:
    """Exercise 2: a pair of numbers replaced by a new one, in one pass from left to right."""

    def ask(ids: list, pair: tuple, new: int) -> list:
        kept = list(ids)
        answer = merge_numbers(ids, pair, new)
        if kept == [5, 1, 2, 7]:  # the first question
            tried(answer)
        if ids != kept:
            raise Wrong("You changed the list you were given. Build a new one; the caller may need the old one.")
        if not isinstance(answer, list | tuple) or not all(isinstance(number, int) for number in answer):
            raise Wrong(f"I expected a list of whole numbers and got {_plain(answer)}.")
        return list(answer)

    answer = ask([5, 1, 2, 7], (1, 2), 300)
    if answer == [5, 1, 2, 7]:
        raise Wrong("Nothing was merged: in [5, 1, 2, 7] the pair (1, 2) stands in the middle.")
    if answer in ([5, 300], [300, 7], [300]):
        raise Wrong("Something was lost: what does not belong to the pair, at the beginning and at the end, must stay.")
    if answer == [5, 300, 2, 7]:
        raise Wrong("The 2 is still there: two numbers went in, one comes out, so step over both.")
    if answer != [5, 300, 7]:
        raise Wrong(f"[5, 1, 2, 7] with (1, 2) → 300 is [5, 300, 7]; I got {_plain(answer)}.")
    answer = ask([1, 2, 1, 2], (1, 2), 300)
    if answer in ([300, 1, 2], [1, 2, 300]):
        raise Wrong("The pair stands there twice, and you merged it once. Go on to the end of the list.")
    if answer != [300, 300]:
        raise Wrong(f"[1, 2, 1, 2] with (1, 2) → 300 is [300, 300]; I got {_plain(answer)}.")
    answer = ask([1, 1, 1], (1, 1), 300)
    if answer == [300, 300]:
        raise Wrong(
            "In [1, 1, 1] you used the middle number twice. What has been merged is gone: the result is [300, 1]."
        )
    if answer == [1, 300]:
        raise Wrong("You merged from the right. From left to right [1, 1, 1] becomes [300, 1].")
    if answer != [300, 1]:
        raise Wrong(f"[1, 1, 1] with (1, 1) → 300 is [300, 1]; I got {_plain(answer)}.")
    answer = ask([2, 1, 3], (1, 2), 300)
    if answer != [2, 1, 3]:
        raise Wrong("(2, 1) is not the pair (1, 2), the order counts, and [2, 1, 3] should stay as it is.")
    answer = ask([21, 12, 1, 23], (1, 2), 300)
    if answer != [21, 12, 1, 23]:
        raise Wrong("21 followed by 12 is not the pair (1, 2). Compare numbers, not their digits in a text.")
    if ask([], (1, 2), 300) != [] or ask([1], (1, 2), 300) != [1]:
        raise Wrong("A list of one number, or of none, has no pair and comes back as it is.")
    return "One pass, nothing twice and nothing lost. Repeat it once per merge, and you have an encoder."


@exercise
def check_cut(cut: Callable[[str, list], list]) -> str:
    """Exercise 3: a word cut into pieces, the earliest merge first."""

    def ask(word: str, merges: list) -> list:
        kept = list(merges)
        answer = cut(word, merges)
        if word == "now":  # the first question
            tried(answer)
        if merges != kept:
            raise Wrong("You changed the list of merges, as `pop` and `remove` do. The next word needs it whole.")
        if not isinstance(answer, list | tuple) or not all(isinstance(piece, str) for piece in answer):
            raise Wrong(f"I expected a list of pieces of text and got {_plain(answer)}.")
        if "".join(answer) != word:
            raise Wrong(f"Put together, the pieces must be the word {word!r} again; I got {_plain(answer)}.")
        return list(answer)

    merges = [("n", "o"), ("no", "w")]
    answer = ask("now", merges)
    if answer == ["n", "o", "w"]:
        raise Wrong("Nothing was merged. Begin with letters, then join pairs as long as one of the merges fits.")
    if answer == ["no", "w"]:
        raise Wrong("You stopped after one merge. 'no' is a piece now, and ('no', 'w') is a merge: look again.")
    if answer != ["now"]:
        raise Wrong(f"With {merges}, 'now' becomes ['now']; I got {_plain(answer)}.")
    answer = ask("abab", [("a", "b")])
    if answer in (["ab", "a", "b"], ["a", "b", "ab"]):
        raise Wrong("('a', 'b') stands in 'abab' twice, and you joined it once. A merge is never used up.")
    if answer != ["ab", "ab"]:
        raise Wrong(f"With [('a', 'b')], 'abab' becomes ['ab', 'ab']; I got {_plain(answer)}.")
    answer = ask("abc", [("a", "b"), ("b", "c")])
    if answer == ["a", "bc"]:
        raise Wrong("You used the merge that was learnt last. The one learnt first goes first: ['ab', 'c'].")
    if answer != ["ab", "c"]:
        raise Wrong(f"With ('a', 'b') learnt before ('b', 'c'), 'abc' becomes ['ab', 'c']; I got {_plain(answer)}.")
    answer = ask("abc", [("b", "c"), ("a", "b")])
    if answer == ["ab", "c"]:
        raise Wrong(
            "In 'abc' both merges fit, and you took the one further left. ('b', 'c') was learnt first, so it goes first: "
            "['a', 'bc']."
        )
    if answer != ["a", "bc"]:
        raise Wrong(f"With ('b', 'c') learnt before ('a', 'b'), 'abc' becomes ['a', 'bc']; I got {_plain(answer)}.")
    answer = ask("aaa", [("a", "a")])
    if answer != ["aa", "a"]:
        raise Wrong(f"'aaa' with ('a', 'a') becomes ['aa', 'a'], the leftmost place first; I got {_plain(answer)}.")
    if ask("xyz", merges) != ["x", "y", "z"] or ask("", merges) != []:
        raise Wrong("Where no merge fits the letters stay as they are, and an empty word has no pieces.")
    return "By rank and not from left to right: you cut as the library cuts."


@exercise
def check_bits_per_byte(bits_per_byte: Callable[[float, int, str], float]) -> str:
    """Exercise 4: bits per token, the number of tokens and the text to bits for each UTF-8 byte."""
    answer = tried(bits_per_byte(8.0, 3, "straws"))  # 24 bits for six bytes
    if math.isnan(_number(answer)):
        raise Wrong(f"I expected one number, the bits for each byte, and got {_plain(answer)}.")
    if _close(answer, 24):
        raise Wrong("These are the bits of the whole text. Divide by its number of bytes.")
    if _close(answer, 8 / 6):
        raise Wrong("8 bits is the price of one token, and there are three of them: multiply by the number of tokens.")
    if _close(answer, 8 / 3):
        raise Wrong("You divided by the tokens. The bits of all tokens together are what the bytes have to share.")
    if _close(answer, 16):
        raise Wrong("You divided by bytes per token the wrong way round: longer tokens must make the number smaller.")
    if _close(answer, 24 * math.log(2) / 6) or _close(answer, 24 / math.log(2) / 6):
        raise Wrong("These are bits already, no nats: no ln 2 is needed here.")
    if not _close(answer, 4):
        raise Wrong(f"Three tokens at 8 bits are 24 bits for the 6 bytes of 'straws': 4.0; I got {_plain(answer)}.")
    answer = bits_per_byte(10.0, 7, "né🐕")  # 70 bits for seven bytes
    if _close(answer, 70 / 3):
        raise Wrong("You counted characters. 'né🐕' has 3 characters, but 7 bytes in UTF-8: encode the text first.")
    if not _close(answer, 10):
        raise Wrong(f"'né🐕' has 7 bytes, and 7 tokens at 10 bits are 70 bits: 10.0; I got {_plain(answer)}.")
    return "Tokens cancel out: now a model that reads bytes can be compared with one that reads words."


@exercise
def check_premium(premium: Callable[[Callable, dict], dict]) -> str:
    """Exercise 5: how many times as many tokens a sentence has in each language as in English."""

    def encode(text: str) -> list[int]:
        """One token per ASCII word with the space before it, one per byte of everything else."""
        return [n for word in text.split() for n in (range(1) if word.isascii() else range(len(word.encode())))]

    sentences = {"Greek": "δύο γάτες", "English": "these are two cats", "German": "zwei Katzen"}  # 16, 4 and 2 tokens
    counts = {language: len(encode(text)) for language, text in sentences.items()}
    kept = dict(sentences)
    answer = tried(premium(encode, sentences))
    if sentences != kept:
        raise Wrong("You changed the sentences you were given. Only read from them.")
    if not isinstance(answer, dict):
        raise Wrong(f"I expected a dictionary from language to number and got {_plain(answer)}.")
    if set(answer) != set(sentences):
        raise Wrong(f"I expected one number for each of {', '.join(sentences)}, English too; I got {shown(answer)}.")

    def like(value: Callable[[str], float]) -> bool:
        return all(_close(answer[language], value(language)) for language in sentences)

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
        raise Wrong("You rounded to whole numbers: German is 0.5 here. Leave the rounding to whoever prints it.")
    if not like(lambda language: counts[language] / counts["English"]):
        expected = {language: count / counts["English"] for language, count in counts.items()}
        raise Wrong(f"With {counts} tokens I expected {shown(expected, 80)} and got {shown(answer)}.")
    return "The same sentence, another price. Multiply it by a million requests."
