"""From sampled tokens to text that may be sent: whole characters, no half stop string, no space at the edges (notebook 14)."""

from collections.abc import Sequence


def settled(text: str, stops: Sequence[str]) -> tuple[str, str, bool]:
    """Return (what may be sent, what must be held back, whether a stop was found) of a text that is still being written.

    Held back is the longest end of ``text`` that a stop may begin with. Where a stop stands in the text, the earliest one
    ends it: what is before it may be sent, and nothing is held back. An empty stop is none.
    """
    stops = [stop for stop in stops if stop]
    found = [text.index(stop) for stop in stops if stop in text]
    if found:
        return text[: min(found)], "", True
    longest = max((len(stop) - 1 for stop in stops), default=0)
    for begin in range(max(0, len(text) - longest), len(text)):
        if any(stop.startswith(text[begin:]) for stop in stops):
            return text[:begin], text[begin:], False
    return text, "", False


class TextStream:
    """Turns the tokens of one reply into pieces of text, which joined are the reply.

    ``trim`` leaves out the spaces at both ends, as ``Bot.reply`` does. ``stopped`` says whether a stop was found.
    """

    def __init__(self, tokenizer, stops: Sequence[str] = (), trim: bool = True):
        self.streamer, self.stops, self.trim = tokenizer.streamer(), tuple(stops), trim
        self.held, self.spaces, self.begun, self.stopped = "", "", False, False

    def push(self, token: int) -> str:
        """Return the text that is settled now that ``token`` has come, "" when none is."""
        return self._add(self.streamer.push(token))

    def finish(self) -> str:
        """Return what was held back, now that nothing more will come."""
        if self.stopped:
            return ""
        piece = self._add(self.streamer.finish())
        if self.stopped:
            return piece
        held, self.held = self.held, ""
        return piece + self._trimmed(held)

    def _add(self, text: str) -> str:
        if not text or self.stopped:
            return ""
        piece, self.held, self.stopped = settled(self.held + text, self.stops)
        return self._trimmed(piece)

    def _trimmed(self, text: str) -> str:
        """Return ``text`` with the spaces that turned out to be inside the reply, without those that may be its end."""
        if not self.trim:
            return text
        text = self.spaces + text if self.begun else text.lstrip()
        kept = text.rstrip()
        self.begun = self.begun or bool(kept)
        self.spaces = text[len(kept) :] if self.begun else ""
        return kept
