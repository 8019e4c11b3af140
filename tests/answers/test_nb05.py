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
def merged(ids, pair, new):
    result, place = [], 0
    while place < len(ids):
        found = tuple(ids[place : place + 2]) == pair
        result.append(new if found else ids[place])
        place += 2 if found else 1
    return result


def uses_the_middle_twice(ids, pair, new):
    result, used = [], False
    for place in range(len(ids)):
        found = tuple(ids[place : place + 2]) == pair
        if found or not used:
            result.append(new if found else ids[place])
        used = found
    return result


def leaves_the_second(ids, pair, new):
    return [new if tuple(ids[place : place + 2]) == pair else ids[place] for place in range(len(ids))]


def loses_the_last(ids, pair, new):
    result, place = [], 0
    while place < len(ids) - 1:
        found = tuple(ids[place : place + 2]) == pair
        result.append(new if found else ids[place])
        place += 2 if found else 1
    return result


def only_the_first_place(ids, pair, new):
    for place in range(len(ids) - 1):
        if tuple(ids[place : place + 2]) == pair:
            return [*ids[:place], new, *ids[place + 2 :]]
    return list(ids)


def from_the_right(ids, pair, new):
    return merged(ids[::-1], pair[::-1], new)[::-1]


def in_place(ids, pair, new):
    ids[:] = merged(ids, pair, new)
    return ids


def in_any_order(ids, pair, new):
    result, place = [], 0
    while place < len(ids):
        found = sorted(ids[place : place + 2]) == sorted(pair)
        result.append(new if found else ids[place])
        place += 2 if found else 1
    return result


def as_digits(ids, pair, new):
    text = ",".join(map(str, ids)).replace(",".join(map(str, pair)), str(new))
    return [int(number) for number in text.split(",") if number]


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def joined(pieces, place):
    return [*pieces[:place], pieces[place] + pieces[place + 1], *pieces[place + 2 :]]


def chosen_by(word, merges, key, rounds=1000):
    pieces = list(word)
    for _ in range(rounds):
        fits = [(merges.index(pair), place) for place, pair in enumerate(zip(pieces, pieces[1:])) if pair in merges]
        if not fits:
            break
        pieces = joined(pieces, min(fits, key=key)[1])
    return pieces


def from_left_to_right(word, merges):
    return chosen_by(word, merges, key=lambda fit: fit[1])


def the_longest_token(word, merges):
    tokens, pieces = {*word, *map("".join, merges)}, []
    while word:
        longest = max((word[:end] for end in range(1, len(word) + 1) if word[:end] in tokens), key=len)
        pieces.append(longest)
        word = word[len(longest) :]
    return pieces


def the_last_learnt_first(word, merges):
    return chosen_by(word, merges, key=lambda fit: (-fit[0], fit[1]))


def one_merge_only(word, merges):
    return chosen_by(word, merges, key=None, rounds=1)


def each_merge_once(word, merges):
    pieces = list(word)
    for pair in merges:
        places = [place for place, found in enumerate(zip(pieces, pieces[1:])) if found == pair]
        pieces = joined(pieces, places[0]) if places else pieces
    return pieces


def eats_the_merges(word, merges):
    pieces = chosen_by(word, merges, key=None)
    merges.clear()
    return pieces


def letters_only(word, merges):
    return list(word)


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
        counts_each_word_once: "counted each word once",
        the_last_in_the_alphabet: "took the last in the alphabet",
        the_first_seen: "the one that was seen first",
        without_overlaps: "pairs may overlap when they are counted",
        across_words: "across two words",
        with_its_count: "together with its count",
        as_text: "a tuple of two letters such as",
        the_order_in_the_pair_is_lost: "are two pairs",
    },
    "merge_numbers": {
        uses_the_middle_twice: "used the middle number twice",
        leaves_the_second: "so step over both",
        loses_the_last: "Something was lost",
        only_the_first_place: "you merged it once",
        from_the_right: "merged from the right",
        in_place: "changed the list you were given",
        in_any_order: "the order counts",
        as_digits: "not their digits",
    },
    "cut": {
        from_left_to_right: "you took the one further left",
        the_longest_token: "you took the one further left",
        the_last_learnt_first: "the merge that was learnt last",
        one_merge_only: "You stopped after one merge",
        each_merge_once: "A merge is never used up",
        eats_the_merges: "changed the list of merges",
        letters_only: "Nothing was merged",
    },
    "bits_per_byte": {
        of_the_whole_text: "bits of the whole text",
        forgets_the_tokens: "multiply by the number of tokens",
        divides_by_the_tokens: "You divided by the tokens",
        the_wrong_way_round: "the wrong way round",
        converts_again: "no ln 2 is needed",
        by_characters: "counted characters",
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
