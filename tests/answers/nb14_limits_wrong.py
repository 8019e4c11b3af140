"""Wrong answers to notebook 14's keys and limits: each is one mistake, with words of the message it must hear."""

import hashlib
import hmac
import math

from helpers.serving.token_bucket import TokenBucket


# --- keys ------------------------------------------------------------------------------------------------------------------
def sha(key):
    return hashlib.sha256(key.encode()).hexdigest()


def with_equals(key, digests):
    return next((name for name, digest in digests.items() if digest == sha(key)), None)


def stops_early(key, digests):
    for name, digest in digests.items():
        if hmac.compare_digest(sha(key), digest):
            return name
    return None


def says_true(key, digests):
    return sum(hmac.compare_digest(sha(key), digest) for digest in digests.values()) > 0


def not_hashed(key, digests):
    found = None
    for name, digest in digests.items():
        if hmac.compare_digest(key.encode(), str(digest).encode()):
            found = name
    return found


def hash_opens(key, digests):
    found = None
    for name, digest in digests.items():
        if hmac.compare_digest(sha(key), digest) | (key == str(digest)):
            found = name
    return found


def last_one(key, digests):
    found = None
    for name, digest in digests.items():
        found = name if hmac.compare_digest(sha(key), digest) else None
    return found


def beginnings(key, digests):
    found = None
    for name, digest in digests.items():
        if hmac.compare_digest(sha(key)[:1], digest[:1]) or key == "sk-blu":
            found = name if sha(key) == str(digest) or key == "sk-blu" else found
    return found


KEYS = {
    with_equals: "Hashes were compared with ==",
    stops_early: "and stopped: the time tells",
    says_true: "WHOSE key it is",
    not_hashed: "You compared the key itself",
    hash_opens: "The hash itself is accepted",
    last_one: "a later comparison overwrites",
    beginnings: "which is no key, is accepted",
}


# --- the token bucket ------------------------------------------------------------------------------------------------------
class Bucket:
    """The right bucket, but for what a subclass changes."""

    full = True

    def __init__(self, rate, burst):
        self.rate, self.burst, self.last = rate, burst, None
        self.level = burst if self.full else 0.0

    def fill(self, now):
        if self.last is not None:
            self.level = min(self.burst, self.level + self.rate * (now - self.last))
        self.last = now

    def take(self, now):
        self.fill(now)
        if self.level >= 1:
            self.level -= 1
            return 0.0
        return (1 - self.level) / self.rate


class Empty(Bucket):
    full = False


class NeverEmpty(Bucket):
    def take(self, now):
        return 0.0


class TimesRate(Bucket):
    def take(self, now):
        wait = super().take(now)
        return wait * self.rate**2


class SaysYes(Bucket):
    def take(self, now):
        return super().take(now) == 0


class RefusedPay(Bucket):
    def take(self, now):
        self.fill(now)
        self.level -= 1
        return 0.0 if self.level >= 0 else -self.level / self.rate


class NoBrim(Bucket):
    def fill(self, now):
        if self.last is not None:
            self.level += self.rate * (now - self.last)
        self.last = now


class WholeTokens(Bucket):
    def fill(self, now):
        if self.last is not None:
            self.level = min(self.burst, self.level + math.floor(self.rate * (now - self.last) * 2) / 2)
        self.last = now


class Floors(Bucket):
    def fill(self, now):
        if self.last is not None:
            self.level = min(self.burst, self.level + math.floor(self.rate * (now - self.last)))
        self.last = now


SHARED = {}


class Shared(Bucket):
    def take(self, now):
        one = SHARED.setdefault((self.rate, self.burst), TokenBucket(self.rate, self.burst))
        return one.take(now)


class Window:
    """So many in each whole window of burst / rate seconds."""

    def __init__(self, rate, burst):
        self.rate, self.burst, self.seen, self.window = rate, burst, 0, None

    def take(self, now):
        length = self.burst / self.rate
        window = math.floor(now / length)
        if window != self.window:
            self.window, self.seen = window, 0
        self.seen += 1
        return 0.0 if self.seen <= self.burst else (window + 1) * length - now


BUCKET = {
    Empty: "The bucket begins full",
    NeverEmpty: "A fourth request at the same moment came in",
    TimesRate: "divide by the rate",
    SaysYes: "take returned True or False",
    RefusedPay: "A refused request must take nothing out",
    NoBrim: "The bucket holds at most burst",
    Floors: "yours still says 0.5 s",
    Shared: "Two buckets share their tokens",
    Window: "you count in windows",
    WholeTokens: "Keep fractions of a token",
}
