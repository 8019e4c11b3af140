"""Checks of notebook 02, *The RNN Reddit bot*."""

import math
from collections.abc import Callable

from . import Wrong, exercise, shown, tried


def _close(a, b) -> bool:
    return math.isclose(float(a), b, rel_tol=1e-6, abs_tol=1e-9)


@exercise
def check_next_characters(next_characters: Callable[[str, str], dict]) -> str:
    """Exercise 1: the probability of each character that follows a context in a text."""
    answer = tried(next_characters("hello", "l"))
    if not isinstance(answer, dict):
        raise Wrong(f"I expected a dictionary from character to probability and got {shown(answer)}.")
    if answer == {"l": 1, "o": 1}:
        raise Wrong("These are counts. Divide each by how often anything followed, so that they sum to 1.")
    if set(answer) == {"e", "l"}:
        raise Wrong("You took the character before the context. The one that follows stands right behind it.")
    if set(answer) == {"l", "o"} and _close(answer["l"], 1 / 5):
        raise Wrong("You divided by the length of the text. Divide by how often anything followed the context.")
    if set(answer) == {"o"}:
        raise Wrong("In 'hello' an l also follows an l. You jumped over it: occurrences may overlap, look at every place.")
    if set(answer) != {"l", "o"} or not (_close(answer["l"], 0.5) and _close(answer["o"], 0.5)):
        raise Wrong(f"For 'hello' and 'l' I expected {{'l': 0.5, 'o': 0.5}} and got {shown(answer)}.")
    answer = next_characters("aaaab", "aa")
    if set(answer) == {"a", "b"} and _close(answer["a"], 0.5):
        raise Wrong("In 'aaaab' the context 'aa' stands three times: occurrences may overlap. Look at every place.")
    if set(answer) != {"a", "b"} or not _close(answer["a"], 2 / 3):
        raise Wrong(f"In 'aaaab', 'a' follows 'aa' twice and 'b' once; I got {shown(answer)}.")
    answer = next_characters("cocoa no", "o")
    if not _close(sum(answer.values()), 1):
        raise Wrong("At the very end of the text nothing follows the context: such a place must not be counted.")
    if next_characters("hello", "z") != {}:
        raise Wrong("Nothing ever followed 'z' in 'hello': then the answer is an empty dictionary.")
    return "You count what follows, overlaps and all, and the shares sum to one. This is Shannon's model of 1948."


@exercise
def check_bits_per_byte(bits_per_byte: Callable[[float, str], float]) -> str:
    """Exercise 2: total nats of a text as bits for each of its UTF-8 bytes."""
    eight = 8 * math.log(2)  # nats of eight bits
    answer = tried(bits_per_byte(eight, "abcd"))
    if _close(answer, eight / 4):
        raise Wrong("This is in nats. One bit is ln 2 nats, so divide by math.log(2).")
    if _close(answer, eight * math.log(2) / 4):
        raise Wrong("You multiplied by ln 2. Eight bits are 5.5 nats, so on the way from nats to bits you divide by it.")
    if _close(answer, 8):
        raise Wrong("These are the bits of the whole text. Divide by its number of bytes.")
    if _close(answer, eight / 8 / 4):
        raise Wrong("You divided by 8 bits. A byte is only what we count by; the conversion from nats is ln 2.")
    if not _close(answer, 2):
        raise Wrong(f"Eight bits of surprise over 'abcd', four bytes, are 2 bits per byte; I got {shown(answer)}.")
    answer = bits_per_byte(eight, "né🐕")
    if _close(answer, 8 / 3):
        raise Wrong("You counted characters. 'né🐕' has 3 characters, but 7 bytes in UTF-8: encode the text first.")
    if not _close(answer, 8 / 7):
        raise Wrong(f"'né🐕' has 7 bytes in UTF-8, so I expected {8 / 7:.3f} and got {shown(answer)}.")
    return "Nats to bits, characters to bytes: now models with any tokens can be compared."


@exercise
def check_with_temperature(with_temperature: Callable) -> str:
    """Exercise 3: logits [V] and a temperature to probabilities [V]."""
    import torch

    logits = torch.tensor([2.0, 0.0, -1.0])
    before = logits.clone()
    answer = tried(with_temperature(logits, 0.5))
    if not torch.is_tensor(answer) or answer.shape != logits.shape:
        raise Wrong(f"I expected a tensor with one probability for each of the 3 logits and got {shown(answer)}.")
    if not torch.equal(logits, before):
        raise Wrong("You changed the logits you were given. Compute with a copy; the caller may need them again.")

    def like(expected) -> bool:
        return torch.allclose(answer.double(), expected.double(), atol=1e-5)

    if like(torch.softmax(logits * 0.5, -1)):
        raise Wrong("You multiplied by the temperature. Divide: below 1 the gaps between the logits must grow.")
    cool = torch.softmax(logits, -1) / 0.5
    if like(cool) or like(cool / cool.sum()):
        raise Wrong("You divided the probabilities. Divide the logits, and only then take the softmax.")
    if not like(torch.softmax(logits / 0.5, -1)):
        raise Wrong(f"For logits 2, 0, −1 and temperature 0.5 I expected 0.98, 0.02, 0.00 and got {shown(answer)}.")
    for cold in (0, 0.0):
        answer = with_temperature(logits, cold)
        if not torch.is_tensor(answer) or answer.shape != logits.shape:
            raise Wrong("At temperature 0, too, return a probability for each token: 1 for the highest, 0 for the others.")
        if not torch.isfinite(answer).all():
            raise Wrong("At temperature 0 you divide by zero. Treat it first: all probability on the highest logit.")
        if not like(torch.tensor([1.0, 0.0, 0.0])):
            raise Wrong(f"At temperature 0 I expected 1, 0, 0 and got {shown(answer)}.")
    answer = with_temperature(torch.tensor([90.0, 89.0, -90.0]), 1e-38)
    if not torch.isfinite(answer).all():
        raise Wrong("With 90 and a temperature of 1e-38 your numbers overflow. Subtract the largest logit before you divide.")
    answer = with_temperature(torch.tensor([200.0, 199.0]), 1.0)
    if not like(torch.softmax(torch.tensor([1.0, 0.0]), -1)):
        raise Wrong("With large logits (200 and 199) your numbers overflow. Subtract the largest logit first.")
    return "The dial works, from 0 to as hot as you like."


@exercise
def check_clip_gradients(clip_gradients: Callable) -> str:
    """Exercise 4: tensors shortened together to a length of at most ``limit``."""
    import torch

    given = [torch.tensor([3.0, 0.0]), torch.tensor([[4.0], [12.0]])]  # together an arrow of length 13
    kept = [tensor.clone() for tensor in given]
    answer = tried(clip_gradients(given, 6.5))
    if not all(map(torch.equal, given, kept)):
        raise Wrong("You changed the gradients you were given. Return new tensors.")
    if len(answer) != 2 or any(a.shape != b.shape for a, b in zip(answer, given)):
        raise Wrong("I expected a list with one tensor for each gradient, of the same shape.")

    def like(*expected) -> bool:
        return all(torch.allclose(a, b, atol=1e-5) for a, b in zip(answer, expected))

    if like(given[0], given[1] * 6.5 / math.sqrt(160)):
        raise Wrong("You clipped each tensor by itself, so the arrow turns. There is one length, over all tensors together.")
    if like(given[0], given[1].clamp(-6.5, 6.5)):
        raise Wrong("You cut off single numbers, so the arrow turns. Multiply everything by one factor instead.")
    if like(*(tensor * 6.5 / (3 + math.sqrt(160)) for tensor in given)):
        raise Wrong("You added up the lengths of the tensors. Add up all squares, then take one square root.")
    if not like(given[0] / 2, given[1] / 2):
        raise Wrong(f"The arrow has length 13, so with limit 6.5 everything is halved; I got {shown(answer)}.")
    answer = clip_gradients(given, 100.0)
    if not like(*given):
        raise Wrong("The arrow is shorter than the limit, and you made it longer. Clipping only ever shortens.")
    answer = clip_gradients([torch.zeros(2)], 1.0)
    if not torch.equal(answer[0], torch.zeros(2)):
        raise Wrong("Gradients of zero became something else: their length is 0, and you divide by it.")
    return "One factor for all, and never above one: the arrow keeps its direction."


@exercise
def check_step_backward(step_backward: Callable) -> str:
    """Exercise 5: gradients of one recurrent step with respect to W, U, b and the old memory."""
    import torch

    random = torch.Generator().manual_seed(0)
    W, U, b, x, h, d = (torch.randn(*size, generator=random, dtype=torch.float64)
                        for size in ((2, 3), (3, 3), (3,), (2,), (3,), (3,)))
    new = torch.tanh(x @ W + h @ U + b)
    answer = tried(step_backward(x, h, new, U, d))
    if not isinstance(answer, tuple | list) or len(answer) != 4:
        raise Wrong("Return four gradients, in this order: of W, U, b and the old memory h.")
    slope = 1 - new**2

    def like(z, into_h) -> bool:
        expected = (torch.outer(x, z), torch.outer(h, z), z, into_h)
        return all(a.shape == e.shape and torch.allclose(a, e) for a, e in zip(answer, expected))

    d_z = d * slope
    if like(d, d @ U.T):
        raise Wrong("The tanh is missing. Its slope is 1 − h_new²: multiply d_h_new by it first.")
    if like(d * (1 - h**2), (d * (1 - h**2)) @ U.T):
        raise Wrong("The slope of the tanh belongs to what came out: 1 − h_new², not 1 − h².")
    if answer[0].shape == (3, 2):
        raise Wrong("The gradient of W is the wrong way round: it must have the shape of W, E × H. What came in comes first.")
    if like(d_z, d_z @ U):
        raise Wrong("On the way back the memory passes U the other way: transpose it.")
    if torch.allclose(answer[1], torch.outer(d_z, h)):
        raise Wrong("The gradient of U is the wrong way round: the row is what came in (h), the column what went out.")
    if torch.allclose(answer[1], torch.outer(new, d_z)):
        raise Wrong("U was multiplied with the old memory h, not with h_new: its gradient is outer(h, d_z).")
    if answer[2].shape == U.shape or answer[1].shape != U.shape:
        raise Wrong("The order is not right: first W, then U, then b, then the old memory h.")
    if not like(d_z, d_z @ U.T):
        raise Wrong("At least one of the four gradients differs from autograd's. Undo the tanh, then go through W, U and b.")
    return "All four equal autograd's. Put it into a loop from the last step to the first, and you train a network by hand."
