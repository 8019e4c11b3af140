"""Wrong answers to notebook 13's data stage and costs: each is one mistake, with words of the message it must hear."""

from collections import Counter
from zlib import crc32

# --- scatter -------------------------------------------------------------------------------------------------------------


def scattered(rows, parts, where):
    partitions = [[] for _ in range(parts)]
    for position, row in enumerate(rows):
        partitions[where(position, row, parts, len(rows))].append(row)
    return partitions


def hashed(row, parts):
    return crc32(row.link_id.encode()) * parts >> 32


def remainder(rows, parts):
    return scattered(rows, parts, lambda position, row, parts, size: crc32(row.link_id.encode()) % parts)


def by_position(rows, parts):
    return scattered(rows, parts, lambda position, row, parts, size: position * parts // size)


def in_turn(rows, parts):
    return scattered(rows, parts, lambda position, row, parts, size: position % parts)


def by_author(rows, parts):
    return scattered(rows, parts, lambda position, row, parts, size: crc32(row.author.encode()) * parts >> 32)


def salted(rows, parts):
    return scattered(rows, parts, lambda position, row, parts, size: hash(row.link_id) % parts)


def reordered(rows, parts):
    return [part[::-1] for part in scattered(rows, parts, lambda p, row, parts, n: hashed(row, parts))]


def without_empty(rows, parts):
    return [part for part in scattered(rows, parts, lambda p, row, parts, n: hashed(row, parts)) if part][:3]


def loses_one(rows, parts):
    return scattered(rows[1:], parts, lambda p, row, parts, n: hashed(row, parts))


def always_four(rows, parts):
    return scattered(rows, 4, lambda p, row, parts, n: hashed(row, 4))


SCATTER = {
    remainder: "the *remainder*",
    by_position: "You cut by position",
    in_turn: "dealt the comments out in turn",
    by_author: "You hashed the author",
    salted: "Python's own hash",
    reordered: "in the order in which they came",
    without_empty: "empty ones count, too",
    loses_one: "39 came out",
    always_four: "For 7 partitions it is wrong",
}

# --- two passes ----------------------------------------------------------------------------------------------------------


def before(counts, most, *, keep=lambda total, counts, most, text: total[text] > most, own=False, only_last=False):
    total = sum(map(Counter, counts), Counter())
    running = {text: 0 for text in total if keep(total, counts, most, text)}
    found = []
    for count in counts:
        added = {text: (0 if only_last else running[text]) + count.get(text, 0) for text in running}
        found.append(dict(added if own else running))
        running = added
    return found


def own_copies(counts, most):
    return before(counts, most, own=True)


def after(counts, most):
    return before(counts[::-1], most)[::-1]


def at_least(counts, most):
    return before(counts, most, keep=lambda total, counts, most, text: total[text] >= most)


def every_text(counts, most):
    return before(counts, most, keep=lambda *_: True)


def in_one_partition(counts, most):
    return before(counts, most, keep=lambda total, counts, most, text: max(c[text] for c in counts) > most)


def the_totals(counts, most):
    total = sum(map(Counter, counts), Counter())
    return [{text: total[text] for text in total if total[text] > most} for _ in counts]


def last_one_alone(counts, most):
    return before(counts, most, only_last=True)


def without_zeros(counts, most):
    return [{text: copies for text, copies in each.items() if copies} for each in before(counts, most)]


def most_is_two(counts, most):
    return before(counts, 2)


SEEN = {
    own_copies: "the partition's own copies",
    after: "*after* it",
    at_least: "exactly `most` times",
    every_text: "Texts that come rarely",
    in_one_partition: "copies in *all* partitions",
    the_totals: "the total of all",
    last_one_alone: "add up *all* that come before",
    without_zeros: "with 0 where none came before",
    most_is_two: "With most = 3",
}

# --- costs ---------------------------------------------------------------------------------------------------------------


def days(parameters, tokens, gpus, peak, mfu):
    return 6 * parameters * tokens / (gpus * peak * mfu) / 86_400


DAYS = {
    lambda N, D, n, P, m: days(N, D, n, P, m) / 3: "the forward pass alone",
    lambda N, D, n, P, m: days(N, D, n, P, m) * 86_400: "Those are seconds",
    lambda N, D, n, P, m: days(N, D, n, P, m) * 24: "Those are hours",
    lambda N, D, n, P, m: days(N, D, n, P, m) * m**2: "You multiplied by the utilization",
    lambda N, D, n, P, m: days(N, D, n, P, m) * m: "without the utilization",
    lambda N, D, n, P, m: days(N, D, 1, P, m): "one GPU alone",
    lambda N, D, n, P, m: days(N, D, 16, P, m): "For other numbers it is wrong",
}


def share(run, which="active parameters", peak="dense peak", hour=3600):
    return 6 * run[which] * run["tokens"] / (run["GPU hours"] * hour * run[peak])


MFU = {
    lambda run: share(run, "parameters"): "only the active parameters compute",
    lambda run: share(run, peak="sparse peak"): "divided by the sparse peak",
    lambda run: share(run, "parameters", "sparse peak"): "two traps at once",
    lambda run: share(run, hour=1): "3,600 seconds",
    lambda run: 100 * share(run): "a percentage",
    lambda run: share(run) / 3: "You counted 2 FLOP",
    lambda run: share({**run, "tokens": 2e12, "GPU hours": 1.5e5, "dense peak": 400e12}): "For another run it is wrong",
}

def divided_by_saving(save, failure):
    return (2 * failure / save) ** 0.5


INTERVAL = {
    lambda save, failure: (save * failure) ** 0.5: "*half* an interval",
    lambda save, failure: failure: "nearly everything is lost",
    lambda save, failure: failure / 2: "half the time between two failures",
    lambda save, failure: save: "the time that saving takes",
    lambda save, failure: 2 * save * failure: "take the root",
    lambda save, failure: (save * failure / 2) ** 0.5: "the 2 in the denominator",
    divided_by_saving: "You divided by `save`",
    lambda save, failure: 5.0: "of the time is lost, and with",
    lambda save, failure: 1200**0.5: "use both arguments",
}
