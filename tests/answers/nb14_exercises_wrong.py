"""Wrong answers to notebook 14's exercises: each is one mistake, with words of the message it must hear."""

import hashlib
import hmac
import math
from collections import deque


# --- pages -----------------------------------------------------------------------------------------------------------------
class Right:
    """The right pages, but for what a subclass changes."""

    def __init__(self, number, size):
        self.size, self.free, self.tables = size, list(range(number)), {}

    def pages(self, tokens):
        return math.ceil(tokens / self.size)

    def grow(self, name, tokens):
        table = self.tables.get(name, [])
        needed = self.pages(tokens) - len(table)
        if needed > len(self.free):
            return False
        self.tables[name] = table + [self.free.pop(0) for _ in range(needed)]
        return True

    def release(self, name):
        self.free += self.tables.pop(name, [])


class RoundsDown(Right):
    def pages(self, tokens):
        return tokens // self.size


class OneMore(Right):
    def pages(self, tokens):
        return tokens // self.size + 1


class SamePages(Right):
    def grow(self, name, tokens):
        self.tables[name] = list(range(self.pages(tokens)))
        return True


class Adds(Right):
    def grow(self, name, tokens):
        needed = self.pages(tokens)
        if needed > len(self.free):
            return False
        self.tables[name] = self.tables.get(name, []) + [self.free.pop(0) for _ in range(needed)]
        return True


class Moves(Right):
    def grow(self, name, tokens):
        before = len(self.tables.get(name, []))
        done = super().grow(name, tokens)
        if done and before and len(self.tables[name]) > before:
            self.tables[name] = self.tables[name][::-1]
        return done


class TakesSome(Right):
    def grow(self, name, tokens):
        table = self.tables.setdefault(name, [])
        while len(table) < self.pages(tokens):
            if not self.free:
                return False
            table.append(self.free.pop(0))
        return True


class NeverReleases(Right):
    def release(self, name):
        pass


class NameStays(Right):
    def release(self, name):
        self.free += self.tables[name]
        self.tables[name] = []


class EmptyTable(Right):
    def grow(self, name, tokens):
        self.tables.setdefault(name, [])
        return super().grow(name, tokens)


class Lost(Right):
    def release(self, name):
        self.tables.pop(name, None)


class SaysNothing(Right):
    def grow(self, name, tokens):
        super().grow(name, tokens)


PAGES = {
    RoundsDown: "round up",
    OneMore: "but not further",
    SamePages: "Two conversations have the same page",
    Adds: "grow says how many tokens there are in ALL",
    Moves: "its old pages stay where they are",
    TakesSome: "all or nothing",
    NeverReleases: "a has left, and still holds its pages",
    NameStays: "its name stays in `tables`",
    EmptyTable: "not even with an empty list",
    Lost: "a has given 3 pages back",
    SaysNothing: "grow returned None",
}


# --- a fair queue ----------------------------------------------------------------------------------------------------------
class Fair:
    """The right queue, but for what a subclass changes."""

    def __init__(self):
        self.waiting = {}

    def put(self, client, request):
        self.waiting.setdefault(client, deque()).append(request)

    def client(self):
        return next(iter(self.waiting))

    def one(self, requests):
        return requests.popleft()

    def get(self):
        if not self.waiting:
            return None
        client = self.client()
        requests = self.waiting.pop(client)
        request = self.one(requests)
        if requests:
            self.waiting[client] = requests
        return request


class FirstCome(Fair):
    def put(self, client, request):
        super().put("all", request)


class LastFirst(FirstCome):
    def one(self, requests):
        return requests.pop()


class LastOfEach(Fair):
    def one(self, requests):
        return requests.pop()


class Fewest(Fair):
    def client(self):
        return min(self.waiting, key=lambda client: len(self.waiting[client]))


class Forgets(Fair):
    def get(self):
        if not self.waiting:
            return None
        return self.waiting.pop(next(iter(self.waiting))).popleft()


class Fixed(Fair):
    """Goes round a fixed list of clients, in the order in which they first came."""

    def __init__(self):
        super().__init__()
        self.order, self.turn = [], 0

    def put(self, client, request):
        if client not in self.order:
            self.order.append(client)
        super().put(client, request)

    def get(self):
        for step in range(len(self.order)):
            client = self.order[(self.turn + step) % len(self.order)]
            if self.waiting.get(client):
                self.turn = (self.turn + step + 1) % len(self.order)
                return self.waiting[client].popleft()
        return None


class TextWhenEmpty(Fair):
    def get(self):
        return super().get() or "nobody"


class StaysInFront(Fair):
    """Puts a client back only when the next one is asked for: who came in between is before it."""

    def __init__(self):
        super().__init__()
        self.back = None

    def get(self):
        if self.back:
            client, requests = self.back
            requests.extend(self.waiting.pop(client, ()))
            self.waiting[client], self.back = requests, None
        if not self.waiting:
            return None
        client = self.client()
        requests = self.waiting.pop(client)
        request = requests.popleft()
        self.back = (client, requests) if requests else None
        return request


FAIR = {
    Fixed: "A client with nothing left leaves the round",
    TextWhenEmpty: "When no request waits, get returns None",
    StaysInFront: "a had gone to the end of the round before b came",
    FirstCome: "first come, first served is not fair",
    LastFirst: "The last one is served first",
    LastOfEach: "of each the last request is served first",
    Fewest: "The client with the fewest goes first",
    Forgets: "does not come back",
}


# --- a fingerprint ---------------------------------------------------------------------------------------------------------
def plain(text, secret):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def only_secret(text, secret):
    return hashlib.sha256(secret).hexdigest()[:16]


def before(text, secret):
    return hashlib.sha256(secret + text.encode()).hexdigest()[:16]


def after(text, secret):
    return hashlib.sha256(text.encode() + secret).hexdigest()[:16]


def swapped(text, secret):
    return hmac.new(text.encode(), secret, hashlib.sha256).hexdigest()[:16]


def older(text, secret):
    return hmac.new(secret, text.encode(), hashlib.sha1).hexdigest()[:16]


def whole(text, secret):
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def with_text(text, secret):
    return text + hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:13]


def ascii_only(text, secret):
    return hmac.new(secret, text.encode("ascii", "ignore"), hashlib.sha256).hexdigest()[:16]


FINGERPRINT = {
    plain: "That is a plain SHA-256",
    only_secret: "You hashed the secret alone",
    before: "You hashed secret + text",
    after: "You hashed text + secret",
    swapped: "the wrong way around",
    older: "That is SHA-1",
    whole: "16 are enough",
    with_text: "The text itself stands in it",
    ascii_only: "With letters beyond ASCII",
}
