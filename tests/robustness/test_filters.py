"""Filters: what a substring hits by mistake, what a word catches, and which disguises still pass."""

import pytest

from helpers.robustness.filters import caught, contains_substring, contains_word, disguises, filter_report
from helpers.robustness.normalization import lower_capitals

WORDS = ["idiot", "hell", "ass"]


def test_a_substring_hits_by_mistake_and_a_word_does_not():
    assert contains_substring("hello class", WORDS) == ["hell", "ass"]
    assert contains_word("hello class", WORDS) == []
    assert contains_word("What the hell, you Idiot!", WORDS) == ["idiot", "hell"]
    assert contains_word("an ass's hell_fire", WORDS) == ["ass"]


def test_words_with_signs_and_longer_words_count_as_themselves():
    assert contains_word("oh hell fire", ["hell", "hell fire"]) == ["hell fire"]
    assert contains_word("a+b is axb", ["a.b"]) == [] and contains_word("a (x b", ["(x", "b"]) == ["b"]


@pytest.mark.parametrize("word", WORDS)
def test_normalization_sees_through_some_disguises(word):
    stopped = {name for name, text in disguises(word).items() if contains_word(f"you {text} there", [word])}
    assert {"as it is", "capitals", "dots", "spaces", "zero-width space", "full-width letters"} == stopped
    plain = {
        name for name, text in disguises(word).items() if contains_word(f"you {text} there", [word], normalize=str)
    }
    assert plain == {"as it is", "capitals"}
    assert contains_word(word.upper(), [word], normalize=lower_capitals)


def test_each_disguise_changes_the_word():
    table = disguises("idiot")
    assert (
        table["dots"] == "i.d.i.o.t" and table["doubled letter"] == "idiiot" and table["digits for letters"] == "1d107"
    )
    assert (
        table["full-width letters"] == "ｉｄｉｏｔ"
        and table["suffix"] == "idiotish"
        and len(table["zero-width space"]) == 6
    )
    assert len(set(table.values())) == len(table) == 10
    for word in ("ab", "a.b.c"):
        with pytest.raises(ValueError, match="three letters or more"):
            disguises(word)


def test_shares_are_of_the_words_a_disguise_changes():
    naive, normalized = caught(WORDS, contains_substring), caught(WORDS, contains_word)
    assert naive["as it is"] == normalized["as it is"] == 1 and naive["capitals"] == 0 < normalized["capitals"] == 1
    assert naive["suffix"] == 1 and normalized["suffix"] == 0
    assert caught(["rrr", "ass"], contains_word)["digits for letters"] == 0  # "rrr" has no digit that looks like it


def test_a_report_counts_what_is_stopped_rightly():
    texts = ["hello", "a class of mine", "what the hell", "fine", "you ass"]
    assert filter_report(texts, WORDS, contains_substring) == (5, 4, 2)
    assert filter_report(texts, WORDS, contains_word) == (5, 2, 2)


def test_bad_input_is_told():
    for find in (contains_substring, contains_word):
        with pytest.raises(TypeError, match="put it into a list"):
            find("hello", "hell")
        for words in ([], ["hell", ""]):
            with pytest.raises(ValueError, match="an empty word stands in every text"):
                find("hello", words)
