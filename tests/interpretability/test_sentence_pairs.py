"""Sentence pairs: two prompts that differ in one word, of equally many tokens; unequal words are refused with both counts."""

import pytest

from helpers.interpretability import sentence_pairs
from tests import factories


class Letters:
    """A tokenizer of words whose ids are given, and of letters for others: enough for a prompt."""

    end, words = 2, ("My", "is", "a", "teacher", "brother", "sister", "Where", "does")

    def speaker(self, name):
        return {"A": 3, "B": 4}[name]

    def encode(self, text):
        ids = []
        for word in text.split():
            ids += [10 + self.words.index(word)] if word in self.words else [50 + ord(letter) - 97 for letter in word]
        return ids


def test_a_prompt_is_the_turns_and_the_start_of_a_reply():
    ids = sentence_pairs.prompt(Letters(), ["My brother", "teacher"], "Where does")
    assert ids == [2, 3, 10, 14, 4, 13, 3, 16, 17]
    assert sentence_pairs.prompt(Letters(), "My brother", "Where") == [2, 3, 10, 14, 4, 16]


def test_a_pair_differs_at_the_word_alone():
    pair = sentence_pairs.sentence_pair(Letters(), ("brother", "sister"), "My {} is a teacher", "Where does")
    assert pair.shape == (2, 10) and (pair[0] != pair[1]).nonzero().tolist() == [[3]]


def test_a_pair_of_unequal_length_is_refused():
    with pytest.raises(ValueError, match="with 'abcd' it is 11, with 'ab' 9; take words of equal length"):
        sentence_pairs.sentence_pair(Letters(), ("abcd", "ab"), "My {} is", "Where does")
    for words, message in ((("brother", "brother"), "My {}"), (("brother", "sister"), "My"), (("brother",), "My {}")):
        with pytest.raises(ValueError, match="two sentences that differ"):
            sentence_pairs.sentence_pair(Letters(), words, message, "Where")


def test_the_pronoun_pairs_of_the_courses_own_tokenizer():
    from helpers.bots.checkpoints import folder
    from helpers.corpus.tokenizers.load import load_tokenizer

    tokenizer = load_tokenizer(folder() / "gpt" / "tokenizer.json")
    pairs = sentence_pairs.pronoun_pairs(tokenizer)
    assert len(pairs) == 36
    assert {int((pair[0] != pair[1]).sum()) for pair in pairs} == {1, 2}  # "father" is " f" and "ather"
    assert all(tokenizer.decode(pair[0].tolist(), special=True).startswith("<end><A>") for pair in pairs)
    with pytest.raises(ValueError, match="'husband' it is .*, with 'wife'"):
        sentence_pairs.sentence_pair(tokenizer, ("husband", "wife"), sentence_pairs.MESSAGES[0], "Does")


def test_the_model_factory_reads_them():
    pair = sentence_pairs.sentence_pair(Letters(), ("brother", "sister"), "My {}", "Where")
    assert factories.gpt(20)(pair)[0].shape == (2, 6, 20)
