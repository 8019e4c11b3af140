"""Checks of the exercises of notebook 05, *Words from bytes*; those of its build cells are in ``nb05``."""

from collections.abc import Callable

import numpy as np

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, near, shown


@exercise
def check_split_digits(split_digits: Callable[[list], list]) -> str:
    """Exercise 1: pre-tokenized words, each digit a word of its own."""

    def ask(words: list, first: bool = False) -> list:
        answer = call(split_digits, words, changed="You changed the list you were given. Build a new one.", first=first)
        if isinstance(answer, bytes) or (isinstance(answer, list | tuple) and any(isinstance(part, int) for part in answer)):
            raise Wrong("A byte taken out of bytes is a number: b'16'[0] is 49. bytes([49]) is the digit again.")
        if not isinstance(answer, list | tuple) or not all(isinstance(part, bytes) for part in answer):
            raise Wrong(f"I expected a list of bytes and got {shown(answer)}.")
        if words and b"".join(answer) != b"".join(words):
            raise Wrong(f"The words no longer add up to the text: {shown(words)} became {shown(answer)}.")
        return list(answer)

    answer = ask([b"in", b"2016", b"!"], first=True)
    if answer == [b"in", b"2016", b"!"]:
        raise Wrong("Nothing was cut. bytes have .isdigit(), as texts have.")
    if answer == [b"i", b"n", b"2", b"0", b"1", b"6", b"!"]:
        raise Wrong("You cut every word into bytes. Only digits stand alone; b'in' stays one word.")
    if answer == [b"in", b"201", b"6", b"!"]:
        raise Wrong("You cut into threes, as some newer tokenizers do. Here each digit is a word of its own.")
    if answer != [b"in", b"2", b"0", b"1", b"6", b"!"]:
        raise Wrong(f"[b'in', b'2016', b'!'] is [b'in', b'2', b'0', b'1', b'6', b'!']; I got {shown(answer)}.")
    answer = ask([b"in", b" 2016"])
    if answer == [b"in", b" 2016"]:
        raise Wrong("You missed the number with a space before it: b' 2016'.isdigit() is False. Look without the space.")
    if answer == [b"in", b" 2", b"0", b"1", b"6"]:
        raise Wrong("The first digit kept its space, so ' 2' and '2' are two tokens again. Let the space stand alone.")
    if answer != [b"in", b" ", b"2", b"0", b"1", b"6"]:
        raise Wrong(f"b' 2016' is a space and four digits, five words; I got {shown(answer)}.")
    answer = ask([b" 142", b"\n", b"7", b" 1000000"])
    if answer != [b" ", b"1", b"4", b"2", b"\n", b"7", b" ", b"1", *[b"0"] * 6]:
        raise Wrong(f"Numbers of one, three or seven digits are cut, too: is a length written down? I got {shown(answer, 90)}.")
    if ask([b" ", b"\n"]) != [b" ", b"\n"] or ask([]) != []:
        raise Wrong("White space without digits stays as it is, and no words stay no words.")
    return "Now 2016 is the same four tokens everywhere, and no merge can ever join two digits."


@exercise
def check_encode_with_dropout(encode_with_dropout: Callable) -> str:
    """Exercise 3: BPE-dropout; at every step each merge that fits is left out with a probability."""
    merges = [(b"n", b"o"), (b"no", b"w"), (b"k", b"now"), (b"o", b"x"), (b"e", b"n")]
    ids = {bytes([byte]): byte for byte in range(256)} | {left + right: 256 + i for i, (left, right) in enumerate(merges)}
    ranks, pieces = {pair: rank for rank, pair in enumerate(merges)}, {number: piece for piece, number in ids.items()}

    def ask(word: bytes, dropout: float, rng, first: bool = False) -> list:
        changed = "You changed `ranks` or `ids`. The next word needs them all."
        kept = dict(ranks), dict(ids)
        answer = encode_with_dropout(word, ranks, ids, dropout, rng)
        answer = call(lambda: answer, changed="", first=first)
        if (ranks, ids) != kept:
            ranks.update(kept[0]), ids.update(kept[1])
            raise Wrong(changed)
        if isinstance(answer, list | tuple) and answer and all(isinstance(piece, bytes) for piece in answer):
            raise Wrong("You returned the pieces. Return ids[piece] for each of them.")
        if not isinstance(answer, list | tuple) or not all(number in pieces for number in answer):
            raise Wrong(f"I expected a list of token ids and got {shown(answer)}.")
        if b"".join(pieces[number] for number in answer) != word:
            raise Wrong(f"The pieces no longer add up to the word: {word!r} became {shown(answer)}.")
        return list(answer)

    answer = ask(b"know", 0.0, np.random.default_rng(0), first=True)
    if answer == [107, 110, 111, 119]:
        raise Wrong("With dropout 0 no merge is left out. Keep a pair when rng.random() >= dropout, not the other way around.")
    if answer != [258]:
        raise Wrong(f"With dropout 0 this is `encode`: b'know' is [258]; I got {shown(answer)}.")
    if ask(b"know", 1.0, np.random.default_rng(0)) != [107, 110, 111, 119]:
        raise Wrong("With dropout 1 every merge is left out, so b'know' stays four bytes. Yours merged.")
    one, two = (np.random.default_rng(seed) for seed in (1, 1))
    first, second = ([ask(b"know now", 0.5, rng) for _ in range(60)] for rng in (one, two))
    if first != second:
        raise Wrong("The same seed gave two different results: take every random number from `rng`.")
    lengths = {len(ask(b"know", 0.5, rng)) for rng in [np.random.default_rng(2)] for _ in range(300)}
    if len(lengths) == 1:
        raise Wrong("With dropout 0.5 the same word must be cut in different ways. Yours is always cut the same.")
    if lengths == {1, 4}:
        raise Wrong("You decide once for the whole word: all merges or none. Decide for every fitting pair, at every step.")
    if lengths != {1, 2, 3, 4}:
        raise Wrong(f"With dropout 0.5 b'know' may have 1, 2, 3 or 4 tokens; in 300 tries yours had {shown(sorted(lengths))}.")
    alone = sum(len(ask(b"oxen", 0.2, rng)) == 4 for rng in [np.random.default_rng(3)] for _ in range(400))
    if alone > 45:  # 400 · 0.2² = 16 of two pairs that are left out independently, 400 · 0.2 = 80 of one number for both
        raise Wrong(f"Of b'oxen' two pairs fit, and with dropout 0.2 both were left out {alone} times in 400, not about 16: "
                    "call rng.random() once for each pair, with `dropout` and no other number.")  # fmt: skip
    return "The same word in many cuts: a model that is trained on them learns how its tokens are spelled."


@exercise
def check_premium(premium: Callable[[Callable, dict], dict]) -> str:
    """Exercise 2: how many times as many tokens a sentence has in each language as in English."""

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
            "The division is the wrong way around: Greek needs more tokens than English, so its number is above 1."
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
    other = {"French": "deux chats noirs", "Spanish": "dos", "English": "two big black cats of a friend", "Czech": "dvě"}
    answer = call(premium, encode, other, changed="You changed the sentences you were given. Only read from them.", first=False)
    if not isinstance(answer, dict) or not all(near(answer.get(name), len(encode(other[name])) / 7) for name in other):
        raise Wrong(f"With 3, 1, 7 (English) and 4 tokens I expected 3/7, 1/7, 1 and 4/7, unrounded; got {shown(answer, 90)}.")
    return "The same sentence, another cost. Multiply it by a million requests."
