"""The requests of OpenAI's API that the service understands, checked by pydantic (notebook 14).

Strict: "5" is no number, true is no 1, and a field that the service does not know is an error with its name: a setting that
is silently ignored is worse than one that is refused. Names and ranges: OpenAI's API reference; ``top_k`` and
``repetition_penalty`` are ours (as in vLLM's server).
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from helpers.serving.conversation import checked_text
from helpers.serving.errors import ServiceError, shown, wrong
from helpers.serving.settings import Settings

MOST_STOPS, LONGEST_STOP = 4, 200
Number = Annotated[float, Field(allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class StreamOptions(BaseModel):
    """``include_usage``: one more chunk at the end, with the number of tokens."""

    model_config = ConfigDict(extra="forbid", strict=True)
    include_usage: bool | None = None
    include_obfuscation: bool | None = None  # sent by some clients; our chunks are as long as the text


class Sampling(BaseModel):
    """What a chat and a completion have in common. ``None`` is the usual value, as if the field were not there."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, protected_namespaces=())

    model: str = Field(max_length=200)
    temperature: Number | None = Field(None, ge=0, le=2)
    top_p: Number | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=0, lt=2**31)
    repetition_penalty: Number | None = Field(None, ge=1, le=2)
    n: int | None = Field(None, ge=1)
    max_tokens: int | None = Field(None, ge=1)
    stop: Any = None
    seed: Seed | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    presence_penalty: Number | None = None
    frequency_penalty: Number | None = None
    logit_bias: dict[str, Any] | None = None
    user: str | None = None  # these two are read by no one here, and never logged
    metadata: dict[str, Any] | None = None

    def limit(self) -> int | None:
        """Return how many tokens a reply may have at most, None for the bot's usual number."""
        return self.max_tokens

    def stops(self) -> tuple[str, ...]:
        """Return the strings at which a reply ends. Raises ServiceError (400) for something else."""
        stops = self.stop if isinstance(self.stop, list) else [] if self.stop is None else [self.stop]
        if len(stops) > MOST_STOPS:
            raise wrong("stop", f"give up to {MOST_STOPS} texts")
        if not all(isinstance(stop, str) and 1 <= len(stop) <= LONGEST_STOP for stop in stops):
            raise wrong("stop", f"give a text of 1 to {LONGEST_STOP} characters, or a list of them")
        return tuple(checked_text(stop, "stop") for stop in stops)

    def check(self, settings: Settings) -> None:
        """Raise ServiceError (400) for what this service does not do, and for more than its settings allow."""
        if (self.n or 1) > settings.max_choices:
            raise wrong("n", f"this service gives up to {settings.max_choices} replies to one request")
        if (self.limit() or 1) > settings.max_tokens:
            name = "max_completion_tokens" if getattr(self, "max_completion_tokens", None) else "max_tokens"
            raise wrong(name, f"this service writes up to {settings.max_tokens:,} tokens a reply")
        self.stops()
        for name in ("presence_penalty", "frequency_penalty"):
            if getattr(self, name):
                raise wrong(name, "these bots have none; repetition_penalty (1.0 to 2.0) is similar")
        if self.logit_bias:
            raise wrong("logit_bias", "this service has none")
        if self.stream_options is not None and not self.stream:
            raise wrong("stream_options", "only together with stream: true")


class ChatRequest(Sampling):
    """The body of POST /v1/chat/completions."""

    messages: Any
    max_completion_tokens: int | None = Field(None, ge=1)  # the newer name of max_tokens
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    response_format: dict[str, Any] | None = None
    tools: list[Any] | None = None
    tool_choice: Literal["none", "auto"] | None = None
    parallel_tool_calls: bool | None = None
    store: Literal[False] | None = None
    service_tier: Literal["auto", "default"] | None = None

    def limit(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    def alternatives(self) -> int | None:
        """Return how many likeliest tokens are told beside each sampled one; None when no log-probabilities are wanted."""
        return (self.top_logprobs or 0) if self.logprobs else None

    def check(self, settings: Settings) -> None:
        super().check(settings)
        if None not in (self.max_tokens, self.max_completion_tokens) and self.max_tokens != self.max_completion_tokens:
            raise wrong("max_tokens", "max_completion_tokens says something else: give one of the two")
        if self.top_logprobs is not None and not self.logprobs:
            raise wrong("top_logprobs", "only together with logprobs: true")
        if self.tools:
            raise wrong("tools", "these bots can use no tools")
        if self.response_format and self.response_format.get("type") != "text":
            raise wrong("response_format", 'these bots write text only: {"type": "text"}')


class CompletionRequest(Sampling):
    """The body of POST /v1/completions: the bot goes on with ``prompt``, in the same turn."""

    prompt: Any
    logprobs: int | None = Field(None, ge=0, le=20)
    echo: bool | None = None
    best_of: int | None = Field(None, ge=1)
    suffix: str | None = None

    def alternatives(self) -> int | None:
        """As in ``ChatRequest``."""
        return self.logprobs

    def text(self) -> str:
        """Return the text to go on with. Raises ServiceError (400) for several texts and for token ids."""
        prompt = self.prompt
        if isinstance(prompt, list) and len(prompt) == 1:
            prompt = prompt[0]
        if not isinstance(prompt, str):
            raise wrong("prompt", "give one text (several texts, and token ids, are not taken)")
        return checked_text(prompt, "prompt")

    def check(self, settings: Settings) -> None:
        super().check(settings)
        if self.echo:
            raise wrong("echo", "this service does not repeat the prompt")
        if self.best_of not in (None, self.n or 1):
            raise wrong("best_of", "this service keeps every reply: give n alone")
        if self.suffix:
            raise wrong("suffix", "these bots write at the end only")


Model = TypeVar("Model", bound=Sampling)


def read(kind: Callable[..., Model] | type[Model], data: dict, settings: Settings) -> Model:
    """Return the request that ``data`` (parsed JSON) holds. Raises ServiceError (400) with the first wrong field's name."""
    try:
        request = kind.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        param = ".".join(shown(str(part)) for part in first["loc"][:4])
        if first["type"] == "extra_forbidden":
            raise wrong(param, "this service knows no such field") from None
        raise wrong(param, first["msg"][:1].lower() + first["msg"][1:]) from None
    except ValueError:  # pydantic itself cannot handle half a character in a field's name
        raise ServiceError(400, "a field's name is no text") from None
    request.check(settings)
    return request
