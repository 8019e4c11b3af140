"""The checks of what learners write: one file per notebook, one ``check_…`` per build cell and exercise.

A check tries the learner's answer on small cases and on the answers that *known mistakes* give, and prints one sentence:
✔ what is right, ✘ what went wrong and where to look, ○ not tried yet. It never raises into the learner's face and never
imports a solution. How checks compare answers is in ``compare``. ``tests/answers/`` proves each check on the solution and
on named wrong answers. ``checked`` puts what a learner has written into the notebook's machine.
"""

import functools
from collections.abc import Callable


class Wrong(Exception):
    """A mistake in an answer; its text is the sentence the learner reads."""


class Untouched(Exception):
    """The stub still stands as it was."""


def exercise(check: Callable[..., str]) -> Callable[..., None]:
    """Turn a function that returns praise or raises ``Wrong`` into a check that prints one sentence and never raises.

    The check's attribute ``verdict(*answer)`` returns (passed, sentence) and prints nothing.
    """

    def verdict(*answer) -> tuple[bool, str]:
        try:
            return True, f"✔ {check(*answer)}"
        except Untouched:
            return False, "○ Not tried yet: replace the `...`, run the cell, and the check will tell you how it went."
        except Wrong as mistake:
            return False, f"✘ {mistake}"
        except Exception as error:  # whatever a learner's code can raise is a sentence here, not a traceback
            stopped = f"Your code stopped with {type(error).__name__}: {error}"
            return False, f"✘ {stopped}. Call it yourself on a small example to see where."

    @functools.wraps(check)
    def run(*answer) -> None:
        print(verdict(*answer)[1])

    run.verdict = verdict
    return run


def checked(mine, check: Callable[..., None], otherwise, name: str = ""):
    """Return what the learner wrote when its check passes, else the package's version; print which of them runs from here on.

    ``mine`` is a function or a class that a build cell defines, ``check`` its check from a file of this folder, and
    ``otherwise`` what the package has for the same task, with the same arguments and results. So a notebook with empty stubs
    runs from top to bottom, and one whose cells are filled in trains and plays with the learner's own code. ``name`` is how
    the thing is called in the sentence; by default as in the code.
    """
    passed, sentence = check.verdict(mine)
    name = name or getattr(mine, "__name__", "code")
    source = "your own" if passed else "the package's"
    print(f"{sentence}\n→ From here on this notebook runs {source} `{name}`.")
    return mine if passed else otherwise


def tried(value):
    """Return ``value``; raise ``Untouched`` when it is what an untouched stub gives."""
    if value is None or value is Ellipsis:
        raise Untouched
    return value
