"""Check of notebook 15's program that votes: what each token of a reply costs under a model, and its end."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import difference, refuse_known, same, tensor
from helpers.checks.nb14_batch import small_gpt

PROMPT, REPLY, ENDS = [1, 5, 9, 2], [7, 3, 8, 4, 6], {1, 2, 10}


@exercise
def check_token_nats(token_nats: Callable) -> str:
    """Build: −log p of a reply's tokens, and of its end."""
    import torch

    model = small_gpt()
    prompt, reply = list(PROMPT), list(REPLY)
    answer = tried(token_nats(model, prompt, reply, set(ENDS)))
    if prompt != PROMPT or reply != REPLY:
        raise Wrong("You changed the lists of ids that were given: prompt + reply makes a new one.")
    with torch.no_grad():
        log_p = model(torch.tensor([PROMPT + REPLY]))[0][0].double().log_softmax(-1)
        alone = model(torch.tensor([REPLY]))[0][0].double().log_softmax(-1)
    n, r = len(PROMPT), len(REPLY)
    rows, ids = torch.arange(n - 1, n + r - 1), torch.tensor(REPLY)
    tokens, ends = -log_p[rows, ids], torch.tensor(sorted(ENDS))
    end = -log_p[-1, ends].logsumexp(0)
    right = torch.cat([tokens, end[None]])
    if same(answer, _alone(alone, ids, ends), 1e-4):
        raise Wrong("The model has not read the prompt: prompt + reply go in together.")
    _refuse_shape(answer, right, log_p)
    answer = tensor(answer, (r + 1,), "the nats of each token of the reply, and of its end").detach()
    refuse_known(
        answer,
        {
            "One off: logits are for the NEXT token. The first reply token is predicted at the prompt's last.": (
                torch.cat([-log_p[rows + 1, ids], end[None]])
            ),
            "Those are log probabilities, below zero: the minus is missing.": -right,
            "Those are probabilities: take the logarithm, and the minus.": (-right).exp(),
            "Those are bits. Nats have the natural logarithm: log_softmax.": right
            / torch.log(torch.tensor(2.0)).double(),
            "Those are logits: log_softmax is missing.": _logits(model, rows, ids, ends),
            "The ends' log probabilities are added in yours. Probabilities add up, so logsumexp.": (
                torch.cat([tokens, -log_p[-1, ends].sum()[None]])
            ),
            "For the end you took the likeliest token of `ends`. Any of them ends the reply: their probabilities add up.": (
                torch.cat([tokens, -log_p[-1, ends].max()[None]])
            ),
            "For the end you took the first of `ends` only. Any of them ends the reply: their probabilities add up.": (
                torch.cat([tokens, -log_p[-1, ends[:1]]])
            ),
            "For the end you took a mean over `ends`. Any of them ends the reply: their probabilities add up.": (
                torch.cat([tokens, -log_p[-1, ends].mean()[None]])
            ),
            "The end is predicted at the last token of the reply, after all of it; yours is one too early.": (
                torch.cat([tokens, -log_p[-2, ends].logsumexp(0)[None]])
            ),
        },
        alike=lambda value, wrong: same(value, wrong, 1e-4),
    )
    if not same(answer, right, 1e-4):
        raise Wrong(f"A number is not what it should be: {difference(answer, right)}.")
    return "Every token of the reply is predicted, and its end, too."


def _refuse_shape(answer, right, log_p) -> None:
    """Say what is missing or too much, where the number of tokens tells."""
    import torch

    if not torch.is_tensor(answer) or answer.ndim > 1:
        return
    if answer.shape == right[:-1].shape:
        raise Wrong(
            "The end is missing: that a reply stops here is predicted, too, or a cut-off one would look likely."
        )
    if answer.ndim == 0 and same(answer, right.sum(), 1e-3):
        raise Wrong("That is the sum. Return the nats of each token, [R + 1]; the mean is taken later.")
    if answer.ndim == 0 and same(answer, right.mean(), 1e-3):
        raise Wrong("That is the mean. Return the nats of each token, [R + 1]; the mean is taken later.")
    if len(answer.shape) and len(answer) in (len(log_p), len(log_p) - 1):
        raise Wrong("The prompt's tokens are in it. They are given, not predicted: only the reply and its end count.")


def _logits(model, rows, ids, ends):
    import torch

    logits = model(torch.tensor([PROMPT + REPLY]))[0][0].double()
    return -torch.cat([logits[rows, ids], logits[-1, ends].logsumexp(0)[None]])


def _alone(log_p, ids, ends):
    import torch

    return torch.cat([-log_p[torch.arange(len(ids) - 1), ids[1:]], -log_p[-1, ends].logsumexp(0)[None]])
