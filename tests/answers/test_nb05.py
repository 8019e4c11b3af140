"""Notebook 05: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import math
from collections import Counter
from types import SimpleNamespace

import numpy as np

from helpers.checks import nb05, nb05_exercises
from tests.answers.common import closing_tests


# -- Build: count_pairs ------------------------------------------------------------------------------------------------
def pairs_of(words):
    counts = Counter()
    for word, times in words.items():
        for pair in zip(word, word[1:]):
            counts[pair] += times
    return counts


def counts_each_word_once(words):
    return pairs_of(dict.fromkeys(words, 1))


def the_most_frequent_pair_alone(words):
    return max(pairs_of(words), key=pairs_of(words).get, default=("n", "o"))


def a_list_of_counts(words):
    return pairs_of(words).most_common()


def keys_joined_to_text(words):
    return Counter({left + right: times for (left, right), times in pairs_of(words).items()})


def sets_instead_of_adding(words):
    return {pair: 1 for word in words for pair in zip(word, word[1:])}


def without_overlaps(words):
    counts = Counter()
    for word, times in words.items():
        for pair in set(zip(word, word[1:])):
            counts[pair] += times
    return counts


def the_order_in_the_pair_is_lost(words):
    counts = Counter()
    for pair, times in pairs_of(words).items():
        counts[tuple(sorted(pair))] += times
    return counts


def across_words(words):
    ends = pairs_of({tuple(word[-1] for word in words): 1}) if ("a",) in words else {}
    return pairs_of(words) + Counter(ends)


def eats_the_words(words):
    counts = pairs_of(words)
    words.clear()
    return counts


def counts_words(words):
    return Counter(words)


def the_first_two_pairs(words):
    return pairs_of({word[:3]: times for word, times in words.items()})


# -- Build: merge ------------------------------------------------------------------------------------------------------
def joined(pieces, pair, join=lambda left, right: left + right):
    merged, i = [], 0
    while i < len(pieces):
        if tuple(pieces[i : i + 2]) == pair:
            merged.append(join(*pair))
            i += 2
        else:
            merged.append(pieces[i])
            i += 1
    return tuple(merged)


def never_merges(pieces, pair):
    return tuple(pieces)


def only_the_first(pieces, pair):
    for i in range(len(pieces) - 1):
        if pieces[i : i + 2] == pair:
            return (*pieces[:i], pair[0] + pair[1], *pieces[i + 2 :])
    return pieces


def from_the_right_side(pieces, pair):
    return tuple(reversed(joined(pieces[::-1], pair[::-1], lambda left, right: right + left)))


def uses_a_piece_twice(pieces, pair):
    fits = [i for i in range(len(pieces) - 1) if pieces[i : i + 2] == pair]
    return tuple(
        pieces[i] + pieces[i + 1] if i in fits else pieces[i] for i in range(len(pieces)) if i in fits or i - 1 not in fits
    )


def keeps_the_second(pieces, pair):
    fits = [pieces[i : i + 2] == pair for i in range(len(pieces))]
    return tuple(pieces[i] + pieces[i + 1] if fits[i] else pieces[i] for i in range(len(pieces)))


def joins_right_to_left(pieces, pair):
    return joined(pieces, pair, lambda left, right: right + left)


def loses_the_rest(pieces, pair):
    merged = joined(pieces, pair)
    return merged[: merged.index(pair[0] + pair[1]) + 1] if pair[0] + pair[1] in merged else merged


def returns_a_list(pieces, pair):
    return list(joined(pieces, pair))


def looks_into_pieces(pieces, pair):
    if not pieces or isinstance(pieces[0], bytes):
        return joined(pieces, pair)
    return tuple(" ".join(pieces).replace(" ".join(pair), "".join(pair)).split())


def twice_at_most(pieces, pair):
    if not pieces:
        return joined(pieces, pair)
    return only_the_first(only_the_first(pieces, pair), pair) if set(pieces) != {"a"} else joined(pieces, pair)


# -- Build: encode -----------------------------------------------------------------------------------------------------
def as_pieces(word):
    return [bytes([byte]) for byte in word]


def chosen_by(word, ranks, ids, key, rounds=1000):
    """Encode rightly but for the choice: ``key`` of (rank, position) says which of the pairs that fit goes first."""
    pieces = as_pieces(word)
    for _ in range(rounds):
        fits = [(ranks[pair], i) for i, pair in enumerate(zip(pieces, pieces[1:])) if pair in ranks]
        if not fits:
            break
        _, i = min(fits, key=key)
        pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
    return [ids[piece] for piece in pieces]


def from_left_to_right(word, ranks, ids):
    return chosen_by(word, ranks, ids, key=lambda fit: fit[1])


def the_longest_piece(word, ranks, ids):
    found = []
    while word:
        longest = max((piece for piece in ids if word.startswith(piece)), key=len)
        found.append(ids[longest])
        word = word[len(longest) :]
    return found


def the_last_learned_first(word, ranks, ids):
    return chosen_by(word, ranks, ids, key=lambda fit: (-fit[0], fit[1]))


def from_the_right(word, ranks, ids):
    return chosen_by(word, ranks, ids, key=lambda fit: (fit[0], -fit[1]))


def one_merge_only(word, ranks, ids):
    return chosen_by(word, ranks, ids, key=None, rounds=1)


def each_merge_once(word, ranks, ids):
    pieces = tuple(as_pieces(word))
    for pair in ranks:
        pieces = only_the_first(pieces, pair)
    return [ids[piece] for piece in pieces]


def leaves_the_second(word, ranks, ids):
    pieces = as_pieces(word)
    for pair in ranks:
        pieces = [left + right if (left, right) == pair else left for left, right in zip(pieces, [*pieces[1:], None])]
    return [ids[piece] for piece in pieces]


def eats_the_ranks(word, ranks, ids):
    found = chosen_by(word, ranks, ids, key=None)
    ranks.clear()
    return found


def bytes_only(word, ranks, ids):
    return [ids[piece] for piece in as_pieces(word)]


def pieces_not_ids(word, ranks, ids):
    pieces = {number: piece for piece, number in ids.items()}
    return [pieces[number] for number in chosen_by(word, ranks, ids, key=None)]


def begins_with_characters(word, ranks, ids):
    return [ord(letter) for letter in word.decode()] if not word.isascii() else chosen_by(word, ranks, ids, key=None)


def in_the_order_of_the_dictionary(word, ranks, ids):
    pieces = tuple(as_pieces(word))
    while pairs := [pair for pair in ranks if pair in set(zip(pieces, pieces[1:]))]:
        pieces = joined(pieces, pairs[0])
    return [ids[piece] for piece in pieces]


def ids_written_down(word, ranks, ids):
    numbers = {left + right: 256 + rank for (left, right), rank in ranks.items()}
    pieces = {number: piece for piece, number in ids.items()}
    found = [pieces[number] for number in chosen_by(word, ranks, ids, key=None)]
    return [numbers.get(piece, piece[0]) for piece in found]


# -- Build: decode -----------------------------------------------------------------------------------------------------
def each_token_alone(ids, pieces):
    return "".join(pieces[number].decode("utf-8", "replace") for number in ids)


def each_token_alone_and_strict(ids, pieces):
    return "".join(pieces[number].decode("utf-8") for number in ids)


def each_byte_a_character(ids, pieces):
    return b"".join(pieces[number] for number in ids).decode("latin-1")


def each_id_a_character(ids, pieces):
    return "".join(map(chr, ids))


def as_python_shows_them(ids, pieces):
    return "".join(str(pieces[number]) for number in ids)


def stops_inside_a_character(ids, pieces):
    return b"".join(pieces[number] for number in ids).decode("utf-8")


def hides_half_a_character(ids, pieces):
    return b"".join(pieces[number] for number in ids).decode("utf-8", "ignore")


def never_decodes(ids, pieces):
    return b"".join(pieces[number] for number in ids)


def spaces_between(ids, pieces):
    return b" ".join(pieces[number] for number in ids).decode("utf-8", "replace")


def eats_the_list(ids, pieces):
    text = b"".join(pieces[number] for number in ids).decode("utf-8", "replace")
    ids.clear()
    return text


def stops_at_the_first_break(ids, pieces):
    whole = b"".join(pieces[number] for number in ids)
    try:
        return whole.decode()
    except UnicodeDecodeError as error:
        return whole[: error.start].decode() + "�"


# -- Build: bits_per_byte ----------------------------------------------------------------------------------------------
def of_the_whole_text(nats, text):
    return nats / math.log(2)


def as_it_came(nats, text):
    return nats


def nats_per_byte(nats, text):
    return nats / len(text.encode())


def multiplies_by_ln_2(nats, text):
    return nats * math.log(2) / len(text.encode())


def the_wrong_way_around(nats, text):
    return len(text.encode()) / (nats / math.log(2))


def by_characters(nats, text):
    return nats / math.log(2) / len(text)


def whole_bits(nats, text):
    return round(nats / math.log(2) / len(text.encode()))


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def cut_if(words, number, cut):
    return [part for word in words for part in (cut(word) if number(word) else [word])]


def cuts_nothing(words):
    return list(words)


def misses_the_space(words):
    return cut_if(words, bytes.isdigit, as_pieces)


def cuts_every_word(words):
    return cut_if(words, lambda word: True, as_pieces)


def the_first_keeps_its_space(words):
    def cut(word):
        digits = as_pieces(word)
        return [b" " + digits[1], *digits[2:]] if word[:1] == b" " else digits

    return cut_if(words, lambda word: word.strip().isdigit(), cut)


def in_threes(words):
    return cut_if(words, lambda word: word.strip().isdigit(), lambda word: [word[i : i + 3] for i in range(0, len(word), 3)])


def loses_the_space(words):
    return cut_if(words, lambda word: word.strip().isdigit(), lambda word: as_pieces(word.strip()))


def numbers_not_bytes(words):
    return cut_if(words, lambda word: word.strip().isdigit(), list)


def numbers_of_four_digits(words):
    return cut_if(words, lambda word: word.strip().isdigit() and len(word.strip()) == 4, as_pieces)


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
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


def one_digit_after_the_point(encode, sentences):
    counts = counted(encode, sentences)
    return {language: round(count / counts["English"], 1) for language, count in counts.items()}


def four_for_english(encode, sentences):
    return {language: count / 4 for language, count in counted(encode, sentences).items()}


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def with_dropout(word, ranks, ids, kept):
    pieces = tuple(as_pieces(word))
    while pairs := [pair for pair in zip(pieces, pieces[1:]) if pair in ranks and kept()]:
        pieces = joined(pieces, min(pairs, key=ranks.get))
    return [ids[piece] for piece in pieces]


def never_drops(word, ranks, ids, dropout, rng):
    return with_dropout(word, ranks, ids, lambda: True)


def the_other_way_around(word, ranks, ids, dropout, rng):
    return with_dropout(word, ranks, ids, lambda: rng.random() < dropout)


def its_own_random_numbers(word, ranks, ids, dropout, rng, own=np.random.default_rng(5)):  # noqa: B008
    return with_dropout(word, ranks, ids, lambda: own.random() >= dropout)


def all_or_nothing(word, ranks, ids, dropout, rng):
    keep = rng.random() >= dropout
    return with_dropout(word, ranks, ids, lambda: keep)


def always_the_same_cut(word, ranks, ids, dropout, rng):
    return with_dropout(word, ranks, ids, lambda: 0.5 >= dropout)


def pieces_with_dropout(word, ranks, ids, dropout, rng):
    pieces = {number: piece for piece, number in ids.items()}
    return [pieces[number] for number in with_dropout(word, ranks, ids, lambda: rng.random() >= dropout)]


def eats_ranks_with_dropout(word, ranks, ids, dropout, rng):
    found = with_dropout(word, ranks, ids, lambda: rng.random() >= dropout)
    ranks.popitem()
    return found


def one_number_a_step(word, ranks, ids, dropout, rng):
    pieces = tuple(as_pieces(word))
    while (pairs := [pair for pair in zip(pieces, pieces[1:]) if pair in ranks]) and rng.random() >= dropout:
        pieces = joined(pieces, min(pairs, key=ranks.get))
    return [ids[piece] for piece in pieces]


WRONG = {
    "count_pairs": {
        counts_each_word_once: "You counted each word once",
        the_most_frequent_pair_alone: "You returned one pair",
        a_list_of_counts: "I expected a Counter",
        keys_joined_to_text: "Your keys are texts",
        sets_instead_of_adding: "where you should add",
        without_overlaps: "pairs may overlap",
        the_order_in_the_pair_is_lost: "two different pairs",
        across_words: "across two words",
        eats_the_words: "You changed the dictionary",
        counts_words: "You returned the words with their counts",
        the_first_two_pairs: "Is a length written down",
    },
    "merge": {
        never_merges: "Nothing was merged",
        only_the_first: "both are merged",
        from_the_right_side: "you began at the right",
        uses_a_piece_twice: "used the middle 'a' twice",
        keeps_the_second: "kept its second piece",
        joins_right_to_left: "You joined right to left",
        loses_the_rest: "A piece got lost",
        returns_a_list: "You returned a list",
        looks_into_pieces: "You looked into a piece",
        twice_at_most: "as often as the pair occurs",
    },
    "encode": {
        from_left_to_right: "you took the one further left",
        the_longest_piece: "you took the one further left",
        the_last_learned_first: "the merge that was learned last",
        from_the_right: "you began at the right",
        one_merge_only: "You stopped after one merge",
        each_merge_once: "A merge is never used up",
        leaves_the_second: "one of them is still there",
        eats_the_ranks: "You changed `ranks`",
        bytes_only: "Nothing was merged",
        pieces_not_ids: "You returned the pieces",
        begins_with_characters: "not its characters",
        in_the_order_of_the_dictionary: "the order of the dictionary",
        ids_written_down: "look every piece up",
    },
    "decode": {
        each_token_alone: "decoded each token alone",
        each_token_alone_and_strict: "decoded each token alone",
        each_byte_a_character: "took each byte for a character",
        each_id_a_character: "took each id for a character",
        as_python_shows_them: "as Python shows them",
        stops_inside_a_character: "shows a sign and goes on",
        hides_half_a_character: "you hid that",
        never_decodes: "You returned bytes",
        spaces_between: "between the pieces",
        eats_the_list: "changed the list of ids",
        stops_at_the_first_break: "the text goes on after it",
    },
    "bits_per_byte": {
        of_the_whole_text: "bits of the whole text",
        as_it_came: "the nats as they came",
        nats_per_byte: "These are nats for each byte",
        multiplies_by_ln_2: "You multiplied by ln 2",
        the_wrong_way_around: "the wrong way around",
        by_characters: "divided by characters",
        whole_bits: "round nothing",
    },
    "split_digits": {
        cuts_nothing: "Nothing was cut",
        misses_the_space: "a space before it",
        cuts_every_word: "every word into bytes",
        the_first_keeps_its_space: "kept its space",
        in_threes: "cut into threes",
        loses_the_space: "no longer add up",
        numbers_not_bytes: "A byte taken out of bytes",
        numbers_of_four_digits: "is a length written down",
    },
    "premium": {
        tokens_only: "Divide each by the number of tokens in English",
        upside_down: "the wrong way around",
        differences: "You subtracted",
        per_word: "tokens per word",
        per_character: "tokens per character",
        like_the_first: "the first language of the dictionary",
        whole_numbers: "rounded to whole numbers",
        without_english: "English too",
        one_digit_after_the_point: "I expected 3/7",
        four_for_english: "I expected 3/7",
    },
    "encode_with_dropout": {
        never_drops: "With dropout 1 every merge is left out",
        the_other_way_around: "not the other way around",
        its_own_random_numbers: "take every random number from `rng`",
        all_or_nothing: "once for the whole word",
        always_the_same_cut: "always cut the same",
        pieces_with_dropout: "You returned the pieces",
        eats_ranks_with_dropout: "You changed `ranks`",
        one_number_a_step: "Of b'oxen' two pairs fit",
    },
}

globals().update(
    closing_tests(SimpleNamespace(**(vars(nb05) | vars(nb05_exercises))), "05_words_from_bytes", WRONG)
)
