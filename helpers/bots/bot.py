"""One Bot for all years: it reads a conversation and says the next thing (built in notebook 02)."""

import unicodedata
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.corpus.cleaning import clean

SPEAKERS = "AB"


@dataclass
class Bot:
    """A language model that takes part in a conversation.

    ``model`` is called as ``logits, state = model(ids, state)``; ``tokenizer`` knows speakers and the end. Of a prompt of
    more than ``context`` tokens, or more than three quarters of what the model can see at once, the oldest turns are left
    out, with a warning; of a last turn that is still too long, the beginning. ``distribution`` turns logits into the
    probabilities that are sampled from; without one it is that of ``helpers.generation.sampling``.
    """

    model: Any
    tokenizer: Any
    name: str = "bot"
    context: int = 2000
    distribution: Callable | None = None

    def reply(self, history: Sequence[str], **settings) -> str:
        """Return the next message after ``history``, a list of messages of two people in turn, the last one to be answered.

        Settings, all by name: ``temperature`` (0.7; 0 is greedy), ``top_k``, ``top_p`` (no cut), ``repetition_penalty``
        (1.0), ``seed`` (None: another reply each time) and ``max_tokens`` (200 characters or 80 word pieces). Raises
        ValueError for an empty history, TypeError when it is no list of strings.
        """
        return "".join(self.stream(history, **settings)).strip()

    def stream(
        self, history: Sequence[str], *, temperature: float = 0.7, max_tokens: int | None = None, **settings
    ) -> Iterator[str]:  # fmt: skip
        """Yield the reply piece by piece, as it is written; the arguments are those of ``reply``."""
        from helpers.generation.sampling import generate

        ids = self.prompt(history)
        settings |= {"temperature": temperature, **self.sampling(max_tokens)}
        streamer = self.tokenizer.streamer()
        for token in generate(self.model, ids, **settings):
            if piece := streamer.push(token):
                yield piece
        if rest := streamer.finish():
            yield rest

    def sampling(self, max_tokens: int | None = None) -> dict:
        """Return how its tokens are sampled: ``max_tokens``, the ends of a turn, what it never writes, its distribution."""
        tokenizer = self.tokenizer
        if max_tokens is None:
            max_tokens = 200 if hasattr(tokenizer, "characters") else 80
        settings = {
            "max_tokens": max_tokens,
            "stop": {tokenizer.end, *(tokenizer.speaker(name) for name in (*SPEAKERS, "other"))},
            "forbidden": [number for number in (tokenizer.pad, tokenizer.unknown) if number is not None],
        }
        return settings if self.distribution is None else {**settings, "distribution": self.distribution}

    def prompt(self, history: Sequence[str]) -> list[int]:
        """Return the tokens that the model goes on from: ``<end>``, the turns so far, and the bot's own speaker token."""
        ids, length = self.fitted(history)
        if length > self.room:
            warnings.warn(
                f"the conversation is {length:,} tokens long; {self.name} reads the last {self.room:,} of them",
                stacklevel=3,
            )
        return ids

    def fitted(self, history: Sequence[str]) -> tuple[list[int], int]:
        """Return the same tokens, and how many the whole conversation would have been: ``prompt`` without its warning."""
        _check(history)
        tokenizer = self.tokenizer
        turns = [
            [tokenizer.speaker(SPEAKERS[number % 2]), *tokenizer.encode(_readable(message))]
            for number, message in enumerate(history)
        ]
        own, room = tokenizer.speaker(SPEAKERS[len(history) % 2]), self.room
        length = sum(map(len, turns)) + 2
        if length > room:
            while len(turns) > 1 and sum(map(len, turns)) + 2 > room:
                del turns[0]
            first = turns[0]
            turns[0] = first[:1] + first[1:][-(room - 3) :] if len(first) + 2 > room else first
        return [tokenizer.end, *(number for turn in turns for number in turn), own], length

    def continued(self, text: str) -> list[int]:
        """Return the tokens that the model goes on from when it is to go on with ``text``, as the words of one person."""
        _check([text])
        ids = self.tokenizer.encode(_readable(text))
        return [self.tokenizer.end, self.tokenizer.speaker(SPEAKERS[0]), *ids[-(self.room - 2) :]]

    @property
    def room(self) -> int:
        """How many tokens a prompt may have: a model that sees few at once needs a quarter of them for its reply."""
        sees = getattr(self.model, "context", None)
        return self.context if sees is None else max(4, min(self.context, sees - sees // 4))


def _check(history) -> None:
    if isinstance(history, str):
        raise TypeError(f"history is one text: put it into a list, bot.reply([{history[:20]!r}])")
    if not isinstance(history, Sequence) or not all(isinstance(message, str) for message in history):
        raise TypeError("history must be a list of texts, the oldest first")
    if not len(history):
        raise ValueError('history is empty: a reply needs something to answer, as in bot.reply(["Hello!"])')


def _readable(message: str) -> str:
    """Write a message as the training texts are written: curly quotes straight, control characters gone."""
    text = clean(message[-100_000:])  # its end: that is where a long conversation is cut, too
    text = text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) != "Cc")
