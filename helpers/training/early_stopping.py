"""When to stop: patience with validation losses that no longer fall (built in notebook 07)."""

from collections.abc import Sequence


def early_stopping(losses: Sequence[float], patience: int) -> int:
    """Return the index of the lowest loss seen before ``patience`` losses in a row were no lower than it.

    Of equal losses the first counts. ``fit`` keeps the best parameters as well, but never stops early: its learning rate is
    meant to come down first. Raises ValueError without a loss, and for a patience below 1.
    """
    if not len(losses) or patience < 1:
        raise ValueError(f"{len(losses)} losses and patience {patience}: give at least one loss and a patience of 1 or more")
    best = 0
    for number, loss in enumerate(losses):
        if loss < losses[best]:
            best = number
        elif number - best >= patience:
            break
    return best
