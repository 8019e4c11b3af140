"""An engine that says what a test tells it to, from a thread of its own, as the real one does."""

import threading

from helpers.serving.requests import Closed, Event, Full


class Ticket:
    def __init__(self, engine, request, on_event):
        self.engine, self.request, self.on_event = engine, request, on_event
        self.prompt_tokens = len(" ".join(request.history or [request.prompt]).split())
        self.canceled = threading.Event()

    def cancel(self):
        self.canceled.set()


class StubEngine:
    """Answers each request with ``words``, a token each; then it ends with ``finish``.

    With ``hold`` it says the first ``said`` words and then nothing, until ``go`` is set or the request is canceled.
    """

    def __init__(self, words=("Hello", " there", "!"), finish="stop", hold=False, said=1, room=10**9):
        self.words, self.finish, self.said, self.room = words, finish, said, room
        self.requests, self.tickets, self.threads = [], [], []
        self.go, self.closed, self.lock = threading.Event(), False, threading.Lock()
        self.active = 0
        if not hold:
            self.go.set()

    @property
    def running(self):
        return self.active

    @property
    def waiting(self):
        return 0

    def submit(self, request, on_event):
        if self.closed:
            raise Closed("closed")
        with self.lock:
            if self.active >= self.room:
                raise Full("full")
            self.active += 1
        self.requests.append(request)
        ticket = Ticket(self, request, on_event)
        self.tickets.append(ticket)
        self.threads.append(threading.Thread(target=self._answer, args=(ticket,), daemon=True))
        self.threads[-1].start()
        return ticket

    def _answer(self, ticket):
        finish = self.finish
        for number, word in enumerate(self.words):
            if number == self.said:
                while not self.go.wait(0.005) and not ticket.canceled.is_set():
                    pass
            if ticket.canceled.is_set():
                finish = "canceled"
                break
            likeliest = [(word, word.encode(), -0.5), ("other", b"other", -1.5)][: ticket.request.logprobs]
            scored = [] if ticket.request.logprobs is None else [(word, word.encode(), -0.5, likeliest)]
            ticket.on_event(Event(word, 1, scored))
        with self.lock:
            self.active -= 1
        ticket.on_event(Event(finish=finish))

    def close(self):
        self.closed = True
        self.go.set()
        for ticket in self.tickets:
            ticket.cancel()
        for thread in self.threads:
            thread.join(5)
