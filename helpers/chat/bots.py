"""One Bot for all years: it reads a conversation and says the next thing (built in notebook 02)."""

import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..corpus.cleaning import clean

SPEAKERS = "AB"


@dataclass
class Bot:
    """A language model that takes part in a conversation.

    ``model`` is called as ``logits, state = model(ids, state)``; ``tokenizer`` knows speakers and the end. Prompts of more
    than ``context`` tokens are cut at their beginning, with a warning.
    """

    model: Any
    tokenizer: Any
    name: str = "bot"
    context: int = 2000

    def reply(self, history: Sequence[str], **settings) -> str:
        """Return the next message after ``history``, a list of messages of two people in turn, the last one to be answered.

        Settings, all by name: ``temperature`` (0.7; 0 is greedy), ``top_k``, ``top_p`` (no cut), ``repetition_penalty``
        (1.0), ``seed`` (None: another reply each time) and ``max_tokens`` (200). Raises ValueError for an empty history,
        TypeError when it is no list of strings.
        """
        return "".join(self.stream(history, **settings)).strip()

    def stream(
        self,
        history: Sequence[str],
        *,
        temperature: float = 0.7,
        top_k: int | None = None,
        top_p: float | None = None,
        repetition_penalty: float = 1.0,
        seed: int | None = None,
        max_tokens: int = 200,
    ) -> Iterator[str]:
        """Yield the reply piece by piece, as it is written; the arguments are those of ``reply``."""
        from ..models.sampling import generate

        tokenizer, ids = self.tokenizer, self.prompt(history)
        ends = {tokenizer.end, *(tokenizer.speaker(name) for name in (*SPEAKERS, "other"))}
        silent = [tokenizer.pad, tokenizer.unknown]
        settings = {
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "repetition_penalty": repetition_penalty,
        }
        for token in generate(
            self.model, ids, stop=ends, forbidden=silent, seed=seed, max_tokens=max_tokens, **settings
        ):
            yield tokenizer.decode([token])

    def prompt(self, history: Sequence[str]) -> list[int]:
        """Return the tokens that the model goes on from: ``<end>``, the turns so far, and the bot's own speaker token."""
        _check(history)
        tokenizer = self.tokenizer
        ids = [tokenizer.end]
        for number, message in enumerate(history):
            ids += [tokenizer.speaker(SPEAKERS[number % 2]), *tokenizer.encode(_readable(message))]
        ids.append(tokenizer.speaker(SPEAKERS[len(history) % 2]))
        if len(ids) > self.context:
            warnings.warn(
                f"the conversation is {len(ids):,} tokens long; {self.name} reads the last {self.context:,} of them",
                stacklevel=3,
            )
            ids = ids[-self.context :]
        return ids


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
