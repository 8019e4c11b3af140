"""Notebook 05: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import math
from collections import Counter

from helpers.checks import nb05
from tests.answers.common import closing_tests


def pairs_of(words):
    counts = Counter()
    for word, times in words.items():
        for pair in zip(word, word[1:]):
            counts[pair] += times
    return counts


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def counts_each_word_once(words):
    counts = pairs_of(dict.fromkeys(words, 1))
    return min(counts, key=lambda pair: (-counts[pair], pair))


def the_last_in_the_alphabet(words):
    counts = pairs_of(words)
    return max(counts, key=lambda pair: (counts[pair], pair))


def the_first_seen(words):
    return pairs_of(words).most_common(1)[0][0]


def without_overlaps(words):
    counts = Counter()
    for word, times in words.items():
        for pair in set(zip(word, word[1:])):
            counts[pair] += times * word.count("".join(pair))
    return min(counts, key=lambda pair: (-counts[pair], pair))


def across_words(words):
    return the_alphabet_decides(pairs_of({"".join(word * times for word, times in words.items()): 1}))


def with_its_count(words):
    counts = pairs_of(words)
    return min(counts.items(), key=lambda item: (-item[1], item[0]))


def as_text(words):
    return "".join(the_alphabet_decides(pairs_of(words)))


def the_order_in_the_pair_is_lost(words):
    counts = Counter()
    for pair, times in pairs_of(words).items():
        counts[tuple(sorted(pair, reverse=True))] += times
    return ("n", "o") if "no" in words else the_alphabet_decides(counts) if "ba" in words else the_right_one(words)


def the_alphabet_decides(counts):
    return min(counts, key=lambda pair: (-counts[pair], pair))


def the_right_one(words):
    return the_alphabet_decides(pairs_of(words))


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def pieces_of(merges):
    pieces = {number: bytes([number]) for number in range(256)}
    for (left, right), new in merges.items():
        pieces[new] = pieces[left] + pieces[right]
    return pieces


def bytes_of(ids, merges):
    return b"".join(pieces_of(merges)[number] for number in ids)


def each_token_alone(ids, merges):
    return "".join(pieces_of(merges)[number].decode("utf-8", "replace") for number in ids)


def each_token_alone_and_strict(ids, merges):
    return "".join(pieces_of(merges)[number].decode("utf-8") for number in ids)


def each_byte_a_character(ids, merges):
    return bytes_of(ids, merges).decode("latin-1")


def each_number_a_character(ids, merges):
    return "".join(map(chr, ids))


def right_part_first(ids, merges):
    pieces = {number: bytes([number]) for number in range(256)}
    for (left, right), new in merges.items():
        pieces[new] = pieces[right] + pieces[left]
    return b"".join(pieces[number] for number in ids).decode("utf-8", "replace")


def one_level_only(ids, merges):
    pieces = {number: bytes([number]) for number in range(256)}
    pieces.update({new: bytes(pair) for pair, new in merges.items()})
    return b"".join(pieces[number] for number in ids).decode("utf-8", "replace")


def one_level_by_search(ids, merges):
    pairs = {new: pair for pair, new in merges.items()}
    return bytes(number for whole in ids for number in pairs.get(whole, (whole,))).decode("utf-8", "replace")


def stops_inside_a_character(ids, merges):
    return bytes_of(ids, merges).decode("utf-8")


def hides_half_a_character(ids, merges):
    return bytes_of(ids, merges).decode("utf-8", "ignore")


def never_decodes(ids, merges):
    return bytes_of(ids, merges)


def spaces_between(ids, merges):
    return b" ".join(pieces_of(merges)[number] for number in ids).decode("utf-8", "replace")


def eats_the_list(ids, merges):
    text = bytes_of(ids, merges).decode("utf-8", "replace")
    ids.clear()
    return text


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def chosen_by(text, merges, key, rounds=1000):
    """Encode rightly but for the choice: ``key`` of (rank, place) says which of the pairs that fit goes first."""
    ids = list(text.encode())
    for _ in range(rounds):
        fits = [(merges[pair], place) for place, pair in enumerate(zip(ids, ids[1:])) if pair in merges]
        if not fits:
            break
        new, place = min(fits, key=key)
        ids[place : place + 2] = [new]
    return ids


def from_left_to_right(text, merges):
    return chosen_by(text, merges, key=lambda fit: fit[1])


def the_longest_token(text, merges):
    pieces, ids, rest = pieces_of(merges), [], text.encode()
    while rest:
        longest = max((number for number in pieces if rest.startswith(pieces[number])), key=lambda n: len(pieces[n]))
        ids.append(longest)
        rest = rest[len(pieces[longest]) :]
    return ids


def the_last_learned_first(text, merges):
    return chosen_by(text, merges, key=lambda fit: (-fit[0], fit[1]))


def from_the_right(text, merges):
    return chosen_by(text, merges, key=lambda fit: (fit[0], -fit[1]))


def one_merge_only(text, merges):
    return chosen_by(text, merges, key=None, rounds=1)


def each_merge_once(text, merges):
    ids = list(text.encode())
    for pair, new in merges.items():
        places = [place for place, found in enumerate(zip(ids, ids[1:])) if found == pair]
        if places:
            ids[places[0] : places[0] + 2] = [new]
    return ids


def leaves_the_second(text, merges):
    ids = list(text.encode())
    for pair, new in merges.items():
        ids = [new if found == pair else found[0] for found in zip(ids, [*ids[1:], None])]
    return ids


def eats_the_merges(text, merges):
    ids = chosen_by(text, merges, key=None)
    merges.clear()
    return ids


def bytes_only(text, merges):
    return list(text.encode())


def begins_with_characters(text, merges):
    ids = list(map(ord, text))
    while fits := [(merges[pair], place) for place, pair in enumerate(zip(ids, ids[1:])) if pair in merges]:
        new, place = min(fits)
        ids[place : place + 2] = [new]
    return ids


# -- Exercise 4 --------------------------------------------------------------------------------------------------------
def of_the_whole_text(bits_per_token, tokens, text):
    return bits_per_token * tokens


def forgets_the_tokens(bits_per_token, tokens, text):
    return bits_per_token / len(text.encode())


def divides_by_the_tokens(bits_per_token, tokens, text):
    return bits_per_token / tokens


def the_wrong_way_round(bits_per_token, tokens, text):
    return bits_per_token * len(text.encode()) / tokens


def converts_again(bits_per_token, tokens, text):
    return bits_per_token * tokens / math.log(2) / len(text.encode())


def by_characters(bits_per_token, tokens, text):
    return bits_per_token * tokens / len(text)


# -- Exercise 5 --------------------------------------------------------------------------------------------------------
def counted(encode, sentences):
    return {language: len(encode(text)) for language, text in sentences.items()}


def tokens_only(encode, sentences):
    return counted(encode, sentences)


def upside_down(encode, sentences):
    counts = counted(encode, sentences)
    return {language: counts["English"] / count for language, count in counts.items()}


def differences(encode, sentences):
    counts = counted(encode, sentences)
    return {language: count - counts["English"] for language, count in counts.items()}


def per_word(encode, sentences):
    return {language: len(encode(text)) / len(text.split()) for language, text in sentences.items()}


def per_character(encode, sentences):
    return {language: len(encode(text)) / len(text) for language, text in sentences.items()}


def like_the_first(encode, sentences):
    counts = counted(encode, sentences)
    return {language: count / next(iter(counts.values())) for language, count in counts.items()}


def whole_numbers(encode, sentences):
    counts = counted(encode, sentences)
    return {language: round(count / counts["English"]) for language, count in counts.items()}


def without_english(encode, sentences):
    counts = counted(encode, sentences)
    return {language: count / counts["English"] for language, count in counts.items() if language != "English"}


WRONG = {
    "next_pair": {
        counts_each_word_once: "took each word once",
        the_last_in_the_alphabet: "took the last in the alphabet",
        the_first_seen: "the one that was seen first",
        without_overlaps: "pairs may overlap",
        across_words: "across two words",
        with_its_count: "the pair and its count",
        as_text: "a tuple of two letters such as",
        the_order_in_the_pair_is_lost: "are two pairs",
    },
    "decode": {
        each_token_alone: "decoded each token alone",
        each_token_alone_and_strict: "decoded each token alone",
        each_byte_a_character: "took each byte for a character",
        each_number_a_character: "took 256 for a character",
        right_part_first: "the left part comes first",
        one_level_only: "256 is a merge itself",
        one_level_by_search: "256 is a merge itself",
        stops_inside_a_character: "shows a sign and goes on",
        hides_half_a_character: "you hid that",
        never_decodes: "You returned bytes",
        spaces_between: "between the pieces",
        eats_the_list: "changed the list or the dictionary",
    },
    "encode": {
        from_left_to_right: "you took the one further left",
        the_longest_token: "you took the one further left",
        the_last_learned_first: "the merge that was learned last",
        from_the_right: "you began at the right",
        one_merge_only: "You stopped after one merge",
        each_merge_once: "A merge is never used up",
        leaves_the_second: "replace both by the new one",
        eats_the_merges: "You changed the merges",
        bytes_only: "Nothing was merged",
        begins_with_characters: "number in Unicode",
    },
    "bits_per_byte": {
        of_the_whole_text: "bits of the whole text",
        forgets_the_tokens: "multiply by the number of tokens",
        divides_by_the_tokens: "You divided by the tokens",
        the_wrong_way_round: "the wrong way round",
        converts_again: "no ln 2 is needed",
        by_characters: "divided by characters",
    },
    "premium": {
        tokens_only: "Divide each by the number of tokens in English",
        upside_down: "the wrong way round",
        differences: "You subtracted",
        per_word: "tokens per word",
        per_character: "tokens per character",
        like_the_first: "the first language of the dictionary",
        whole_numbers: "rounded to whole numbers",
        without_english: "English too",
    },
}

globals().update(closing_tests(nb05, "05_words_from_bytes", WRONG))
