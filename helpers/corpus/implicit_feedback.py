"""What people let each other know without being asked: an answer, long or short, taken as a vote (built in notebook 09).

Nobody pressed a thumb in these conversations. But the same partner answers many messages of one person, some at length and
some with a word. Of two such messages, the one with the clearly longer answer has won a vote. Both were written by the same
person and answered by the same partner, so neither's talkativeness decides; ``matched`` takes away that the longer
message gets the longer answer.
"""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from helpers.corpus.batches.context_reply_pairs import Pair, pairs
from helpers.corpus.conversations import Conversation

CLEARLY = 2.0  # the longer answer has twice as many words at least: less is a tie, and a tie is no vote
FEWEST = 5  # and so many words more
WORDS = (3, 40)  # words of a message that can take part: "lol" and sermons are left out


class Vote(NamedTuple):
    """Two messages of one person, by their turn numbers: ``chosen`` got a clearly longer answer than ``rejected``."""

    conversation: Conversation
    chosen: int
    rejected: int


class Preference(NamedTuple):
    """Two replies, each with its context, of which the first was preferred. In DPO the contexts are the same."""

    chosen: Pair
    rejected: Pair


def words(conversation: Conversation, turn: int) -> int:
    """Return how many words a turn has; 0 where there is none."""
    return len(conversation.turns[turn].text.split()) if 0 <= turn < len(conversation.turns) else 0


def votes(conversations: Iterable[Conversation], matched: float | None = 0.1, seed: int = 0) -> list[Vote]:
    """Return votes between messages of one person to one partner; a message takes part in one vote at most.

    The two messages' numbers of words differ by no more than the share ``matched`` of the longer one (None: by any number).
    A conversation's last turn has no answer, which says nothing about it: somebody had to stop. Pairs are drawn by lot;
    the same ``seed`` draws the same. Raises ValueError for a ``matched`` outside 0 to 1, and when there is no vote at all.
    """
    if matched is not None and not 0 <= matched <= 1:
        raise ValueError(f"matched is {matched}: give a share from 0 (equally long) to 1, or None for any lengths")
    found = []
    for conversation in conversations:
        size = [words(conversation, turn) for turn in range(len(conversation.turns))]
        for speaker in sorted({turn.speaker for turn in conversation.turns}):
            turns = [turn for turn, said in enumerate(conversation.turns[:-1])
                     if said.speaker == speaker and WORDS[0] <= size[turn] <= WORDS[1]]  # fmt: skip
            random.Random(f"{seed} {conversation.id} {speaker}").shuffle(turns)
            found += [Vote(conversation, *vote) for vote in _drawn(turns, size, matched)]
    if not found:
        raise ValueError("no two messages here got answers of clearly different length: give more conversations")
    return found


def _drawn(turns: list[int], size: list[int], matched: float | None) -> Iterable[tuple[int, int]]:
    """Yield (chosen, rejected): each turn with the first one after it in the list that may stand against it."""
    free = dict.fromkeys(turns)
    for turn in turns:
        if turn not in free:
            continue
        del free[turn]
        for other in free:
            alike = matched is None or abs(size[turn] - size[other]) <= matched * max(size[turn], size[other])
            long, short = max(size[turn + 1], size[other + 1]), min(size[turn + 1], size[other + 1])
            if alike and long >= CLEARLY * short and long - short >= FEWEST:
                del free[other]
                yield (turn, other) if size[turn + 1] == long else (other, turn)
                break


def accuracy(votes: Sequence[Vote], score: Callable[[Conversation, int], float]) -> float:
    """Return the share of votes in which ``score(conversation, turn)`` is larger for the chosen turn; a tie counts half.

    Raises ValueError when there is no vote, or a score is no number.
    """
    if not votes:
        raise ValueError("there are no votes to agree with: give one at least")
    found = 0.0
    for talk, chosen, rejected in votes:
        better, worse = score(talk, chosen), score(talk, rejected)
        if math.isnan(better) or math.isnan(worse):
            raise ValueError(f"the score of a turn of conversation {talk.id} is no number")
        found += 1.0 if better > worse else 0.5 if better == worse else 0.0
    return found / len(votes)


# What one could guess from without reading: a reward model has to do better than each of them.
BASELINES: dict[str, Callable[[Conversation, int], float]] = {
    "the longer message": words,
    "the later message": lambda talk, turn: turn,
    "after the longer message": lambda talk, turn: words(talk, turn - 1),
    "the one with a question mark": lambda talk, turn: "?" in talk.turns[turn].text,
}


def preferences(votes: Sequence[Vote], tokenizer, context_tokens: int = 64, reply_tokens: int = 64) -> list[Preference]:
    """Return the two messages of each vote as token numbers, each with the end of what was said before it.

    See ``helpers.corpus.batches.context_reply_pairs.pairs`` for the form; raises what that raises.
    """
    made, known = [], {}
    for vote in votes:
        if vote.conversation.id not in known:
            known[vote.conversation.id] = pairs([vote.conversation], tokenizer, context_tokens, reply_tokens)
        turns = known[vote.conversation.id]
        made.append(Preference(turns[vote.chosen], turns[vote.rejected]))
    return made


def preferred(first: Sequence[Pair], second: Sequence[Pair], choices: Sequence) -> list[Preference]:
    """Return Preferences from pairs of replies and, for each, which one was preferred: 0 for the first, 1 for the second.

    Raises ValueError, naming the place, for a choice that is neither (a tie, None), for an empty reply, and for two replies
    that are the same; and when the lengths differ.
    """
    if not len(first) == len(second) == len(choices):
        raise ValueError(
            f"{len(first)} and {len(second)} replies with {len(choices)} choices: give one choice per pair"
        )
    made = []
    for place, (one, other, choice) in enumerate(zip(first, second, choices)):
        if isinstance(choice, bool) or choice not in (0, 1):
            raise ValueError(
                f"pair {place} has no preferred side: its choice is {choice!r}, not 0 or 1. Leave ties out, they teach nothing"
            )
        made.append(Preference(other, one) if choice else Preference(one, other))
    return checked(made)


def checked(preferences: Sequence[Preference]) -> list[Preference]:
    """Return the preferences as a list. Raises ValueError, naming the place, for an empty reply or two equal ones."""
    for place, pair in enumerate(preferences):
        for side, (context, reply) in zip(("preferred", "other"), pair):
            if len(reply) < 2:
                raise ValueError(
                    f"the {side} reply of pair {place} is empty: it needs the speaker's token and one more at least"
                )
            if not len(context):
                raise ValueError(
                    f"the {side} reply of pair {place} has an empty context: give one token, such as <end>"
                )
        if list(pair.chosen.context) == list(pair.rejected.context) and list(pair.chosen.reply) == list(
            pair.rejected.reply
        ):
            raise ValueError(f"pair {place} has no preferred side: both replies are the same. Leave it out")
    return list(preferences)
