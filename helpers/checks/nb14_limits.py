"""Checks of notebook 14's second lesson, at the door: whose key it is, and how often a client may ask."""

import hashlib
import math
from collections.abc import Callable, Mapping

from helpers.checks import Untouched, Wrong, exercise, tried
from helpers.checks.compare import kind, near, number, shown


# -- keys --------------------------------------------------------------------------------------------------------------
class Watched(str):
    """A hash that notes when it is compared by ==."""

    compared = 0

    def __eq__(self, other):
        Watched.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


class Counted(Mapping):
    """Names and hashes, and how many of the hashes were looked at since ``seen`` was set to 0."""

    def __init__(self, digests: dict):
        self.digests, self.seen = digests, 0

    def __getitem__(self, name):
        self.seen += 1
        return self.digests[name]

    def __iter__(self):
        return iter(self.digests)

    def __len__(self):
        return len(self.digests)


@exercise
def check_known_key(known_key: Callable) -> str:
    """Build: whose key it is, by hashes, compared in constant time with all."""
    keys = {"ann": "sk-red", "bob": "sk-blue", "cy": "sk-green"}
    hashes = {name: Watched(hashlib.sha256(key.encode()).hexdigest()) for name, key in keys.items()}
    digests = Counted(hashes)
    answer = known_key("sk-blue", digests)
    if answer is None:
        _explain_none(known_key, digests, keys)
    if answer is Ellipsis:
        raise Untouched
    if answer is True:
        raise Wrong('known_key says WHOSE key it is: the name, "bob", and not True.')
    if not isinstance(answer, str) or answer != "bob":
        raise Wrong(f'"sk-blue" is the key of "bob". Yours says {shown(answer)}.')
    Watched.compared = digests.seen = 0
    first, seen = known_key("sk-red", digests), digests.seen
    if Watched.compared:
        raise Wrong("Hashes were compared with ==, which is done at the first difference. Use hmac.compare_digest.")
    if first != "ann" or known_key("sk-green", digests) != "cy":
        raise Wrong('The keys of "ann" (the first) and "cy" (the last) should be known as well.')
    if seen < 3:
        raise Wrong(
            f"For the first key you looked at {seen} of 3 hashes and stopped: the time tells where it stands. Go on to the end."
        )
    for stranger in ("sk-blu", "sk-bluee", "", "bob", str(hashes["bob"]), "sk-ключ"):
        answer = known_key(stranger, digests)
        if answer is not None:
            what = (
                "The hash itself"
                if stranger == str(hashes["bob"])
                else f"{shown(stranger)}, which is no key,"
            )
            raise Wrong(f"{what} is accepted: yours says {shown(answer)}. For an unknown key it is None.")
    if known_key("sk-red", {}) is not None:
        raise Wrong("Where no keys are known, none is right: return None.")
    return "The time it takes says nothing about how wrong a key was."


def _explain_none(known_key: Callable, digests: Counted, keys: dict) -> None:
    """Say what is wrong when the key of "bob" is not known: nothing was written, or the key or its hash compared wrongly."""
    if digests.seen == 0 and not Watched.compared:
        raise Untouched
    if known_key("sk-green", digests) == "cy":
        raise Wrong(
            'The last name is known and the second is not: a later comparison overwrites what was found. Keep "bob".'
        )
    if known_key(str(digests["bob"]), digests) == "bob":
        raise Wrong(
            "You compared the key itself with the hashes. Hash it first: hashlib.sha256(key.encode()).hexdigest()."
        )
    raise Wrong(
        '"sk-blue" is the key of "bob", and yours says None. Compare its SHA-256, 64 hex digits, with each value.'
    )


# -- the token bucket --------------------------------------------------------------------------------------------------
@exercise
def check_TokenBucket(TokenBucket: Callable) -> str:  # noqa: N802, N803
    """Build: a limit with bursts, and the clock as an argument."""

    def bucket(rate=2.0, burst=3.0):
        made = tried(TokenBucket(rate, burst))
        if not callable(getattr(made, "take", None)) or hasattr(made, "shape"):  # tensors and arrays can take, too
            raise Wrong(
                f"TokenBucket(rate, burst) must give something with a method take: a class. I got {kind(made)}."
            )
        return made

    def take(one, now):
        answer = one.take(now)
        if answer is None:
            if not vars(one):
                raise Untouched
            raise Wrong("take returned None. It returns the seconds to wait, and 0.0 when the request may come in.")
        if isinstance(answer, bool):
            raise Wrong(
                "take returned True or False. It returns the seconds to wait: 0.0 when the request may come in."
            )
        return number(answer, "the seconds to wait")

    one = bucket()
    first = [take(one, 100.0) for _ in range(3)]
    if first[0] > 0:
        raise Wrong("The first request has to wait. The bucket begins full: burst tokens.")
    if any(first):
        raise Wrong(
            f"A burst of 3 may come at once, and yours lets {first.index(next(filter(None, first)))} in. It begins full."
        )
    wait = take(one, 100.0)
    if wait == 0:
        raise Wrong("A fourth request at the same moment came in, with burst 3. Each takes one token out.")
    if near(wait, 2.0):
        raise Wrong("With 2 tokens a second the next one is there after 1/2 s, and you say 2: divide by the rate.")
    if not near(wait, 0.5):
        raise Wrong(f"The bucket is empty and gets 2 tokens a second: the wait is 0.5 s. Yours says {shown(wait)}.")
    later = take(one, 100.25)
    if near(later, 0.5):
        raise Wrong(
            "A quarter of a second later half a token has come, and yours still says 0.5 s. Fractions count: in the level, and "
            "in the wait, (1 − level) / rate."
        )
    if not near(later, 0.25):
        raise Wrong(
            "A refused request must take nothing out and give nothing back: a quarter of a second later 0.25 s are left to wait, "
            f"and yours says {shown(later)}."
        )
    if take(one, 100.5) != 0:
        raise Wrong("Half a second after the bucket was empty one token is there, and yours still says wait.")
    _check_long_run(bucket, take)
    return "A short burst is fine; in the long run the rate holds."


def _check_long_run(bucket: Callable, take: Callable) -> None:
    one = bucket()
    for _ in range(3):
        take(one, 0.0)
    again = sum(take(one, 1000.0) == 0 for _ in range(50))
    if again > 3:
        raise Wrong(
            f"After a long pause {again} requests come in at once. The bucket holds at most burst = 3 tokens: min(…)."
        )
    if again < 3:
        raise Wrong(f"After a long pause the bucket is full again, 3 tokens, and yours lets {again} in.")
    for border in (1.0, 2.0, 4.0):
        edge = bucket(1.0, 2.0)
        if sum(take(edge, border + part) == 0 for part in (-0.1, -0.05, 0.05, 0.1)) > 2:
            raise Wrong(
                f"Two requests just before {border:g} s and two just after it all came in, with burst 2: you count in windows. "
                "Tokens come little by little."
            )
    slow = bucket(0.5, 1.0)
    inside = [now / 10 for now in range(200) if take(slow, now / 10) == 0]
    if len(inside) != 10:
        raise Wrong(
            f"One token every 2 seconds, asked for every 0.1 s, 20 s long: 10 come in, and with yours {len(inside)}. "
            "Keep fractions of a token, and the time of the last call."
        )
    left, right = bucket(), bucket()
    for _ in range(3):
        take(left, 5.0)
    if take(right, 5.0) != 0 or math.isclose(take(left, 5.0), 0):
        raise Wrong("Two buckets share their tokens. Set them in __init__, as self.…, for each bucket anew.")
