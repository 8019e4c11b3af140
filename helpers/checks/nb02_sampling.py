"""Checks of the sampling that learners write in notebook 02; ``helpers.checks.nb02`` hands them on."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, kind, same, shown

CHANGED = "You changed the numbers you were given. Compute with a copy; the caller may need them again."


def _softmax(*numbers: float) -> list[float]:
    largest = max(numbers)
    raised = [math.exp(number - largest) for number in numbers]
    return [each / sum(raised) for each in raised]


@exercise
def check_sampling_probabilities(sampling_probabilities: Callable) -> str:
    """Build: logits [V], temperature, top_k and top_p to the probabilities [V] from which the next token is sampled."""
    import torch

    def ask(*numbers: float, first: bool = False, **settings):
        logits = torch.tensor(numbers, dtype=torch.float64)
        answer = call(lambda given: sampling_probabilities(given, **settings), logits, changed=CHANGED, first=first)
        if torch.is_tensor(answer) and answer.shape == logits.shape and not answer.is_complex():
            return answer.detach().double()
        if settings.get("temperature") == 0:
            raise Wrong("At temperature 0, too, return a probability for each token: 1 for the highest, 0 for the others.")
        raise Wrong(f"I expected a tensor, a probability for each logit, and got {kind(answer)}.")

    answer = ask(2.0, 0.0, -1.0, first=True)
    if same(answer, torch.tensor([2.0, 0.0, -1.0]).exp()):
        raise Wrong("These are the exponentials. Divide by their sum, so that they are probabilities: that is the softmax.")
    if not same(answer, _softmax(2, 0, -1)):
        raise Wrong(f"For logits 2, 0, −1 the softmax is 0.844, 0.114, 0.042; I got {shown(answer)}.")
    _check_temperature(ask)
    _check_top_k(ask)
    _check_top_p(ask)
    return "Softmax, temperature and both cuts. Every text of this notebook is sampled with it from here on."


def _check_temperature(ask: Callable) -> None:
    answer = ask(2.0, 0.0, -1.0, temperature=0.5)
    if same(answer, _softmax(1.0, 0.0, -0.5)):
        raise Wrong("You multiplied by the temperature. Divide: below 1 the gaps between the logits must grow.")
    if same(answer, _softmax(2, 0, -1)) or same(answer, [2 * p for p in _softmax(2, 0, -1)]):
        raise Wrong("The temperature changed nothing, or you divided the probabilities. Divide the logits, before the softmax.")
    if not same(answer, _softmax(4, 0, -2)):
        raise Wrong(f"For logits 2, 0, −1 and temperature 0.5 I expected 0.98, 0.02, 0.00 and got {shown(answer)}.")
    if not same(ask(2.0, 0.0, -1.0, temperature=2.0), _softmax(1, 0, -0.5)):
        raise Wrong("Temperature 0.5 is right, 2 is not: above 1, too, divide the logits, so that the gaps shrink.")
    answer = ask(2.0, 0.0, -1.0, temperature=0)
    if answer.isnan().any():
        raise Wrong("At temperature 0 you divide by zero. Treat it first: all probability on the highest logit.")
    if not same(answer, [1.0, 0, 0]):
        raise Wrong(f"At temperature 0 I expected 1, 0, 0 and got {shown(answer)}.")
    if same(ask(3.0, 3.0, 0.0, temperature=0), [1.0, 1, 0]):
        raise Wrong("Two logits tie for the highest, and both got 1. Probabilities sum to 1: choose one with argmax.")
    if not same(answer := ask(0.0, 3.0, 1.0, 2.0, temperature=0), [0, 1.0, 0, 0]):
        raise Wrong(f"At temperature 0, for logits 0, 3, 1, 2, I expected 0, 1, 0, 0 and got {shown(answer)}.")
    if not same(ask(0.0, 3.0, 1.0, 3.0, temperature=0).sort().values, [0, 0, 0, 1.0]):
        raise Wrong("At temperature 0 one token gets all probability, even if two logits tie: `argmax`.")
    if not same(ask(2000.0, 1999.0, temperature=1.0), _softmax(1, 0)):
        raise Wrong("With large logits (2000 and 1999) your numbers overflow. Subtract the largest logit first.")
    if not same(ask(1.0, 0.0, -math.inf), [*_softmax(1, 0), 0]):
        raise Wrong("A logit of −∞, a forbidden token, must get probability 0, and the others must stay right.")


def _check_top_k(ask: Callable) -> None:
    numbers, p = (1.0, 3.0, 0.0, 2.0), _softmax(1, 3, 0, 2)
    answer = ask(*numbers, top_k=2)
    kept = [0, p[1], 0, p[3]]
    if same(answer, p):
        raise Wrong("top_k changed nothing: keep the k likeliest tokens, give all others probability 0.")
    if same(answer, kept):
        raise Wrong("After the cut the rest does not sum to 1. Divide by its sum once more.")
    if same(answer, [p[0] / (p[0] + p[2]), 0, p[2] / (p[0] + p[2]), 0]):
        raise Wrong("You kept the k unlikeliest tokens. Sort in descending order.")
    if same(answer, [_softmax(3, 2)[0], _softmax(3, 2)[1], 0, 0]):
        raise Wrong("The probabilities came back sorted. Each must stand where its token stood.")
    if same(answer, [p[0], p[1], 0, 0]) or same(answer, [*_softmax(1, 3), 0, 0]):
        raise Wrong("You kept the first k of the vocabulary. Keep the k with the highest probability.")
    if not same(answer, [part / (p[1] + p[3]) for part in kept]):
        raise Wrong(f"For logits 1, 3, 0, 2 and top_k=2 I expected 0, 0.731, 0, 0.269 and got {shown(answer)}.")
    if not same(ask(*numbers, top_k=9), p):
        raise Wrong("With top_k above the number of tokens nothing is cut.")


def _check_top_p(ask: Callable) -> None:
    numbers = tuple(math.log(p) for p in (0.15, 0.5, 0.05, 0.3))
    answer = ask(*numbers, top_p=0.7)
    if same(answer, [0.15, 0.5, 0.05, 0.3]):
        raise Wrong("top_p changed nothing: keep the fewest tokens that together have probability p.")
    if same(answer, [0, 1.0, 0, 0]):
        raise Wrong("You stop before p is reached: with 0.5, 0.3, 0.15, 0.05 and top_p=0.7 two tokens are needed, 0.8 in all.")
    if same(answer, [0, 0.5, 0, 0.3]):
        raise Wrong("After the cut by top_p the rest does not sum to 1. Divide by its sum once more.")
    if same(answer, [0.625, 0.375, 0, 0]):
        raise Wrong("After the cut by top_p the probabilities came back sorted. Each must stand where its token stood.")
    if same(answer, [0.15 / 0.2, 0, 0.05 / 0.2, 0]) or same(answer, [0.15 / 0.5, 0, 0.05 / 0.5, 0.3 / 0.5]):
        raise Wrong("You kept the tail and cut the likeliest tokens. Add up from the likeliest down.")
    if same(answer, [0.15 / 0.95, 0.5 / 0.95, 0, 0.3 / 0.95]):
        raise Wrong("You keep one token too many: 0.5 and 0.3 are 0.8 already, so the third is not needed for p = 0.7.")
    if not same(answer, [0, 0.625, 0, 0.375]):
        raise Wrong(f"For 0.15, 0.5, 0.05, 0.3 and top_p=0.7 I expected 0, 0.625, 0, 0.375 and got {shown(answer)}.")
    if not same(ask(*numbers, top_p=0.2), [0, 1.0, 0, 0]):
        raise Wrong("At top_p=0.2 the likeliest token alone is kept: one token always remains.")
    if not same(ask(*numbers, temperature=0.5, top_p=0.6), [0, 1.0, 0, 0]):  # 0.5 becomes 0.685: enough for 0.6
        raise Wrong("The temperature comes first, then the cut: top_p counts the probabilities after the temperature.")
    if not same(ask(0.0, -math.inf, 0.0, -math.inf, top_p=0.5).sort().values, [0, 0, 0, 1.0]):
        raise Wrong("Of two tokens with 0.5 each, one reaches top_p=0.5: cut a token if those before it already have >= p.")
    two = [0, 0.625, 0, 0.375]
    if not (same(ask(*numbers, top_k=3, top_p=0.7), two) and same(ask(*numbers, top_k=2, top_p=0.99), two)):
        raise Wrong("Each cut works alone, but not both together: first top_k, then top_p on what it left.")
    if same(ask(*numbers, top_k=3, top_p=0.82), two):
        raise Wrong("You rescaled between the two cuts. top_p counts the softmax's probabilities; rescale once, at the end.")


@exercise
def check_min_p_probabilities(min_p_probabilities: Callable) -> str:
    """Exercise 1: probabilities [V] and min_p to probabilities [V] without those below min_p times the largest."""
    import torch

    def ask(*numbers: float, min_p: float, first: bool = False):
        p = torch.tensor(numbers, dtype=torch.float64)
        answer = call(min_p_probabilities, p, min_p, changed=CHANGED, first=first)
        if not torch.is_tensor(answer) or answer.shape != p.shape or answer.is_complex():
            raise Wrong(f"I expected a tensor with as many probabilities as before and got {kind(answer)}.")
        return answer.detach().double()

    numbers = (0.125, 0.5, 0.0625, 0.3125)
    answer = ask(*numbers, min_p=0.25, first=True)  # the threshold is 0.125
    total = 0.9375
    two = [0, 0.5 / 0.8125, 0, 0.3125 / 0.8125]
    if same(answer, two) and same(ask(*numbers, min_p=0.2), [0.125 / total, 0.5 / total, 0, 0.3125 / total]):
        raise Wrong("A token of exactly min_p times the largest probability stays: compare with >=.")
    if same(answer, two):
        raise Wrong("You compared with min_p itself. The threshold is min_p times the largest probability, here 0.25 · 0.5.")
    if same(answer, [0.125, 0.5, 0, 0.3125]):
        raise Wrong("After the cut the rest does not sum to 1. Divide by its sum.")
    if same(answer, numbers):
        raise Wrong("Nothing was cut: 0.0625 is less than 0.25 times the largest, 0.5.")
    if same(answer, [0, 0, 1.0, 0]):
        raise Wrong("You kept what lies below the threshold. Keep what lies above it.")
    if not same(answer, [0.125 / total, 0.5 / total, 0, 0.3125 / total]):
        raise Wrong(f"For 0.125, 0.5, 0.0625, 0.3125 and min_p=0.25 only the third is cut; I got {shown(answer)}.")
    if not same(ask(*numbers, min_p=1.0), [0, 1.0, 0, 0]) or not same(ask(*numbers, min_p=0.0), numbers):
        raise Wrong("At min_p=1 only the likeliest token stays, at min_p=0 all do.")
    return "Strict where the model is sure, generous where it is not: that is the idea of min-p."
