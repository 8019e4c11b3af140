"""The bodies of the service's answers, whole and in chunks, in the shape of OpenAI's API (notebook 14).

Plain dicts: what a client parses is seen here at a glance. Reference: OpenAI's API, "Chat Completions" and "Completions".
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

LEAST = -9999.0  # as in OpenAI's API


@dataclass
class Usage:
    """How many tokens a request has read and written."""

    read: int = 0
    written: int = 0

    def body(self) -> dict:
        """Return {"prompt_tokens", "completion_tokens", "total_tokens"}."""
        total = self.read + self.written
        return {"prompt_tokens": self.read, "completion_tokens": self.written, "total_tokens": total}


@dataclass
class Scored:
    """One sampled token with its log-probability (nats) and the likeliest ones: ``top`` holds (text, bytes, log-probability).

    A probability of 0 is told as LEAST: JSON has no infinity.
    """

    text: str
    bytes: bytes
    logprob: float
    top: Sequence[tuple[str, bytes, float]] = ()

    def __post_init__(self):
        self.logprob = max(self.logprob, LEAST)
        self.top = [(text, data, max(logprob, LEAST)) for text, data, logprob in self.top]


@dataclass
class Reply:
    """One choice of an answer, as far as it has been written."""

    text: str = ""
    scored: list[Scored] | None = None  # None: nobody asked for log-probabilities
    finish: str | None = None  # "stop" or "length", once it has ended

    def add(self, piece: "Reply") -> "Reply":
        """Add what has been written since; return it as this reply shows it: without log-probabilities nobody asked for."""
        self.text += piece.text
        if self.scored is not None:
            self.scored += piece.scored or ()
        self.finish = piece.finish
        return Reply(piece.text, None if self.scored is None else piece.scored, None)


@dataclass
class Shape:
    """How one request is answered: as a chat or a completion, with one id, one model and one time in every chunk."""

    chat: bool
    id: str
    model: str
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, replies: Sequence[Reply], usage: Usage) -> dict:
        """Return the body of a whole answer."""
        kind = "chat.completion" if self.chat else "text_completion"
        choices = [self._choice(number, reply) for number, reply in enumerate(replies)]
        return {**self._head(kind), "choices": choices, "usage": usage.body()}

    def opening(self, number: int) -> dict:
        """Return the first chunk of a choice of a streamed chat: who speaks."""
        return self._chunk([{"index": number, "delta": {"role": "assistant", "content": ""}, **_NOTHING}])

    def piece(self, number: int, reply: Reply) -> dict:
        """Return the chunk with the next piece of a choice."""
        if not self.chat:
            return self._chunk([self._choice(number, reply)])
        delta = {"content": reply.text} if reply.text or reply.scored else {}
        scored = _chat_logprobs(reply.scored)
        return self._chunk([{"index": number, "delta": delta, "logprobs": scored, "finish_reason": reply.finish}])

    def totals(self, usage: Usage) -> dict:
        """Return the last chunk of a stream whose client asked for the number of tokens: no choice, and the usage."""
        return {**self._chunk([]), "usage": usage.body()}

    def _head(self, kind: str) -> dict:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def _chunk(self, choices: list[dict]) -> dict:
        kind = "chat.completion.chunk" if self.chat else "text_completion"
        return {**self._head(kind), "choices": choices}

    def _choice(self, number: int, reply: Reply) -> dict:
        ends = {"index": number, "finish_reason": reply.finish}
        if not self.chat:
            return {"text": reply.text, "logprobs": _text_logprobs(reply.scored), **ends}
        message = {"role": "assistant", "content": reply.text, "refusal": None}
        return {"message": message, "logprobs": _chat_logprobs(reply.scored), **ends}


_NOTHING = {"logprobs": None, "finish_reason": None}


def _token(text: str, data: bytes, logprob: float) -> dict:
    return {"token": text, "logprob": logprob, "bytes": list(data)}


def _chat_logprobs(scored: list[Scored] | None) -> dict | None:
    if scored is None:
        return None
    content = [
        {**_token(token.text, token.bytes, token.logprob), "top_logprobs": [_token(*other) for other in token.top]}
        for token in scored
    ]
    return {"content": content, "refusal": None}


def _text_logprobs(scored: list[Scored] | None) -> dict | None:
    if scored is None:
        return None
    offsets = [sum(len(token.text) for token in scored[:number]) for number in range(len(scored))]
    return {
        "tokens": [token.text for token in scored],
        "token_logprobs": [token.logprob for token in scored],
        "top_logprobs": [{text: logprob for text, _, logprob in token.top} for token in scored],
        "text_offset": offsets,
    }


def model_card(name: str, created: int) -> dict:
    """Return what /v1/models tells about one bot."""
    return {"id": name, "object": "model", "created": created, "owned_by": "one-conversation"}
