"""A kernel that dies before it has answered is started again.

Jupyter chooses a kernel's ports before the kernel takes them. Of two kernels that start at the same moment, as with two
processes of pytest, one may find a port taken ("Address already in use") and die. Nothing has been run in it yet.
"""

import functools
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
