"""Checks of notebook 15's style control: a row for each vote, and a logistic regression by Newton's method."""

from collections.abc import Callable

import numpy as np

from helpers.checks import Wrong, exercise
from helpers.checks.compare import shown
from helpers.checks.nb15_votes import array, close, refuse, untouched

NAMES = ["rnn", "gpt", "dpo"]
VOTES = [(0, "gpt", "rnn", "left"), (0, "rnn", "dpo", "right"), (1, "dpo", "gpt", "tie"), (2, "gpt", "dpo", "right")]
STYLE = np.array([[0.5, 1.0], [-0.25, 1.0], [0.125, 1.0], [0.0, 1.0]])


# -- the rows ----------------------------------------------------------------------------------------------------------
def _rows(names=NAMES, left: float = 1.0, right: float = -1.0) -> np.ndarray:
    X = np.zeros((len(VOTES), 3))  # noqa: N806
    for row, (_, one, other, _) in enumerate(VOTES):
        X[row, names.index(one)], X[row, names.index(other)] = left, right
    return X


@exercise
def check_design_matrix(design_matrix: Callable) -> str:
    """Build: one row per vote."""
    changed = "You changed the votes, the names or the covariates: leave them as they are."
    answer = array(
        untouched(design_matrix, list(VOTES), list(NAMES), STYLE.copy(), changed=changed), (4, 5), "a matrix [V, N + K]"
    )
    right, won = np.hstack([_rows(), STYLE]), np.array([[1], [-1], [0], [-1]])
    refuse(
        answer,
        {
            "The signs are reversed: +1 stands for the left contestant, −1 for the right.": np.hstack(
                [-_rows(), STYLE]
            ),
            "Both contestants have +1 in yours. The right one has −1: what counts is the difference.": (
                np.hstack([_rows(right=1.0), STYLE])
            ),
            "The right contestant is missing: −1 in its column.": np.hstack([_rows(right=0.0), STYLE]),
            "The winner has +1 in yours. A row says who stood where, not who won: +1 left, −1 right.": (
                np.hstack([_rows() * won, STYLE])
            ),
            "The covariates come after the contestants' columns, and yours before.": np.hstack([STYLE, _rows()]),
            "The columns are in another order than `names`.": np.hstack([_rows(sorted(NAMES)), STYLE]),
            "The covariates' columns are empty: copy them as they are.": np.hstack([_rows(), np.zeros((4, 2))]),
            "The covariates are given for the left side, and your signs follow the winner. Copy them as they are.": (
                np.hstack([_rows(), STYLE * won])
            ),
            "The fractions of the covariates are lost: the matrix must hold floats.": np.trunc(right),
        },
    )
    if not close(answer, right):
        if close(np.abs(answer), np.abs(right)):
            raise Wrong("The positions are right, a sign is not: +1 for the left contestant, −1 for the right, whichever won.")
        row, column = np.argwhere(~np.isclose(answer, right))[0]
        raise Wrong(f"In row {row}, column {column} I expect {right[row, column]:g} and find {answer[row, column]:g}.")
    return "Who stood where, and how they differ."


# -- the regression ----------------------------------------------------------------------------------------------------
def _problem() -> tuple[np.ndarray, np.ndarray]:
    """Return X [V, 4 + 1] and y [V] of 120 votes in which length counts, with ties."""
    rng = np.random.default_rng(5)
    X, strengths = np.zeros((120, 5)), np.array([1.0, 0.2, -0.4, -0.8, 1.5])  # noqa: N806
    for row in X:
        i, j = rng.choice(4, 2, replace=False)
        row[i], row[j], row[4] = 1, -1, rng.uniform(-1, 1)
    y = (rng.random(120) < 1 / (1 + np.exp(-X @ strengths))).astype(float)
    y[::9] = 0.5
    return X, y


def _newton(X, y, steps: int = 60, ridge: float = 0.0) -> np.ndarray:  # noqa: N803
    weights = np.zeros(X.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-X @ weights))
        slope = X.T @ (y - p) - ridge * weights
        weights = weights + np.linalg.pinv(X.T @ ((p * (1 - p))[:, None] * X) + ridge * np.eye(X.shape[1])) @ slope
    return weights


def _gradient_alone(X, y) -> np.ndarray:  # noqa: N803
    weights = np.zeros(X.shape[1])
    for _ in range(50):
        weights = weights + X.T @ (y - 1 / (1 + np.exp(-X @ weights)))
    return weights


@exercise
def check_fit_logistic(fit_logistic: Callable) -> str:
    """Build: the coefficients that make the votes most likely."""
    X, y = _problem()  # noqa: N806
    right, changed = _newton(X, y), "You changed X or y in place: they are still needed."
    with np.errstate(all="ignore"):  # a step in the wrong direction runs away
        answer = array(untouched(fit_logistic, X.copy(), y.copy(), changed=changed), (5,), "the coefficients [N + K]")
    once = _newton(X, y, 1)
    times = float(answer @ once / (once @ once))
    if times > 1.5 and close(answer, times * once, 1e-6):
        raise Wrong("The same step is taken again and again: compute p anew from the coefficients in every round.")
    shifted = answer - np.append(np.full(4, answer[:4].mean()), 0)
    refuse(
        answer,
        {
            "These are zeros, where you began: add the step to the coefficients.": np.zeros(5),
            "That is one step from zero. A few more: Newton needs about six.": _newton(X, y, 1),
            "The signs are reversed: the step goes along X.T @ (y - p), not (p - y).": -right,
            "That is a linear regression: it predicts y itself. p is the sigmoid of X @ coefficients.": np.linalg.pinv(
                X
            )
            @ y,
            "That is a linear regression of y − ½. p is the sigmoid of X @ coefficients.": np.linalg.pinv(X)
            @ (y - 0.5),
            "These are Elo points. Return log odds: the figures are scaled later.": right * 400 / np.log(10),
            "H is missing: the step is pinv(H) @ X.T @ (y - p), not the gradient alone.": _gradient_alone(X, y),
            "A regularized fit, as scikit-learn's default: the coefficients are too small.": _newton(X, y, ridge=1.0),
        },
    )
    for message, other in {
        "A tie is half a win, y = ½, and yours counts it as lost.": np.floor(y),
        "A tie is half a win, y = ½, and yours counts it as won.": np.ceil(y),
    }.items():
        if close(shifted, _newton(X, other), 1e-5):
            raise Wrong(message)
    if close(shifted, _newton(X[y != 0.5], y[y != 0.5]), 1e-5):
        raise Wrong("You left the ties out. y = ½ needs no special case: the formulas take it as it is.")
    if close(shifted, right, 1e-7) and not close(answer, right, 1e-7):
        raise Wrong(
            "The differences are right, but the contestants' mean is not 0: with pinv the shortest solution is taken, "
            "and it has the mean 0."
        )
    if close(answer, right, 1e-2) and not close(answer, right, 1e-7):
        raise Wrong("Nearly: not yet at the maximum. Take steps until none is larger than 1e-10.")
    if not np.isfinite(answer).all() or np.abs(answer).max() > 100:
        raise Wrong("It runs away: check the signs of X @ theta and of the step, and that the step is pinv(H) @ X.T @ (y - p).")
    if not close(answer, right, 1e-7):
        raise Wrong(f"I get {shown(right)}, and you get {shown(answer)}.")
    return "Ratings and coefficients, fitted together."
