"""What a changed context costs: bits per byte of the same replies after other versions of what came before (notebook 11).

The reply is never changed, so every version is charged for the same bytes; a difference is what the change of the context
alone did. Two controls say how much there is to lose: another conversation's context, and none (compare Khandelwal et al. 2018).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from helpers.corpus.conversations import Conversation
from helpers.evaluation.likelihood import reply_bits
from helpers.robustness.noise import Noise


class ReplySet(NamedTuple):
    """Replies, the messages before each, the oldest first, and the number of the conversation each is from."""

    replies: list[str]
    contexts: list[list[str]]
    groups: np.ndarray  # int64 [N]


def reply_set(
    conversations: Iterable[Conversation],
    per_conversation: int = 4,
    turns: int = 4,
    rng: np.random.Generator | None = None,
) -> ReplySet:
    """Return some replies of each conversation, chosen at random (without ``rng``: the first), after ``turns`` turns each.

    Every context has exactly that many turns. Conversations that are too short are left out. Raises ValueError for
    numbers below 1, and when no conversation is long enough.
    """
    if per_conversation < 1 or turns < 1:
        raise ValueError(f"per_conversation={per_conversation} and turns={turns}: give at least 1 of each")
    replies, contexts, groups = [], [], []
    for number, conversation in enumerate(conversations):
        places = np.arange(turns, len(conversation.turns))
        chosen = places if rng is None else rng.permutation(places)
        for place in sorted(chosen[:per_conversation].tolist()):
            replies.append(conversation.turns[place].text)
            contexts.append([turn.text for turn in conversation.turns[place - turns : place]])
            groups.append(number)
    if not replies:
        raise ValueError(f"no conversation has {turns + 1} turns: give longer ones, or fewer turns of context")
    return ReplySet(replies, contexts, np.array(groups))


def changed_contexts(contexts: Sequence[Sequence[str]], noise: Noise, rng: np.random.Generator) -> list[list[str]]:
    """Return the contexts with every message changed by ``noise``, called as ``noise(text, rng)``."""
    return [[noise(message, rng) for message in context] for context in contexts]


def strangers_contexts(data: ReplySet, rng: np.random.Generator) -> list[list[str]]:
    """Return for each reply the context of a reply from another conversation, each context used once: the control.

    Raises ValueError when one conversation has more than half of the replies: then it cannot be done.
    """
    most = np.bincount(data.groups).max()
    if 2 * most > len(data.groups):
        raise ValueError("more than half of the replies are from one conversation: give more conversations")
    # In the order of the conversations (which are shuffled), a step as long as the largest of them leads to another one.
    names = rng.permutation(data.groups.max() + 1)
    order = np.argsort(names[data.groups], kind="stable")
    step = int(rng.integers(most, len(order) - most + 1))
    result: list[list[str]] = [[] for _ in order]
    for place, row in enumerate(order):
        result[row] = list(data.contexts[order[(place + step) % len(order)]])
    return result


def context_bits(bot, replies: Sequence[str], contexts: Sequence[Sequence[str]]) -> np.ndarray:
    """Return the bits of each reply after its context, float64 [N] (``helpers.evaluation.likelihood.reply_bits``).

    Raises ValueError when a context and its reply do not fit into what the bot sees at once: a part of the context would be
    forgotten, and the longer version of a text would be charged for its length.
    """
    if (sees := getattr(bot.model, "context", None)) is not None:
        for number, (reply, context) in enumerate(zip(replies, contexts)):
            length = 1 + sum(1 + len(bot.tokenizer.encode(message)) for message in [*context, reply])
            if length > sees:
                raise ValueError(
                    f"reply {number} and its context have {length} tokens, {bot.name} sees {sees}: leave it out"
                )
    return reply_bits(bot, replies, contexts)


def fits(bot, reply: str, context: Sequence[str]) -> bool:
    """Return whether the bot can see a reply and all of its context, also in capitals, which need the most tokens."""
    sees = getattr(bot.model, "context", None)
    longest = [message.upper() for message in context]
    sizes = (sum(1 + len(bot.tokenizer.encode(message)) for message in [*each, reply]) for each in (context, longest))
    return sees is None or 1 + max(sizes) <= sees


class Cost(NamedTuple):
    """Bits per byte more than with the unchanged context, and the standard error of that."""

    cost: float
    error: float


def cost(bits: np.ndarray, base: np.ndarray, replies: Sequence[str], groups: np.ndarray) -> Cost:
    """Return what a change of the context costs, in bits per byte: the sum of ``bits`` − ``base`` over the replies' bytes.

    Both [N], of the same replies. The error is the standard error of this ratio between conversations (Cochran 1977): replies
    of one conversation are not independent. Raises ValueError when the lengths differ, or for a single conversation.
    """
    sizes = np.array([len(reply.encode("utf-8")) for reply in replies])
    if not len(bits) == len(base) == len(sizes) == len(groups):
        raise ValueError(
            f"{len(bits)} and {len(base)} bits for {len(sizes)} replies in {len(groups)} groups: give one of each"
        )
    _, numbers = np.unique(groups, return_inverse=True)
    more, size = np.bincount(numbers, np.subtract(bits, base)), np.bincount(numbers, sizes)
    if len(size) < 2:
        raise ValueError("all replies are from one conversation: a standard error needs two at least")
    ratio = more.sum() / size.sum()
    residual = more - ratio * size
    count = len(size)
    return Cost(float(ratio), float(np.sqrt(count / (count - 1) * (residual**2).sum()) / size.sum()))
