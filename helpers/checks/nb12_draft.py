"""Checks of notebook 12's speculative decoding: the residual, accept or replace, and how far to look ahead."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, difference, items, near, refuse_known, same, tensor, whole

CHANGED = "You changed what you were given: it is needed again. Compute something new."


@exercise
def check_residual(residual: Callable) -> str:
    """Build: (p − q)₊, scaled to sum to 1."""
    import torch

    p, q = torch.tensor([0.5, 0.3, 0.2, 0.0]), torch.tensor([0.1, 0.2, 0.6, 0.1])
    answer = tensor(call(residual, p, q, changed=CHANGED), (4,), "a vector of probabilities")
    positive = (p - q).clamp(min=0)
    refuse_known(
        answer,
        {
            "That is p. The draft has proposed where q is large: what is missing is p − q, where it is positive.": p,
            "It does not sum to 1: divide by its sum.": positive,
            "That is (q − p)₊, where the draft has too much. It is the other difference.": (q - p).clamp(min=0) / 0.5,
            "You took the absolute difference. Where q is larger nothing is missing: clamp at 0.": (p - q).abs() / 1.0,
            "p − q is negative for some tokens: clamp it at 0 before you scale it.": p - q,
            "A softmax gives probability to every token. Divide by the sum instead.": (p - q).softmax(0),
            "A softmax gives probability to tokens with nothing left. Divide by the sum instead.": positive.softmax(0),
        },
    )
    if not same(answer, positive / 0.5):
        raise Wrong(f"For my two vectors yours has {difference(answer, positive / 0.5)}.")
    equal = tensor(residual(p, p.clone()), (4,), "a vector of probabilities")
    if not torch.isfinite(equal).all():
        raise Wrong("Where p and q are equal you divide 0 by 0. Return p then.")
    if not same(equal, p):
        raise Wrong("Where p and q are equal nothing is ever rejected, and residual returns p.")
    p, q = torch.tensor([0.3, 0.3, 0.4]), torch.tensor([0.3, 0.301, 0.399])
    if not same(residual(p, q), torch.tensor([0.0, 0.0, 1.0]), 1e-3):
        raise Wrong("For p = (0.3, 0.3, 0.4), q = (0.3, 0.301, 0.399) it is (0, 0, 1): return p only when *all* are equal.")
    p, q = torch.tensor([0.9, 0.1]), torch.tensor([0.2, 0.8])
    if not same(residual(p, q), torch.tensor([1.0, 0.0])):
        raise Wrong("For p = (0.9, 0.1) and q = (0.2, 0.8) only the first token is left: (1, 0).")
    return "What acceptance leaves out comes back, and nothing else."


@exercise
def check_accept(accept: Callable) -> str:
    """Build: the proposed tokens that stay, and one more."""
    import torch

    rng, one = torch.Generator().manual_seed(0), torch.eye(4).double()
    even = torch.full((3, 4), 0.25).double()
    kept = [1, 2, 3]
    p, q = torch.cat((even, one[:1])), even.clone()
    first = _tokens(tried(accept(p, q, kept, rng)))
    if not (p.equal(torch.cat((even, one[:1]))) and q.equal(even)):
        raise Wrong(CHANGED)
    if kept != [1, 2, 3]:
        raise Wrong("You changed the list of proposed tokens: it is needed again. Build a new one, proposed + [token].")
    if first == [1, 2, 3]:
        raise Wrong(
            "All three stayed, and one more token is due: a sample from the last row of p. The call has computed it already."
        )
    if first != [1, 2, 3, 0]:
        raise Wrong(
            f"Where p and q agree all of [1, 2, 3] stay, and my last row of p leaves only token 0. Yours gave {first}."
        )
    _check_last(accept, rng)
    _check_rejection(accept, rng)
    _check_share(accept, rng)
    _check_dice(accept, rng)
    p, q = torch.tensor([[0.2, 0.4, 0.2, 0.2], [0.25] * 4]).double(), one[1:2]
    again = [_tokens(accept(p, q, [1], torch.Generator().manual_seed(7 + i // 20))) for i in range(60)]
    if any(tokens != again[i - i % 20] for i, tokens in enumerate(again)):
        raise Wrong("Twice with the same seed it gives different tokens: use generator=rng for every random number.")
    return "The draft decides how fast it goes, the target what is said."


def _tokens(answer) -> list:
    return [whole(token, "a token in the list") for token in items(answer, "a list of tokens")]


def _check_last(accept: Callable, rng) -> None:
    """The proposed token is certain in both; the row after it is (½, ½, 0, 0), and of its residual only token 1 is left."""
    import torch

    p, q = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0]]).double(), torch.tensor([[1.0, 0, 0, 0]]).double()
    last = {_tokens(accept(p, q, [0], rng))[-1] for _ in range(40)}
    if last == {0, 1}:
        return
    if last == {1}:
        raise Wrong("The token after the proposed ones comes from the last row of p itself: residual is for rejected tokens.")
    raise Wrong(
        "When all stay, sample one more from p[-1]. Mine is ½ for token 0 and ½ for token 1, and in 40 calls "
        f"yours gave {sorted(last)}. Is it the row of another position, or always the likeliest token?"
    )


def _check_dice(accept: Callable, rng) -> None:
    """Two tokens, each of which stays in half of the cases: both in a quarter. And a residual of two tokens gives both."""
    import torch

    p, q = torch.tensor([[0.25, 0.75]] * 3).double(), torch.tensor([[0.5, 0.5]] * 2).double()
    if sum(len(_tokens(accept(p, q, [0, 0], rng))) == 3 for _ in range(400)) > 148:
        raise Wrong("Each token needs a random number of its own: draw inside of the loop.")
    p, q = torch.tensor([[0.0, 0.6, 0.4]] * 2).double(), torch.tensor([[1.0, 0.0, 0.0]]).double()
    if len({_tokens(accept(p, q, [0], rng))[0] for _ in range(60)}) < 2:
        raise Wrong("You always take the likeliest token of the residual. Sample from it: torch.multinomial.")


def _check_rejection(accept: Callable, rng) -> None:
    """Four tokens; the second proposed one has probability 0 under p, and only token 1 is left for it."""
    import torch

    q = torch.tensor([[0.25] * 4, [0.5, 0.0, 0.5, 0.0], [0.25] * 4]).double()
    p = torch.tensor([[0.25] * 4, [0.5, 0.5, 0.0, 0.0], [0.25] * 4, [0.0, 0.0, 0.0, 1.0]]).double()
    seen = [_tokens(accept(p, q, [3, 2, 0], rng)) for _ in range(40)]
    second = {tokens[1] for tokens in seen if len(tokens) == 2}
    if all(len(tokens) == 2 for tokens in seen):
        if second == {2}:
            raise Wrong("The rejected token itself came back. It is residual(p[k], q[k]), in this order.")
        if second == {0, 2}:
            raise Wrong("A rejected token was replaced by one from q. Sample from residual(p[k], q[k]).")
        if second == {0, 1, 2, 3}:
            raise Wrong("The residual is that of another position. Take the rows of the rejected token, p[k] and q[k].")
    for tokens in seen:
        if tokens == [3, 2, 1]:
            raise Wrong("The rejected token is still in the list, before what replaces it: proposed[:k] leaves it out.")
        if tokens[:2] == [3, 2]:
            raise Wrong(
                "You kept a token that the target gives probability 0. Keep x with probability min(1, p(x) / q(x))."
            )
        if len(tokens) == 1:
            raise Wrong("The first token is as likely in both and must stay; then comes what replaces the second.")
        if len(tokens) > 2:
            raise Wrong(
                "After a rejection you went on. What came later followed a token that is gone: end the list there."
            )
        if tokens == [3, 0]:
            raise Wrong("A rejected token was replaced by one from p itself. Sample from residual(p[k], q[k]).")
        if tokens != [3, 1]:
            raise Wrong(f"Proposed were [3, 2, 0], the second must be replaced by 1: [3, 1]. Yours gave {tokens}.")


def _check_share(accept: Callable, rng) -> None:
    """p(x) = .2 and q(x) = .5: x stays in two of five cases."""
    import torch

    p, q, number = torch.tensor([[0.8, 0.2], [1.0, 0.0]]).double(), torch.tensor([[0.5, 0.5]]).double(), 1500
    share = sum(_tokens(accept(p, q, [1], rng))[0] == 1 for _ in range(number)) / number
    mistakes = {
        0.2: "Token x stays with probability p(x). It should be p(x) / q(x): here 0.4, and yours is about 0.2.",
        0.5: "Token x stays with probability q(x). It should be p(x) / q(x): here 0.4, and yours is about 0.5.",
        0.0: "Where p(x) is smaller than q(x) you always reject. Keep x with probability p(x) / q(x): here 0.4.",
        1.0: "Where p(x) is smaller than q(x) you always accept. Keep x with probability p(x) / q(x): here 0.4.",
        0.6: "You accept where you should reject: x stays with probability p(x) / q(x), here 0.4, and yours is about 0.6.",
    }
    if abs(share - 0.4) > 0.05:
        nearest = min(mistakes, key=lambda each: abs(each - share))
        if abs(nearest - share) < 0.05:
            raise Wrong(mistakes[nearest])
        raise Wrong(
            f"With p(x) = 0.2 and q(x) = 0.5 the token should stay in 40 % of the cases, and yours did in {share:.0%}."
        )
    p, q = torch.tensor([[0.1, 0.9], [1.0, 0.0]]).double(), torch.tensor([[0.5, 0.5]]).double()
    if any(_tokens(accept(p, q, [1], rng))[0] != 1 for _ in range(200)):
        raise Wrong("Where p(x) is larger than q(x) the token always stays. Yours was rejected at times.")


@exercise
def check_best_look_ahead(best_look_ahead: Callable) -> str:
    """Exercise: the γ with the highest speedup, 0 when none is above 1."""
    linear = lambda tokens: 0.7 + 0.3 * tokens  # noqa: E731
    flat = lambda tokens: 1.0  # noqa: E731
    cases = (
        (0.8, 0.1, flat, 16),
        (0.6, 0.05, linear, 16),
        (0.9, 0.02, linear, 16),
        (0.2, 0.3, linear, 16),
        (0.9, 0.0, flat, 5),
        (0.5, 0.01, lambda tokens: 1.6, 16),
        (0.5, 0.3, flat, 16),
    )

    def best(alpha, cost, check, longest, extra=1, extra_check=1, none=0, calls=0):
        speeds = {
            gamma: sum(alpha**k for k in range(gamma + extra)) / ((gamma + calls) * cost + check(gamma + extra_check))
            for gamma in range(1, longest + 1)
        }
        fastest = max(speeds, key=speeds.get)
        return fastest if speeds[fastest] > 1 else none

    answers = [whole(tried(best_look_ahead(*case)), "γ, a whole number") for case in cases]
    right = [best(*case) for case in cases]
    known = {
        "You check γ tokens. It is γ + 1: the last token written has to be read, too.": [
            best(*c, extra_check=0) for c in cases
        ],
        "The tokens of a round are 1 + α + … + α^γ, γ + 1 terms. Yours lacks the last.": [
            best(*c, extra=0) for c in cases
        ],
        "You left out the cost of the draft: γ times cost.": [best(c[0], 0.0, *c[2:]) for c in cases],
        "The draft is called γ times in a round, and yours γ + 1 times.": [best(*c, calls=1) for c in cases],
        "You stop at the first γ that is not faster. A larger one can be: try all of them.": [
            0 if i == 5 else wanted for i, wanted in enumerate(right)
        ],
        "You ignore check: a checking call does not always cost 1.": [best(c[0], c[1], flat, c[3]) for c in cases],
        "Where no look-ahead is faster than the target alone, return 0.": [best(*c, none=1) for c in cases],
        "longest itself is allowed: range(1, longest + 1).": [best(*c[:3], c[3] - 1) for c in cases],
    }
    if answers != right:
        for message, wrong in known.items():
            if answers == wrong and wrong != right:
                raise Wrong(message)
        index = next(i for i, (mine, wanted) in enumerate(zip(answers, right)) if mine != wanted)
        alpha, cost, check, longest = cases[index]
        raise Wrong(
            f"For α = {alpha}, a draft call of {cost}, check(2) = {check(2):.1f} and longest {longest} it is {right[index]}, and "
            f"yours is {answers[index]}."
        )
    try:
        certain = whole(best_look_ahead(1.0, 0.1, flat, 4), "γ")
    except ZeroDivisionError:
        raise Wrong("For α = 1 the fraction divides by zero. Add the terms instead: sum(α ** k …).") from None
    if certain != 4:
        raise Wrong(
            "When every token is accepted (α = 1) and the draft is cheap, the longest look-ahead is best: 4 of 4."
        )
    if best_look_ahead(0.9, 0.0, flat) != 16:
        raise Wrong("Without longest it is 16.")
    if not near(best_look_ahead(0.0, 0.0, flat, 3), 0):
        raise Wrong("When no token is ever accepted, nothing pays: 0. Being as fast as the target alone is not faster.")
    return "How far to look ahead depends on who checks."
