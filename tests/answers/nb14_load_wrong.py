"""Wrong answers to notebook 14's load, quantiles and alerts: each is one mistake, with words of the message it must hear."""

import math


# --- waits -----------------------------------------------------------------------------------------------------------------
def waited(arrivals, services, room=math.inf, *, start=max, told=lambda start, arrival, service: start - arrival,
           counts="starts", refused_works=False, leave=True):  # fmt: skip
    """The right waits, but for what the arguments spoil."""
    found, inside, free = [], [], 0.0
    for arrival, service in zip(arrivals, services):
        inside = [moment for moment in inside if moment > arrival]
        begin = start(arrival, free)
        if begin > arrival and len(inside) >= room:
            found.append(None)
            free += service if refused_works else 0
            continue
        free = begin + service
        inside.append(free if counts == "ends" else begin)
        found.append(told(begin, arrival, service))
    return found


def ends(arrivals, services, room=math.inf):
    return waited(arrivals, services, room, told=lambda start, arrival, service: start + service)


def begins(arrivals, services, room=math.inf):
    return waited(arrivals, services, room, told=lambda start, arrival, service: start)


def with_service(arrivals, services, room=math.inf):
    return waited(arrivals, services, room, told=lambda start, arrival, service: start - arrival + service)


def never_idle(arrivals, services, room=math.inf):
    return [max(0.0, sum(services[:i]) - arrival) for i, arrival in enumerate(arrivals)]


def one_before(arrivals, services, room=math.inf):
    pairs = zip(arrivals, services, arrivals[1:])
    return [0.0, *(max(0.0, before + service - now) for before, service, now in pairs)]


def no_room(arrivals, services, room=math.inf):
    return waited(arrivals, services)


def served_count(arrivals, services, room=math.inf):
    return waited(arrivals, services, room, counts="ends")


def refused_work(arrivals, services, room=math.inf):
    return waited(arrivals, services, room, refused_works=True)


def room_of_any(arrivals, services, room=math.inf):
    return waited(arrivals, services, 1 if 1 < room < math.inf else room)


def no_room_for_zero(arrivals, services, room=math.inf):
    return waited(arrivals, services, room or math.inf)


def begun_still_waits(arrivals, services, room=math.inf):
    found, starts, free = [], [], 0.0
    for arrival, service in zip(arrivals, services):
        starts = [start for start in starts if start >= arrival]  # right: >
        begin = max(arrival, free)
        refused = begin > arrival and len(starts) >= room
        found.append(None if refused else begin - arrival)
        if not refused:
            starts.append(begin)
            free = begin + service
    return found


def saves_idle_time(arrivals, services, room=math.inf):
    found = [0.0]
    for i in range(1, len(arrivals)):
        found.append(found[-1] + services[i - 1] - (arrivals[i] - arrivals[i - 1]))
    return found


def in_place(arrivals, services, room=math.inf):
    found = waited(arrivals, services, room)
    arrivals.clear()
    return found


WAITS = {
    ends: "That is when each is done",
    begins: "That is when each begins",
    with_service: "That is wait and service together",
    never_idle: "You add up all services",
    one_before: "You count only the request right before",
    no_room: "it is refused, None",
    served_count: "A request being served does not wait any more",
    refused_work: "A refused request takes no time",
    in_place: "You changed a list",
    room_of_any: "Whatever has begun makes room",
    no_room_for_zero: "With room 0 a request comes in only when",
    begun_still_waits: "its position in the queue has just become free",
    saves_idle_time: "a wait is never negative",
}


# --- quantiles -------------------------------------------------------------------------------------------------------------
def estimated(q, bounds, counts, value=lambda lower, upper, share: lower + (upper - lower) * share, empty=math.nan,
              last=None, rank_of_all=False, divide_by_all=False, skip_empty=True):  # fmt: skip
    if not sum(counts):
        return empty
    rank, below, lower = q * sum(counts), 0, 0.0
    for upper, count in zip(bounds, counts):
        if (count or not skip_empty) and below + count >= rank:
            inside = rank if rank_of_all else rank - below
            return value(lower, upper, inside / (sum(counts) if divide_by_all else count or 1))
        below, lower = below + count, upper
    return bounds[-1] if last is None else last


def spoiled(**faults):
    return lambda q, bounds, counts: estimated(q, bounds, counts, **faults)


def mean_of_buckets(q, bounds, counts):
    middles = [(a + b) / 2 for a, b in zip([0, *bounds], bounds)] + [bounds[-1]]
    return sum(m * c for m, c in zip(middles, counts)) / sum(counts) if sum(counts) else math.nan


def counts_changed(q, bounds, counts):
    found = estimated(q, bounds, counts)
    counts.pop()
    return found


def cumulative(q, bounds, counts):
    each = [count - before for before, count in zip([0, *counts], counts)]
    rank, below, lower = q * sum(counts), 0, 0.0
    for upper, count, so_far in zip(bounds, each, counts):
        if count and so_far >= rank:
            return lower + (upper - lower) * (rank - below) / count
        below, lower = so_far, upper
    return bounds[-1] if sum(counts) else math.nan


def percent(q, bounds, counts):
    return estimated(q / 100, bounds, counts)


def more_than_enough(q, bounds, counts):
    if not sum(counts):
        return math.nan
    rank, below, lower = q * sum(counts), 0, 0.0
    for upper, count in zip(bounds, counts):
        if below + count > rank:
            return lower + (upper - lower) * (rank - below) / count
        below, lower = below + count, upper
    return bounds[-1]


def begins_at_the_first_bound(q, bounds, counts):
    return max(bounds[0], estimated(q, bounds, counts)) if sum(counts) else math.nan


QUANTILE = {
    cumulative: "not cumulative",
    percent: "you treat it as a percentage",
    more_than_enough: "EXACTLY enough",
    begins_at_the_first_bound: "The first bucket begins at 0",
    spoiled(value=lambda lower, upper, share: upper): "That is the bucket's upper end",
    spoiled(value=lambda lower, upper, share: lower): "That is the bucket's lower end",
    spoiled(value=lambda lower, upper, share: (lower + upper) / 2): "That is the middle of the bucket",
    spoiled(value=lambda lower, upper, share: upper * share): "You interpolate from 0",
    spoiled(rank_of_all=True): "Subtract what lies in the buckets below",
    spoiled(divide_by_all=True): "Divide by the number in the bucket",
    spoiled(last=math.inf): "return that bound, 4.0",
    spoiled(empty=0.0): "Without values there is no quantile",
    spoiled(skip_empty=False): "Empty buckets hold no quantile",
    mean_of_buckets: "That looks like the mean",
    counts_changed: "You changed a list",
}


# --- alerts ----------------------------------------------------------------------------------------------------------------
def states(times, values, above, hold, over=lambda value, above: value > above, enough=lambda gone, hold: gone >= hold):
    found, since = [], None
    for now, value in zip(times, values):
        since = (now if since is None else since) if over(value, above) else None
        found.append("inactive" if since is None else "firing" if enough(now - since, hold) else "pending")
    return found


def at_once(times, values, above, hold):
    return ["firing" if value > above else "inactive" for value in values]


def one_later(times, values, above, hold):
    return states(times, values, above, hold, enough=lambda gone, hold: gone > hold)


def from_before(times, values, above, hold):
    return states(times, values, above, hold - 20)


def never_ends(times, values, above, hold):
    found = states(times, values, above, hold)
    first = found.index("firing") if "firing" in found else len(found)
    return found[:first] + ["firing"] * (len(found) - first)


def remembers(times, values, above, hold):
    found, since = [], None
    for now, value in zip(times, values):
        since = now if since is None and value > above else since
        found.append("inactive" if not value > above else "firing" if now - since >= hold else "pending")
    return found


def never_pending(times, values, above, hold):
    return [state if state == "firing" else "inactive" for state in states(times, values, above, hold)]


def never_fires(times, values, above, hold):
    return ["pending" if value > above else "inactive" for value in values]


def by_number(times, values, above, hold):
    found, run = [], 0
    for value in values:
        run = run + 1 if value > above else 0
        found.append("inactive" if not run else "firing" if run > hold / 20 else "pending")
    return found


def at_least(times, values, above, hold):
    return states(times, values, above, hold, over=lambda value, above: value >= above)


def nan_counts(times, values, above, hold):
    return states(times, values, above, hold, over=lambda value, above: not value <= above)


def first_is_pending(times, values, above, hold):
    found = states(times, values, above, hold)
    before = ["inactive", *found]
    return ["pending" if a == "inactive" and b == "firing" else b for a, b in zip(before, found)]


def other_words(times, values, above, hold):
    return [state.upper() for state in states(times, values, above, hold)]


ALERT = {
    at_once: "One value above the limit fires at once",
    one_later: "you wait longer",
    from_before: "You fire too early",
    never_ends: "Once firing, yours never ends",
    remembers: "it is pending from the start",
    never_pending: "Yours is never pending",
    never_fires: "It never fires",
    by_number: "not in numbers of values",
    at_least: ">, not >=",
    nan_counts: "it ends the run",
    first_is_pending: "With hold 0 it fires at once",
    other_words: "The states are called",
}
