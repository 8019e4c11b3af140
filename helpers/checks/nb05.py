"""Checks of notebook 05, *Words from bytes*: the five build cells. Those of its exercises are in ``nb05_exercises``."""

import math
from collections.abc import Callable, Mapping

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, near, number, shown

BYTES = {bytes([byte]): byte for byte in range(256)}


@exercise
def check_count_pairs(count_pairs: Callable[[dict], Mapping]) -> str:
    """Build: how often each pair of neighboring pieces occurs, over all words."""

    def ask(words: dict, first: bool = False) -> dict:
        changed = "You changed the dictionary you were given. Only read from it."
        answer = call(count_pairs, words, changed=changed, first=first)
        if isinstance(answer, tuple) and len(answer) == 2:
            raise Wrong("You returned one pair. Return the counts of all pairs: a Counter from pair to how often it occurs.")
        if not isinstance(answer, Mapping):
            raise Wrong(f"I expected a Counter (or a dict) from pair to count and got {shown(answer)}.")
        if any(isinstance(pair, str) for pair in answer):
            raise Wrong("Your keys are texts. Use the pair itself, the tuple (left, right): it still knows its two parts.")
        return {pair: times for pair, times in answer.items() if times}

    def differs(words: dict, expected: dict) -> bool:
        return ask(words) != expected

    words = {("n", "o"): 2, ("n", "o", "w"): 1}
    answer = ask(words, first=True)
    if answer == {("n", "o"): 2, ("o", "w"): 1}:
        raise Wrong("You counted each word once. ('n', 'o') occurs twice as a word, so its pair counts twice: use `times`.")
    if answer == {("n", "o"): 2, ("n", "o", "w"): 1}:
        raise Wrong("You returned the words with their counts. Count the neighbors inside each: zip(pieces, pieces[1:]).")
    if answer == {("n", "o"): 1, ("o", "w"): 1}:
        raise Wrong("You set a count where you should add to it: counts[pair] += times. 'n o' occurs in two of the words.")
    if answer != {("n", "o"): 3, ("o", "w"): 1}:
        raise Wrong(f"In {words} the pair ('n', 'o') occurs 3 times and ('o', 'w') once; I got {shown(answer)}.")
    if differs({("a", "a", "a"): 2}, {("a", "a"): 4}):
        raise Wrong("('a', 'a', 'a') holds the pair ('a', 'a') twice: pairs may overlap. Count every position.")
    if differs({("b", "a"): 1, ("a", "b"): 1}, {("b", "a"): 1, ("a", "b"): 1}):
        raise Wrong("('b', 'a') and ('a', 'b') are two different pairs: keep their order.")
    if differs({("a", "b", "c", "a", "b"): 3}, {("a", "b"): 6, ("b", "c"): 3, ("c", "a"): 3}):
        raise Wrong("In ('a', 'b', 'c', 'a', 'b') there are four pairs, ('a', 'b') twice. Is a length written down as a number?")
    if differs({("a",): 5, ("b", "c"): 1}, {("b", "c"): 1}):
        raise Wrong("You counted a pair across two words. The two pieces of a pair stand side by side in one word.")
    if differs({(b"k", b"no"): 2, (b"no", b"w"): 3}, {(b"k", b"no"): 2, (b"no", b"w"): 3}) or ask({}):
        raise Wrong("A piece may be longer than one letter: with (b'k', b'no') there is one pair, and its parts are pieces.")
    return "Every pair, as often as its words occur. This one table decides what becomes a token."


@exercise
def check_merge(merge: Callable[[tuple, tuple], tuple]) -> str:
    """Build: the pair joined wherever it occurs, from left to right."""

    def ask(pieces: tuple, pair: tuple, first: bool = False) -> tuple:
        answer = call(merge, pieces, pair, changed="You changed what you were given.", first=first)
        if isinstance(answer, list) and answer and all(isinstance(piece, str | bytes) for piece in answer):
            raise Wrong("You returned a list. Return tuple(…) of it: words are keys of a dictionary, which a list cannot be.")
        if not isinstance(answer, tuple) or not all(isinstance(piece, str | bytes) for piece in answer):
            raise Wrong(f"I expected a tuple of pieces and got {shown(answer)}.")
        return answer

    answer = ask(("k", "n", "o", "w"), ("n", "o"), first=True)
    if answer == ("k", "n", "o", "w"):
        raise Wrong("Nothing was merged. Compare tuple(pieces[i : i + 2]), or (pieces[i], pieces[i + 1]), with the pair.")
    if answer == ("k", "no", "o", "w"):
        raise Wrong("You joined the pair and kept its second piece. Step over both: the position moves on by 2.")
    if answer == ("k", "on", "w"):
        raise Wrong("You joined right to left. The left piece comes first: 'n' + 'o'.")
    if answer in (("k", "no"), ("k", "w")):
        raise Wrong(f"A piece got lost: {shown(answer)}. What is not part of the pair stays as it is.")
    if answer != ("k", "no", "w"):
        raise Wrong(f"('k', 'n', 'o', 'w') with the pair ('n', 'o') is ('k', 'no', 'w'); I got {shown(answer)}.")
    answer = ask(("n", "o", "n", "o"), ("n", "o"))
    if answer != ("no", "no"):
        raise Wrong(f"('n', 'o') occurs twice in ('n', 'o', 'n', 'o'), and both are merged; I got {shown(answer)}.")
    answer = ask(("a", "a", "a"), ("a", "a"))
    if answer == ("a", "aa"):
        raise Wrong("In ('a', 'a', 'a') you began at the right. From left to right it is ('aa', 'a').")
    if answer == ("aa", "aa"):
        raise Wrong("You used the middle 'a' twice. What has been merged is used up: ('a', 'a', 'a') becomes ('aa', 'a').")
    if answer != ("aa", "a"):
        raise Wrong(f"('a', 'a', 'a') with the pair ('a', 'a') is ('aa', 'a'); I got {shown(answer)}.")
    if (answer := ask(("b", *"aaaaaaa"), ("a", "a"))) != ("b", "aa", "aa", "aa", "a"):
        raise Wrong(f"A 'b' and seven 'a' become b, aa, aa, aa, a: merge as often as the pair occurs; I got {shown(answer)}.")
    if ask(("no", "w"), ("o", "w")) != ("no", "w") or ask(("a", "no", "w"), ("n", "ow")) != ("a", "no", "w"):
        raise Wrong("You looked into a piece. In ('no', 'w') there is no piece 'o', so the pair ('o', 'w') is not there.")
    if ask((b"k", b"no", b"w"), (b"no", b"w")) != (b"k", b"now") or ask((), ("a", "b")) != ():
        raise Wrong("Pieces are bytes, too: (b'k', b'no', b'w') with (b'no', b'w') is (b'k', b'now'); nothing stays nothing.")
    return "Left to right, each piece used once. Merging shortens the text and never changes it."


@exercise
def check_encode(encode: Callable[[bytes, dict, dict], list]) -> str:
    """Build: the ids of a word, the earliest merge first."""

    def ask(word: str, *pairs: tuple[str, str], first_id: int = 0, backwards: bool = False) -> list:
        merges = [(left.encode(), right.encode()) for left, right in pairs]
        ids = BYTES | {left + right: 256 + rank for rank, (left, right) in enumerate(merges)}
        ids = {piece: first_id + number for piece, number in ids.items()}
        ranks = {pair: rank for rank, pair in enumerate(merges)}
        ranks = dict(reversed(ranks.items())) if backwards else ranks
        changed = "You changed `ranks` or `ids`, as `pop` does. The next word needs them all."
        answer = call(encode, word.encode(), ranks, ids, changed=changed, first=word == "now")
        if isinstance(answer, list | tuple) and answer and all(isinstance(piece, bytes) for piece in answer):
            raise Wrong("You returned the pieces. A model reads numbers: return ids[piece] for each of them.")
        if not isinstance(answer, list | tuple) or not all(isinstance(n, int) and not isinstance(n, bool) for n in answer):
            raise Wrong(f"I expected a list of whole numbers and got {shown(answer)}.")
        return list(answer)

    now = [("n", "o"), ("no", "w")]
    answer = ask("now", *now)
    if answer == [110, 111, 119]:
        raise Wrong("Nothing was merged. Begin with single bytes, then merge as long as one of the pairs is in `ranks`.")
    if answer == [256, 119]:
        raise Wrong("You stopped after one merge. b'no' is next to b'w' now, and that pair is in `ranks`: look again.")
    if answer[:1] == [256] and len(answer) > 2:
        raise Wrong("Two pieces went in, and one of them is still there: your `merge` replaces both.")
    if answer != [257]:
        raise Wrong(f"With the merges n+o (id 256) and no+w (257), 'now' is [257]; I got {shown(answer)}.")
    answer = ask("nono", ("n", "o"))
    if answer in ([256, 110, 111], [110, 111, 256]):
        raise Wrong("n+o occurs in 'nono' twice, and you merged it once. A merge is never used up.")
    if answer != [256, 256]:
        raise Wrong(f"With the merge n+o (id 256), 'nono' is [256, 256]; I got {shown(answer)}.")
    answer = ask("abc", ("a", "b"), ("b", "c"))
    if answer == [97, 257]:
        raise Wrong("You used the merge that was learned last. The lowest rank goes first: 'abc' is [256, 99].")
    if answer != [256, 99]:
        raise Wrong(f"With a+b (id 256) learned before b+c, 'abc' is [256, 99]; I got {shown(answer)}.")
    answer = ask("abc", ("b", "c"), ("a", "b"))
    if answer == [257, 99]:
        raise Wrong(
            "In 'abc' both merges fit, and you took the one further left. b+c was learned first, so it goes first: [97, 256]."
        )
    if answer != [97, 256]:
        raise Wrong(f"With b+c (id 256) learned before a+b, 'abc' is [97, 256]; I got {shown(answer)}.")
    if ask("abc", ("b", "c"), ("a", "b"), backwards=True) != [97, 256]:
        raise Wrong("You took the pairs in the order of the dictionary. The lowest rank goes first: min(pairs, key=ranks.get).")
    if ask("now", *now, first_id=5) != [262] or ask("now", *now[:1], first_id=5) != [261, 124]:
        raise Wrong("An id is not the value of a byte, nor 256 and the rank: look every piece up, ids[piece].")
    answer = ask("abab", ("a", "b"), ("c", "d"), ("ab", "ab"))
    if answer != [258]:
        raise Wrong(f"With a+b (256) and ab+ab (258), 'abab' is [258]: keep on until nothing fits; I got {shown(answer)}.")
    if ask("aaa", ("a", "a")) != [256, 97]:
        raise Wrong("In 'aaa' you began at the right. The leftmost pair goes first: [256, 97].")
    if ask("ñ") != [195, 177] or ask("ñu", ("ñ", "u")) != [195, 177, 117]:
        raise Wrong("'ñ' arrives as two bytes, 195 and 177. Take the bytes of the word one by one, not its characters.")
    if ask("xyz", *now) != [120, 121, 122] or ask("", *now) != []:
        raise Wrong("Where no merge fits, the bytes stay single, and an empty word has no ids.")
    return "By rank and not from left to right: you encode as the library does."


@exercise
def check_decode(decode: Callable[[list, list], str]) -> str:
    """Build: the text of a list of ids; the bytes are joined before they are decoded."""
    pieces = [b"", b"n", b"o", b"s", b"no", b"nos", b"\xc3", b"\xb1", b" ", b"w"]

    def ask(ids: list, stopped: str = "") -> str:
        """Return the answer; ``stopped`` is what to say where only one mistake leaves bytes that are no text."""
        changed = "You changed the list of ids or the pieces. Only read from them."
        try:
            answer = call(decode, ids, pieces, changed=changed, first=ids == [4, 9])
        except UnicodeDecodeError:
            raise Wrong(stopped or "You stopped at bytes that are no text: look at what you decode.") from None
        if isinstance(answer, bytes | bytearray):
            raise Wrong('You returned bytes, and a text was asked for: .decode("utf-8", …) makes it one.')
        if not isinstance(answer, str):
            raise Wrong(f"I expected a text and got {shown(answer)}.")
        return answer

    answer = ask([4, 9])
    if answer.startswith("b'"):
        raise Wrong("You wrote the pieces as Python shows them, with b'…'. Join the bytes themselves: b\"\".join(…).")
    if answer != "now" and "".join(answer.split()) == "now":
        raise Wrong("You put something between the pieces. Spaces are bytes, too, and come by themselves.")
    if answer == chr(4) + chr(9):
        raise Wrong("You took each id for a character, as `chr` does. An id is a position in `pieces`.")
    if answer != "now":
        raise Wrong(f"Ids 4 and 9 are the pieces b'no' and b'w', so the text is 'now'; I got {shown(answer)}.")
    alone = "You decoded each token alone. ñ is two bytes, here in two tokens: join all bytes first, decode once."
    answer = ask([6, 7], stopped=alone)
    if answer == "Ã±":
        raise Wrong("You took each byte for a character. In UTF-8 the bytes 195 and 177 are one: 'ñ'.")
    if "\N{REPLACEMENT CHARACTER}" in answer or not answer:
        raise Wrong(alone)
    if answer != "ñ":
        raise Wrong(f"Ids 6 and 7 are the two bytes of 'ñ' in UTF-8; I got {shown(answer)}.")
    strict = '[1, 6] ends inside a character, as a model\'s reply may: errors="replace" shows a sign and goes on.'
    answer = ask([1, 6], stopped=strict)
    if answer == "n":
        raise Wrong('[1, 6] ends inside a character, and you hid that, as errors="ignore" does. Show the sign �.')
    if answer != "n\N{REPLACEMENT CHARACTER}":
        raise Wrong(f"[1, 6] ends inside a character: 'n�' was expected; I got {shown(answer)}.")
    if (answer := ask([6, 1, 4], stopped=strict)) != "\N{REPLACEMENT CHARACTER}nno":
        raise Wrong(f"A broken byte, then b'n' and b'no', is '�nno': the text goes on after it; I got {shown(answer)}.")
    if ask([]) != "":
        raise Wrong("No ids are no text: for an empty list return an empty text.")
    return "Bytes first, text last. So a model can write any character there is, even one that no token holds."


@exercise
def check_bits_per_byte(bits_per_byte: Callable[[float, str], float]) -> str:
    """Build: the nats of a whole text to bits for each of its UTF-8 bytes."""
    nats = 24 * math.log(2)  # 24 bits for six bytes
    answer = number(tried(bits_per_byte(nats, "straws")), "the bits for each byte")
    if near(answer, 24):
        raise Wrong("These are the bits of the whole text. Divide by its number of bytes.")
    if near(answer, nats):
        raise Wrong("You returned the nats as they came. Convert them to bits, and divide by the number of bytes.")
    if near(answer, nats / 6):
        raise Wrong("These are nats for each byte. A bit is ln 2 nats: divide by math.log(2).")
    if near(answer, nats * math.log(2) / 6):
        raise Wrong("You multiplied by ln 2. A nat is more than a bit, so the number of bits is larger: divide.")
    if near(answer, 6 / 24):
        raise Wrong("The division is the wrong way around: bits for each byte are bits divided by bytes.")
    if not near(answer, 4):
        raise Wrong(f"{nats:.4f} nats are 24 bits, for the 6 bytes of 'straws': 4.0; I got {shown(answer)}.")
    answer = bits_per_byte(70 * math.log(2), "né🐕")  # 70 bits for seven bytes
    if near(answer, 70 / 3):
        raise Wrong("You divided by characters. 'né🐕' has 3 characters, but 7 bytes in UTF-8: encode the text first.")
    if not near(answer, 10):
        raise Wrong(f"'né🐕' has 7 bytes, and 70 bits for them are 10.0; I got {shown(answer)}.")
    answer = bits_per_byte(10 * math.log(2), "know")  # 2.5 bits for each byte: no whole number
    if not near(answer, 2.5):
        raise Wrong(f"10 bits for the 4 bytes of 'know' are 2.5: round nothing and write no number down; I got {shown(answer)}.")
    return "The tokens cancel out: a model that reads bytes can now be compared with one that reads words."
