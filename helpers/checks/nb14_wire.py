"""Checks of notebook 14's first lesson: a route, a parser of server-sent events, and text held back for stop strings."""

import json
from collections.abc import Callable

from helpers.checks import Untouched, Wrong, exercise, tried
from helpers.checks.compare import call, items, kind, shown

CHAT = "/v1/chat/completions"
CHANGED = "You changed what you were given: it is needed again. Build something new."


# -- the route ---------------------------------------------------------------------------------------------------------
@exercise
def check_route(route: Callable) -> str:
    """Build: (status, what is sent back) for one request."""
    asked = []

    def bot(request):
        asked.append(request)
        return {"answer": "hi"}

    def broken(request):
        raise RuntimeError("secret: /opt/model.bin")

    models = {"echo": bot, "broken": broken}
    good = {"model": "echo", "messages": [{"role": "user", "content": "Hello!"}]}

    def send(method="POST", path=CHAT, body=None, **changes):
        body = json.dumps(good | changes).encode() if body is None else body
        try:
            return _status_and_answer(route(method, path, body, models))
        except (Wrong, Untouched):
            raise
        except Exception as error:
            if isinstance(error, ZeroDivisionError):
                raise
            raise Wrong(
                f"For {_described(method, path, body)} your route stopped with {type(error).__name__}. Whatever a client "
                "sends is answered with a status, never with an exception."
            ) from None

    status, answer = send()
    if asked and asked[0] != good:
        raise Wrong(f"Call the model with the whole request, the dict: I got {kind(asked[0])}.")
    if status != 200 or answer != {"answer": "hi"} or not asked:
        raise Wrong(
            f'A good request is answered with 200 and what models[name](request) returns, {{"answer": "hi"}}. '
            f"Yours: {status}, {shown(answer)}."
        )
    _refuses(send, asked)
    status, answer = send(model="broken")
    if "secret" in json.dumps(answer):
        raise Wrong(
            "When the model fails, its error's text goes to the client: it may hold a path, or what others wrote."
        )
    _expect(status, 500, "a model that fails")
    _expect_failure(answer, "a model that fails")
    return "Whatever comes in, a status goes out."


def _status_and_answer(answer) -> tuple[int, dict]:
    pair = items(tried(answer), "two things, the status and what is sent back")
    if len(pair) != 2:
        raise Wrong(f"I expected two things, the status and what is sent back, and got {len(pair)}: {shown(answer)}.")
    status, sent = pair
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status < 600:
        raise Wrong(f"The status comes first, a whole number such as 200, and not {shown(status)}.")
    if not isinstance(sent, dict):
        raise Wrong(f"What is sent back should be a dict, and was {kind(sent)}.")
    return status, sent


def _described(method: str, path: str, body: bytes) -> str:
    return f"{method} {path} with the body {shown(body.decode('utf-8', 'replace'))}"


def _expect(status: int, wanted: int, what: str) -> None:
    if status == wanted:
        return
    if status == 200:
        raise Wrong(f"{what[0].upper()}{what[1:]} got 200, which says that all went well. It is {wanted}.")
    raise Wrong(f"{what[0].upper()}{what[1:]} got {status}. It is {wanted}.")


def _expect_failure(answer: dict, what: str) -> None:
    error = answer.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        raise Wrong(f"{what[0].upper()}{what[1:]}: the answer should be failure(…), and is {shown(answer)}.")


def _refuses(send: Callable, asked: list) -> None:
    cases = [
        (404, "a path that is not there", {"path": "/v1/nonsense"}),
        (404, "a longer path, /v1/chat/completions/7,", {"path": f"{CHAT}/7"}),
        (405, "the right path with the method GET", {"method": "GET"}),
        (405, "the right path with the method PUT", {"method": "PUT"}),
        (404, "a path that is not there, asked with GET,", {"path": "/v1/nonsense", "method": "GET"}),
        (400, "a body that is no JSON", {"body": b"Hello!"}),
        (400, "a body that is no text at all", {"body": b"\xff\xfe{"}),
        (400, "a body that is JSON and no object, [1, 2]", {"body": b"[1, 2]"}),
        (404, 'an unknown model, "gpt-9"', {"model": "gpt-9"}),
        (404, "a model that is no text, []", {"model": []}),
        (400, "a request with an empty list of messages", {"messages": []}),
        (400, 'messages that are one text, "hi"', {"messages": "hi"}),
        (400, "a message without a content", {"messages": [{"role": "user"}]}),
        (400, "a message whose content is the number 5", {"messages": [{"role": "user", "content": 5}]}),
    ]
    for wanted, what, changes in cases:
        before = len(asked)
        status, answer = send(**changes)
        _expect(status, wanted, what)
        if len(asked) > before:
            raise Wrong(f"{what[0].upper()}{what[1:]} reached the model. Check first, then call it.")
        _expect_failure(answer, what)
    for changes, param in (({"model": "gpt-9"}, "model"), ({"messages": []}, "messages")):
        if send(**changes)[1]["error"].get("param") != param:
            raise Wrong(f'Say which field is wrong: failure("…", "{param}").')


# -- server-sent events ------------------------------------------------------------------------------------------------
STREAM = (
    'data: {"text":"Hi"}\n\n: still here\n\ndata: caf\u00e9 \U0001f600\n\n'
    "event: note\ndata: two\ndata:  lines\n\ndata: [DONE]\n\n"
)
EVENTS = ['{"text":"Hi"}', "caf\u00e9 \U0001f600", "two\n lines", "[DONE]"]


@exercise
def check_EventParser(EventParser: Callable) -> str:  # noqa: N802, N803
    """Build: the events in bytes that arrive in pieces of any size."""
    whole = STREAM.encode()
    events = _fed(EventParser, [whole])
    if any("\ufffd" in event for event in events):
        raise Wrong('There is a "�" in your text: bytes were decoded before their character was whole.')
    if events == [*EVENTS[:2], "two", " lines", "[DONE]"]:
        raise Wrong(
            "Two data lines before one empty line are one event of two lines. Join them when the empty line comes."
        )
    if events == [*EVENTS[:2], "twolines", "[DONE]"] or events == [*EVENTS[:2], "two lines", "[DONE]"]:
        raise Wrong('The data lines of one event are joined by a line break, "\\n".')
    if events == [*EVENTS[:2], "two\nlines", "[DONE]"]:
        raise Wrong("Only ONE space after the colon belongs to the format. Strip no more: the others are the bot's.")
    if any(event.startswith("data:") for event in events):
        raise Wrong('The name of the field, "data:", is not part of the data.')
    if "" in events or any("still here" in event or "note" in event for event in events):
        raise Wrong(
            "Comments (a line that begins with a colon) and other fields are left out, and events without data, too."
        )
    if events != EVENTS:
        raise Wrong(f"Of my four events, all in one piece, yours has {shown(events, 90)}.")
    _check_cuts(EventParser, whole)
    if _fed(EventParser, [b"data: cut off\n"]) or _fed(EventParser, [b"data: cut off"]):
        raise Wrong("An event counts when the empty line after it has come. When the connection breaks, it was none.")
    windows = _fed(EventParser, [b"data: one\r\n", b"\r\n"])
    if windows != ["one"]:
        raise Wrong(
            f'Lines may end with "\\r\\n", too: data: one\\r\\n\\r\\n is the event "one". Yours: {shown(windows)}.'
        )
    first, second = EventParser(), EventParser()
    first.feed(b"data: mi")
    second.feed(b"data: ")
    if list(first.feed(b"ne\n\n")) != ["mine"]:
        raise Wrong("Two parsers share what they remember. Set it in __init__, as self.…, for each parser anew.")
    return "Cut it wherever you like: the same events come out."


def _fed(EventParser: Callable, pieces) -> list[str]:  # noqa: N803
    parser, events = tried(EventParser()), []
    if not callable(getattr(parser, "feed", None)):
        raise Wrong(f"EventParser() must give something with a method feed: a class. I got {kind(parser)}.")
    for piece in pieces:
        found = parser.feed(piece)
        if found is None and not vars(parser):
            raise Untouched
        if found is None:
            raise Wrong("feed returned None. It returns a list: of the events that this piece completes, maybe empty.")
        events += items(found, "a list of events from feed")
    if not all(isinstance(event, str) for event in events):
        raise Wrong(f"Events are texts, and yours are {shown(events)}: decode the bytes.")
    return events


def _check_cuts(EventParser: Callable, whole: bytes) -> None:  # noqa: N803
    character = whole.index("\U0001f600".encode())
    for number in range(1, len(whole)):
        try:
            events = _fed(EventParser, [whole[:number], whole[number:]])
        except UnicodeDecodeError:
            raise Wrong(
                "The network cut a character in two, and decoding half of it failed. Decode whole lines, not pieces."
            ) from None
        if any("\ufffd" in event for event in events):
            raise Wrong("The network cut a character in two, and yours shows a �. Decode whole lines, not pieces.")
        if events == EVENTS:
            continue
        if character < number < character + 4:
            raise Wrong(f"The network cut a character in two, and yours has {shown(events)}. Decode whole lines.")
        raise Wrong(
            f"Cut after {shown(whole[:number][-12:])} yours gives {shown(events, 80)}. Keep the beginning of a line, "
            "and of an event, until the rest comes."
        )
    if _fed(EventParser, [whole[i : i + 1] for i in range(len(whole))]) != EVENTS:
        raise Wrong("Byte by byte some events are lost: more than two pieces may make one line.")


# -- stop strings ------------------------------------------------------------------------------------------------------
@exercise
def check_settled(settled: Callable) -> str:
    """Build: what may be sent, what is held back, and whether a stop string was found."""
    stops = ["User:", "\n\n"]

    def ask(text, stops=stops):
        answer = items(call(settled, text, list(stops), changed=CHANGED), "three things: send, keep, stopped")
        if len(answer) != 3 or not isinstance(answer[0], str) or not isinstance(answer[1], str):
            raise Wrong(f"I expected three things, send (a text), keep (a text), stopped, and got {shown(answer)}.")
        return answer[0], answer[1], bool(answer[2])

    plain = ask("I like dogs.")
    if plain == ("", "I like dogs.", False):
        raise Wrong(
            "Nothing here can be the beginning of a stop string, and you hold all of it back. That is not streaming."
        )
    if plain != ("I like dogs.", "", False):
        raise Wrong(f'"I like dogs." holds no stop string and none begins at its end: send all. Yours: {shown(plain)}.')
    found = ask("Yes. User: and")
    if found[2] and found[0] == "Yes. User:":
        raise Wrong("The stop string itself is not sent: the text ends before it.")
    if found[2] and found[1]:
        raise Wrong('When a stop string has come nothing is kept: what follows it is never sent. Return "" for keep.')
    if found != ("Yes. ", "", True):
        raise Wrong(f'"Yes. User: and" ends at the stop string: ("Yes. ", "", True). Yours: {shown(found)}.')
    begun = ask("Yes. Use")
    if begun == ("Yes. Use", "", False):
        raise Wrong('"Use" may be the beginning of "User:". Sent, it cannot be taken back: keep it until more comes.')
    if begun != ("Yes. ", "Use", False):
        raise Wrong(f'Of "Yes. Use" the last three characters are kept, no more and no less. Yours: {shown(begun)}.')
    cases = {
        ("U", ("User:", "\n\n")): ("", "U", False),
        ("Useful", ("User:",)): ("Useful", "", False),
        ("aab", ("aabc", "bd")): ("", "aab", False),
        ("xaa", ("aab",)): ("x", "aa", False),
        ("one\n", ("User:", "\n\n")): ("one", "\n", False),
        ("a STOP b END", ("END", "STOP")): ("a ", "", True),
        ("a END b END", ("END",)): ("a ", "", True),
        ("nothing", ()): ("nothing", "", False),
        ("ab", ("ab",)): ("", "", True),
        ("", ("ab",)): ("", "", False),
    }
    for (text, stops), right in cases.items():
        answer = ask(text, stops)
        if answer == right:
            continue
        where = f"For {shown(text)} and the stop strings {shown(list(stops))} it is {shown(right)}, and yours is {shown(answer)}."
        if text == "a STOP b END":
            raise Wrong(f"The text ends at the stop string that comes first in the TEXT, not in the list. {where}")
        if text == "a END b END":
            raise Wrong(f"The stop string stands there twice: the text ends at the FIRST one, as find tells. {where}")
        if text in ("aab", "xaa"):
            raise Wrong(f"Keep the LONGEST end that begins a stop string. {where}")
        raise Wrong(where)
    return "Nothing is sent too early, and nothing is held back too long."
