"""Checks of notebook 14's exercises: pages for the cache, a queue that is fair, and a hash that tells nothing."""

import hashlib
import hmac
from collections.abc import Callable

from helpers.checks import Untouched, Wrong, exercise, tried
from helpers.checks.compare import kind, shown


# -- pages -------------------------------------------------------------------------------------------------------------
@exercise
def check_Pages(Pages: Callable) -> str:  # noqa: N802, N803
    """Exercise: a cache in pages, as in PagedAttention."""
    pages = _made(Pages, "Pages(number, size)", ("grow", "release"), 6, 4)
    _grow(pages, "a", 5, True, "5 tokens need 2 pages of 4")
    table = _table(pages, "a")
    if len(table) == 1:
        raise Wrong("5 tokens do not fit into 1 page of 4: round up.")
    if len(table) != 2:
        raise Wrong(f"5 tokens need 2 pages of 4. Yours took {len(table)}.")
    _grow(pages, "b", 4, True, "4 tokens need 1 page of 4, and 4 are free")
    if len(_table(pages, "b")) != 1:
        raise Wrong(
            f"4 tokens fill exactly 1 page of 4, and yours took {len(_table(pages, 'b'))}. Round up, but not further."
        )
    if set(table) & set(_table(pages, "b")):
        raise Wrong("Two conversations have the same page: each page belongs to one. Take it out of the free ones.")
    _grow(pages, "a", 8, True, "8 tokens still fit into the 2 pages that a has")
    if _table(pages, "a") != table:
        raise Wrong(
            "a has 2 pages, and 8 tokens fit in them: grow says how many tokens there are in ALL. Take only what is missing."
        )
    _grow(pages, "a", 9, True, "the 9th token needs a third page")
    if _table(pages, "a")[:2] != table:
        raise Wrong("When a grows, its old pages stay where they are, in their order: what is in them is not copied.")
    _grow(pages, "c", 13, False, "13 tokens need 4 pages, and only 2 are free")
    if pages.tables.get("c"):
        raise Wrong("c did not fit, and holds pages all the same: all or nothing. Otherwise they are lost to the others.")
    if "c" in pages.tables:
        raise Wrong("c did not fit, so nothing changes: it does not stand in `tables`, not even with an empty list.")
    _grow(pages, "d", 8, True, "8 tokens need 2 pages, and 2 are free")
    pages.release("a")
    if pages.tables.get("a"):
        raise Wrong("a has left, and still holds its pages: release gives them back and forgets the name.")
    if "a" in pages.tables:
        raise Wrong("a has left, and its name stays in `tables`, with an empty list: take it out, with pop or del.")
    _grow(pages, "e", 12, True, "a has given 3 pages back")
    everything = [page for table in pages.tables.values() for page in table]
    if sorted(everything) != list(range(6)):
        raise Wrong(f"Now all pages 0 to 5 are given away, each once. With yours: {shown(sorted(everything))}.")
    return "Pages anywhere in memory, and a table that says where."


def _made(cls: Callable, call: str, methods, *arguments):
    made = tried(cls(*arguments))
    if missing := [name for name in methods if not callable(getattr(made, name, None))]:
        raise Wrong(f"{call} must give something with a method {missing[0]}: a class. I got {kind(made)}.")
    return made


def _table(pages, name: str) -> list:
    tables = getattr(pages, "tables", None)
    if not isinstance(tables, dict):
        raise Wrong("`tables` should be a dict, {name: list of its pages}.")
    table = tables.get(name)
    if not isinstance(table, list) or not all(isinstance(page, int) and 0 <= page < 6 for page in table):
        raise Wrong(f"tables[{name!r}] should be a list of page numbers from 0 to 5, and is {shown(table)}.")
    return list(table)


def _grow(pages, name: str, tokens: int, right: bool, why: str) -> None:
    answer = pages.grow(name, tokens)
    if answer is None:
        if not getattr(pages, "tables", None):
            raise Untouched
        raise Wrong("grow returned None. It returns True, or False when too few pages are free.")
    if bool(answer) != right:
        raise Wrong(f"grow({name!r}, {tokens}) should be {right}: {why}. Yours is {shown(answer)}.")


# -- a fair queue ------------------------------------------------------------------------------------------------------
@exercise
def check_FairQueue(FairQueue: Callable) -> str:  # noqa: N802, N803
    """Exercise: clients take turns, however much each of them asks."""

    def order(events):
        queue, found = _made(FairQueue, "FairQueue()", ("put", "get")), []
        for event in events:
            if event is None:
                got = queue.get()
                if got is None and not vars(queue):
                    raise Untouched
                found.append(got)
            else:
                queue.put(event[0], event)
        return " ".join("-" if one is None else str(one) for one in found)

    many = ["a1", "a2", "a3", "b1", "b2", "c1"]
    answer = order([*many, *[None] * 7])
    for message, wrong in {
        "b and c wait until all of a's are served: first come, first served is not fair when one client sends a hundred.": (
            "a1 a2 a3 b1 b2 c1 -"
        ),
        "The last one is served first: each client's requests keep their order.": "c1 b2 b1 a3 a2 a1 -",
        "Clients take turns, but of each the last request is served first. Keep their order.": "a3 b2 c1 a2 b1 a1 -",
        "Client a is served twice in a row at the beginning. After each request the next client has its turn.": (
            "a1 a2 b1 a3 c1 b2 -"
        ),
        "The client with the fewest goes first: then one with many never comes. They take turns.": "c1 b1 b2 a1 a2 a3 -",
        "A client that has been served does not come back. It goes to the end of the round while it has more.": (
            "a1 b1 c1 - - - -"
        ),
    }.items():
        if answer == wrong:
            raise Wrong(message)
    if answer.endswith(" -") is False and answer.replace(" ", "").startswith("a1b1c1a2b2a3"):
        raise Wrong("When no request waits, get returns None.")
    if answer != "a1 b1 c1 a2 b2 a3 -":
        raise Wrong(f"Of {' '.join(many)} the order is a1 b1 c1 a2 b2 a3, then None (-). Yours: {shown(answer)}.")
    answer = order(["a1", "a2", None, "b1", None, None, None])
    if answer != "a1 a2 b1 -":
        raise Wrong(
            "a1 and a2 wait, a1 is served, then b1 comes. a had gone to the end of the round before b came: a2, then b1. "
            f"Yours: {answer}."
        )
    answer = order(["a1", None, "b1", "a2", "b2", None, None, None])
    if answer != "a1 b1 a2 b2":
        raise Wrong(
            f"A client with nothing left leaves the round, and joins at its end when it comes again. Yours: {answer}."
        )
    return "A client with a hundred requests waits for itself."


# -- a fingerprint -----------------------------------------------------------------------------------------------------
@exercise
def check_fingerprint(fingerprint: Callable) -> str:
    """Exercise: a hash for a log that cannot be guessed."""
    secret, text = b"drawn at the start", "yes"
    answer = tried(fingerprint(text, secret))
    if not isinstance(answer, str):
        raise Wrong(f"I expected a text of 16 hexadecimal digits and got {kind(answer)}.")
    plain, right = hashlib.sha256, hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    for message, wrong in {
        'That is a plain SHA-256: anyone can hash "yes" and look for it in your log. Use the secret: hmac.new.': plain(
            b"yes"
        ).hexdigest(),
        "You hashed the secret alone: then all texts look the same.": plain(secret).hexdigest(),
        "You hashed secret + text. What HMAC does is safer, and as short: hmac.new(secret, …).": plain(
            secret + b"yes"
        ).hexdigest(),
        "You hashed text + secret. What HMAC does is safer, and as short: hmac.new(secret, …).": plain(
            b"yes" + secret
        ).hexdigest(),
        "Key and message are the wrong way around: hmac.new(secret, text.encode(), hashlib.sha256).": hmac.new(
            b"yes", secret, hashlib.sha256
        ).hexdigest(),
        "That is SHA-1. Take hashlib.sha256.": hmac.new(secret, b"yes", hashlib.sha1).hexdigest(),
    }.items():
        if answer in (wrong, wrong[:16]):
            raise Wrong(message)
    if text in answer:
        raise Wrong("The text itself stands in it.")
    if answer == right:
        raise Wrong("That is all of the HMAC, 64 digits. 16 are enough to tell texts apart: [:16].")
    if answer != right[:16]:
        raise Wrong(f'For "yes" and my secret it begins with {right[:6]}, and yours is {shown(answer)}.')
    if fingerprint("café 😀", secret) != hmac.new(secret, "café 😀".encode(), hashlib.sha256).hexdigest()[:16]:
        raise Wrong("With letters beyond ASCII it should work as well: text.encode().")
    return "The same text is known again, and no text can be guessed."
