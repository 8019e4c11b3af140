"""Checks of the searches that learners write in notebook 03; ``helpers.checks.nb03`` hands them on."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, refuse_known, same, shown

END, VOCAB = 3, 5


def _language(beginnings: list[list[int]]):
    """Return log p [n, 5] of the next token in a language that is random, but always the same."""
    import torch

    rows = []
    for tokens in beginnings:
        rng = torch.Generator().manual_seed(hash(tuple(tokens)) % 2**31)  # of numbers a hash is the same in every run
        row = 1.5 * torch.randn(VOCAB, generator=rng, dtype=torch.float64)
        row[END] += len(tokens) - 2
        rows.append(row.log_softmax(-1))
    return torch.stack(rows)


def _search(width: int, max_tokens: int, length_penalty: float = 0.0, mistake: str = "") -> list[tuple]:
    """Return what a beam search finds in the language, or one that makes a mistake."""
    beams, done = [([], 0.0)], []
    for _ in range(max_tokens):
        table = _language([tokens for tokens, _ in beams]).tolist()
        groups = [
            [(tokens + [token], (0.0 if mistake == "totals" else total) + log_p) for token, log_p in enumerate(row)]
            for (tokens, total), row in zip(beams, table)
        ]
        if mistake == "each":
            groups = [sorted(group, key=_total, reverse=True)[: math.ceil(width / 2)] for group in groups]
        children = [child for group in groups for child in group]
        kept = sorted(children, key=_total, reverse=mistake != "worst")
        kept = kept[: 1 if mistake == "greedy" else None if mistake == "each" else width]
        before = {tuple(tokens): total for tokens, total in beams}
        for tokens, total in kept:
            if tokens[-1] == END:
                free = before[tuple(tokens[:-1])] if mistake == "free" else total
                done.append((tokens if mistake == "end" else tokens[:-1], free))
        beams = kept if mistake == "goes on" else [child for child in kept if child[0][-1] != END]
        if not beams or mistake == "first" and done:
            break
    left = [] if mistake == "dropped" else [beam for beam in beams if END not in beam[0]]

    def score(reply) -> float:
        length = len(reply[0]) + (0 if mistake == "short" else 1)
        return reply[1] * length**length_penalty if mistake == "times" else reply[1] / max(length, 1) ** length_penalty

    return sorted(done + left, key=score, reverse=mistake != "backwards")


def _total(child: tuple) -> float:
    return child[1]


@exercise
def check_beam_search(beam_search: Callable) -> str:
    """Build: (tokens, log-probability) of the replies that a beam search finds, the best first."""

    asked = []

    def language(beginnings: list[list[int]]):
        asked.append(len(beginnings))
        return _language(beginnings)

    def ask(width: int, max_tokens: int, length_penalty: float, first: bool = False) -> list[tuple]:
        changed = "You changed what you were given."
        given = (width, max_tokens, END, length_penalty)
        asked.clear()
        answer = call(lambda *rest: beam_search(language, *rest), *given, changed=changed, first=first)
        if not isinstance(answer, list) or not all(
            isinstance(pair, tuple | list) and len(pair) == 2 for pair in answer
        ):
            raise Wrong(f"I expected a list of replies, pairs (tokens, log-probability), and got {shown(answer)}.")
        try:
            return [([int(token) for token in tokens], float(total)) for tokens, total in answer]
        except (TypeError, ValueError, RuntimeError):
            raise Wrong("In each pair the tokens come first, a list, then their log-probability, a number.") from None

    def alike(answer, expected) -> bool:
        return [tokens for tokens, _ in answer] == [tokens for tokens, _ in expected] and all(
            math.isclose(one, other, abs_tol=1e-4) for (_, one), (_, other) in zip(answer, expected)
        )

    answer = ask(4, 5, 0.0, first=True)
    mistakes = {
        "This is greedy search: one beginning survives at each step. Keep the best `width`.": "greedy",
        "You forgot the totals: a continuation's log-probability is its beginning's plus its token's.": "totals",
        "You kept the best of each beginning. All continuations compete, and `width` survive in all.": "each",
        "You kept the worst. Log-probabilities are negative; the largest is the likeliest.": "worst",
        "A reply goes on after its end. Set it aside when it ends, and go on with the others.": "goes on",
        "Your replies still have the end token. Leave it out of the tokens, and its log-probability in.": "end",
        "The log-probability of the end token is missing: ending costs something, too.": "free",
        "You stopped as soon as one reply had ended. Others may still be likelier: go on up to `max_tokens`.": "first",
        "What has not ended after `max_tokens` tokens is missing. Set it aside as it is.": "dropped",
        "The right replies in the wrong order: the likeliest comes first.": "backwards",
    }
    refuse_known(answer, {message: _search(4, 5, 0.0, mistake) for message, mistake in mistakes.items()}, alike)
    if not alike(answer, _search(4, 5)):
        right = _search(4, 5)
        if len(answer) > len(right):
            raise Wrong(
                f"You return {len(answer)} replies, and this search finds {len(right)}. Is one in the list twice?"
            )
        number = next((n for n, pair in enumerate(zip(answer, right)) if not alike(pair[:1], pair[1:])), len(answer))
        mine = shown(answer[number]) if number < len(answer) else "missing"
        raise Wrong(f"Reply {number + 1} should be {shown(right[number])}, and yours is {mine}.")
    answer, right = ask(4, 5, 1.0), _search(4, 5, 1.0)
    mistakes = {
        "`length_penalty` changes nothing. Sort by log-probability / (tokens + 1) ** length_penalty.": _search(4, 5),
        "Divide by tokens + 1: the end token counts, too.": _search(4, 5, 1.0, "short"),
        "You multiplied by the length. Divide: then long replies lose less.": _search(4, 5, 1.0, "times"),
    }
    refuse_known(answer, mistakes, alike)
    if not alike(answer, right):
        raise Wrong("With length_penalty 1 the order should be by log-probability per token. Return the plain totals.")
    if not alike(ask(1, 5, 0.0), _search(1, 5)) or not alike(ask(30, 2, 0.5), _search(30, 2, 0.5)):
        raise Wrong("It fails with width 1, or with a width larger than the number of continuations.")
    ask(4, 5, 0.0)
    if len(asked) > 5:
        raise Wrong(
            "You ask for each beginning by itself. Ask once a step, with the list of all: they are read side by side."
        )
    return "All continuations compete, the likeliest survive, and the finished ones are compared at the end."


@exercise
def check_sibling_penalty(sibling_penalty: Callable) -> str:
    """Exercise: log p [n, V] less strength × rank, the rank of a token among those of its row, 0 for the likeliest."""
    import torch

    log_p = torch.tensor([[0.5, 0.1, 0.4, 0.0], [0.2, 0.3, 0.1, 0.4]], dtype=torch.float64).add(0.01).log()
    changed = "You changed the table you were given. Compute a new one."
    answer = call(sibling_penalty, log_p, 0.5, changed=changed)
    order = log_p.argsort(-1, descending=True)
    rank = order.argsort(-1)
    everywhere = log_p.flatten().argsort(descending=True).argsort().view(2, 4)
    refuse_known(
        answer,
        {
            "This is the order of the tokens, not their rank. Sort the order once more to get the ranks.": log_p
            - 0.5 * order,
            "Your likeliest token has rank 1. It should get no penalty: count from 0.": log_p - 0.5 * (rank + 1),
            "Your ranks run backwards: the likeliest token should have rank 0, so sort descending.": log_p
            - 0.5 * (3 - rank),
            "You ranked the tokens of all beginnings together. Siblings are those of one row: dim=-1.": log_p
            - 0.5 * everywhere,
            "You added the penalty, so the unlikely gain. Subtract it.": log_p + 0.5 * rank,
            "`strength` is not used: multiply the rank by it.": log_p - rank,
            "These are the ranks. Return log p minus strength times rank.": rank,
        },
    )
    if not same(answer, log_p - 0.5 * rank):
        raise Wrong(f"I expected {shown((log_p - 0.5 * rank).numpy().round(2), 80)} and got {shown(answer, 80)}.")
    wider = torch.tensor([[0.1, 0.4, 0.2, 0.05, 0.15, 0.1]], dtype=torch.float64).add(0.01 * torch.arange(6)).log()
    if not same(sibling_penalty(wider, 0.5), wider - 0.5 * wider.argsort(-1, descending=True).argsort(-1)):
        raise Wrong("With one row of six tokens it is wrong. Is a size written down as a number?")
    return "The second-best child of one parent now competes with the best of another: the beams spread out."


@exercise
def check_mmi_order(mmi_order: Callable) -> str:
    """Exercise: the indices of the replies, the best first, by log p(reply | context) − strength · log p(reply)."""
    here, anywhere = [-4.0, -12.0, -5.0, -9.0, -7.0], [-13.0, -11.0, -7.0, -6.0, -14.0]

    def order(score: Callable[[float, float], float], reverse: bool = True) -> list[int]:
        scores = [score(a, b) for a, b in zip(here, anywhere)]
        return sorted(range(5), key=lambda i: scores[i], reverse=reverse)

    def ask(strength: float, here=here, anywhere=anywhere) -> list:
        changed = "You changed the lists you were given. sorted() makes a new list, .sort() does not."
        answer = call(mmi_order, here, anywhere, strength, changed=changed, first=strength == 0.5)
        answer = answer.tolist() if hasattr(answer, "tolist") else answer
        if not isinstance(answer, list | tuple):
            raise Wrong(f"I expected a list of indices, the best reply's first, and got {shown(answer)}.")
        return list(answer)

    answer = ask(0.5)
    scores = [a - 0.5 * b for a, b in zip(here, anywhere)]
    if answer == scores or answer == sorted(scores, reverse=True):
        raise Wrong("These are the scores. Return the indices of the replies in the lists, the best reply's first.")
    if sorted(map(str, answer)) != ["0", "1", "2", "3", "4"]:
        raise Wrong(f"I expected the indices 0 to 4, each once, the best reply's first, and got {shown(answer)}.")
    if answer == order(lambda a, b: a):
        raise Wrong("This is the order of log p(reply | context) alone. What is likely everywhere must lose by it.")
    if answer == order(lambda a, b: a + 0.5 * b):
        raise Wrong("You added log p(reply), so what is likely everywhere wins even more. Subtract it.")
    if answer == order(lambda a, b: a - 0.5 * b, reverse=False):
        raise Wrong("This is the right order backwards: the reply with the highest score comes first.")
    if answer == order(lambda a, b: a - b):
        raise Wrong("You subtracted all of log p(reply). Multiply it by `strength` first: it says how much it counts.")
    if answer == order(lambda a, b: math.exp(a) - 0.5 * math.exp(b)):
        raise Wrong("You computed with probabilities. The score is a difference of logarithms; leave out the exp.")
    if answer == order(lambda a, b: 0.5 * a - b):
        raise Wrong("`strength` stands at the wrong term: it belongs to log p(reply).")
    if answer == order(lambda a, b: -b):
        raise Wrong("This is the order of log p(reply) alone: the rarest first. The context must count, too.")
    if answer == order(lambda a, b: a / b):
        raise Wrong("You divided. A ratio of probabilities is a difference of their logarithms: subtract.")
    if answer != order(lambda a, b: a - 0.5 * b):
        raise Wrong(f"For {here} and {anywhere} the scores are {scores}; you returned {shown(answer)}.")
    if ask(0.0) != order(lambda a, b: a):
        raise Wrong("With strength 0 the order must be that of log p(reply | context).")
    if ask(1.0, here[:3], anywhere[:3]) != [0, 2, 1]:
        raise Wrong("With three replies it is wrong. Is their number written down?")
    return "What is likely here and rare elsewhere comes first: that is what makes a reply an answer."
