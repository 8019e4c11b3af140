"""Limits and metrics over time: a bucket of tokens, a quantile from a histogram (built for notebook 14)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import BLUE, CRIMSON, GRID, INK, ORANGE, TEAL, amount


def token_bucket(
    times: Sequence[float] = (0, 0.2, 0.4, 0.6, 0.8, 2.5, 2.7, 5.5, 5.6), rate: float = 1.0, burst: float = 3
) -> Drawing:
    """Draw how full a token bucket is over time, and which requests it admits.

    ``times`` are 1 to 30 arrivals in seconds, in order, from 0 on; each costs one token. The rule is that of
    ``helpers.serving.token_bucket.TokenBucket(rate, burst)``. Raises ValueError for other times, and for a burst below 1.
    """
    from helpers.serving.token_bucket import TokenBucket

    times = [float(time) for time in times]
    need(1 <= len(times) <= 30, f"{amount(len(times), 'arrival')} cannot be drawn: give 1 to 30")
    need(times[0] >= 0 and times == sorted(times), "give the arrivals in order, in seconds from 0 on")
    need(burst >= 1, f"a burst of {burst:g} admits nothing: give 1 or more")
    bucket, corners, taken = TokenBucket(rate, burst), [(0.0, burst)], []
    for time in times:
        before = min(burst, corners[-1][1] + (time - corners[-1][0]) * rate)
        full = corners[-1][0] + (burst - corners[-1][1]) / rate
        if full < time:
            corners.append((full, burst))
        taken.append(bucket.take(time) == 0.0)
        corners += [(time, before), (time, before - taken[-1])]
    end = max(times[-1] * 1.08, times[-1] + 0.5)
    full = corners[-1][0] + (burst - corners[-1][1]) / rate
    corners += [
        (min(full, end), min(burst, corners[-1][1] + (end - corners[-1][0]) * rate)),
        (end, min(burst, corners[-1][1] + (end - corners[-1][0]) * rate)),
    ]
    figure = Diagram(f"A token bucket: {rate:g} a second, burst {burst:g}. Which requests pass?")
    left, top, tall = LEFT + 62, TITLE_HEIGHT + 16, 130
    x = lambda time: left + time / end * (RIGHT - left - 10)  # noqa: E731
    y = lambda level: top + tall * (1 - level / burst)  # noqa: E731
    for level in range(int(burst) + 1) if burst <= 10 else (0, burst):
        figure.line((left, y(level)), (RIGHT - 6, y(level)), color=GRID, width=1)
        figure.label(left - 8, y(level) + 4, f"{level:g}", 12, "end")
    figure.label(LEFT, top + tall / 2 + 4, "tokens", 12, "start", room=44)
    path = "M" + "L".join(f"{x(time):.1f} {y(level):.1f}" for time, level in corners)
    figure.parts.append(f'<path d="{path}" fill="none" stroke="{TEAL}" stroke-width="2.4"/>')
    base = top + tall
    figure.line((left, base), (RIGHT - 6, base), color=INK, width=1.2)
    figure.label(LEFT, base + 26, "requests", 12, "start", INK, room=56)
    for time, passed in zip(times, taken):
        if passed:
            figure.circle(x(time), base + 22, " ", 5.5, BLUE, BLUE)
        else:
            for slope in (-1, 1):
                figure.line(
                    (x(time) - 5, base + 22 - 5 * slope), (x(time) + 5, base + 22 + 5 * slope), color=CRIMSON, width=2.4
                )
    for second in range(0, int(end) + 1, max(1, round(end / 12))):
        figure.label(x(second), base + 46, f"{second} s", 11.5)
    passed = sum(taken)
    listed = ", ".join(f"{time:g}" for time, here in zip(times, taken) if not here)
    return figure.finish(
        f"A token bucket that fills with {rate:g} a second up to {burst:g}. Of {amount(len(times), 'request')} {passed} pass; "
        + (f"refused at {listed} seconds." if listed else "none is refused."),
        "Line: tokens in the bucket. Dots: admitted, a token each. Crosses: refused, nothing is taken.",
    )


def histogram_quantile(bounds: Sequence[float], counts: Sequence[int], q: float = 0.95) -> Drawing:
    """Draw a histogram's buckets and the quantile that is read from them by a straight line within one bucket.

    ``bounds`` are 1 to 14 rising upper ends in seconds, ``counts`` the values in each bucket, the last one without an end
    (``helpers.serving.histogram.Histogram.counts``). Raises ValueError for other numbers, or when nothing was counted.
    """
    from helpers.serving.histogram import quantile

    bounds, counts = [float(bound) for bound in bounds], [int(count) for count in counts]
    need(1 <= len(bounds) <= 14, f"{amount(len(bounds), 'bound')} cannot be drawn: give 1 to 14")
    found = quantile(q, bounds, counts)
    need(sum(counts) > 0, "nothing was counted: there is no quantile")
    name, most, total = f"p{100 * q:g}", max(counts), sum(counts)
    figure = Diagram(f"{name} of {amount(total, 'value')}, of which only the counts by bucket are known")
    left, top, tall = LEFT + 12, TITLE_HEIGHT + 26, 140
    wide, base = (RIGHT - left - 8) / len(counts), top + 140
    rank, below, bucket = q * total, 0, len(bounds)
    for number, count in enumerate(counts):
        high, x = tall * count / most, left + number * wide
        if bucket == len(bounds) and number < len(bounds) and count and below + count >= rank:
            bucket, share = number, (rank - below) / count
        here = number == bucket
        figure.rect(
            x + 1,
            base - high,
            wide - 2,
            high,
            tint(ORANGE, 0.3) if here else tint(BLUE, 0.22),
            ORANGE if here else BLUE,
            1.2,
            1,
        )
        at = 0.5 if not here or number == len(bounds) else 0.22 if share > 0.5 else 0.78  # beside the line
        figure.label(x + at * wide, base - high - 6, str(count), 12, color=INK, bold=here)
        figure.label(
            x + wide - (0 if number < len(bounds) else wide / 2),
            base + 18,
            f"{bounds[number]:g}" if number < len(bounds) else "more",
            11.5,
        )
        below += count if number < bucket else 0
    figure.label(left, base + 18, "0", 11.5, "start")
    figure.line((left, base), (RIGHT - 8, base), color=INK, width=1.2)
    if bucket < len(bounds):
        x = left + (bucket + share) * wide
        figure.line((x, top - 16), (x, base + 4), color=CRIMSON, width=2.4)
        lower = bounds[bucket - 1] if bucket else 0.0
        rule = f"{lower:g} + ({rank:g} − {below}) / {counts[bucket]} · ({bounds[bucket]:g} − {lower:g}) = {found:.3g} s"
        how = f"the value of rank {rank:g} lies in the bucket from {lower:g} to {bounds[bucket]:g}: {rule}"
    else:
        rule = f"rank {rank:g} lies above {bounds[-1]:g} s: the histogram cannot say how far"
        how = rule
    figure.label(left, base + 44, f"{name}: {rule}", 13, "start", INK, bold=True, room=RIGHT - left)
    return figure.finish(
        f"{amount(total, 'value')} in {amount(len(counts), 'bucket')}. {name}: {how}.",
        "Numbers below: the buckets' upper ends in seconds. Orange: the bucket with the quantile. The scale is not even.",
    )
