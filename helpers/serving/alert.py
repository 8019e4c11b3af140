"""When an alert fires: the rule of Prometheus' ``for``, over a series of times and values (built in notebook 14).

The service's own rules are in a file for Prometheus; this is what they mean (Prometheus documentation, "Alerting rules").
"""

from collections.abc import Sequence

INACTIVE, PENDING, FIRING = "inactive", "pending", "firing"


def alert_states(times: Sequence[float], values: Sequence[float], above: float, hold: float) -> list[str]:
    """Return the alert's state at each time: "inactive", "pending" or "firing".

    The condition is ``value > above``; a value that is NaN (nothing was measured) does not fulfill it. From the first time of
    an unbroken run at which it holds the alert is pending, and once it has held for ``hold`` seconds it fires; one value that
    does not fulfill it ends both. ``times`` are seconds, rising. Raises ValueError when there are not as many times as values,
    or when the times do not rise.
    """
    if len(times) != len(values):
        raise ValueError(f"{len(times)} times and {len(values)} values: give one value for each time")
    if any(a >= b for a, b in zip(times, times[1:])):
        raise ValueError("the times do not rise: give the values in the order in which they were measured")
    states, since = [], None
    for now, value in zip(times, values):
        if not value > above:
            since = None
            states.append(INACTIVE)
            continue
        since = now if since is None else since
        states.append(FIRING if now - since >= hold else PENDING)
    return states
