"""Several bots that answer the same message, each under a letter: a blind test of all bots (built in notebook 00)."""

import random
from collections.abc import Sequence

from helpers.bots.bot import Bot

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def blind(bots: dict[str, Bot], seed: int = 0) -> dict[str, str]:
    """Return {letter: name of the bot behind it}, the bots in random order. Raises ValueError for no bot, or more than 26."""
    if not 1 <= len(bots) <= len(LETTERS):
        raise ValueError(f"a blind test needs 1 to {len(LETTERS)} bots, not {len(bots)}")
    names = sorted(bots)
    random.Random(seed).shuffle(names)
    return dict(zip(LETTERS, names))


class Panel:
    """Bots that all answer you, each as if you were talking to it alone.

    ``bots`` is a dict from what is shown, a letter or a name, to a `Bot`. ``reply`` is a bot's: a `ChatBox` can talk to a panel.
    Raises ValueError when there is no bot, or a colon or a line break in what is shown.
    """

    def __init__(self, bots: dict[str, Bot]):
        if not bots or any(mark in name for name in bots for mark in ":\n"):
            raise ValueError("a panel needs bots, with names without a colon or a line break: Panel({'A': bot})")
        self.bots = dict(bots)

    def replies(self, history: Sequence[str], **settings) -> dict[str, str]:
        """Return {name: reply}. Of the panel's earlier answers in ``history`` each bot is given its own line alone."""
        own = [self._lines(text) if turn % 2 else None for turn, text in enumerate(history)]
        return {
            name: bot.reply([text if lines is None else lines.get(name, "") for text, lines in zip(history, own)], **settings)
            for name, bot in self.bots.items()
        }

    def reply(self, history: Sequence[str], **settings) -> str:
        """Return a line per bot, "A: Hi there"; line breaks inside a reply become " / "."""
        replies = self.replies(history, **settings)
        return "\n".join(f"{name}: {' / '.join(reply.split(chr(10))) or '(an empty reply)'}" for name, reply in replies.items())

    def _lines(self, answer: str) -> dict[str, str]:
        parts = (line.partition(": ") for line in answer.split("\n"))
        return {name: reply.replace(" / ", "\n") for name, _, reply in parts}
