"""Wrong answers to notebook 14's first build cells: each is one mistake, with words of the message it must hear."""

import json

from helpers.serving.plain import failure, texts

CHAT = "/v1/chat/completions"


# --- the route -------------------------------------------------------------------------------------------------------------
def routed(method, path, body, models, **faults):
    """The right route, but for the faults."""
    if path != CHAT and "any_path" not in faults:
        return 404, failure("no such path")
    if method != "POST" and "any_method" not in faults:
        return faults.get("wrong_method", 405), failure("POST")
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        return faults.get("no_json", 400), failure("no JSON")
    if not isinstance(request, dict):
        return 400, failure("no object")
    if "messages_first" not in faults and (not isinstance(request.get("model"), str) or request["model"] not in models):
        return faults.get("no_model", 404), failure("no model", None if "param" in faults else "model")
    if texts(request.get("messages")) is None and "messages" not in faults:
        return 400, failure("no messages", "messages")
    try:
        answer = models[request["model"]](request["messages"] if "part" in faults else request)
    except Exception as error:
        return faults.get("failed", 500), failure(str(error) if "tells" in faults else "failed")
    return (answer, 200) if "swapped" in faults else (200, {"reply": answer} if "wrapped" in faults else answer)


def with_faults(**faults):
    return lambda method, path, body, models: routed(method, path, body, models, **faults)


def stops_at_json(method, path, body, models):
    json.loads(body)
    return routed(method, path, body, models)


def stops_at_model(method, path, body, models):
    if method == "POST" and path == CHAT and body.startswith(b"{"):
        models[json.loads(body)["model"]]
    return routed(method, path, body, models)


def method_first(method, path, body, models):
    return (405, failure("POST")) if method != "POST" else routed(method, path, body, models)


def only_get_is_wrong(method, path, body, models):
    return routed(method if method == "GET" else "POST", path, body, models)


def longer_paths(method, path, body, models):
    return routed(method, path[: len(CHAT)], body, models)


def other_failure(method, path, body, models):
    status, answer = routed(method, path, body, models)
    return status, answer if status != 500 else {"error": "failed"}


def calls_first(method, path, body, models):
    status, answer = routed(method, path, body, models, messages=1)  # the model is asked whatever the messages are
    if status == 200 and texts(json.loads(body).get("messages")) is None:
        return 400, failure("no messages", "messages")
    return status, answer


ROUTE = {
    method_first: "A path that is not there, asked with GET, got 405",
    only_get_is_wrong: "The right path with the method PUT got 200",
    longer_paths: "A longer path, /v1/chat/completions/7, got 200",
    other_failure: "A model that fails: the answer should be failure(…)",
    calls_first: "reached the model. Check first",
    with_faults(any_path=1): "A path that is not there got 200",
    with_faults(any_method=1): "The right path with the method GET got 200",
    with_faults(wrong_method=404): "The right path with the method GET got 404",
    with_faults(no_json=422): "A body that is no JSON got 422",
    with_faults(no_model=400): 'An unknown model, "gpt-9" got 400',
    with_faults(messages=1): "A request with an empty list of messages got 200",
    with_faults(failed=503): "A model that fails got 503",
    with_faults(tells=1): "its error's text goes to the client",
    with_faults(param=1): 'failure("…", "model")',
    with_faults(part=1): "Call the model with the whole request",
    with_faults(swapped=1): "The status comes first",
    with_faults(wrapped=1): "A good request is answered with 200",
    stops_at_json: "stopped with JSONDecodeError",
    stops_at_model: "stopped with KeyError",
}


# --- events ----------------------------------------------------------------------------------------------------------------
class Parser:
    """The right parser, but for what a subclass changes."""

    joined_by, spaces, keep = "\n", 1, True

    def __init__(self):
        self.rest, self.data = b"", []

    def lines(self, piece):
        *lines, self.rest = (self.rest + piece).split(b"\n")
        return [line.removesuffix(b"\r") for line in lines]

    def feed(self, piece):
        events = []
        for line in self.lines(piece):
            if line.startswith(b"data:"):
                self.data.append(self.text(line[5:]))
            elif not line and self.data:
                events.append(self.joined_by.join(self.data))
                self.data = []
        return events

    def text(self, value):
        return value.removeprefix(b" ").decode()


class Bytes(Parser):
    def feed(self, piece):
        return [event.encode() for event in super().feed(piece)]


class AllButTheLast(Parser):
    """Remembers the piece before, and none before that."""

    def lines(self, piece):
        whole, end, rest = (self.rest + piece).rpartition(b"\n")
        self.rest = rest if end or len(piece) > 1 else piece
        return [line.removesuffix(b"\r") for line in whole.split(b"\n")] if end else []


class ByLines(Parser):
    def feed(self, piece):
        return [self.text(line[5:]) for line in self.lines(piece) if line.startswith(b"data:")]


class Stripped(Parser):
    def text(self, value):
        return value.strip().decode()


class Joined(Parser):
    joined_by = " "

    def text(self, value):
        return value.strip().decode()


class WithName(Parser):
    def feed(self, piece):
        return [f"data: {event}" for event in super().feed(piece)]


class WithComments(Parser):
    def feed(self, piece):
        events = []
        for line in self.lines(piece):
            if line:
                self.data.append(self.text(line.partition(b":")[2]))
            elif self.data:
                events.append("\n".join(self.data))
                self.data = []
        return events


class DecodesPieces(Parser):
    def __init__(self):
        super().__init__()
        self.before = ""

    def feed(self, piece):
        self.before += piece.decode()
        whole, end, rest = self.before.rpartition("\n\n")
        self.before = rest if end else self.before
        return Parser.feed(Parser(), (whole + end).encode()) if end else []


class Shows(DecodesPieces):
    def feed(self, piece):
        self.before += piece.decode("utf-8", "replace")
        whole, end, rest = self.before.rpartition("\n\n")
        self.before = rest if end else self.before
        return Parser.feed(Parser(), (whole + end).encode()) if end else []


class ForgetsLines(Parser):
    def lines(self, piece):
        return [line.removesuffix(b"\r") for line in piece.split(b"\n")[: piece.count(b"\n")]]


class OnlyUnix(Parser):
    def lines(self, piece):
        *lines, self.rest = (self.rest + piece).split(b"\n")
        return lines


class Shared(Parser):
    def __init__(self):
        Shared.rest, self.data = b"", []

    def lines(self, piece):
        *lines, Shared.rest = (Shared.rest + piece).split(b"\n")
        return [line.removesuffix(b"\r") for line in lines]


EVENTS = {
    Bytes: "decode the bytes",
    AllButTheLast: "more than two pieces may make one line",
    ByLines: "Two data lines before one empty line",
    Stripped: "Only ONE space after the colon",
    Joined: "joined by a line break",
    WithName: "is not part of the data",
    WithComments: "Comments (a line that begins with a colon)",
    DecodesPieces: "decoding half of it failed",
    Shows: "yours shows a �",
    ForgetsLines: "Keep the beginning of a line",
    OnlyUnix: 'Lines may end with "\\r\\n"',
    Shared: "Two parsers share what they remember",
}


# --- stop strings ----------------------------------------------------------------------------------------------------------
def right(text, stops):
    found = [text.find(stop) for stop in stops if stop in text]
    if found:
        return text[: min(found)], "", True
    begun = [n for stop in stops for n in range(1, len(stop)) if text.endswith(stop[:n])]
    return text[: len(text) - max(begun, default=0)], text[len(text) - max(begun, default=0) :], False


def holds_all(text, stops):
    return right(text, stops) if any(stop in text for stop in stops) or not stops else ("", text, False)


def sends_at_once(text, stops):
    return right(text, stops) if right(text, stops)[2] else (text, "", False)


def with_stop(text, stops):
    send, keep, stopped = right(text, stops)
    return (send + next(stop for stop in stops if stop in text) if stopped else send), keep, stopped


def keeps_rest(text, stops):
    send, keep, stopped = right(text, stops)
    return send, text[len(send) :], stopped


def first_listed(text, stops):
    for stop in stops:
        if stop in text:
            return text[: text.index(stop)], "", True
    return right(text, stops)


def last_one(text, stops):
    found = [text.rfind(stop) for stop in stops if stop in text]
    return (text[: min(found)], "", True) if found else right(text, stops)


def shortest(text, stops):
    if right(text, stops)[2]:
        return right(text, stops)
    begun = [n for stop in stops for n in range(1, len(stop)) if text.endswith(stop[:n])]
    cut = len(text) - min(begun, default=0)
    return text[:cut], text[cut:], False


def always_three(text, stops):
    send, keep, stopped = right(text, stops)
    return (send, keep, stopped) if stopped or not keep else (text[:-4], text[-4:], False)


def two_things(text, stops):
    return right(text, stops)[:2]


SETTLED = {
    holds_all: "you hold all of it back",
    sends_at_once: "Sent, it cannot be taken back",
    with_stop: "The stop string itself is not sent",
    keeps_rest: "When a stop string has come nothing is kept",
    first_listed: "comes first in the TEXT",
    last_one: "the text ends at the FIRST one",
    shortest: "Keep the LONGEST end",
    always_three: "no more and no less",
    two_things: "I expected three things",
}
