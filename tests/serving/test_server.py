"""A real server on a free port of this computer: it begins, stops in order, and leaves nothing behind."""

import http.client
import json
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

pytest.importorskip("uvicorn", reason="needs the extra [serve]: make extras")

from helpers.serving import server
from helpers.serving.keys import digest
from helpers.serving.settings import Settings
from tests.serving.stub_engine import StubEngine

QUICK = Settings(notice=0.0, grace=5.0)
BODY = {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}]}


def connect(url):
    return http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)


def get(url, path):
    """Return (status, body) of one request."""
    connection = connect(url)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def begin(url, body):
    """Send a chat request and return the connection, without waiting for the answer."""
    connection = connect(url)
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
    return connection


def wait_until(true, seconds=10.0):
    last = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < last, "it did not happen"
        time.sleep(0.005)


def test_it_answers_and_leaves_nothing_behind():
    threads, engine = set(threading.enumerate()), StubEngine()
    with server.serving({"gpt": engine}, QUICK) as url:
        assert url.startswith("http://127.0.0.1:")
        assert get(url, "/health/live") == (200, b'{"status":"ok"}')
        connection = begin(url, BODY)
        assert json.loads(connection.getresponse().read())["choices"][0]["message"]["content"] == "Hello there!"
        connection.close()
    assert engine.closed
    wait_until(lambda: set(threading.enumerate()) <= threads)
    with pytest.raises(OSError):
        get(url, "/health/live")


def test_a_stream_comes_piece_by_piece_over_a_socket():
    engine = StubEngine(hold=True)
    with server.serving({"gpt": engine}, QUICK) as url:
        connection = begin(url, {**BODY, "stream": True})
        answer = connection.getresponse()
        seen = b""
        while b"Hello" not in seen:
            seen += answer.read1(10_000)
        assert engine.running == 1 and b"there" not in seen  # the second word is not written yet
        engine.go.set()
        assert answer.read().endswith(b"data: [DONE]\n\n")
        connection.close()


@pytest.mark.parametrize("stream", [False, True])
def test_a_closed_connection_stops_the_bot(stream):
    engine = StubEngine(hold=True)
    with server.serving({"gpt": engine}, QUICK) as url:
        connection = begin(url, {**BODY, "stream": stream})
        wait_until(lambda: engine.running == 1)
        connection.close()
        wait_until(lambda: engine.running == 0)
        assert engine.tickets[0].canceled.is_set()


def test_it_stops_in_order():
    engine = StubEngine(hold=True)
    with server.serving({"gpt": engine}, Settings(notice=0.8, grace=10.0)) as url:
        running = begin(url, BODY)
        wait_until(lambda: engine.running == 1)
        leave = threading.Event()

        def client():  # while the `with` below ends
            leave.wait(10)
            time.sleep(0.3)  # uvicorn alone would have closed its door by now
            told.append(get(url, "/health/ready")[0])
            late = begin(url, BODY).getresponse()
            told.append((late.status, late.getheader("retry-after")))
            engine.go.set()
            told.append(json.loads(running.getresponse().read())["choices"][0]["message"]["content"])

        told, thread = [], threading.Thread(target=client)
        thread.start()
        leave.set()
    thread.join(10)
    assert told == [503, (503, "5"), "Hello there!"]


def test_it_does_not_wait_for_ever():
    engine = StubEngine(hold=True)
    with server.serving({"gpt": engine}, Settings(notice=0.0, grace=0.3)) as url:
        connection = begin(url, BODY)
        wait_until(lambda: engine.running == 1)
    assert engine.closed and engine.running == 0
    connection.close()


def test_an_idle_connection_does_not_hold_it_up():
    with server.serving({"gpt": StubEngine()}, QUICK) as url:
        connection = connect(url)
        connection.request("GET", "/health/live")
        connection.getresponse().read()
    connection.close()


def test_a_mistake_in_the_with_stops_it_too():
    engine = StubEngine()
    with pytest.raises(KeyError), server.serving({"gpt": engine}, QUICK):
        raise KeyError
    assert engine.closed


def test_a_port_that_is_taken_is_a_sentence():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1, port {port} .*--port"):
            server.bound("127.0.0.1", port)
    for wrong in (70_000, -1):
        with pytest.raises(OSError, match="choose another with --port"):
            server.bound("127.0.0.1", wrong)


def test_the_first_signal_drains_and_the_second_stops_at_once():
    one = server._server({"gpt": StubEngine()}, QUICK)
    one.handle_exit(15, None)
    assert not one.service.ready and not one.should_exit
    one.handle_exit(15, None)
    assert one.should_exit and one.force_exit


# --- bodies over a socket: a client must be able to read why it was refused -----------------------------------------------


def raw(url, head, *pieces):
    """Send a request by hand and return what comes back until the server closes."""
    with socket.create_connection(urlsplit(url).netloc.split(":"), timeout=10) as line:
        line.sendall(head)
        try:
            for piece in pieces:
                line.sendall(piece)
        except OSError:
            pass  # refused in the middle
        answer = b""
        try:
            while piece := line.recv(65_536):
                answer += piece
        except ConnectionResetError:
            pass
    return answer


HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


def test_a_hundred_megabytes_are_refused_unread_and_unstored(monkeypatch):
    monkeypatch.setattr("helpers.serving.middleware.LINGER", 0.1)  # seconds
    engine = StubEngine()
    with server.serving({"gpt": engine}, QUICK) as url:
        answer = raw(url, HEAD + b"content-length: 100000000\r\n\r\n")
        assert (
            answer.startswith(b"HTTP/1.1 413 ")
            and b"body_too_large" in answer
            and b"connection: close" in answer.lower()
        )
        chunk = b"%x\r\n%s\r\n" % (10_000, b"x" * 10_000)
        answer = raw(url, HEAD + b"transfer-encoding: chunked\r\n\r\n", *[chunk] * 101)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert get(url, "/health/live")[0] == 200 and not engine.requests


def test_a_slow_body_is_refused_and_the_connection_closed():
    with server.serving({"gpt": StubEngine()}, Settings(notice=0.0, grace=5.0, body_timeout=0.2)) as url:
        answer = raw(url, HEAD + b"content-length: 100\r\n\r\n", b"{")
        assert answer.startswith(b"HTTP/1.1 408 ") and b"slow_body" in answer


def test_a_refusal_can_be_read_by_a_client_that_is_still_sending():
    settings = Settings(notice=0.0, grace=5.0, keys={"anna": digest("sk-anna")})
    with server.serving({"gpt": StubEngine()}, settings) as url:
        for _ in range(10):  # closing at once would lose most of these answers
            connection = connect(url)
            connection.request("POST", "/v1/chat/completions", b"x" * 5_000_000, {"content-type": "application/json"})
            assert connection.getresponse().status == 401
            connection.close()
