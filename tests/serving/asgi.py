"""Ask an app without any server: a request is a few ASGI messages, and so is what comes back."""

import asyncio
import json
from dataclasses import dataclass, field


@dataclass
class Answer:
    """What an app sent: ``status`` (None if nothing), ``headers`` (small letters), and the pieces of the body."""

    status: int | None = None
    headers: dict = field(default_factory=dict)
    pieces: list = field(default_factory=list)
    complete: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    def json(self):
        return json.loads(self.body)

    def events(self) -> list[str]:
        """The data of server-sent events."""
        from helpers.serving.sse import EventParser

        return EventParser().feed(self.body)

    def chunks(self) -> list[dict]:
        """The events of a stream but for the last, which must be [DONE]."""
        *events, last = self.events()
        assert last == "[DONE]"
        return [json.loads(event) for event in events]


async def ask(app, method="GET", path="/", body=None, headers=(), pieces=None, until=None, query=b""):
    """Return the Answer to one request.

    ``body`` is bytes, or what becomes JSON; ``pieces`` are its bytes in several messages, None stands for a wait that never
    ends. ``until(answer)`` is asked after each message: when it says yes, the client leaves.
    """
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    given = {"host": "127.0.0.1:8000", **({"content-type": "application/json"} if method == "POST" else {})}
    if pieces is None:
        pieces = [body or b""]
        given["content-length"] = str(len(pieces[0]))
    given |= {name.lower(): value for name, value in dict(headers).items()}
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query, "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value is not None],
        "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    answer, left, gone = Answer(), list(pieces), asyncio.Event()

    async def receive():
        if left:
            piece = left.pop(0)
            if piece is None:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": piece, "more_body": bool(left)}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        else:
            answer.pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                answer.complete = True
                gone.set()
        if until is not None and until(answer):
            gone.set()
        await asyncio.sleep(0)  # as a socket would

    if until is not None and until(answer):
        gone.set()
    await app(scope, receive, send)
    return answer


def asked(app, *arguments, **settings) -> Answer:
    """Return the Answer to one request, in an event loop of its own that is given ten seconds."""
    return asyncio.run(asyncio.wait_for(ask(app, *arguments, **settings), 10))
