"""Checks of notebook 09, *From votes to rewards*."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import near, number, same, tensor


def _log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x)) if x > -30 else x


@exercise
def check_bradley_terry(bradley_terry: Callable) -> str:
    """Exercise 1: the mean of −log σ(chosen − rejected), from two tensors of scores."""
    import torch

    def ask(chosen: list, rejected: list) -> float:
        pair = (torch.tensor(chosen, dtype=torch.float32), torch.tensor(rejected, dtype=torch.float32))
        return number(tried(bradley_terry(*pair)), "the mean loss")

    differences = [1.0, -2.0, 0.5]
    answer = ask([3.0, 0.0, 1.0], [2.0, 2.0, 0.5])
    losses = [-_log_sigmoid(d) for d in differences]
    if near(answer, -sum(losses) / 3):
        raise Wrong("Your loss is negative: the logarithm of a probability is, so put a minus in front.")
    if near(answer, -sum(_log_sigmoid(-d) for d in differences) / 3):
        raise Wrong("You punish the preferred replies: it is chosen − rejected, not the other way around.")
    if near(answer, sum(losses)):
        raise Wrong("That is the sum over the pairs. Take the mean, so that the size of a batch does not matter.")
    if near(answer, -sum(math.exp(_log_sigmoid(d)) for d in differences) / 3) or near(
        answer, sum(math.exp(_log_sigmoid(d)) for d in differences) / 3
    ):
        raise Wrong("The logarithm is missing: that is the mean probability itself, and its gradient is another one.")
    if near(answer, -sum(differences) / 3):
        raise Wrong("That is the mean difference. Without σ a reward model gains for ever by larger scores.")
    if near(answer, -_log_sigmoid(sum(differences) / 3)):
        raise Wrong("You took the mean before the logarithm. Each pair is asked for itself; the mean comes last.")
    if not near(answer, sum(losses) / 3):
        raise Wrong(f"For scores 3, 0, 1 against 2, 2, 0.5 I expected {sum(losses) / 3:.3f} and got {answer:.3f}.")
    answer = ask([-200.0], [0.0])
    if not near(answer, 200.0, 1e-3):
        raise Wrong(
            f"A pair that is wrong by 200 must cost 200, and yours costs {answer}. Use logsigmoid: σ rounds to 0."
        )
    return "A coin costs 0.693, and a reward model that is wrong and sure is penalized for every point."


@exercise
def check_matched_accuracy(matched_accuracy: Callable) -> str:
    """Exercise 2: the share of equally long pairs in which the chosen one scores higher."""
    import torch

    # chosen, rejected, words of the chosen, words of the rejected
    rows = [(2.0, 1.0, 10, 10), (1.0, 1.0, 20, 18), (0.0, 3.0, 10, 9), (4.0, 0.0, 30, 10), (0.0, 4.0, 20, 5),
            (3.0, 1.0, 21, 19), (2.0, 0.0, 40, 36), (0.0, 5.0, 12, 4), (0.0, 2.0, 31, 30), (3.0, 1.0, 25, 24)]  # fmt: skip

    def ask(rows) -> float:
        columns = (torch.tensor(column, dtype=torch.float32) for column in zip(*rows))
        return number(tried(matched_accuracy(*columns)), "a share")

    def share(keep, win: float = 0.5, rows=rows) -> float:
        kept = [row for row in rows if keep(*row[2:])]
        return sum(1.0 if a > b else win if a == b else 0.0 for a, b, *_ in kept) / len(kept)

    def matched(a, b) -> bool:
        return abs(a - b) <= 0.1 * max(a, b) + 1e-6

    answer, right = ask(rows), share(matched)
    if near(answer, share(lambda a, b: True)):
        raise Wrong(
            "You took all pairs. A reward model that knows nothing but length looks good there: keep the matched ones."
        )
    if near(answer, share(lambda a, b: not matched(a, b))):
        raise Wrong("You kept the pairs whose lengths differ, and threw away the ones that are matched.")
    if near(answer, share(lambda a, b: a == b)):
        raise Wrong("You kept only pairs of exactly one length. A difference of a tenth of the longer one is allowed.")
    if near(answer, 1 - right):
        raise Wrong("That is the share of pairs ranked *wrong*. The chosen one should score higher.")
    if near(answer, share(matched, 0.0)):
        raise Wrong("A tie is a loss in yours. A model that scores all alike knows as much as a coin: count it half.")
    if near(answer, share(matched, 1.0)):
        raise Wrong("A tie is a win in yours: then a model that scores all alike would be perfect. Count it half.")
    if near(answer, right * sum(matched(*row[2:]) for row in rows) / len(rows)):
        raise Wrong("You divided by all pairs. Divide by the matched ones.")
    if near(answer, right * sum(matched(*row[2:]) for row in rows)):
        raise Wrong("That is how many, not which share: divide by the number of matched pairs.")
    if near(answer, share(lambda a, b: abs(a - b) <= 0.1 * min(a, b) + 1e-6)):
        raise Wrong("You took a tenth of the *shorter* one. It is a tenth of the longer one: torch.maximum.")
    if not near(answer, right):
        raise Wrong(f"For my ten pairs I expected {right:.3f} and got {answer:.3f}. Seven of them are matched.")
    if not near(ask([(0.0, 0.0, 5, 5), (0.0, 0.0, 9, 30)]), 0.5):
        raise Wrong("A reward model that gives everything the same score must get 0.5.")
    return "Now length cannot help, and what is left is what the reward model has read."


@exercise
def check_kl_penalized(kl_penalized: Callable) -> str:
    """Exercise 3: a reward for each token of one reply, [T]: the KL penalty, and the score at the end."""
    import torch

    log_p, reference = torch.tensor([-1.0, -0.5, -2.0]), torch.tensor([-1.5, -0.5, -1.0])
    score, beta = 2.0, 0.1
    moved = log_p - reference
    end = torch.tensor([0.0, 0.0, 1.0])
    answer = tensor(
        tried(kl_penalized(score, log_p.clone(), reference.clone(), beta)), (3,), "a tensor of three rewards"
    )
    if same(answer, beta * moved + score * end):
        raise Wrong("You reward the policy for moving away. The penalty is *minus* β times the distance.")
    if same(answer, -moved + score * end):
        raise Wrong("β is missing: it says how much a nat of distance costs.")
    if same(answer, -beta * moved + score):
        raise Wrong(
            "Every token got the score. Then a longer reply gets more: the score comes once, at the last token."
        )
    if same(answer, -beta * moved + score * end.flip(0)):
        raise Wrong("The score stands at the first token. It is known only when the reply is finished: at the last.")
    if same(answer, (score - beta * moved.sum()) * end):
        raise Wrong("The whole penalty stands at the end. Each token has its own, so that the guilty one is known.")
    if same(answer, -beta * moved):
        raise Wrong("Only the penalty, no score: add the score at the last token.")
    if same(answer, -beta * log_p + score * end):
        raise Wrong("The reference is left out: then every rare word gets a bonus. Distance is log p − reference.")
    if same(answer, -beta * (log_p.exp() - reference.exp()) + score * end):
        raise Wrong("You took the difference of the probabilities. It is the difference of their logarithms.")
    expected = -beta * moved + score * end
    if not same(answer, expected):
        numbers = [round(x, 3) for x in expected.tolist()]
        raise Wrong(
            f"For my reply of three tokens I expected {numbers} and got {[round(x, 3) for x in answer.tolist()]}."
        )
    return "A token that moves away is penalized at once, and the reward model scores the finished reply."


@exercise
def check_dpo(dpo: Callable) -> str:
    """Exercise 4: the DPO loss of one pair from token log-probabilities [2, T], the preferred reply first."""
    import torch

    log_p = torch.tensor([[-3.0, -1.0, -2.0, -1.0], [-3.0, -4.0, -1.5, -9.0]])
    reference = torch.tensor([[-1.0, -1.5, -2.5, -1.0], [-4.0, -3.5, -1.0, -1.0]])
    reply_mask = torch.tensor([[False, True, True, True], [False, True, True, False]])
    beta = 0.5
    inputs = (log_p.clone(), reference.clone(), reply_mask.clone(), beta)
    answer = number(tried(dpo(*inputs)), "the loss of the pair")

    def loss(values, keep=reply_mask, mean: bool = False, sign: float = 1.0, beta: float = beta) -> float:
        sums = (values * keep).sum(1) / (keep.sum(1) if mean else 1)
        return -_log_sigmoid(float(sign * beta * (sums[0] - sums[1])))

    moved, everywhere = log_p - reference, torch.ones_like(reply_mask)
    right = loss(moved)
    if near(answer, loss(moved, sign=-1.0)):
        raise Wrong("You prefer the wrong one: the margin is preferred minus other.")
    if near(answer, loss(log_p)):
        raise Wrong("The reference is left out. Then a rare reply loses for being rare, whatever it says.")
    if near(answer, loss(moved, mean=True)):
        raise Wrong("You took the mean over the tokens. The log-probability of a reply is the *sum* of its tokens'.")
    if near(answer, loss(moved, keep=everywhere)):
        raise Wrong("You took the prompt and the padding too. Only where `reply_mask` is True is the reply.")
    if near(answer, loss(moved, keep=everywhere, mean=True)):
        raise Wrong("You took the mean, and over all positions. Sum where `reply_mask` is True.")
    if near(answer, loss(moved, beta=1.0)):
        raise Wrong("β is missing: it says how hard the pair may pull the model away from its reference.")
    if near(answer, -right):
        raise Wrong("Your loss is negative: put a minus in front of the logarithm.")
    if near(answer, math.exp(-right)):
        raise Wrong("That is the probability that the preferred one wins. The loss is minus its logarithm.")
    if not near(answer, right):
        raise Wrong(f"For my pair I expected {right:.3f} and got {answer:.3f}.")
    same = number(dpo(log_p, log_p.clone(), reply_mask, beta), "the loss of the pair")
    if not near(same, math.log(2), 1e-5):
        raise Wrong(f"Where the model is its own reference, the loss must be ln 2 = 0.693; yours is {same:.3f}.")
    return "At the start it is ln 2, and every nat gained on the reference counts."


@exercise
def check_expected_best(expected_best: Callable) -> str:
    """Exercise 5: the mean score of the best of n, over all choices of n from a list of scores."""
    import itertools

    def right(scores, n) -> float:
        chosen = list(itertools.combinations(scores, n))
        return sum(map(max, chosen)) / len(chosen)

    def ask(scores, n) -> float:
        return number(tried(expected_best(list(scores), n)), "a mean score")

    scores, n = [1.0, 5.0, 2.0, 9.0, 3.0], 2
    answer, best_first = ask(scores, n), sorted(scores, reverse=True)
    chances = list(itertools.product(scores, repeat=n))
    if near(answer, max(scores)):
        raise Wrong("That is the best of all five. Of two random ones the best is often a lesser one.")
    if near(answer, sum(best_first[:n]) / n):
        raise Wrong("You took the mean of the n best. Draw n, take the best of *those*, and average over all draws.")
    if near(answer, max(scores[:n])):
        raise Wrong("You looked at the first n only: that is one draw of many. Average over all of them.")
    if near(answer, sum(map(max, chances)) / len(chances)):
        raise Wrong("You drew with putting back: the same reply may stand twice in your draw. Use combinations.")
    if near(answer, sum(map(min, itertools.combinations(scores, n))) / math.comb(len(scores), n)):
        raise Wrong("You kept the worst of each draw. It is the best.")
    if near(answer, sum(scores) / len(scores)):
        raise Wrong("That is the mean of all scores, the best of one. Take the best of each draw.")
    if near(answer, sum(map(max, itertools.combinations(scores, n)))):
        raise Wrong("That is the sum over the draws. Divide by their number.")
    if not near(answer, right(scores, n)):
        raise Wrong(f"For the scores 1, 5, 2, 9, 3 and n = 2 I expected {right(scores, n)} and got {answer}.")
    for n in (1, 4, 5):
        if not near(answer := ask(scores, n), right(scores, n)):
            raise Wrong(f"For n = {n} I expected {right(scores, n)} and got {answer}.")
    return "So one sample of replies gives the whole curve, and no luck in it."
