"""Checks of notebook 02, *The RNN Reddit bot*."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, kind, near, number, same, shown


@exercise
def check_next_characters(next_characters: Callable[[str, str], dict]) -> str:
    """Exercise 1: the probability of each character that follows a context in a text."""
    answer = _probabilities(tried(next_characters("hello", "l")))
    if answer == {"l": 1, "o": 1}:
        raise Wrong("These are counts. Divide each by how often anything followed, so that they sum to 1.")
    if set(answer) == {"e", "l"}:
        raise Wrong("You took the character before the context. The one that follows stands right behind it.")
    if set(answer) == {"l", "o"} and near(answer["l"], 1 / 5):
        raise Wrong("You divided by the length of the text. Divide by how often anything followed the context.")
    if set(answer) == {"o"}:
        raise Wrong("In 'hello' an l also follows an l, and you jumped over it. Look at every position of the text.")
    if set(answer) != {"l", "o"} or not (near(answer["l"], 0.5) and near(answer["o"], 0.5)):
        raise Wrong(f"For 'hello' and 'l' I expected {{'l': 0.5, 'o': 0.5}} and got {shown(answer)}.")
    answer = _probabilities(next_characters("aaaab", "aa"))
    if answer in ({"a": 0.5, "b": 0.5}, {"a": 1.0}):  # str.split or str.count jump; str.find with a step as well
        raise Wrong("In 'aaaab' the context 'aa' stands three times: occurrences may overlap. Look at every position.")
    if set(answer) != {"a", "b"} or not (near(answer["a"], 2 / 3) and near(answer["b"], 1 / 3)):
        raise Wrong(f"In 'aaaab', 'a' follows 'aa' twice and 'b' once; I got {shown(answer)}.")
    answer = _probabilities(next_characters("cocoa no", "o"))  # 'c' and 'a' follow, and the last o is the end
    if "" in answer or set(answer) == {"c", "a"} and near(answer["c"], 1 / 3):
        raise Wrong("At the very end of the text nothing follows the context: such a position must not count.")
    if set(answer) != {"c", "a"} or not (near(answer["c"], 0.5) and near(answer["a"], 0.5)):
        raise Wrong(f"In 'cocoa no', 'c' and 'a' follow an 'o', once each; I got {shown(answer)}.")
    for text, context in (("hello", "z"), ("hello", "o"), ("hi", "hello")):
        try:
            answer = next_characters(text, context)
        except Exception as error:
            raise Wrong(
                f"Nothing ever followed {context!r} in {text!r}, and your code stopped with {type(error).__name__}: "
                "return {} there."
            ) from None
        if answer != {}:
            raise Wrong(f"Nothing ever followed {context!r} in {text!r}: then the answer is an empty dictionary, {{}}.")
    return (
        "You count what follows, overlaps and all, and the probabilities sum to one. This is Shannon's model of 1948."
    )


def _probabilities(answer) -> dict:
    if not isinstance(answer, dict):
        raise Wrong(f"I expected a dictionary from character to probability and got {shown(answer)}.")
    return answer


@exercise
def check_bits_per_byte(bits_per_byte: Callable[[float, str], float]) -> str:
    """Exercise 2: total nats of a text as bits for each of its UTF-8 bytes."""
    eight = 8 * math.log(2)  # nats of eight bits
    answer = number(tried(bits_per_byte(eight, "abcd")), "the bits for each byte")
    if near(answer, eight / 4):
        raise Wrong("This is in nats. One bit is ln 2 nats, so divide by math.log(2).")
    if near(answer, eight * math.log(2) / 4):
        raise Wrong(
            "You multiplied by ln 2. Eight bits are 5.5 nats, so on the way from nats to bits you divide by it."
        )
    if near(answer, 8):
        raise Wrong("These are the bits of the whole text. Divide by its number of bytes.")
    if near(answer, eight / 8 / 4) or near(answer, 8 / 8 / 4):
        raise Wrong("You divided by 8 bits. A byte is only what we count by; the conversion from nats is ln 2.")
    if any(near(answer, perplexity) for perplexity in (4, 2**4)):
        raise Wrong("This is a perplexity, or computed from one. Bits need no power: the nats are a logarithm already.")
    if near(answer, -2):
        raise Wrong("The sign is the wrong way round: nats are the sum of −ln p, so the minus is already in them.")
    if not near(answer, 2):
        raise Wrong(f"Eight bits of surprise over 'abcd', four bytes, are 2 bits per byte; I got {shown(answer)}.")
    answer = bits_per_byte(eight, "né🐕")
    if near(answer, 8 / 3):
        raise Wrong("You divided by characters. 'né🐕' has 3 characters, but 7 bytes in UTF-8: encode the text first.")
    if not near(answer, 8 / 7):
        raise Wrong(f"'né🐕' has 7 bytes in UTF-8, so I expected {8 / 7:.3f} and got {shown(answer)}.")
    return "Nats to bits, characters to bytes: now models with any tokens can be compared."


@exercise
def check_with_temperature(with_temperature: Callable) -> str:
    """Exercise 3: logits [V] and a temperature to probabilities [V]."""
    import torch

    def ask(*numbers: float, temperature: float):
        logits = torch.tensor(numbers)
        changed = "You changed the logits you were given. Compute with a copy; the caller may need them again."
        answer = call(with_temperature, logits, temperature, changed=changed, first=temperature == 0.5)
        if torch.is_tensor(answer) and answer.shape == logits.shape:
            return answer.detach().double()
        if temperature == 0:
            raise Wrong(
                "At temperature 0, too, return a probability for each token: 1 for the highest, 0 for the others."
            )
        raise Wrong(f"I expected a tensor, a probability for each logit, and got {kind(answer)}.")

    def like(answer, *expected: float) -> bool:
        return same(answer, expected)

    def softmax(*numbers: float) -> list[float]:
        return torch.softmax(torch.tensor(numbers, dtype=torch.float64), -1).tolist()

    answer = ask(2.0, 0.0, -1.0, temperature=0.5)
    if like(answer, *softmax(1.0, 0.0, -0.5)):
        raise Wrong("You multiplied by the temperature. Divide: below 1 the gaps between the logits must grow.")
    if like(answer, *softmax(2, 0, -1)) or like(answer, *(2 * p for p in softmax(2, 0, -1))):
        raise Wrong("You divided the probabilities. Divide the logits, and only then take the softmax.")
    if not like(answer, *softmax(4, 0, -2)):
        raise Wrong(f"For logits 2, 0, −1 and temperature 0.5 I expected 0.98, 0.02, 0.00 and got {shown(answer)}.")
    if not like(ask(2.0, 0.0, -1.0, temperature=2.0), *softmax(1, 0, -0.5)):
        raise Wrong("Temperature 0.5 is right, 2 is not: above 1, too, divide the logits, so that the gaps shrink.")
    answer = ask(2.0, 0.0, -1.0, temperature=0)
    if answer.isnan().any():
        raise Wrong("At temperature 0 you divide by zero. Treat it first: all probability on the highest logit.")
    if not like(answer, 1, 0, 0):
        raise Wrong(f"At temperature 0 I expected 1, 0, 0 and got {shown(answer)}.")
    if like(ask(3.0, 3.0, 0.0, temperature=0), 1, 1, 0):
        raise Wrong("Two logits tie for the highest, and both got 1. Probabilities sum to 1: choose one with argmax.")
    answer = ask(200.0, 199.0, temperature=1.0)
    if not like(answer, *softmax(1, 0)):
        raise Wrong("With large logits (200 and 199) your numbers overflow. Subtract the largest logit first.")
    answer = ask(90.0, 89.0, -90.0, temperature=1e-38)
    if answer.isnan().any():
        raise Wrong("At a temperature of 1e-38 your numbers overflow. Subtract the largest logit before you divide.")
    if not like(answer, 1, 0, 0) or not like(ask(1.0, 0.999, 0.0, temperature=2e-5), 1, 0, 0):
        raise Wrong(
            "At very small temperatures the highest logit should get almost everything. Is there a lower bound?"
        )
    return "Temperature works, from 0 to as hot as you like."


@exercise
def check_clip_gradients(clip_gradients: Callable) -> str:
    """Exercise 4: tensors shortened by one factor, to a joint length of at most ``limit``."""
    import torch

    def ask(given: list, limit: float) -> list:
        changed = "You changed the gradients you were given. Return new tensors."
        answer = call(clip_gradients, given, limit, changed=changed, first=limit == 6.5)
        if answer is None:  # the first question is answered, so a return is missing
            raise Wrong("For gradients that are short enough nothing came back. Return them there, too.")
        if not isinstance(answer, list | tuple) or len(answer) != len(given):
            raise Wrong(f"I expected a list with one tensor for each gradient and got {shown(answer)}.")
        if not all(torch.is_tensor(a) and a.shape == b.shape for a, b in zip(answer, given)):
            raise Wrong("Each gradient must come back as a tensor of the shape it had.")
        return [tensor.detach().float() for tensor in answer]

    def like(*expected) -> bool:
        return all(same(a, b, 1e-6) for a, b in zip(answer, expected))

    given = [torch.tensor([3.0, 0.0]), torch.tensor([[4.0], [12.0]])]  # joined, an arrow of length 13
    answer = ask(given, 6.5)
    if like(given[0], given[1] * 6.5 / math.sqrt(160)):
        raise Wrong("You clipped each tensor by itself, so the arrow turns. There is one length, over all tensors.")
    if like(given[0], given[1].clamp(-6.5, 6.5)):
        raise Wrong("You cut off single numbers, so the arrow turns. Multiply everything by one factor instead.")
    if like(*(tensor * 6.5 / (3 + math.sqrt(160)) for tensor in given)):
        raise Wrong("You added up the lengths of the tensors. Add up all squares, then take one square root.")
    if like(*(tensor * 6.5 / 169 for tensor in given)):
        raise Wrong("You forgot the square root: 169 is the sum of the squares, and the length is 13.")
    if like(*(tensor / 13 for tensor in given)):
        raise Wrong("The arrow came back with length 1. The factor is the limit divided by the length.")
    if not like(given[0] / 2, given[1] / 2):
        raise Wrong(f"The arrow has length 13, so with limit 6.5 everything is halved; I got {shown(answer)}.")
    answer = ask(given, 100.0)
    if not like(*given):
        raise Wrong("The arrow is shorter than the limit, and you changed its length. Clipping only ever shortens.")
    try:
        answer = ask([torch.zeros(2)], 1.0)
    except ZeroDivisionError:
        answer = [torch.full((2,), math.nan)]
    if not torch.equal(answer[0], torch.zeros(2)):
        raise Wrong("Gradients of zero have the length 0, and you divide by it. They should stay zero.")
    return "One factor for all, and never above one: the arrow keeps its direction."


@exercise
def check_step_backward(step_backward: Callable) -> str:
    """Exercise 5: gradients of one recurrent step with respect to W, U, b and the old hidden state."""
    import torch

    rng = torch.Generator().manual_seed(0)
    W, U, b, x, h, d = (  # E = 2 and H = 3, so that a wrong shape shows; U is not symmetric
        torch.randn(*size, generator=rng, dtype=torch.float64) for size in ((2, 3), (3, 3), (3,), (2,), (3,), (3,))
    )
    new = torch.tanh(x @ W + h @ U + b)
    changed = "You changed what you were given, as `*=` does. Make new tensors: the caller needs the old ones."
    answer = call(step_backward, x, h, new, U, d, changed=changed)
    if not isinstance(answer, tuple | list) or len(answer) != 4 or not all(map(torch.is_tensor, answer)):
        raise Wrong("Return four gradients, all tensors, in this order: of W, U, b and the old hidden state h.")

    def four(z) -> tuple:
        return torch.outer(x, z), torch.outer(h, z), z, z @ U.T

    def like(z) -> bool:
        return all(map(same, answer, four(z)))

    z = d * (1 - new**2)
    right = four(z)
    if like(d):
        raise Wrong("The tanh is missing. Its slope is 1 − h_new²: multiply d_h_new by it first.")
    if like(d * (1 - h**2)):
        raise Wrong("The slope of the tanh belongs to what came out: 1 − h_new², not 1 − h².")
    if like(d * (1 - torch.tanh(new) ** 2)):
        raise Wrong("You took the tanh twice. h_new is a tanh already, so its slope is simply 1 − h_new².")
    if same(answer[0], right[0].T):
        raise Wrong(
            "The gradient of W is the wrong way round: it must have the shape of W, E × H. What came in is first."
        )
    names = ("W", "U", "b", "the old hidden state h")
    wrong = [i for i in range(4) if not same(answer[i], right[i])]
    if wrong and all(any(same(part, expected) for part in answer) for expected in right):
        raise Wrong("The order is not right: first W, then U, then b, then the old hidden state h.")
    if 1 in wrong and same(answer[1], right[1].T):
        raise Wrong("The gradient of U is the wrong way round: the row is what came in (h), the column what went out.")
    if 1 in wrong and same(answer[1], torch.outer(new, z)):
        raise Wrong("U was multiplied with the old hidden state h, not with h_new: its gradient is outer(h, d_z).")
    if 3 in wrong and same(answer[3], z @ U):
        raise Wrong("On the way back the hidden state passes U the other way: transpose it.")
    if wrong:
        raise Wrong(f"The gradient of {' and of '.join(names[i] for i in wrong)} differs from autograd's.")
    return "All four equal autograd's. Put it into a loop from the last step to the first, and you train a network by hand."
