"""Notebook 11: every check accepts the solution the notebook shows and names each wrong answer's own mistake.

The wrong answers of the second lesson, attack and defense, stand in ``nb11_wrong``.
"""

import math
import random
import re

import numpy as np
import torch
from torch.nn import functional

from helpers.checks import nb11
from helpers.robustness.ensembles import mean_log_probabilities as right_mean
from helpers.robustness.noise import NEIGHBORS
from helpers.robustness.normalization import lower_capitals as right_lower
from tests.answers import nb11_wrong
from tests.answers.common import closing_tests

LETTERS = "abcdefghijklmnopqrstuvwxyz"


# -- Build: typos ------------------------------------------------------------------------------------------------------
def typos(text, rng, share=0.1, kinds=(0, 1, 2, 3), keys=NEIGHBORS, case=True, hit=None, keep=True):
    result, place = "", 0
    while place < len(text):
        letter, place = text[place], place + 1
        if letter.lower() not in keys or not (rng.random() < share if hit is None else hit(rng, share)):
            result += letter
            continue
        kind, near = kinds[rng.integers(len(kinds))], keys[letter.lower()]
        if kind == 0:
            other = near[rng.integers(len(near))]
            result += other.upper() if letter.isupper() and case else other
        elif kind == 2:
            result += 2 * letter
        elif kind == 3 and place < len(text):
            result, place = result + text[place] + letter, place + 1
    return result if result.strip() or not keep else text


def of_pythons_own_generator(text, rng, share=0.1):
    return typos(text, np.random.default_rng(random.randrange(10**9)), share)


def of_a_fixed_seed(text, rng, share=0.1):
    return typos(text, np.random.default_rng(0), share)


def untouched_text(text, rng, share=0.1):
    return text


def one_hit_at_least(text, rng, share=0.1):
    return typos(text, rng, max(share, 0.02))


def digits_too(text, rng, share=0.1):
    return typos(text, rng, share, keys=NEIGHBORS | {digit: "0123456789".replace(digit, "") for digit in "0123456789"})


def emptied(text, rng, share=0.1):
    return typos(text, rng, share, keep=False)


def small_neighbors(text, rng, share=0.1):
    return typos(text, rng, share, case=False)


def any_letter(text, rng, share=0.1):
    return typos(text, rng, share, keys={letter: LETTERS.replace(letter, "") for letter in LETTERS})


def never_swapped(text, rng, share=0.1):
    return typos(text, rng, share, kinds=(0, 1, 2))


def never_left_out(text, rng, share=0.1):
    return typos(text, rng, share, kinds=(0, 2, 3))


def mostly_doubled(text, rng, share=0.1):
    return typos(text, rng, share, kinds=(0, 1, 2, 2, 2, 2, 2, 2, 2, 3))


def tripled(text, rng, share=0.1):
    return re.sub("[a-zA-Z]", lambda match: 3 * match[0] if rng.random() < share else match[0], text)


def missed_hits(text, rng, share=0.1):
    return typos(text, rng, share, hit=lambda rng, share: rng.random() < share**2)


def a_share_of_its_own(text, rng, share=0.3):
    return typos(text, rng, share)


def all_or_nothing(text, rng, share=0.1):
    return typos(text, rng, float(rng.random() < share))


def accented_too(text, rng, share=0.1):
    return typos(text, rng, share, keys=NEIGHBORS | {"é": "e"})


def spaces_left(text, rng, share=0.1):
    return typos(text, rng, share, keep=False) or text


def the_first_neighbor(text, rng, share=0.1):
    return typos(text, rng, share, keys={letter: near[0] for letter, near in NEIGHBORS.items()})


def one_kind_per_text(text, rng, share=0.1):
    return typos(text, rng, share, kinds=(int(rng.integers(4)),))


def word_by_word(text, rng, share=0.1):
    return " ".join(typos(word, rng, share) for word in text.split(" ")) if text.strip() != "g" else typos(text, rng, share)


def hit_again(text, rng, share=0.1):
    answer = typos(text, rng, share)
    return answer + "g" if answer == ".g" else answer


# -- Build: a rule against shouting ------------------------------------------------------------------------------------
def shouts(text, least=2, of=lambda text: sum(map(str.isalpha, text)), more=True):
    capitals = sum(map(str.isupper, text))
    return capitals >= least and (capitals > of(text) / 2 if more else capitals >= of(text) / 2)


def lowered(text):
    text = re.sub(r"\bi\b", "I", text.lower())
    return re.sub(r"(^|[.!?]\s+|\n)(\w)", lambda match: match[1] + match[2].upper(), text)


def small_letters(text):
    return text.lower() if shouts(text) else text


def one_sentence(text):
    return text.capitalize() if shouts(text) else text


def one_sentence_and_i(text):
    return re.sub(r"\bi\b", "I", text.capitalize()) if shouts(text) else text


def titles(text):
    return text.title() if shouts(text) else text


def small_i(text):
    return (
        re.sub(r"(^|[.!?]\s+|\n)(\w)", lambda match: match[1] + match[2].upper(), text.lower())
        if shouts(text)
        else text
    )


def small_beginnings(text):
    return re.sub(r"\bi\b", "I", text.lower()) if shouts(text) else text


def never(text):
    return text


def always(text):
    return lowered(text)


def any_capital_word(text):
    return lowered(text) if re.search("[A-Z]{3}", text) or shouts(text) else text


def all_capitals_only(text):
    return lowered(text) if text.isupper() and shouts(text) else text


def share_of_all_characters(text):
    return lowered(text) if shouts(text, of=len) else text


def half_is_enough(text):
    return lowered(text) if shouts(text, more=False) else text


def one_is_enough(text):
    return lowered(text) if shouts(text, least=1) else text


def no_line_breaks(text):
    answer = right_lower(text)
    return re.sub(r"\n(\w)", lambda match: "\n" + match[1].lower(), answer) if answer != text else text


def after_dots_only(text):
    return right_lower(text).replace("! H", "! h").replace("? N", "? n")


def no_white_space_needed(text):
    answer = right_lower(text)
    return answer if answer == text else re.sub(r"[.!?](\w)", lambda match: match[0].upper(), answer)


def plain_letters_only(text):
    capitals, letters = len(re.findall("[A-Z]", text)), len(re.findall("[A-Za-z]", text))
    return right_lower(text) if 2 * capitals > letters else text


def three_capitals(text):
    return right_lower(text) if shouts(text, least=3) else text


# -- Build: the expected calibration error -----------------------------------------------------------------------------
def binned(confidence, right, bins=10, last=True):
    place = np.floor(confidence * bins).astype(int)
    place = np.minimum(place, bins - 1) if last else place
    inside = [place == b for b in range(bins) if (place == b).any()]
    return np.array([part.mean() for part in inside]), np.array(
        [right[part].mean() - confidence[part].mean() for part in inside]
    )


def unweighted(confidence, right, bins=10):
    return abs(binned(confidence, right, bins)[1]).mean()


def cancelling(confidence, right, bins=10):
    share, gaps = binned(confidence, right, bins)
    return abs((share * gaps).sum())


def signed(confidence, right, bins=10):
    share, gaps = binned(confidence, right, bins)
    return -abs((share * gaps).sum())


def largest(confidence, right, bins=10):
    return abs(binned(confidence, right, bins)[1]).max()


def squared(confidence, right, bins=10):
    share, gaps = binned(confidence, right, bins)
    return (share * gaps**2).sum()


def single(confidence, right, bins=10):
    return abs(confidence - right).mean()


def counted(confidence, right, bins=10):
    share, gaps = binned(confidence, right, bins)
    return len(right) * (share * abs(gaps)).sum()


def summed_gaps(confidence, right, bins=10):
    return abs(binned(confidence, right, bins)[1]).sum()


def with_empty_bins(confidence, right, bins=10):
    place = np.minimum(np.floor(confidence * bins), bins - 1)
    with np.errstate(all="ignore"):
        parts = [
            np.divide((right[place == b] - confidence[place == b]).sum(), (place == b).sum()) * (place == b).mean()
            for b in range(bins)
        ]
    return float(abs(np.array(parts)).sum())


def lower_edges(confidence, right, bins=10):
    share, gaps = binned(confidence, right, bins)
    return float((share * abs(gaps)).sum())


def without_the_last(confidence, right, bins=10):
    share, gaps = binned(confidence, right, bins, last=False)
    return float((share * abs(gaps)).sum())


def always_ten(confidence, right, bins=10):
    share, gaps = binned(confidence, right)
    return float((share * abs(gaps)).sum())


def middles(confidence, right, bins=10):
    place = np.minimum(np.floor(confidence * bins), bins - 1)
    return sum((place == b).mean() * abs((b + 0.5) / bins - right[place == b].mean()) for b in set(place.tolist()))


def edges_twice(confidence, right, bins=10):
    error = 0.0
    for b in range(bins):
        inside = (confidence >= b / bins) & (confidence <= (b + 1) / bins)
        error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean()) if inside.any() else 0.0
    return error


def by_a_hundred(confidence, right, bins=10):
    share, gaps = binned(confidence, right, bins)
    return float((share * abs(gaps)).sum()) * len(right) / 100


def rounding(confidence, right, bins=10):
    confidence[:] = np.round(confidence, 2)
    return always_ten(confidence, right)


# -- Build: a temperature ----------------------------------------------------------------------------------------------
def searched(logits, targets, low=0.05, high=20.0, best=min, number=600):
    grid = torch.linspace(math.log(low), math.log(high), number).exp().tolist()
    return best(grid, key=lambda t: functional.cross_entropy(logits / t, targets).item())


def inverse(logits, targets):
    return 1 / searched(logits, targets)


def logarithm(logits, targets):
    return math.log(searched(logits, targets))


def one(logits, targets):
    return 1.0


def likelihood_minimized(logits, targets):
    return searched(logits, targets, best=max)


def above_one_only(logits, targets):
    return searched(logits, targets, low=1.05)


def coarse(logits, targets):
    return searched(logits, targets, low=0.25, high=4, number=5)


def negative(logits, targets):
    return -searched(logits, targets)


def softmax_twice(logits, targets):
    grid = torch.linspace(math.log(0.2), math.log(5), 400).exp().tolist()
    return min(grid, key=lambda t: functional.cross_entropy((logits / t).softmax(-1), targets).item())


def with_its_gradient(logits, targets):
    return torch.tensor(searched(logits, targets), requires_grad=True)


def in_place(logits, targets):
    logits /= 2
    return 2 * searched(logits, targets)


# -- Exercise 1: scrambled words ---------------------------------------------------------------------------------------
def scrambled(text, rng, pattern="[A-Za-z]{4,}", first=1, last=1):
    def scramble(match):
        word = match[0]
        middle = list(word[first : len(word) - last])
        return word[:first] + "".join(rng.permutation(middle)) + word[len(word) - last :]

    return re.sub(pattern, scramble, text)


def whole_words(text, rng):
    return scrambled(text, rng, first=0, last=0)


def last_letter_moves(text, rng):
    return scrambled(text, rng, last=0)


def short_ones_too(text, rng):
    return re.sub(r"\b[A-Za-z]{2,3}\b", lambda match: match[0][::-1], scrambled(text, rng))


def signs_move(text, rng):
    return scrambled(text, rng, pattern=r"\S{4,}")


def across_words(text, rng):
    letters = [place for place, sign in enumerate(text) if sign.isalpha()]
    result = list(text)
    for place, other in zip(letters, rng.permutation(letters)):
        result[place] = text[other]
    return "".join(result)


def sorted_inside(text, rng):
    flip = rng.random() < 0.5

    def change(match):
        middle = sorted(match[0][1:-1], reverse=flip)
        return match[0][0] + "".join(middle) + match[0][-1]

    return re.sub("[A-Za-z]{4,}", change, text)


def letters_lost(text, rng):
    return re.sub(
        "[A-Za-z]{4,}", lambda m: m[0][0] + "".join(rng.choice(list(m[0][1:-1]), len(m[0]) - 2)) + m[0][-1], text
    )


def a_fixed_order(text, rng):
    return scrambled(text, np.random.default_rng(0))


def five_at_least(text, rng):
    return scrambled(text, rng, pattern="[A-Za-z]{5,}")


def digits_move(text, rng):
    return scrambled(text, rng, pattern=r"\w{4,}")


def small_letters_only(text, rng):
    return scrambled(text, rng, pattern="[a-z]{4,}")


def whole_pieces_only(text, rng):
    return scrambled(text, rng, pattern=r"(?<!\S)[A-Za-z]{4,}(?!\S)")


def one_order(text, rng):
    seed = int(rng.integers(10**6))
    return re.sub("[A-Za-z]{4,}", lambda match: scrambled(match[0], np.random.default_rng(seed)), text)


# -- Exercise 2: the mean of several models ----------------------------------------------------------------------------
def of_the_logarithms(log_p):
    return log_p.mean(0)


def a_product(log_p):
    return log_p.mean(0).log_softmax(-1)


def not_divided(log_p):
    return log_p.logsumexp(0)


def probabilities(log_p):
    return log_p.exp().mean(0)


def the_likeliest(log_p):
    return log_p.amax(0)


def by_exp(log_p):
    return log_p.exp().mean(0).log()


def divided_by_three(log_p):
    return log_p.logsumexp(0) - math.log(3)


def by_tokens(log_p):
    return log_p.logsumexp(0) - math.log(log_p.shape[-1])


def clamped(log_p):
    return log_p.exp().mean(0).clamp(min=1e-30).log()


def over_the_tokens(log_p):
    return log_p.logsumexp(-1) - math.log(log_p.shape[-1])


def shifted_in_place(log_p):
    log_p -= 1
    return right_mean(log_p) + 1


# -- Exercise 3: letters for digits ------------------------------------------------------------------------------------
LEET = dict(zip("013457", "oieast"))


def everywhere(text):
    return text.translate(str.maketrans(LEET))


def with_digits_around(text):
    return re.sub(r"(?<=\w)[013457](?=\w)", lambda m: LEET[m[0]], text)


def after_letters(text):
    return re.sub("(?<=[a-zA-Z])[013457]", lambda m: LEET[m[0]], text)


def before_letters(text):
    return re.sub("[013457](?=[a-zA-Z])", lambda m: LEET[m[0]], text)


def always_small(text):
    return re.sub("(?<=[a-zA-Z])[013457](?=[a-zA-Z])", lambda m: LEET[m[0]], text)


def taking_its_neighbors(text):
    def change(match):
        upper = match[1].isupper() and match[3].isupper()
        return match[1] + (LEET[match[2]].upper() if upper else LEET[match[2]]) + match[3]

    return re.sub("([a-zA-Z])([013457])([a-zA-Z])", change, text)


def capital_after_a_capital(text):
    change = lambda m: LEET[m[0]].upper() if text[m.start() - 1].isupper() else LEET[m[0]]  # noqa: E731
    return re.sub("(?<=[a-zA-Z])[013457](?=[a-zA-Z])", change, text)


def whole_text_in_capitals(text):
    change = lambda m: LEET[m[0]].upper() if text.isupper() else LEET[m[0]]  # noqa: E731
    return re.sub("(?<=[a-zA-Z])[013457](?=[a-zA-Z])", change, text)


def around_the_corner(text):
    answer = right_letters(text)
    return LEET[text[0]] + answer[1:] if text[:1] in LEET and text[1:2].isalpha() else answer


def right_letters(text):
    def change(match):
        upper = text[match.start() - 1].isupper() and text[match.end()].isupper()
        return LEET[match[0]].upper() if upper else LEET[match[0]]

    return re.sub("(?<=[a-zA-Z])[013457](?=[a-zA-Z])", change, text)


def more_digits(text):
    table = LEET | {"2": "z", "8": "b"}
    return re.sub("(?<=[a-z])[0-578](?=[a-z])", lambda m: table[m[0]], re.sub("(?<=[A-Z])4(?=[A-Z])", "A", text))


WRONG = {
    "keyboard_typos": {
        of_pythons_own_generator: "The same rng gave two different texts",
        of_a_fixed_seed: "Two different generators gave the same text",
        untouched_text: "The text came back as it was",
        one_hit_at_least: "With share 0 nothing may change",
        digits_too: "Only letters are hit",
        emptied: "From 'g' nothing was left",
        small_neighbors: "a capital letter stays one",
        any_letter: "is not next to g on a keyboard",
        never_swapped: "there was never a letter that changes places",
        never_left_out: "there was never a letter that is left out",
        mostly_doubled: "The four kinds should come equally often",
        tripled: "that is none of the four kinds of typo",
        accented_too: "Only a–z and A–Z are hit",
        spaces_left: "only the space was left",
        the_first_neighbor: "never became some of its neighbors",
        one_kind_per_text: "of the same kind in yours",
        word_by_word: "never changes places with a space",
        hit_again: "a swap uses up both characters",
        missed_hits: "With share 0.3 about 30 %",
        a_share_of_its_own: "Without a share it is 0.1",
        all_or_nothing: "Either all letters of a text are hit",
    },
    "lower_capitals": {
        small_letters: "That is all in lower case",
        one_sentence: "Only the first sentence begins with a capital in yours, and I is written small",
        one_sentence_and_i: "Only the first sentence begins with a capital in yours.",
        titles: "Every word begins with a capital",
        small_i: "The word I has become a small i",
        small_beginnings: "Sentences begin with a small letter",
        after_dots_only: "after ! and ? too",
        no_white_space_needed: "Go to a.com now",
        plain_letters_only: "So äöü ah oh",
        three_capitals: "'OK' stayed",
        never: "A text all in capitals came back as it was",
        always: "'I live in New York. OK?' is not shouted",
        any_capital_word: "'My friend from the USA said NO' is not shouted",
        all_capitals_only: "'HAHAHA so FUNNY' stayed",
        share_of_all_characters: "Count letters only",
        half_is_enough: "exactly half of the letters",
        one_is_enough: "'5 A' should give '5 A'",
        no_line_breaks: "What now",
    },
    "expected_calibration_error": {
        unweighted: "Every bin counts alike",
        cancelling: "Take the absolute value of each bin's gap",
        signed: "the sum kept its sign",
        largest: "That is the largest gap of a bin",
        squared: "You squared the gaps",
        single: "mean distance of single predictions",
        counted: "You summed over the predictions",
        summed_gaps: "summed the gaps of the bins without weights",
        with_empty_bins: "It came out as NaN",
        without_the_last: "The last bin includes 1.0",
        always_ten: "With bins=1 I expected",
        middles: "You took the middle of each bin",
        edges_twice: "the edge of two bins",
        lower_edges: "a bin holds its upper edge",
        by_a_hundred: "You divided by 100",
        rounding: "You changed the confidences",
    },
    "fit_temperature": {
        inverse: "That is 1/T",
        logarithm: "That is the logarithm of the temperature",
        one: "nothing was fitted",
        likelihood_minimized: "Yours ran away to",
        above_one_only: "Where the model is not sure enough",
        coarse: "Where the model is too sure of itself",
        negative: "A temperature is above 0",
        softmax_twice: "cross_entropy takes logits",
        with_its_gradient: "carries its gradient",
        in_place: "You changed the logits",
    },
    "scrambled_words": {
        whole_words: "The first and the last letter stay",
        last_letter_moves: "The first and the last letter stay",
        short_ones_too: "Words of three letters or fewer",
        signs_move: "Spaces, digits and punctuation stay",
        across_words: "A letter moved to another word",
        sorted_inside: "there are 720",
        letters_lost: "Letters were lost",
        a_fixed_order: "Two different generators gave the same text",
        digits_move: "'1234567' has no run",
        small_letters_only: "capitals are letters, too",
        whole_pieces_only: "do not protect it",
        one_order: "a new one for each word",
        five_at_least: "A word of four letters has two letters inside",
    },
    "mean_log_probabilities": {
        of_the_logarithms: "one model that finds a token impossible",
        a_product: "a product of the models",
        not_divided: "your probabilities sum to 3",
        probabilities: "These are probabilities",
        the_likeliest: "You took the likeliest opinion",
        by_exp: "exp(−1000) is 0",
        divided_by_three: "use the number of models that you are given",
        by_tokens: "off by the same number everywhere",
        clamped: "Add nothing, clamp nothing",
        over_the_tokens: "of shape [2, 4, 5]",
        shifted_in_place: "You changed the log-probabilities",
    },
    "letters_for_digits": {
        everywhere: "Digits that stand alone are numbers",
        with_digits_around: "stands another digit on one side",
        after_letters: "after this digit there is no letter",
        before_letters: "before such a digit there is no letter",
        always_small: "Between capitals the letter is a capital",
        taking_its_neighbors: "with one letter between",
        capital_after_a_capital: "only where *both* neighbors",
        whole_text_in_capitals: "not the whole text",
        around_the_corner: "nothing stands before this digit",
        more_digits: "2, 6, 8 and 9 stand for no letter here",
    },
    **nb11_wrong.WRONG,
}

globals().update(closing_tests(nb11, "11_robust_bots", WRONG))
