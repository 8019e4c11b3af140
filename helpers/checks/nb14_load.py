"""Checks of notebook 14's second lesson, under load: waiting times, quantiles from buckets, and when an alert fires."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, items, near, number, shown

CHANGED = "You changed a list that you were given. Build a new one."


# -- waiting times -----------------------------------------------------------------------------------------------------
def _waits(arrivals, services, room=math.inf, ahead=None):
    """The right waits; ``ahead`` says when somebody who waits has left the queue, at the start of service or at its end."""
    found, inside, free = [], [], 0.0
    for arrival, service in zip(arrivals, services):
        inside = [moment for moment in inside if moment > arrival]
        start = max(arrival, free)
        if len(inside) >= room and start > arrival:
            found.append(None)
            continue
        free = start + service
        inside.append(free if ahead == "ends" else start)
        found.append(start - arrival)
    return found


@exercise
def check_waits(waits: Callable) -> str:
    """Build: how long each request waits, first come, first served; refused ones None."""
    arrivals, services = [0.0, 1.0, 2.0, 9.0, 9.5], [3.0, 1.0, 2.0, 1.0, 4.0]
    right = _waits(arrivals, services)

    def ask(arrivals, services, *room):
        answer = items(
            call(waits, list(arrivals), list(services), *room, changed=CHANGED), "a list with a wait for each request"
        )
        if len(answer) != len(arrivals):
            raise Wrong(f"There are {len(arrivals)} requests, and your list has {len(answer)}.")
        return answer

    def alike(answer, expected):
        return all(a is b if b is None or a is None else near(a, b) for a, b in zip(answer, expected))

    answer = ask(arrivals, services)
    mistakes = {
        "That is when each is done, not how long it waits: start − arrival.": _ends(arrivals, services),
        "That is when each begins, not how long it waits: start − arrival.": [a + w for a, w in zip(arrivals, right)],
        "That is wait and service together. The wait ends when the service begins.": [
            w + s for w, s in zip(right, services)
        ],
        "While the server is idle no request waits: a wait is never negative, and free time is not saved up.": _negative(
            arrivals, services
        ),
        "You add up all services. While no request is there the server is idle: start = max(arrival, free).": _no_idle(
            arrivals, services
        ),
        "A request waits for ITS OWN service, and it should be for those before it.": _own(arrivals, services),
        "You count only the request right before, without ITS wait. Remember when the server is free.": _one_before(
            arrivals, services
        ),
    }
    for message, wrong in mistakes.items():
        if alike(answer, wrong):
            raise Wrong(message)
    if not alike(answer, right):
        raise Wrong(f"Arrivals {arrivals}, services {services}: the waits are {right}, and yours {shown(answer)}.")
    crowd, lengths = [0.0, 0.1, 0.2, 0.3, 4.5, 4.55], [2.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    bounded = _waits(crowd, lengths, 1)
    answer = ask(crowd, lengths, 1)
    if not any(wait is None for wait in answer):
        raise Wrong("With room for 1 to wait, the third request at 0.2 s finds it taken: it is refused, None.")
    if alike(answer, _waits(crowd, lengths, 1, ahead="ends")):
        raise Wrong("A request being served does not wait any more: room counts those whose service has not begun.")
    if alike(answer, _refused_count(crowd, lengths, 1)):
        raise Wrong("A refused request takes no time of the server: go on with the next one at once.")
    if not alike(answer, bounded):
        raise Wrong(f"Arrivals {crowd}, services {lengths}, room 1: {bounded}, and yours {shown(answer, 80)}.")
    if not alike(ask(crowd, lengths, 0), _waits(crowd, lengths, 0)):
        raise Wrong("With room 0 a request comes in only when the server is free, and then waits 0.0 s.")
    longer, each = [0.0, 0.1, 0.2, 0.3, 1.5, 1.6], [1.0] * 6
    if not alike(ask(longer, each, 2), _waits(longer, each, 2)):
        raise Wrong(f"Arrivals {longer}, services of 1 s, room 2: {_waits(longer, each, 2)}. Whatever has begun makes room.")
    if not alike(ask([0.0, 0.5, 1.0], [1.0] * 3, 1), [0.0, 0.5, 1.0]):
        raise Wrong(
            "At 1.0 s, when the second request begins, a third comes: its position in the queue has just become free."
        )
    return "A queue that is bounded says no early, and keeps its promises."


def _ends(arrivals, services):
    return [a + w + s for a, w, s in zip(arrivals, _waits(arrivals, services), services)]


def _negative(arrivals, services):
    wait, found = 0.0, [0.0]
    for i in range(1, len(arrivals)):
        wait += services[i - 1] - (arrivals[i] - arrivals[i - 1])
        found.append(wait)
    return found


def _no_idle(arrivals, services):
    return [max(0.0, sum(services[:i]) - arrival) for i, arrival in enumerate(arrivals)]


def _own(arrivals, services):
    free, found = 0.0, []
    for arrival, service in zip(arrivals, services):
        free = max(arrival, free) + service
        found.append(free - arrival)
    return found


def _one_before(arrivals, services):
    pairs = zip(arrivals, services, arrivals[1:])
    return [0.0, *(max(0.0, before + service - now) for before, service, now in pairs)]


def _refused_count(arrivals, services, room):
    """The waits when a refused request still takes the server's time."""
    found, inside, free = [], [], 0.0
    for arrival, service in zip(arrivals, services):
        inside = [moment for moment in inside if moment > arrival]
        start = max(arrival, free)
        free = start + service
        found.append(None if len(inside) >= room and start > arrival else start - arrival)
        if found[-1] is not None:
            inside.append(start)
    return found


# -- quantiles ---------------------------------------------------------------------------------------------------------
@exercise
def check_quantile(quantile: Callable) -> str:
    """Build: a quantile from the counts of buckets, by interpolation."""
    bounds, counts = [0.1, 0.5, 1.0, 4.0], [10, 20, 60, 8, 2]

    def ask(q, bounds=bounds, counts=counts):
        return number(call(quantile, q, list(bounds), list(counts), changed=CHANGED), "a quantile")

    p50 = ask(0.5)
    middles = (10 * 0.05 + 20 * 0.3 + 60 * 0.75 + 8 * 2.5 + 2 * 4) / 100
    for message, wrong in {
        "That is the bucket's upper end. As if the bucket were evenly filled: lower + (upper − lower) · share.": 1.0,
        "That is the bucket's lower end. As if the bucket were evenly filled: lower + (upper − lower) · share.": 0.5,
        "That is the middle of the bucket. The rank says how far into it the quantile lies.": 0.75,
        "That looks like the mean. A quantile counts: below it lies a share q of all values.": middles,
        "You interpolate from 0 to the upper end. The bucket begins where the one before ends.": 1.0 * 20 / 60,
        "The rank counts from the first value of all. Subtract what lies in the buckets below: rank − below.": 0.5
        + 0.5 * 50 / 60,
        "You divide by the number of all values. Divide by the number in the bucket.": 0.5 + 0.5 * 20 / 100,
        "The counts are for each bucket, not cumulative: add them up as you go.": 0.5 + 0.5 * (50 - 20) / (60 - 20),
        "q is a share, 0.5 for p50, and you treat it as a percentage.": 0.1 * 0.5 / 10,
    }.items():
        if near(p50, wrong, 1e-4):
            raise Wrong(message)
    if not near(p50, 0.5 + 0.5 * 20 / 60):
        raise Wrong(
            f"Bounds {bounds}, counts {counts}: p50 is value number 50 of 100, the 20th of 60 in the bucket from 0.5 to 1.0: "
            f"0.667. Yours is {shown(p50)}."
        )
    if not near(ask(0.05), 0.05):
        raise Wrong(f"The first bucket begins at 0: p5 is 0.05, and yours {shown(ask(0.05))}.")
    if not near(ask(0.95), 1.0 + 3.0 * 5 / 8):
        raise Wrong(f"p95 lies in the bucket from 1 to 4: 2.875, and yours is {shown(ask(0.95))}.")
    last = ask(0.99)
    if math.isinf(last) or math.isnan(last) or not near(last, 4.0):
        raise Wrong(
            f"p99 lies above the last bound, and how far is not known: return that bound, 4.0. Yours is {shown(last)}."
        )
    if not near(ask(0.9), 1.0):
        raise Wrong(f"p90 is exactly at the end of the third bucket, 1.0, and yours {shown(ask(0.9))}.")
    if not near(ask(1.0, counts=[0, 0, 4, 0, 0]), 1.0):
        raise Wrong(
            "With all values between 0.5 and 1.0, p100 is 1.0: a bucket that holds EXACTLY enough is the one, >=."
        )
    try:
        empty = quantile(0.5, bounds, [0, 0, 0, 0, 0])
    except ZeroDivisionError:
        empty = "a division by zero"
    if not (isinstance(empty, float) and math.isnan(empty)):
        raise Wrong(f"Without values there is no quantile: return math.nan. Yours is {shown(empty)}.")
    if not near(ask(0.0, counts=[0, 0, 4, 0, 0]), 0.5):
        raise Wrong("Empty buckets hold no quantile: with all values between 0.5 and 1.0, p0 is 0.5.")
    return "Five counts instead of a hundred values, and p95 is still there."


# -- alerts ------------------------------------------------------------------------------------------------------------
@exercise
def check_alert_states(alert_states: Callable) -> str:
    """Build: inactive, pending, firing."""
    names = {"i": "inactive", "p": "pending", "f": "firing"}

    def ask(times, values, above=1.0, hold=60.0):
        answer = items(call(alert_states, list(times), list(values), above, hold, changed=CHANGED), "a list of states")
        if len(answer) != len(times):
            raise Wrong(f"There are {len(times)} times, and your list has {len(answer)} states.")
        if unknown := [state for state in answer if state not in names.values()]:
            raise Wrong(f'The states are called "inactive", "pending" and "firing", and yours has {shown(unknown[0])}.')
        return "".join(state[0] for state in answer)

    times, values = [0, 20, 40, 60, 80, 100, 120, 140], [0.5, 2.0, 2.0, 2.0, 2.0, 2.0, 0.5, 2.0]
    answer, right = ask(times, values), "ipppffip"
    for message, wrong in {
        "One value above the limit fires at once. It has to hold for a while: first pending, then firing.": "ifffffif",
        "After `hold` seconds the alert fires: you wait longer. >= hold, from the first value above.": "ippppfip",
        "You fire too early: count the seconds from the FIRST value above the limit, not from the one before it.": "ippfffip",
        "Once firing, yours never ends. A value that is not above the limit ends it.": "ipppffff",
        "A value below ends the run: when the limit is passed again, it is pending from the start.": "ipppffif",
        "Yours is never pending. It should be, from the first value above the limit until `hold` s have passed.": "iiiiffii",
    }.items():
        if answer == wrong:
            raise Wrong(message)
    if answer == "ipppppip":
        raise Wrong("It never fires, though the values are above the limit for 80 seconds and hold is 60.")
    if answer != right:
        spelled, yours = (", ".join(names[letter] for letter in states) for states in (right, answer))
        raise Wrong(f"At times {times} with values {values}, above 1.0, hold 60: {spelled}. Yours: {yours}.")
    if ask([0, 10, 100, 110], [2, 2, 2, 2]) != "ppff":
        raise Wrong("Values need not come evenly: hold is in seconds, and not in numbers of values.")
    if "i" != ask([0], [1.0]):
        raise Wrong("A value that equals the limit is not above it: >, not >=.")
    if ask([0, 60, 120, 180], [2, math.nan, 2, 2]) != "pipf":
        raise Wrong("NaN (no request came, nothing was measured) is not above the limit: it ends the run.")
    if ask([0, 20], [2, 2], hold=0) != "ff":
        raise Wrong("With hold 0 it fires at once.")
    return "One slow minute wakes no one up; five of them do."
