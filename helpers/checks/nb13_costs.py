"""Checks of what notebook 13 computes about costs: days, utilization, and how often to save."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import near, number, refuse_known, shown

DAY = 86_400


@exercise
def check_training_days(training_days: Callable) -> str:
    """Build: 6 N D / (gpus · peak · mfu), in days."""
    case = (2e9, 3e10, 16, 2e14, 0.4)
    parameters, tokens, gpus, peak, mfu = case
    right = 6 * parameters * tokens / (gpus * peak * mfu) / DAY
    answer = number(tried(training_days(*case)), "the days")
    refuse_known(
        answer,
        {
            "You counted 2 FLOP for each parameter and token: that is the forward pass alone. With backward it is 6.": right
            / 3,
            "Those are seconds. A day has 86,400.": right * DAY,
            "Those are hours. A day has 24 of them.": right * 24,
            "You multiplied by the utilization. A GPU that reaches 40 % of its peak takes longer: divide.": right
            * mfu**2,
            "At full speed, without the utilization: no GPU reaches its peak. Divide by it.": right * mfu,
            "That is one GPU alone. There are several, and they share the work: divide by their number.": right * gpus,
            "In yours, more GPUs take more days. They share the work: divide by their number.": right * gpus**2,
            "The tokens are missing: 6 · parameters · tokens.": right / tokens,
        },
        near,
    )
    if not near(answer, right):
        raise Wrong(
            f"For 2e9 parameters, 3e10 tokens, 16 GPUs of 2e14 FLOP/s at 40 % it is {right:.3f} days, not {answer:.3f}."
        )
    other = 6 * 7e9 * 1e12 / (64 * 3e14 * 0.5) / DAY
    if not near(number(training_days(7e9, 1e12, 64, 3e14, 0.5), "the days"), other):
        raise Wrong("For other numbers it is wrong: use every argument.")
    return "Six times parameters times tokens, divided by what the GPUs really do."


@exercise
def check_mfu(mfu: Callable) -> str:
    """Exercise: the share of the dense peak that the active parameters' arithmetic got."""
    run = {
        "parameters": 60e9, "active parameters": 5e9, "tokens": 2e12, "GPU hours": 1.5e5,
        "dense peak": 400e12, "sparse peak": 800e12,
    }  # fmt: skip
    other = {**run, "tokens": 1e12, "GPU hours": 1e5, "dense peak": 350e12, "sparse peak": 700e12}

    def share(run, which="active parameters", peak="dense peak", factor=6):
        return factor * run[which] * run["tokens"] / (run["GPU hours"] * 3600 * run[peak])

    kept = dict(run)
    answer = number(tried(mfu(run)), "a share of the peak")
    if run != kept:
        raise Wrong("You changed the dict you were given: it is needed again.")
    refuse_known(
        answer,
        {
            f"That is {share(run, 'parameters'):.1f}, more than the GPUs can do: only the active parameters compute.": (
                share(run, "parameters")
            ),
            "You divided by the sparse peak, twice what a dense product can reach: it makes the share half as large.": share(
                run, peak="sparse peak"
            ),
            "All parameters and the sparse peak: two traps at once. Only the active ones compute, and products are dense.": share(
                run, "parameters", "sparse peak"
            ),
            "An hour has 3,600 seconds: the peak is per second.": share(run) * 3600,
            "That is a percentage. Return a share, such as 0.4.": share(run) * 100,
            "You counted 2 FLOP for each parameter and token. Training takes 6.": share(run, factor=2),
        },
        near,
    )
    if not near(answer, share(run)):
        raise Wrong(f"For my run it is {share(run):.3f}, and yours is {shown(answer)}.")
    if not near(number(mfu(other), "a share of the peak"), share(other)):
        raise Wrong("For another run it is wrong: take every number from the dict.")
    return "Dense peak, active parameters: what the arithmetic of the model really got."


@exercise
def check_best_interval(best_interval: Callable) -> str:
    """Exercise: the interval with the least time lost, √(2 · save · failure)."""
    save, failure = 3.0, 200.0  # with save = 2, a 2 in the wrong place may give the right number
    right = math.sqrt(2 * save * failure)
    answer = number(tried(best_interval(save, failure)), "the minutes between two checkpoints")
    refuse_known(
        answer,
        {
            "You forgot that on average only *half* an interval is lost: a factor of 2 is missing under the root.": math.sqrt(
                save * failure
            ),
            "That is the time between two failures: then nearly everything is lost each time.": failure,
            "That is half the time between two failures. Saving is cheap here, and a failure expensive: save more often.": (
                failure / 2
            ),
            "That is the time that saving takes: then half of all time is spent on saving.": save,
            "That is the *square* of the interval: take the root.": 2 * save * failure,
            "You divided by `save`: then expensive checkpoints are written more often. It is a factor, 2 · save · failure.": (
                math.sqrt(2 * failure / save)
            ),
            "You put the 2 in the denominator: with interval / (2 · failure) the root is that of 2 · save · failure.": math.sqrt(
                save * failure / 2
            ),
        },
        near,
    )
    lost = lambda interval: save / interval + interval / (2 * failure)  # noqa: E731
    if not near(answer, right, 0.02):
        loss = f"{lost(answer):.1%}" if answer > 0 else "all"
        raise Wrong(f"With yours {loss} of the time is lost, and with {right:.1f} minutes {lost(right):.1%}.")
    if not near(number(best_interval(0.5, 90.0), "minutes"), math.sqrt(90.0), 0.02):
        raise Wrong("For saving in half a minute and a failure every 90 minutes it is wrong: use both arguments.")
    return "Four times as many failures, and you save twice as often."
