"""What a kernel of ours starts with: none of your own votes. One that dies before it has answered is started again.

Jupyter chooses a kernel's ports before the kernel takes them. Of two kernels that start at the same moment, as with two
processes of pytest, one may find a port taken ("Address already in use") and die. Nothing has been run in it yet.
"""

import functools
import os
import tempfile
from collections.abc import Callable

STARTS = 3


def start_again(start: Callable) -> Callable:
    """Return a function that calls ``start``, which starts a kernel, up to STARTS times while the kernel dies at once.

    Whatever else goes wrong is raised the first time.
    """

    @functools.wraps(start)
    def again(*arguments, **settings):
        for left in reversed(range(STARTS)):
            try:
                return start(*arguments, **settings)
            except RuntimeError as error:
                if not left or "Kernel died before replying" not in str(error):
                    raise

    return again


def no_votes() -> str:
    """Return the path of a file of votes that does not exist, for HELPERS_VOTES: what you have voted is not for the tests."""
    return os.path.join(tempfile.gettempdir(), f"no-votes-{os.getpid()}", "votes.jsonl")
