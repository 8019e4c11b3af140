"""What people let each other know without being asked: long and short answers as preferences (built in notebook 09).

Nobody pressed a thumb in these conversations. But the same partner answers many messages of one person, some at length and
some with a word. Of two such messages, the one with the clearly longer answer counts as preferred: implicit feedback. Both
were written by the same person and answered by the same partner, so neither's talkativeness decides; ``matched`` takes away
that the longer message gets the longer answer.
"""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from helpers.corpus.batches.base import Pair
from helpers.corpus.batches.context_reply_pairs import pairs
from helpers.corpus.conversations import Conversation

MIN_RATIO = 2.0  # the longer answer has twice as many words at least: less is a tie, and a tie is no preference
MIN_DIFFERENCE = 5  # and so many words more
WORDS = (3, 40)  # words of a message that can take part: "lol" and sermons are left out


class PreferencePair(NamedTuple):
    """Two messages of one person, by their turn numbers: ``chosen`` got a clearly longer answer than ``rejected``."""

    conversation: Conversation
    chosen: int
    rejected: int


class Preference(NamedTuple):
    """Two replies as token ids, each with its context, of which the first was preferred. In DPO the contexts are equal."""

    chosen: Pair
    rejected: Pair


def words(conversation: Conversation, turn: int) -> int:
    """Return how many words a turn has; 0 where there is none."""
    return len(conversation.turns[turn].text.split()) if 0 <= turn < len(conversation.turns) else 0


def preference_pairs(
    conversations: Iterable[Conversation], matched: float | None = 0.1, seed: int = 0
) -> list[PreferencePair]:
    """Return preference pairs of messages of one person to one partner; a message takes part in one pair at most.

    The two messages' numbers of words differ by no more than the share ``matched`` of the longer one (None: by any number).
    A conversation's last turn has no answer, which says nothing about it: somebody had to stop. Pairs are formed at random;
    the same ``seed`` gives the same. Raises ValueError for a ``matched`` outside 0 to 1, and when there is no pair at all.
    """
    if matched is not None and not 0 <= matched <= 1:
        raise ValueError(f"matched is {matched}: give a share from 0 (equally long) to 1, or None for any lengths")
    result = []
    for conversation in conversations:
        lengths = [words(conversation, turn) for turn in range(len(conversation.turns))]
        for speaker in sorted({turn.speaker for turn in conversation.turns}):
            turns = [number for number, turn in enumerate(conversation.turns[:-1])
                     if turn.speaker == speaker and WORDS[0] <= lengths[number] <= WORDS[1]]  # fmt: skip
            random.Random(f"{seed} {conversation.id} {speaker}").shuffle(turns)
            result += [PreferencePair(conversation, *both) for both in _pair_up(turns, lengths, matched)]
    if not result:
        raise ValueError("no two messages here got answers of clearly different length: give more conversations")
    return result


def _pair_up(turns: list[int], lengths: list[int], matched: float | None) -> Iterable[tuple[int, int]]:
    """Yield (chosen, rejected): each turn with the first one after it in the list that may stand against it."""
    free = dict.fromkeys(turns)
    for turn in turns:
        if turn not in free:
            continue
        del free[turn]
        for other in free:
            size, other_size = lengths[turn], lengths[other]
            alike = matched is None or abs(size - other_size) <= matched * max(size, other_size)
            short, long = sorted((lengths[turn + 1], lengths[other + 1]))
            if alike and long >= MIN_RATIO * short and long - short >= MIN_DIFFERENCE:
                del free[other]
                yield (turn, other) if lengths[turn + 1] == long else (other, turn)
                break


def accuracy(pairs: Sequence[PreferencePair], score: Callable[[Conversation, int], float]) -> float:
    """Return the share of pairs in which ``score(conversation, turn)`` is larger for the chosen turn; a tie counts half.

    Raises ValueError when there is no pair, or a score is no number.
    """
    if not pairs:
        raise ValueError("there are no preference pairs to agree with: give one at least")
    right = 0.0
    for conversation, chosen, rejected in pairs:
        better, worse = score(conversation, chosen), score(conversation, rejected)
        if math.isnan(better) or math.isnan(worse):
            raise ValueError(f"the score of a turn of conversation {conversation.id} is no number")
        right += 1.0 if better > worse else 0.5 if better == worse else 0.0
    return right / len(pairs)


# What one could guess from without reading: a reward model has to do better than each of them.
BASELINES: dict[str, Callable[[Conversation, int], float]] = {
    "the longer message": words,
    "the later message": lambda talk, turn: turn,
    "after the longer message": lambda talk, turn: words(talk, turn - 1),
    "the one with a question mark": lambda talk, turn: "?" in talk.turns[turn].text,
}


def preferences(
    preference_pairs: Iterable[PreferencePair], tokenizer, context_tokens: int = 64, reply_tokens: int = 64
) -> list[Preference]:
    """Return the two messages of each pair as token ids, each with the end of what stood before it.

    See ``helpers.corpus.batches.context_reply_pairs.pairs`` for the form; raises what that raises.
    """
    encoded, result = {}, []
    for conversation, chosen, rejected in preference_pairs:
        if conversation.id not in encoded:
            encoded[conversation.id] = pairs([conversation], tokenizer, context_tokens, reply_tokens)
        turns = encoded[conversation.id]
        result.append(Preference(turns[chosen], turns[rejected]))
    return result


def preferred(first: Sequence[Pair], second: Sequence[Pair], choices: Sequence) -> list[Preference]:
    """Return Preferences from pairs of replies and, for each, which one was preferred: 0 for the first, 1 for the second.

    Raises ValueError, naming the index, for a choice that is neither (a tie, None), for an empty reply, and for two replies
    that are the same; and when the lengths differ.
    """
    if not len(first) == len(second) == len(choices):
        raise ValueError(f"{len(first)} and {len(second)} replies, {len(choices)} choices: give one choice per pair")
    result = []
    for number, (one, other, choice) in enumerate(zip(first, second, choices)):
        if isinstance(choice, bool) or choice not in (0, 1):
            raise ValueError(
                f"pair {number} has no preferred side: its choice is {choice!r}, not 0 or 1. Leave ties out, they teach nothing"
            )
        result.append(Preference(other, one) if choice else Preference(one, other))
    return checked(result)


def checked(preferences: Sequence[Preference]) -> list[Preference]:
    """Return the preferences as a list. Raises ValueError, naming the index, for an empty reply or two equal ones."""
    for number, pair in enumerate(preferences):
        for side, (context, reply) in zip(("chosen", "rejected"), pair):
            if len(reply) < 2 or not len(context):
                raise ValueError(
                    f"the {side} reply of pair {number} or its context is empty: a reply needs the speaker's token and one "
                    "more at least, a context one token, such as <end>"
                )
        if len({tuple(tuple(part) for part in side) for side in pair}) == 1:
            raise ValueError(f"pair {number} has no preferred side: both replies are the same. Leave it out")
    return list(preferences)
