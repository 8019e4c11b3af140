"""The exercise checks: one file per notebook, one ``check_…`` per exercise.

A check tries the learner's answer on small cases and on the answers that *known mistakes* give, and prints one sentence:
✔ what is right, ✘ what went wrong and where to look, ○ not tried yet. It never raises into the learner's face and never
imports a solution. How checks compare answers is in ``compare``. ``tests/answers/`` proves each check on the solution and
on named wrong answers.
"""

import functools
from collections.abc import Callable


class Wrong(Exception):
    """A mistake in an answer; its text is the sentence the learner reads."""


class Untouched(Exception):
    """The stub still stands as it was."""


def exercise(check: Callable[..., str]) -> Callable[..., None]:
    """Turn a function that returns praise or raises ``Wrong`` into a check that prints one sentence and never raises."""

    @functools.wraps(check)
    def run(*answer) -> None:
        try:
            print(f"✔ {check(*answer)}")
        except Untouched:
            print("○ Not tried yet: replace the `...`, run the cell, and the check will tell you how it went.")
        except Wrong as mistake:
            print(f"✘ {mistake}")
        except Exception as error:  # whatever a learner's code can raise is a sentence here, not a traceback
            stopped = f"Your code stopped with {type(error).__name__}: {error}"
            print(f"✘ {stopped}. Call it yourself on a small example to see where.")

    return run


def tried(value):
    """Return ``value``; raise ``Untouched`` when it is what an untouched stub gives."""
    if value is None or value is Ellipsis:
        raise Untouched
    return value
