"""Checks of notebook 07, *Fine-tuning: from text to talk*."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise, shown, tried

IDS, OWN, OTHERS = [9, 1, 5, 2, 6, 7, 1, 8, 2, 4, 9], 2, (1, 9)
LABELS = [-100, -100, -100, 6, 7, 1, -100, -100, 4, 9]


def _plain(value) -> str:
    """Show a tensor as a rounded list: its repr can take more than one line."""
    return shown(str(value.tolist()).replace("\n", " ")) if hasattr(value, "tolist") else shown(value)


def _list(answer, what: str) -> list:
    """Return an answer as a list. Raises Wrong when it is none."""
    answer = answer.tolist() if hasattr(answer, "tolist") else answer
    if not isinstance(answer, list | tuple):
        raise Wrong(f"I expected {what} and got a {type(answer).__name__}: {_plain(answer)}.")
    return list(answer)


@exercise
def check_labels_for(labels_for: Callable) -> str:
    """Exercise 1: a list of tokens to a list of labels, one less, with −100 where nothing is marked."""
    ids = list(IDS)
    answer = _list(tried(labels_for(ids, OWN, OTHERS)), "a list of labels")
    if ids != IDS:
        raise Wrong("You changed the list of tokens you were given. Make a new list of labels.")
    if len(answer) == len(IDS):
        raise Wrong("You return a label for every token. The first token is never one: leave it out.")
    if len(answer) != len(LABELS):
        raise Wrong(f"Eleven tokens have ten labels, and I got {len(answer)}: {_plain(answer)}.")
    if answer == IDS[1:]:
        raise Wrong("Every token is a label, as in pretraining. Put −100 where the other one speaks.")
    if answer == [-100, -100, 2, 6, 7, -100, -100, 2, 4, -100]:
        raise Wrong(
            "You mark the token that opens the turn and not the one that closes it. Our code opens; the bot must close."
        )
    if answer == [-100, -100, 2, 6, 7, 1, -100, 2, 4, 9]:
        raise Wrong("The token that opens the turn is marked. Nobody asks the bot when to begin: leave it at −100.")
    if answer == [-100, -100, -100, 6, 7, -100, -100, -100, 4, -100]:
        raise Wrong("The token that closes the turn is not marked, so the bot never learns to stop. Mark it.")
    if answer == [-100, 5, 2, -100, -100, -100, 8, 2, -100, -100]:
        raise Wrong("The other speaker is marked: you have the condition the wrong way round.")
    if any(value == 0 and right == -100 for value, right in zip(answer, LABELS)):
        raise Wrong("You wrote 0 where nothing counts; 0 is a token like any other. The number that says so is −100.")
    if answer != LABELS:
        raise Wrong(f"For the tokens {IDS} with own 2 the labels are {LABELS}; I got {_plain(answer)}.")
    if _list(labels_for([9, 2, 5, 9, 2, 6, 9], 2, (9,)), "a list of labels") != [-100, 5, 9, -100, 6, 9]:
        raise Wrong(
            "With own 2 and others (9,) the tokens [9, 2, 5, 9, 2, 6, 9] have the labels [-100, 5, 9, -100, 6, 9]."
        )
    return "What the bot says, and the token with which it stops: nothing else is marked."


@exercise
def check_reply_mean(reply_mean: Callable) -> str:
    """Exercise 2: the mean of nats [B, T] where labels [B, T] are not −100."""
    import torch

    nats = torch.tensor([[1.0, 2.0, 9.0], [3.0, 4.0, 5.0]])
    labels = torch.tensor([[5, -100, -100], [6, 7, 0]])

    def ask(nats, labels) -> float:
        answer = tried(reply_mean(nats.clone(), labels.clone()))
        answer = answer.tolist() if hasattr(answer, "tolist") else answer
        if isinstance(answer, bool) or not isinstance(answer, int | float):
            raise Wrong(f"I expected one number and got a {type(answer).__name__}: {_plain(answer)}.")
        return float(answer)

    answer = ask(nats, labels)
    if math.isclose(answer, 24 / 6, rel_tol=1e-5):
        raise Wrong("That is the mean over all tokens. Leave out those whose label is −100.")
    if math.isclose(answer, 13 / 6, rel_tol=1e-5):
        raise Wrong("You divide by all tokens. Divide by how many are counted.")
    if math.isclose(answer, (1 + 4) / 2, rel_tol=1e-5):
        raise Wrong(
            "That is the mean of the rows' means: a short reply weighs as much as a long one. Take all together."
        )
    if math.isclose(answer, 13.0, rel_tol=1e-5):
        raise Wrong("That is the sum. Divide it by how many are counted.")
    if math.isclose(answer, 8 / 3, rel_tol=1e-5):
        raise Wrong("You leave out the label 0 as well. Token 0 is a token; only −100 is not counted.")
    if math.isclose(answer, 11 / 2, rel_tol=1e-5):
        raise Wrong("That is the mean over what is *not* counted: you have the mask the wrong way round.")
    if not math.isclose(answer, 13 / 4, rel_tol=1e-5):
        raise Wrong(f"(1 + 3 + 4 + 5) / 4 is 3.25; I got {answer:g}.")
    if ask(nats, torch.full((2, 3), -100)) != 0.0:
        raise Wrong("Where nothing is counted, return 0.0: a mean over nothing is no number.")
    return "Every counted token weighs the same, whichever row it stands in."


@exercise
def check_lora_output(lora_output: Callable) -> str:
    """Exercise 3: x [N, in], W [out, in], A [r, in], B [out, r] and alpha to [N, out]."""
    import torch

    dice = torch.Generator().manual_seed(0)
    x, W, A, B = (
        torch.randn(*shape, generator=dice, dtype=torch.float64) for shape in ((3, 7), (5, 7), (2, 7), (5, 2))
    )
    kept = W.clone()
    answer = tried(lora_output(x, W, A, B, 6.0))
    if not torch.is_tensor(answer) or tuple(answer.shape) != (3, 5):
        what = f"shape {list(answer.shape)}" if torch.is_tensor(answer) else f"a {type(answer).__name__}"
        raise Wrong(f"I expected a tensor of shape [3, 5], a row of five for each of three inputs, and got {what}.")
    if not torch.equal(W, kept):
        raise Wrong("You changed W. It is frozen: what is learned runs beside it.")
    plain, beside = x @ W.T, x @ A.T @ B.T
    for factor, words in (
        (0.0, "That is W x alone. Add what the two thin matrices say."),
        (1.0, "The factor α / r is missing before B A x."),
        (6.0, "You multiply with α and do not divide by the rank, the number of rows of A."),
        (6.0 / 7, "You divide α by the width of the input. The rank r is the number of rows of A."),
        (6.0 / 5, "You divide α by the width of the output. The rank r is the number of rows of A."),
        (-3.0, "You subtract the change. Add it."),
    ):
        if torch.allclose(answer.double(), plain + factor * beside):
            raise Wrong(words)
    if torch.allclose(answer.double(), 3.0 * (plain + beside)):
        raise Wrong("The factor α / r belongs to B A x alone; W x stays as it is.")
    if torch.allclose(answer.double(), 3.0 * beside):
        raise Wrong("That is the change alone. Add it to W x.")
    if not torch.allclose(answer.double(), plain + 3.0 * beside):
        raise Wrong(f"The first row should be {_plain((plain + 3 * beside)[0])}; I got {_plain(answer[0])}.")
    return "W x, and beside it two thin products: no matrix of W's size was needed."


@exercise
def check_stop_at(stop_at: Callable) -> str:
    """Exercise 4: losses and patience to the index of the best check that was seen before training stopped."""

    def ask(losses, patience) -> int:
        answer = tried(stop_at(list(losses), patience))
        answer = answer.item() if hasattr(answer, "item") and getattr(answer, "size", None) in (1,) else answer
        if isinstance(answer, bool) or not isinstance(answer, int):
            raise Wrong(f"I expected a whole number, an index, and got a {type(answer).__name__}: {_plain(answer)}.")
        return answer

    losses = [3, 2, 2.5, 2.4, 1]
    answer = ask(losses, 2)
    if answer == 4:
        raise Wrong("With patience 2 the training ends at index 3: it never sees the 1 that comes after it.")
    if answer == 3:
        raise Wrong("That is where the training *ends*. What is kept is the best check before it: index 1.")
    if answer == 2:
        raise Wrong("Index 2 has 2.5, and index 1 had 2.0. Return the index of the best, or is yours counted from 1?")
    if answer != 1:
        raise Wrong(f"For {losses} with patience 2 it is 1; I got {answer}.")
    if ask(losses, 3) != 4:
        raise Wrong("With patience 3 it goes on to index 4 and finds the 1. Do you stop one check too early?")
    if ask([5, 4, 4.5, 4.4, 4.3, 4.2], 3) != 1:
        raise Wrong("[5, 4, 4.5, 4.4, 4.3, 4.2] falls again after index 1, but never below 4: with patience 3 it is 1.")
    if ask([5, 6, 4, 6, 3, 6], 2) != 4:
        raise Wrong("Each new best starts the count again: for [5, 6, 4, 6, 3, 6] and patience 2 it is 4.")
    if ask([2, 2, 3], 5) != 0:
        raise Wrong("Of equal losses the first counts: for [2, 2, 3] it is 0.")
    if ask([7], 1) != 0:
        raise Wrong("After a single check the best is that one, index 0.")
    return "It waits as long as it has patience, and keeps the best it has seen."


@exercise
def check_mixed(mixed: Callable) -> str:
    """Exercise 5: a list of all new items and a share of old ones, shuffled with a seed."""
    new, old = [f"n{number}" for number in range(30)], [f"o{number}" for number in range(100)]
    before = list(new), list(old)

    def ask(new, old, share, seed=0) -> list:
        return _list(tried(mixed(new, old, share, seed)), "a list of items")

    answer = ask(new, old, 0.25)
    if (new, old) != before:
        raise Wrong("You changed a list you were given. Make a new one: `list(new) + …`.")
    if any(item not in before[0] and item not in before[1] for item in map(str, answer)):
        raise Wrong("There is something in your list that stood in neither of the two.")
    kept, drawn = [item for item in answer if item in new], [item for item in answer if item in old]
    if sorted(kept) != sorted(new):
        raise Wrong("All items of `new` belong into the list, each once: what is mixed in comes on top.")
    if len(drawn) == 8:
        raise Wrong(
            "A quarter of the *new* ones are old in yours. A quarter of the whole shall be: share / (1 − share)."
        )
    if len(drawn) == 25:
        raise Wrong("You took a quarter of the old list. Of 30 new and some old ones a quarter shall be old: 10.")
    if len(drawn) != 10:
        raise Wrong(f"With 30 new items and a share of 0.25 there are 10 old ones; I count {len(drawn)}.")
    if len(set(drawn)) < 10:
        raise Wrong("Some old items come twice, and ninety others not at all: draw without repeating (`sample`).")
    if answer[:30] == new or answer[-30:] == new:
        raise Wrong("The list is not shuffled: training would read all of one kind first.")
    if answer != ask(new, old, 0.25):
        raise Wrong("Twice the same seed gave two different lists. Use `random.Random(seed)` for every draw.")
    if answer == ask(new, old, 0.25, 1):
        raise Wrong("Another seed gave the same list. Give the seed to the generator.")
    if len(ask(new, old[:4], 0.5)) != 60:
        raise Wrong("Of four old items thirty are needed: repeat the whole list seven times and draw the last two.")
    if sorted(ask(new, old, 0.0)) != sorted(new):
        raise Wrong("With a share of 0 nothing is mixed in.")
    return "All that is new, and old talk beside it, so that the old is not forgotten."
