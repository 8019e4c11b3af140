"""Invented months of comments, as many and as large as wanted, with everything that dumps do to a reader (notebook 13).

No person wrote a word of it. Threads cross the ends of months; some comments are deleted, come twice, or answer somebody who is
not there; a few authors post one text over and over; numbers are texts in some months; a few lines are broken.
"""

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import zstandard

from helpers.corpus.dumps.reddit import base36
from helpers.corpus.messages import whole_numbers

WORDS = (
    "the a and of to is it that you for with this have not but my your what they would just if we he she at by from be "
    "how all there some who can when has had were our one any more people time good think know really like want need "
    "year day thing house water music winter summer train book story garden coffee river street question answer friend "
    "picture song letter number color paper window table bread light morning evening city country school work game team"
).split()
SUBREDDITS = ("cooking", "gardening", "trains", "music", "books", "weather")
COPIES = 12  # different texts that are posted again and again
ALIVE = 400  # threads that people still answer in at any time
RECENT = 40  # comments of a thread that may still be answered
START, MONTH = 1_325_376_000, 2_629_800  # seconds: the beginning of 2012, and a month


def write_months(
    folder: str | os.PathLike, months: int = 6, comments: int = 2000, seed: int = 0, compress: bool = True
) -> list[Path]:
    """Write ``months`` files of about ``comments`` comments each: RC_2012-01.zst and so on (without ``compress``, .jsonl).

    The same arguments give the same files. A comment takes about 420 bytes as a line of JSON, and a quarter of that
    compressed. Returns the paths. Raises ValueError for numbers below 1.
    """
    months, comments = whole_numbers(months=months, comments=comments)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    writer, paths = _Writer(random.Random(seed), comments), []
    for month in range(months):
        name = f"RC_{2012 + month // 12}-{month % 12 + 1:02}"
        paths.append(folder / (f"{name}.zst" if compress else f"{name}.jsonl"))
        with paths[-1].open("wb") as plain:
            packed = zstandard.ZstdCompressor(level=1).stream_writer(plain, closefd=False) if compress else plain
            for line in writer.lines(month):
                packed.write(line)
            if compress:
                packed.close()
    return paths


class _Writer:
    """Everybody who writes: what they remember from month to month is which threads there are."""

    def __init__(self, chance: random.Random, comments: int):
        self.chance = chance
        self.comments = comments
        self.number = 36**5  # of the next comment: ids have six digits, as in 2012
        self.threads: list[tuple[str, str, list[str]]] = []  # link_id, subreddit, ids of the latest comments
        self.late: list[bytes] = []  # lines that the next month's file has once more
        self.copies = [self._text(8) for _ in range(COPIES)]

    def lines(self, month: int) -> Iterator[bytes]:
        """Yield the lines of a month's file."""
        yield from self.late
        self.late = []
        for position in range(self.comments):
            created = START + MONTH * month + MONTH * position // self.comments
            record = self._comment(created)
            if month % 3 == 2:  # an era of another dialect
                record["created_utc"], record["score"] = str(created), str(record["score"])
            line = json.dumps(record).encode() + b"\n"
            yield line
            luck = self.chance.random()
            if luck < 0.001:
                yield line[: len(line) // 2] + b"\n"  # a broken line
            elif luck < 0.003:
                yield line  # the same comment again
            elif luck < 0.005:
                self.late.append(line)

    def _comment(self, created: int) -> dict:
        chance = self.chance
        link_id, subreddit, latest = self._thread()
        parent = link_id if not latest or chance.random() < 0.15 else f"t1_{chance.choice(latest)}"
        luck, author, body = chance.random(), f"writer_{chance.randrange(20_000)}", self._text(chance.randint(4, 45))
        if luck < 0.005:
            parent = f"t1_{base36(36**5 - chance.randint(1, 9999))}"  # it was written before the dump begins
        elif luck < 0.05:
            author, body = "[deleted]", "[deleted]"
        elif luck < 0.06:
            author = "AutoModerator"
        elif luck < 0.08:
            which = chance.randrange(COPIES)
            author, body = f"seller_{which % 4}", self.copies[which]
        elif luck < 0.12:
            body = f"&gt; {self._text(12)}\n\n{body} [see](http://example.com/{luck}) &amp; more"
        self.number += 1
        latest.append(base36(self.number))
        if len(latest) > RECENT:
            latest.pop(0)
        return {
            "id": latest[-1], "name": f"t1_{latest[-1]}", "parent_id": parent, "link_id": link_id, "author": author,
            "body": body, "score": max(-5, int(chance.expovariate(0.3))), "created_utc": created, "subreddit": subreddit,
            "distinguished": None, "edited": False, "controversiality": 0, "retrieved_on": created + MONTH,
        }  # fmt: skip

    def _thread(self) -> tuple[str, str, list[str]]:
        if len(self.threads) < ALIVE or self.chance.random() < 0.04:
            self.number += 1
            self.threads.append((f"t3_{base36(self.number)}", self.chance.choice(SUBREDDITS), []))
            if len(self.threads) > ALIVE:
                self.threads.pop(self.chance.randrange(ALIVE))
        return self.chance.choice(self.threads)

    def _text(self, words: int) -> str:
        text = " ".join(self.chance.choices(WORDS, k=words))
        return f"{text.capitalize()}{self.chance.choice('.?!')}"
