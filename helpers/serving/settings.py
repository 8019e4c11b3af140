"""What the service is told when it starts: who may come in, how much, how long (notebook 14)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HOSTS = ("127.0.0.1", "localhost", "[::1]")
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Settings:
    """Who may come in, how much, and how long. Raises ValueError, naming the field, for a value that makes no sense.

    ``keys`` maps a person's name to the SHA-256 of their key (see ``helpers.serving.keys``); without keys nobody needs one.
    ``hosts`` are the names under which the service may be called: a request for any other is refused, because a page on the
    web can give its own name our address (DNS rebinding). The limits count per key, None is no limit.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = HOSTS
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None  # read and written
    deadline: float = 60.0  # seconds from the request's arrival to its last token
    max_body: int = 1_000_000  # bytes of a request
    body_timeout: float = 10.0  # seconds in which they must have come
    max_messages: int = 1_000  # of one conversation
    max_tokens: int = 1_000  # that one reply may ask for
    max_choices: int = 8  # replies to one request
    batch_size: int = 8  # requests that a GPT computes together
    max_waiting: int = 32  # requests that wait for a place in the batch; more are refused
    log: Any = None  # a path, or an open text file; None writes no log
    log_texts: str = "none"  # or "redacted": what was said, without personal data as far as patterns find it
    grace: float = 30.0  # seconds that running requests have to finish when the service stops
    notice: float = 0.5  # seconds that it still answers then, with 503, so that a load balancer can see it

    def __post_init__(self):
        for name in ("deadline", "body_timeout", "grace"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is {getattr(self, name)}: give seconds, more than 0")
        if not 0 <= self.notice <= self.grace:
            raise ValueError(f"notice is {self.notice}: give seconds, from 0 to grace ({self.grace:g})")
        for name in ("max_body", "max_messages", "max_tokens", "max_choices", "batch_size"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: give a whole number, 1 or more")
        for name in ("requests_per_minute", "tokens_per_minute"):
            if getattr(self, name) is not None and not getattr(self, name) >= 1:
                raise ValueError(
                    f"{name} is {getattr(self, name)}: give a whole number, 1 or more, or None for no limit"
                )
        if not self.max_waiting >= 0:
            raise ValueError(f"max_waiting is {self.max_waiting}: give a whole number, 0 or more")
        if self.log_texts not in ("none", "redacted"):
            raise ValueError(f'log_texts is {self.log_texts!r}: give "none" or "redacted"')
        for name, value in self.keys.items():
            if not _DIGEST.fullmatch(value):
                raise ValueError(
                    f"the key of {name!r} is no SHA-256 in 64 small hexadecimal digits: see helpers.serving.keys"
                )
