"""Wrong answers to notebook 15's style control and its voting program: each is one mistake, with words of its message."""

import numpy as np
import torch


# --- design_matrix ---------------------------------------------------------------------------------------------------------
def rows(votes, names, covariates, *, left=1.0, right=-1.0, dtype=float):
    """The right matrix, but for what the arguments spoil."""
    X = np.zeros((len(votes), len(names)), dtype)  # noqa: N806
    for row, (_, one, other, _) in zip(X, votes):
        row[names.index(one)], row[names.index(other)] = left, right
    return np.hstack([X, covariates]).astype(dtype)


def turned(votes, names, covariates):
    return rows(votes, names, covariates, left=-1, right=1)


def both_plus(votes, names, covariates):
    return rows(votes, names, covariates, right=1)


def left_alone(votes, names, covariates):
    return rows(votes, names, covariates, right=0)


def winner_plus(votes, names, covariates):
    X = rows(votes, names, covariates)  # noqa: N806
    X[:, : len(names)] *= np.array([{"left": 1, "right": -1}.get(vote[3], 0) for vote in votes])[:, None]
    return X


def sign_of_the_winner(votes, names, covariates):
    X = rows(votes, names, covariates)  # noqa: N806
    X[:, : len(names)] *= np.array([-1 if vote[3] == "right" else 1 for vote in votes])[:, None]
    return X


def covariates_first(votes, names, covariates):
    return np.hstack([covariates, rows(votes, names, covariates)[:, : len(names)]])


def alphabetical(votes, names, covariates):
    return rows(votes, sorted(names), covariates)


def no_covariates(votes, names, covariates):
    return rows(votes, names, 0 * covariates)


def left_out(votes, names, covariates):
    return rows(votes, names, covariates)[:, : len(names)]


def whole_numbers(votes, names, covariates):
    return rows(votes, names, covariates, dtype=int)


DESIGN = {
    turned: "The signs are reversed",
    both_plus: "Both contestants have +1",
    left_alone: "The right contestant is missing",
    winner_plus: "The winner has +1",
    sign_of_the_winner: "a sign is not",
    covariates_first: "The covariates come after",
    alphabetical: "in another order than `names`",
    no_covariates: "The covariates' columns are empty",
    left_out: "I expected a matrix [V, N + K], of shape [4, 5]",
    whole_numbers: "The fractions of the covariates are lost",
}


# --- fit_logistic ----------------------------------------------------------------------------------------------------------
def newton(X, y, steps=50, ridge=0.0, sign=1.0):  # noqa: N803
    """The right coefficients, but for what the arguments spoil."""
    theta = np.zeros(X.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-X @ theta))
        H = X.T @ ((p * (1 - p))[:, None] * X) + ridge * np.eye(len(theta))  # noqa: N806
        theta = theta + np.linalg.pinv(H) @ (X.T @ (y - p) - ridge * theta)
    return sign * theta


def one_step(X, y):  # noqa: N803
    return newton(X, y, 1)


def three_steps(X, y):  # noqa: N803
    return newton(X, y, 3)


def negative(X, y):  # noqa: N803
    return newton(X, y, sign=-1)


def regularized(X, y):  # noqa: N803
    return newton(X, y, ridge=1.0)


def linear(X, y):  # noqa: N803
    return np.linalg.lstsq(X, y, rcond=None)[0]


def linear_around_half(X, y):  # noqa: N803
    return np.linalg.lstsq(X, y - 0.5, rcond=None)[0]


def in_elo(X, y):  # noqa: N803
    return newton(X, y) * 400 / np.log(10)


def ties_lost(X, y):  # noqa: N803
    return newton(X, (y == 1).astype(float))


def ties_dropped(X, y):  # noqa: N803
    return newton(X[y != 0.5], y[y != 0.5])


def first_at_zero(X, y):  # noqa: N803
    theta = newton(X, y)
    theta[:4] -= theta[0]
    return theta


def never_added(X, y):  # noqa: N803
    return np.zeros(X.shape[1])


def the_same_step(X, y):  # noqa: N803
    return 50 * newton(X, y, 1)


def without_curvature(X, y):  # noqa: N803
    theta = np.zeros(X.shape[1])
    for _ in range(50):
        theta = theta + X.T @ (y - 1 / (1 + np.exp(-X @ theta)))
    return theta


FIT = {
    the_same_step: "compute p anew",
    without_curvature: "H is missing",
    one_step: "That is one step from zero",
    three_steps: "not yet at the maximum",
    negative: "The signs are reversed",
    regularized: "A regularized fit",
    linear: "That is a linear regression: it predicts y itself",
    linear_around_half: "That is a linear regression of y − ½",
    in_elo: "These are Elo points",
    ties_lost: "yours counts it as lost",
    ties_dropped: "You left the ties out",
    first_at_zero: "the contestants' mean is not 0",
    never_added: "These are zeros",
}


# --- token_nats ------------------------------------------------------------------------------------------------------------
def nats(model, prompt, reply, ends, *, shift=-1, close=torch.logsumexp, at=-1):
    """The right tensor, but for what the arguments spoil."""
    log_p = model(torch.tensor([prompt + reply]))[0][0].detach().log_softmax(-1)
    start = len(prompt) + shift
    tokens = -log_p[torch.arange(start, start + len(reply)), torch.tensor(reply)]
    return torch.cat([tokens, -close(log_p[at, sorted(ends)], 0)[None]])


def one_off(model, prompt, reply, ends):
    return nats(model, prompt, reply, ends, shift=0)


def signless(model, prompt, reply, ends):
    return -nats(model, prompt, reply, ends)


def probabilities(model, prompt, reply, ends):
    return (-nats(model, prompt, reply, ends)).exp()


def bits(model, prompt, reply, ends):
    return nats(model, prompt, reply, ends) / np.log(2)


def without_softmax(model, prompt, reply, ends):
    logits = model(torch.tensor([prompt + reply]))[0][0].detach()
    start = len(prompt) - 1
    tokens = -logits[torch.arange(start, start + len(reply)), torch.tensor(reply)]
    return torch.cat([tokens, -logits[-1, sorted(ends)].logsumexp(0)[None]])


def without_end(model, prompt, reply, ends):
    return nats(model, prompt, reply, ends)[:-1]


def without_prompt(model, prompt, reply, ends):
    return nats(model, reply[:1], reply[1:], ends)


def prompt_too(model, prompt, reply, ends):
    return nats(model, prompt[:1], prompt[1:] + reply, ends)


def summed(model, prompt, reply, ends):
    return nats(model, prompt, reply, ends).sum()


def mean(model, prompt, reply, ends):
    return nats(model, prompt, reply, ends).mean()


def ends_added(model, prompt, reply, ends):
    return nats(model, prompt, reply, ends, close=torch.sum)


def likeliest_end(model, prompt, reply, ends):
    return nats(model, prompt, reply, ends, close=torch.amax)


def first_end(model, prompt, reply, ends):
    return nats(model, prompt, reply, ends, close=lambda log_p, dim: log_p[0])


def mean_end(model, prompt, reply, ends):
    return nats(model, prompt, reply, ends, close=torch.mean)


def end_too_early(model, prompt, reply, ends):
    return nats(model, prompt, reply, ends, at=-2)


def extends(model, prompt, reply, ends):
    prompt += reply
    return nats(model, prompt[: -len(reply)], reply, ends)


NATS = {
    one_off: "One off",
    signless: "the minus is missing",
    probabilities: "Those are probabilities",
    bits: "Those are bits",
    without_softmax: "log_softmax is missing",
    without_end: "The end is missing",
    without_prompt: "The model has not read the prompt",
    prompt_too: "The prompt's tokens are in it",
    summed: "That is the sum",
    mean: "That is the mean",
    ends_added: "The ends' log probabilities are added",
    likeliest_end: "you took the likeliest token",
    first_end: "you took the first of `ends`",
    mean_end: "you took a mean over `ends`",
    end_too_early: "yours is one too early",
    extends: "You changed the lists of ids",
}
