"""Checks of notebook 03, *Encoder, decoder, attention*."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, same, shown


@exercise
def check_make_pairs(make_pairs: Callable[[list, int], list]) -> str:
    """Exercise 1: every turn but the first as a pair of the turns before it, and itself."""

    def ask(turns: list, most: int) -> list:
        changed = "You changed the list of turns you were given. Read from it, and build lists of your own."
        answer = call(make_pairs, turns, most, changed=changed, first=turns is given)
        if not isinstance(answer, list) or not all(
            isinstance(pair, tuple | list) and len(pair) == 2 for pair in answer
        ):
            raise Wrong(f"I expected a list of pairs (context, reply) and got {shown(answer)}.")
        pairs = [(context, reply) for context, reply in answer]
        if any(isinstance(context, str) and isinstance(reply, str) for context, reply in pairs):
            raise Wrong("A context is a list of turns, even where it holds one only; you returned a text.")
        if not all(isinstance(context, list | tuple) and isinstance(reply, str) for context, reply in pairs):
            raise Wrong("In each pair the context comes first, a list of turns, and then the reply, a text.")
        return [(list(context), reply) for context, reply in pairs]

    given = ["a", "b", "c", "d", "e"]
    expected = [(["a"], "b"), (["a", "b"], "c"), (["b", "c"], "d"), (["c", "d"], "e")]
    answer = ask(given, 2)
    if any(reply in context for context, reply in answer):
        raise Wrong("The reply stands in its own context: the model would only have to copy. End the slice before it.")
    if answer and answer[0] == ([], "a"):
        raise Wrong("The first turn answers nothing: begin with the second.")
    if answer and answer[0] == ([], "b"):
        raise Wrong("A slice that begins below 0 counts from the end of the list: begin at max(0, i - most).")
    if answer == [(["a"], "b"), (["c"], "d")]:
        raise Wrong("You took the turns two by two. Every turn but the first is a reply: turns overlap in the pairs.")
    if answer == [([before], after) for before, after in zip(given, given[1:])]:
        raise Wrong("You kept only the turn right before. The context may hold up to `most` turns.")
    if answer == [(context[::-1], reply) for context, reply in expected]:
        raise Wrong("Your contexts run backwards. Keep the turns in their order.")
    if answer == [(given[:i][:2], given[i]) for i in range(1, 5)]:
        raise Wrong("From a long conversation you kept the beginning. The last turns matter most: keep those.")
    if answer == [(given[:i], given[i]) for i in range(1, 5)]:
        raise Wrong("Your contexts grow without a limit. Keep at most the last `most` turns.")
    if answer == [(given[i : i + 2], given[i + 2]) for i in range(3)]:
        raise Wrong("You left out 'b', which has one turn before it. A context may be shorter than `most`.")
    if answer == expected[:-1]:
        raise Wrong("The last turn is missing: it answers something, too.")
    if answer != expected:
        raise Wrong(f"For the turns a to e and most=2 I expected {shown(expected, 90)} and got {shown(answer, 90)}.")
    if ask(["a"], 3) or ask([], 3):
        raise Wrong("One turn alone, or none, gives no pair: return an empty list.")
    return "Each turn answers all turns before it, and never itself."


@exercise
def check_additive_scores(additive_scores: Callable) -> str:
    """Exercise 2: how well each position of the encoder fits the decoder's state, v · tanh(s W + h U)."""
    import torch

    rng = torch.Generator().manual_seed(0)
    s, memory, W, U, v = (  # H = 2, S = 4, M = 3, A = 5: a wrong shape shows
        torch.randn(*size, generator=rng, dtype=torch.float64) for size in ((2,), (4, 3), (2, 5), (3, 5), (5,))
    )
    changed = "You changed what you were given, as `+=` does. Make new tensors."
    answer = call(additive_scores, s, memory, W, U, v, changed=changed)
    if not torch.is_tensor(answer) or answer.is_complex():
        raise Wrong(f"I expected a tensor with a score for each of the 4 positions and got {shown(answer)}.")
    query, keys = s @ W, memory @ U
    right = torch.tanh(query + keys) @ v

    def like(expected) -> bool:
        return same(answer, expected)

    if like((query + keys) @ v):
        raise Wrong("The tanh is missing: without it the decoder's state adds the same to every score.")
    if like(torch.tanh((query + keys) @ v)):
        raise Wrong("The tanh comes before v, on all the numbers, not after it on the score.")
    if like((torch.tanh(query) + torch.tanh(keys)) @ v):
        raise Wrong("You took the tanh of each part. Add first: only inside one tanh can query and key meet.")
    if like(torch.tanh(query * keys) @ v) or like((query * keys) @ v) or like(keys @ query):
        raise Wrong("You multiplied query and key. In the attention of 2014 they are added (notebook 04 multiplies).")
    if like(torch.tanh(query + keys).sum(-1)):
        raise Wrong("v is missing: it says how much each of the numbers weighs.")
    if like(right.softmax(-1)):
        raise Wrong("These are weights already. Return the scores; the softmax comes in the next exercise.")
    if like(torch.tanh(query + keys) * v):
        raise Wrong("You multiplied with v number by number. Sum over the numbers, too: `@ v` does both.")
    if answer.shape == (4, 1) and like(right[:, None]):
        raise Wrong("Your scores stand in a column, [4, 1]. Return one row of four, [4].")
    if answer.shape != (4,):
        raise Wrong(
            f"I expected four scores, shape [4], one for each position, and got the shape {list(answer.shape)}."
        )
    if not like(right):
        raise Wrong(
            f"I expected {shown(right.numpy().round(2))} and got {shown(answer)}. Go through the formula again."
        )
    return "This is the score of Bahdanau, Cho and Bengio: query and key meet inside the tanh, and v weighs them."


@exercise
def check_masked_softmax(masked_softmax: Callable) -> str:
    """Exercise 3: scores [B, S] to weights that are 0 where the mask is False and sum to 1 in every row."""
    import torch

    def ask(scores, mask):
        changed = "You changed the scores or the mask you were given. Compute with a copy: masked_fill makes one."
        answer = call(masked_softmax, scores, mask, changed=changed, first=scores.shape == (2, 3))
        if not torch.is_tensor(answer) or answer.shape != scores.shape or not answer.is_floating_point():
            raise Wrong(f"I expected a tensor of weights in the shape of the scores and got {shown(answer)}.")
        return answer.detach().double()

    def like(expected) -> bool:
        return same(answer, expected, 1e-4)

    scores = torch.tensor([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]], dtype=torch.float64)
    mask = torch.tensor([[True, True, True], [True, True, False]])
    hidden = scores.masked_fill(~mask, -math.inf)
    answer, right = ask(scores, mask), hidden.softmax(-1)
    if like(scores.softmax(-1)):
        raise Wrong("You did not use the mask: the padding in the second row gets some of the weight.")
    if like(scores.softmax(-1) * mask):
        raise Wrong(
            "You set the weights to 0 after the softmax, so the second row no longer sums to 1. Mask the scores."
        )
    if like((scores * mask).softmax(-1)):
        raise Wrong("You set the hidden scores to 0. A score of 0 still gets weight (e⁰ is 1): it must be −∞.")
    if like(scores.masked_fill(mask, -math.inf).softmax(-1)):
        raise Wrong("The mask is the wrong way round: True stands at tokens, so hide where it is False (~mask).")
    if like(hidden.softmax(0)):
        raise Wrong("You took the softmax over the rows. Each row attends for itself: the last dimension, dim=-1.")
    if like(torch.where(mask, hidden.log_softmax(-1), 0)) or like(hidden.log_softmax(-1)):
        raise Wrong("These are logarithms. Weights lie between 0 and 1: softmax, not log_softmax.")
    if not like(right):
        raise Wrong(f"For the scores 0.5, 0 and a hidden −1 I expected 0.62, 0.38, 0 and got {shown(answer[1])}.")
    if answer[1, 2] != 0 or ask(torch.tensor([[0.0, 50.0]]), torch.tensor([[True, False]]))[0, 1] != 0:
        raise Wrong("Some weight leaks to the padding: the hidden score is low, but not low enough. Use −∞.")
    answer = ask(torch.tensor([[900.0, 899.0, 0.0, 0.0]]), torch.tensor([[True, True, False, False]]))
    if not like(torch.tensor([[1.0, 0.0, -math.inf, -math.inf]]).double().softmax(-1)):
        raise Wrong("With scores of 900 your numbers overflow. torch.softmax subtracts the largest first: use it.")
    answer = ask(torch.tensor([[1.0, 2.0], [3.0, 1.0]]), torch.tensor([[False, False], [True, True]]))
    if answer.isnan().any():
        raise Wrong(
            "A row that is all padding gives NaN (zero divided by zero). Let its weights be 0: torch.nan_to_num."
        )
    if answer[0].abs().sum() > 0:
        raise Wrong(
            "In a row that is all padding some token got weight. There is nothing to attend to: all weights are 0."
        )
    return "Nothing leaks to the padding, and the weights of every row sum to 1."


@exercise
def check_beam_step(beam_step: Callable) -> str:
    """Exercise 4: of all continuations of the beams the ``width`` likeliest, the best first."""
    import torch

    def ask(beams: list, table, width: int) -> list:
        changed = "You changed the beams you were given (append does). `tokens + [token]` makes a new list."
        answer = call(beam_step, beams, table, width, changed=changed, first=width == 2)
        if not isinstance(answer, list) or not all(
            isinstance(beam, tuple | list) and len(beam) == 2 for beam in answer
        ):
            raise Wrong(f"I expected a list of beams, pairs (tokens, total), and got {shown(answer)}.")
        try:
            return [([int(token) for token in tokens], round(float(total), 4)) for tokens, total in answer]
        except (TypeError, ValueError, RuntimeError):
            raise Wrong(
                "In each beam the tokens come first, a list of numbers, and then their total, a number."
            ) from None

    beams = [([7], -1.0), ([8], -1.2)]
    table = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], dtype=torch.float64).log()
    expected = [([8, 2], -1.4231), ([7, 0], -1.6931)]  # then [7, 1] with −2.2040
    answer = ask(beams, table, 2)
    if answer == [([2], -0.2231), ([0], -0.6931)]:
        raise Wrong("You forgot the beginning: new tokens and totals go on from those of their beam.")
    if answer == [([8, 2], -0.2231), ([7, 0], -0.6931)]:
        raise Wrong("You forgot the old totals. The log probability of a whole text is the sum over its tokens.")
    if len(answer) == 4:
        raise Wrong(
            "You kept the two best of each beam. All continuations compete with each other, and two survive in all."
        )
    if len(answer) == 6:
        raise Wrong("You kept every continuation. Sort them and keep the best `width`.")
    if answer == expected[::-1]:
        raise Wrong(
            "The right beams in the wrong order: the best comes first. Totals are negative; the largest is best."
        )
    if answer == [([8, 0], -3.5026), ([8, 1], -3.5026)] or answer == [([8, 1], -3.5026), ([8, 0], -3.5026)]:
        raise Wrong(
            "You kept the worst. Log probabilities are negative, and the likeliest is the largest: sort descending."
        )
    if answer == [([8, 2], 0.2678), ([7, 0], 0.6931)] or answer == [([7, 0], 0.6931), ([8, 2], 0.2678)]:
        raise Wrong("You multiplied logarithms. Probabilities multiply, so their logarithms add up.")
    if answer != expected:
        raise Wrong(f"I expected {shown(expected, 70)} and got {shown(answer, 90)}.")
    table = torch.tensor([[0.4, 0.35, 0.25], [0.4, 0.3, 0.3]], dtype=torch.float64).log()
    answer = ask([([5], -0.1), ([6], -3.0)], table, 3)
    if [tokens for tokens, _ in answer][:2] == [[5, 0], [6, 0]] or len(answer) == 2:
        raise Wrong(
            "Each of your beams goes on once. All children of one beam may win: here those of 5 beat those of 6."
        )
    if [tokens for tokens, _ in answer] != [[5, 0], [5, 1], [5, 2]]:
        raise Wrong(f"With width 3 the three children of the token 5 win; I got {shown(answer, 90)}.")
    if len(ask([([], 0.0)], table[:1], 9)) != 3:
        raise Wrong("One beam with three continuations and width 9: keep all three, there are no more.")
    return "All continuations compete, the likeliest survive. Repeat it, and you have beam search."


@exercise
def check_mmi_order(mmi_order: Callable) -> str:
    """Exercise 5: the indices of the replies, the best first, by log p(reply | context) − strength · log p(reply)."""
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
        raise Wrong("You added log p(reply), so what everybody always says wins even more. Subtract it.")
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
    return "What is likely here and rare elsewhere comes first: that is what makes a reply an answer."
