"""Server-sent events: how an answer comes over HTTP while it is still being written (built in notebook 14).

A body of type ``text/event-stream`` is a sequence of events. Each is a few lines, ``data: …``, closed by an empty line. The
network cuts these bytes wherever it likes. Format: WHATWG, HTML Living Standard, section 9.2 "Server-sent events".
"""

import json

DONE = "[DONE]"  # how OpenAI's API, and ours, marks the end of a stream


def event(data: str | dict) -> bytes:
    """Return one event as the bytes that are sent; a dict becomes JSON in one line.

    A text of several lines becomes several ``data:`` lines, which the reader joins again.
    """
    if not isinstance(data, str):
        data = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    lines = data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "".join(f"data: {line}\n" for line in lines).encode() + b"\n"


class EventParser:
    """Reads events from bytes that arrive in pieces of any size: ``feed(piece)`` returns the events it completes.

    An event counts only when the empty line after it has come; what is left when the connection closes is no event. Lines end
    with \\n, \\r\\n or \\r. Comments (lines that begin with a colon) and all fields but ``data`` are left out, and so are events
    without ``data``.
    """

    def __init__(self):
        self._rest = b""  # the beginning of a line whose end has not come yet
        self._data: list[str] = []  # of the event that is being read
        self._after_return = False  # a \r ended the last line: an \n now would be its second half

    def feed(self, piece: bytes) -> list[str]:
        """Return the data of each event that these bytes complete, in order; maybe none."""
        if self._after_return and piece:
            piece, self._after_return = piece.removeprefix(b"\n"), False
        self._after_return = piece.endswith(b"\r")
        # Only whole lines are decoded, so no character is ever cut.
        *lines, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        events = []
        for line in lines:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
            elif not line and self._data:
                events.append("\n".join(self._data))
                self._data = []
        return events
