"""What an engine is asked, and what it says while it answers: the seam between the bots and the web (notebook 14)."""

from collections.abc import Sequence
from dataclasses import dataclass


class Full(RuntimeError):
    """The queue of an engine has no room: try again later."""


class Closed(RuntimeError):
    """The engine takes nothing any more."""


@dataclass(frozen=True)
class Request:
    """One reply that is wanted: to a ``history`` of two people in turn, or going on with a ``prompt`` in the same turn.

    ``stop`` are texts at which it ends (they are not part of it), ``logprobs`` how many of the likeliest tokens are told beside
    each sampled one (None: nothing is), ``deadline`` in how many seconds it must be complete, all waiting included.
    """

    history: Sequence[str] | None = None
    prompt: str | None = None
    temperature: float = 0.7
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: int | None = None
    deadline: float | None = None


@dataclass(frozen=True)
class Event:
    """What a reply has more: ``text`` that is settled, and how many ``tokens`` were sampled since the last event.

    ``scored`` holds, if it was asked for, (text, bytes, log-probability, [(text, bytes, log-probability), …]) per token.
    ``finish`` is None until the last event: then "stop", "length", "deadline", "canceled", "closed" or "error" (``error``).
    """

    text: str = ""
    tokens: int = 0
    scored: Sequence[tuple] = ()
    finish: str | None = None
    error: Exception | None = None
