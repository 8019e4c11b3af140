"""What may be logged: one JSON line a request, without what people said (built in notebook 14).

A log is read by more people than the service, and kept longer. It tells who asked for which model, how much, how long, and
how it ended. Of the texts it has lengths and a hash that shows when two are equal. The hash is keyed with a secret that is
drawn anew at each start: without one, anyone could hash "hello" and look for it.
"""

import hashlib
import hmac
import json
import secrets
import sys
import threading
import time
from pathlib import Path
from typing import Any

from helpers.corpus.cleaning import redact
from helpers.io import clear_disk_errors

LONGEST = 500  # characters of a text that a log with redacted texts keeps


def text_facts(text: str, secret: bytes) -> dict:
    """Return what a log may say of a text: ``hash``, 16 hexadecimal digits of its HMAC-SHA256, and ``characters``.

    Equal texts have equal hashes as long as ``secret`` (bytes) is the same. HMAC: Krawczyk et al. 1997, RFC 2104.
    """
    keyed = hmac.new(secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return {"hash": keyed.hexdigest()[:16], "characters": len(text)}


def log_line(**fields) -> str:
    """Return one line of a log: the time (UTC) and the ``fields`` as JSON, in ASCII; fields that are None are left out.

    Nothing in a field can begin a line of its own: JSON writes a line break as \\n.
    """
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    kept = {name: value for name, value in fields.items() if value is not None}
    return json.dumps({"time": f"{stamp}Z", **kept})


class Log:
    """Writes a line per event to ``where``: a path (lines are added at its end), an open text file, or None for no log.

    ``texts`` is "none", or "redacted": then ``of_text`` adds the text itself, shortened and without the personal data that
    ``helpers.corpus.cleaning.redact`` finds. That is a help, and no proof that nobody can be recognized. May be used from
    several threads. Raises OSError, saying what to do, when the file cannot be opened.
    """

    def __init__(self, where: Any = None, texts: str = "none"):
        self.texts = texts
        self._secret, self._lock = secrets.token_bytes(16), threading.Lock()
        self._own = isinstance(where, str | Path)
        if self._own:
            with clear_disk_errors(where):
                where = open(Path(where).expanduser(), "a", encoding="utf-8")
        self._file = where

    def of_text(self, text: str) -> dict:
        """Return what this log says of a text: see ``text_facts``, and ``text`` if texts are to be logged redacted."""
        facts = text_facts(text, self._secret)
        # The end is kept, as in a bot's prompt; redacted first: a cut could leave half a number, which no pattern knows.
        return facts | {"text": redact(text[-100_000:])[-LONGEST:]} if self.texts == "redacted" else facts

    def write(self, **fields) -> None:
        """Write a line. A disk that is full stops no request: the line is lost, and standard error says so."""
        if self._file is None:
            return
        with self._lock:
            try:
                self._file.write(log_line(**fields) + "\n")
                self._file.flush()
            except (OSError, ValueError) as error:  # ValueError: the file has been closed
                print(f"a line of the log was lost: {error}", file=sys.stderr)

    def close(self) -> None:
        """Close the file, if this log opened it."""
        if self._own:
            with self._lock:
                self._file.close()
