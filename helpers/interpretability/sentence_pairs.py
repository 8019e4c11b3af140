"""Pairs of sentences that differ in one word and so in what comes next: *brother* or *sister*, *he* or *she* (notebook 10).

Both have the same number of tokens, so that a position means the same in both and one's activation can take the place of
the other's (``helpers.interpretability.patching``).
"""

from collections.abc import Sequence

import torch

from helpers.corpus.tokenizers.base import Tokenizer

PEOPLE = (("brother", "sister"), ("dad", "mom"), ("father", "mother"))
MESSAGES = ("I live with my {}", "My {} is a teacher", "I am going to visit my {}")
STARTS = ("How old is", "What does", "Where does", "Does")
SPEAKERS = "AB"


def prompt(tokenizer: Tokenizer, messages: Sequence[str] | str, start: str) -> list[int]:
    """Return the token ids of ``<end>``, the messages of A and B in turn, and how the next speaker's reply starts."""
    messages, ids = [messages] if isinstance(messages, str) else list(messages), [tokenizer.end]
    for turn, text in enumerate([*messages, start]):
        ids += [tokenizer.speaker(SPEAKERS[turn % 2]), *tokenizer.encode(text)]
    return ids


def sentence_pair(
    tokenizer: Tokenizer, words: Sequence[str], messages: Sequence[str] | str, start: str
) -> torch.Tensor:
    """Return a prompt with each of two words in the place of "{}", token ids int64 [2, T].

    Raises ValueError when the two do not have the same number of tokens (" husband" has 4, " wife" 2), or are the same.
    """
    messages = [messages] if isinstance(messages, str) else messages
    rows = [prompt(tokenizer, [text.replace("{}", word) for text in messages], start) for word in words]
    if len(rows) != 2 or rows[0] == rows[1]:
        raise ValueError('a pair is two sentences that differ: give two words, and a message with "{}" in their place')
    if len(rows[0]) != len(rows[1]):
        one, other = (len(row) for row in rows)
        raise ValueError(
            f"the sentences of a pair must have the same number of tokens: with {words[0]!r} it is {one}, with "
            f"{words[1]!r} {other}; take words of equal length"
        )
    return torch.tensor(rows)


def pronoun_pairs(tokenizer: Tokenizer) -> list[torch.Tensor]:
    """Return a pair int64 [2, T] for all PEOPLE, MESSAGES and STARTS: 36, the man's sentence first, then the woman's."""
    return [sentence_pair(tokenizer, pair, text, start) for pair in PEOPLE for text in MESSAGES for start in STARTS]
