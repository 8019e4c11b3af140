"""The checks of what learners write: one file per notebook, one ``check_…`` per build cell and exercise.

A check tries the learner's answer on small cases and on the answers that *known mistakes* give, and prints one sentence:
✔ what is right, ✘ what went wrong and where to look, ○ not tried yet. It never raises into the learner's face and never
imports a solution. How checks compare answers is in ``compare``. ``tests/answers/`` proves each check on the solution and
on named wrong answers. ``checked`` puts what a learner has written into the notebook's machine.
"""

import dis
import functools
import re
import traceback
from collections.abc import Callable
from pathlib import Path

PACKAGE = str(Path(__file__).parents[1])
# All that Python does in a function whose body is `...`.
NOTHING = set("RESUME NOP LOAD_CONST LOAD_SMALL_INT POP_TOP RETURN_VALUE RETURN_CONST MAKE_CELL COPY_FREE_VARS".split())


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
            if not any(map(is_stub, answer)):
                return False, "✘ Your code gave back None. Is a `return` missing at its end?"
            return False, "○ Not tried yet: replace the `...`, run the cell, and the check will tell you how it went."
        except Wrong as mistake:
            return False, f"✘ {mistake}"
        except Exception as error:  # whatever a learner's code can raise is a sentence here, not a traceback
            said = str(error).rstrip(".")
            return False, f"✘ Your code stopped with {type(error).__name__}: {said}. {_where(error, answer)}"

    @functools.wraps(check)
    def run(*answer) -> None:
        print(verdict(*answer)[1])

    run.verdict = verdict
    return run


def _codes(answer) -> list:
    """Return the code of a function, or of each method of a class; nothing for what is neither."""
    parts = vars(answer).values() if isinstance(answer, type) else [answer]
    return [part.__code__ for part in parts if hasattr(part, "__code__")]


def is_stub(answer) -> bool:
    """Whether a function, or any method of a class, still does nothing; what is neither counts as untouched."""
    codes = _codes(answer)
    return not codes or any({step.opname for step in dis.get_instructions(code)} <= NOTHING for code in codes)


def _where(error: Exception, answers: tuple) -> str:
    """Say in which line of the learner's own code an error arose: the last one outside of installed packages.

    A line of the cell that defines the answer comes before those of earlier cells, which their own checks have accepted.
    """
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.line and not frame.filename.startswith(PACKAGE) and not re.search(r"site-packages|<frozen", frame.filename)
    ]
    cells = {code.co_filename for answer in answers for code in _codes(answer)}  # a notebook's cell is a file of its own
    own = [frame for frame in own if frame.filename in cells] or own
    return f"It was in the line `{own[-1].line}`." if own else "Call it yourself on a small example to see where."


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
