"""One reply on its way: its tokens, how they are chosen, the text they become, and who is told (notebook 14)."""

import time
from collections.abc import Callable

import torch

from helpers.generation.sampling import TokenSampler
from helpers.serving.requests import Event, Request
from helpers.serving.text_stream import TextStream


class Ticket:
    """What an engine keeps of one request, and what its client holds as a ticket: ``prompt_tokens`` and ``cancel()``.

    ``ids`` are the tokens the model is to read when the request joins: the prompt; later, when the model's context is full, the
    latter half of it, as in ``helpers.generation.sampling.generate``. ``last`` is the token it has not read yet. Raises
    ValueError for settings that make no sense, TypeError and ValueError for a history that is none.
    """

    def __init__(self, bot, request: Request, on_event: Callable[[Event], None], wake: Callable[[], None]):
        if (request.history is None) == (request.prompt is None):
            raise ValueError("give a history to answer or a prompt to go on with, one of the two")
        if request.max_tokens is not None and request.max_tokens < 1:
            raise ValueError(f"max_tokens is {request.max_tokens}: give 1 or more")
        if request.logprobs is not None and request.logprobs < 0:
            raise ValueError(f"logprobs is {request.logprobs}: give how many likely tokens to name, 0 or more")
        self.request, self.on_event, self._wake = request, on_event, wake
        self.text = list(bot.fitted(request.history)[0] if request.prompt is None else bot.continued(request.prompt))
        self.prompt_tokens, self.begin, self.limit = len(self.text), 0, getattr(bot.model, "context", None)
        settings = bot.sampling(request.max_tokens)
        self.most, self.ends = settings.pop("max_tokens"), settings.pop("stop")
        generator = torch.Generator()
        generator.manual_seed(request.seed) if request.seed is not None else generator.seed()
        chosen = {name: getattr(request, name) for name in ("temperature", "top_k", "top_p", "repetition_penalty")}
        self.sampler = TokenSampler(**chosen, **settings, generator=generator)
        self.stream = TextStream(bot.tokenizer, request.stop, trim=request.prompt is None)
        self.tokenizer, self.written, self.finish = bot.tokenizer, 0, None
        self.deadline = None if request.deadline is None else time.monotonic() + request.deadline
        self.canceled = self.told = False

    # --- what a batch asks (helpers.serving.continuous_batch.Running) -----------------------------------------------------

    @property
    def ids(self) -> list[int]:
        return self.text[self.begin :]

    @property
    def last(self) -> int:
        return self.text[-1]

    @property
    def full(self) -> bool:
        """Whether the model cannot read one token more: it must leave the batch and read its latter half anew."""
        return self.limit is not None and len(self.text) - self.begin > self.limit

    @property
    def done(self) -> bool:
        return self.finish is not None or self.full

    def push(self, logits: torch.Tensor) -> None:
        """Choose the next token from its logits [V], and tell the client what that settles.

        What goes wrong here, such as logits that are no numbers, ends this reply alone and not those of its batch.
        """
        try:
            self._push(logits)
        except Exception as error:
            self.end("error", error=error)

    def _push(self, logits: torch.Tensor) -> None:
        token = int(self.sampler(logits[None]))
        self.written += 1
        if token in self.ends:
            self.end("stop", tokens=1)
            return
        self.text.append(token)
        scored = [] if self.request.logprobs is None else [self._scored(logits, token)]
        piece = self.stream.push(token)
        if self.stream.stopped or self.written >= self.most:
            self.end("stop" if self.stream.stopped else "length", tokens=1, scored=scored, text=piece)
        else:
            self.tell(Event(piece, 1, scored))

    def move_on(self) -> None:
        """Forget the first half of a full context, as ``generate`` does."""
        self.begin = len(self.text) - max(1, self.limit // 2)

    # --- what the engine and the client do --------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Want no more of it. From any thread, also twice, also when it has ended."""
        self.canceled = True
        self._wake()

    def over(self, now: float) -> str | None:
        """Return why nobody waits for it any more, at ``now`` on the monotonic clock: "canceled", "deadline", or None."""
        if self.canceled:
            return "canceled"
        return "deadline" if self.deadline is not None and now >= self.deadline else None

    def end(self, finish: str, *, tokens: int = 0, scored=(), text: str = "", error: Exception | None = None) -> None:
        """Tell the client how it has ended, once; with the rest of the text where it is complete."""
        if self.finish is None:
            rest = self.stream.finish() if finish in ("stop", "length") else ""
            self.finish = finish
            self.tell(Event(text + rest, tokens, scored, finish, error))

    def tell(self, event: Event) -> None:
        """Hand an event to the client. One whose function fails is not told anything more, and no other client notices."""
        if self.told:
            return
        try:
            self.on_event(event)
        except Exception:
            self.told = self.canceled = True

    def _scored(self, logits: torch.Tensor, token: int) -> tuple:
        scores = torch.log_softmax(logits.double(), dim=-1)
        top = scores.topk(min(self.request.logprobs, len(scores)))
        likeliest = [(*self._named(int(number)), float(score)) for score, number in zip(top.values, top.indices)]
        return (*self._named(token), float(scores[token]), likeliest)

    def _named(self, token: int) -> tuple[str, bytes]:
        text = self.tokenizer.decode([token], special=True)
        raw = getattr(self.tokenizer, "bytes", None)
        return text, (raw[token] if raw is not None else b"") or text.encode()
