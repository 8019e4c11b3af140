"""A request on its way: through the service, along the wire, and when the service stops (built for notebook 14)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.drawings.pipelines import hatched
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import BLUE, CRIMSON, INK, ORANGE, SOFT, TEAL, amount

STOPS = (
    ("body", "not too large", "413", "too large"),
    ("key", "known", "401", "unknown key"),
    ("limit", "of this key", "429", "too often"),
    ("queue", "has room", "503", "full"),
)


def request_path() -> Drawing:
    """Draw a request's way from the client to the model and its tokens' way back, with the status of each refusal."""
    figure = Diagram("The way of a request, and where it may end early")
    y, high = TITLE_HEIGHT + 14, 54
    client = figure.box(LEFT, y, 84, high + 78, "client", "kept", "browser,\nprogram")
    x, last = LEFT + 118, (client.right, y + high / 2)
    for name, note, status, reason in STOPS:
        box = figure.box(x, y, 92, high, name, "step", note)
        figure.arrow(last, box.left_middle, width=1.8)
        figure.arrow(box.bottom_middle, (box.center[0], y + high + 28), color=CRIMSON, width=2)
        figure.label(box.center[0], y + high + 44, status, 14, color=INK, bold=True)
        figure.label(box.center[0], y + high + 60, reason, 11.5)
        last, x = box.right_middle, x + 118
    batch = figure.box(RIGHT - 200, y, 200, high, "batch", "attention", "one step of the model for all rows")
    figure.arrow(last, batch.left_middle, width=1.8)
    for i in range(5):
        figure.rect(batch.x + 30 + i * 30, y + high + 26, 24, 22, tint(ORANGE, 0.3), ORANGE, 1.2, 2)
    figure.arrow(batch.bottom_middle, (batch.center[0], y + high + 24), color=ORANGE, width=2.4)
    figure.label(batch.center[0], y + high + 64, "a token each step", 12, color=INK)
    back = y + high + 100
    figure.arrow((batch.center[0], y + high + 72), (batch.center[0], back), (client.center[0], back),
                 (client.center[0], client.bottom + 1), color=ORANGE, width=2.4)  # fmt: skip
    figure.label(
        (LEFT + RIGHT) / 2 - 20, back - 8, "200, a stream of events, the usage at the end", 12.5, color=INK, bold=True
    )
    figure.label((LEFT + RIGHT) / 2 - 20, back + 18, "a client that has gone: its row leaves the batch", 12)
    return figure.finish(
        "A request passes the limit on its body (else 413), its key (else 401), the limit of this key (else 429) and a queue "
        "with room (else 503), and joins the batch between two steps of the model. Its tokens come back as a stream of events, "
        "the usage last. When the client is gone, its row leaves the batch.",
        "Red: refused, at once and with a reason. Orange: tokens.",
    )


def sse_on_the_wire(texts: Sequence[str] = ("How", " are", " you 😀"), cuts: Sequence[int] = (4, 22, 35)) -> Drawing:
    """Draw server-sent events as the bytes that are sent, cut by the network into chunks that know nothing of events.

    ``texts`` are 1 to 4 events' data, ``cuts`` the numbers of the bytes before which a new chunk begins. Raises ValueError for
    more than 92 bytes, and for cuts that are outside or not in order.
    """
    from helpers.serving.sse import EventParser, event

    need(1 <= len(texts) <= 4, f"{amount(len(texts), 'event')} cannot be drawn: give 1 to 4")
    sent = [event(text) for text in texts]
    stream, cuts = b"".join(sent), list(cuts)
    need(
        len(stream) <= 92,
        f"{len(stream)} bytes cannot be drawn: give shorter texts, at most 92 bytes with data: and all",
    )
    need(
        cuts == sorted(set(cuts)) and all(0 < cut < len(stream) for cut in cuts),
        f"cuts must rise from 1 to {len(stream) - 1}",
    )
    figure = Diagram(f"{amount(len(sent), 'event')} on the wire: where does one end, and where does a chunk?")
    size, per, pitch = 25.5, 30, 92
    owner = [number for number, data in enumerate(sent) for _ in data]
    chunk = [sum(cut <= i for cut in cuts) for i in range(len(stream))]
    parser, complete = EventParser(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)]):
        complete.append(len(parser.feed(stream[start:end])))
    for i, byte in enumerate(stream):
        x, y = LEFT + 8 + i % per * size, TITLE_HEIGHT + 26 + i // per * pitch
        paper, edge = ((tint(BLUE, 0.22), BLUE), (tint(ORANGE, 0.3), ORANGE))[owner[i] % 2]
        figure.rect(x, y, size - 2, 30, paper, edge, 1, 2)
        text = "↵" if byte == 10 else "␣" if byte == 32 else chr(byte) if 32 < byte < 127 else f"{byte:02x}"
        figure.label(x + size / 2 - 1, y + 20, text, 12.5 if len(text) == 1 else 11, color=INK, mono=True)
        if i in cuts:
            figure.line((x - 1, y - 3), (x - 1, y + 54), color=CRIMSON, width=2.6)
        if i == 0 or i in cuts or i % per == 0 and chunk[i]:
            again = "" if i == 0 or i in cuts else " (goes on)"
            room = (min([cut for cut in cuts if cut > i] + [len(stream), i - i % per + per]) - i) * size - 8
            if room > 60:
                figure.label(x + 4, y + 48, f"chunk {chunk[i]}{again}", 11.5, "start", room=room)
            elif room > 18:
                figure.label(x + 4, y + 48, str(chunk[i]), 11.5, "start", room=room)
        if i == 0 or owner[i] != owner[i - 1]:
            figure.label(x, y - 6, f"event {owner[i]}", 11.5, "start", INK, bold=True)
    figure._reach(TITLE_HEIGHT + 26 + (len(stream) - 1) // per * pitch + 54)
    said = ", ".join(f"{count} by chunk {number}" for number, count in enumerate(complete))
    return figure.finish(
        f"{amount(len(sent), 'event')} as {len(stream)} bytes, cut by the network into {amount(len(complete), 'chunk')}. "
        f"Events completed: {said}. A chunk may end inside a word, a character, or the empty line that ends an event.",
        "Two colors: events. Red lines: the network's cuts. ↵: line feed. ␣: space. Hexadecimal: bytes of one character.",
    )


def graceful_stop() -> Drawing:
    """Draw the order of a stop without losses: not ready, refuse what comes, finish what runs, close."""
    figure = Diagram("SIGTERM comes: what happens to requests that run, and to those that come?")
    y, high, at = TITLE_HEIGHT + 34, 28, LEFT + 116
    stop, end, right = at + 250, at + 520, RIGHT - 4
    figure.line((stop, y - 16), (stop, y + 200), color=CRIMSON, width=2.4)
    figure.label(stop, y - 22, "SIGTERM", 12.5, color=INK, bold=True)
    figure.line((end, y - 16), (end, y + 200), color=SOFT, width=1.6, dashed=True)
    figure.label(end, y - 22, "the last reply is done", 12.5, color=INK)
    rows = (
        ("ready?", None),
        ("reply A", (30, 160)),
        ("reply B", (120, 430)),
        ("reply C", (200, 520)),
        ("new request", None),
    )
    for row, (name, span) in enumerate(rows):
        top = y + row * 40
        figure.label(LEFT, top + 19, name, 12.5, "start", INK, bold=True)
        if span:
            figure.rect(at + span[0], top, span[1] - span[0], high, tint(BLUE, 0.22), BLUE, 1.3, 3)
            if span[1] > 250:
                figure.rect(stop, top, at + span[1] - stop, high, tint(ORANGE, 0.3), ORANGE, 1.3, 3)
                figure.label(stop + 10, top + 19, "is finished", 12, "start", INK)
    figure.rect(at, y, 250, high, tint(TEAL, 0.32), TEAL, 1.3, 3)
    figure.label(at + 125, y + 19, "200: send me work", 12, color=INK)
    hatched(figure, stop, y, end - stop, high)
    figure.rect(stop + 60, y + 4, 150, 20, "#ffffff", "#ffffff", 0, 2)
    figure.label(stop + 135, y + 19, "503: send me nothing", 12, color=INK, bold=True)
    figure.arrow((at + 200, y + 198), (at + 200, y + 150), color=BLUE, width=2)
    for x in (stop + 90, stop + 190):
        figure.arrow((x, y + 198), (x, y + 178), color=CRIMSON, width=2)
        figure.label(x, y + 172, "503", 12.5, color=INK, bold=True)
    figure.box(end + 12, y + 66, right - end - 12, 62, "close", "step", "threads, port", size=13)
    return figure.finish(
        "A graceful stop. When SIGTERM comes, the service says at once that it is not ready (503), so that no new work is sent "
        "to it, and refuses what comes nevertheless (503). Replies that run are finished, up to a deadline. Then it closes its "
        "port and its threads.",
        "Blue: before the signal. Orange: after it.",
    )
