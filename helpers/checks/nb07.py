"""Checks of notebook 07, *Fine-tuning: from text to talk*."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, items, near, number, refuse_known, same, shown, tensor, whole

IDS, OWN, OTHERS = [9, 1, 5, 2, 6, 7, 1, 8, 2, 4, 9], 2, (1, 9)
LABELS = [-100, -100, -100, 6, 7, 1, -100, -100, 4, 9]


@exercise
def check_labels_for(labels_for: Callable) -> str:
    """Exercise 1: a list of tokens to a list of labels, one less, with −100 where nothing is marked."""
    changed = "You changed the list of tokens you were given. Make a new list of labels."
    answer = items(call(labels_for, list(IDS), OWN, OTHERS, changed=changed), "a list of labels")
    if len(answer) == len(IDS):
        raise Wrong("You return a label for every token. The first token is never one: leave it out.")
    if len(answer) != len(LABELS):
        raise Wrong(f"Eleven tokens have ten labels, and I got {len(answer)}: {shown(answer)}.")
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
        raise Wrong("The other speaker is marked: you have the condition the wrong way around.")
    if any(value == 0 and right == -100 for value, right in zip(answer, LABELS)):
        raise Wrong("You wrote 0 where nothing counts; 0 is a token like any other. The number for that is −100.")
    if answer != LABELS:
        raise Wrong(f"For the tokens {IDS} with own 2 the labels are {LABELS}; I got {shown(answer)}.")
    if items(labels_for([9, 2, 5, 9, 2, 6, 9], 2, (9,)), "a list of labels") != [-100, 5, 9, -100, 6, 9]:
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
        return number(tried(reply_mean(nats.clone(), labels.clone())), "the mean")

    answer = ask(nats, labels)
    if near(answer, 24 / 6):
        raise Wrong("That is the mean over all tokens. Leave out those whose label is −100.")
    if near(answer, 13 / 6):
        raise Wrong("You divide by all tokens. Divide by the number of labels.")
    if near(answer, (1 + 4) / 2):
        raise Wrong(
            "That is the mean of the rows' means: a short reply weighs as much as a long one. Take the mean of all."
        )
    if near(answer, 13.0):
        raise Wrong("That is the sum. Divide it by the number of labels.")
    if near(answer, 8 / 3):
        raise Wrong("You leave out the label 0 as well. Token 0 is a token; only −100 is left out.")
    if near(answer, 11 / 2):
        raise Wrong("That is the mean over what should be left out: you have the mask the wrong way around.")
    if not near(answer, 13 / 4):
        raise Wrong(f"(1 + 3 + 4 + 5) / 4 is 3.25; I got {answer:g}.")
    if ask(nats, torch.full((2, 3), -100)) != 0.0:
        raise Wrong("Where no token has a label, return 0.0: a mean over nothing is no number.")
    return "Every token with a label weighs the same, whichever row it stands in."


@exercise
def check_lora_output(lora_output: Callable) -> str:
    """Exercise 3: x [N, in], W [out, in], A [r, in], B [out, r] and alpha to [N, out]."""
    import torch

    rng = torch.Generator().manual_seed(0)
    x, W, A, B = (torch.randn(*shape, generator=rng, dtype=torch.float64) for shape in ((3, 7), (5, 7), (2, 7), (5, 2)))
    answer = call(lora_output, x, W, A, B, 6.0, changed="You changed W. It is frozen: what is learned runs beside it.")
    answer = tensor(answer, (3, 5), "a tensor, a row of five for each of three inputs")
    plain, beside = x @ W.T, x @ A.T @ B.T
    factors = {
        "That is W x alone. Add what the two thin matrices say.": 0.0,
        "The factor α / r is missing before B A x.": 1.0,
        "You multiply with α and do not divide by the rank, the number of rows of A.": 6.0,
        "You divide α by the width of the input. The rank r is the number of rows of A.": 6.0 / 7,
        "You divide α by the width of the output. The rank r is the number of rows of A.": 6.0 / 5,
        "You subtract the change. Add it.": -3.0,
    }
    refuse_known(answer, {message: plain + factor * beside for message, factor in factors.items()})
    if same(answer, 3.0 * (plain + beside)):
        raise Wrong("The factor α / r belongs to B A x alone; W x stays as it is.")
    if same(answer, 3.0 * beside):
        raise Wrong("That is the change alone. Add it to W x.")
    if not same(answer, plain + 3.0 * beside):
        raise Wrong(f"The first row should be {shown((plain + 3 * beside)[0])}; I got {shown(answer[0])}.")
    return "W x, and beside it two thin products: no matrix of W's size was needed."


@exercise
def check_stop_at(stop_at: Callable) -> str:
    """Exercise 4: losses and patience to the index of the best check that was seen before training stopped."""

    def ask(losses, patience) -> int:
        return whole(tried(stop_at(list(losses), patience)), "an index")

    losses = [3, 2, 2.5, 2.4, 1]
    answer = ask(losses, 2)
    if answer == 4:
        raise Wrong("With patience 2 the training ends at index 3: it never sees the 1 that comes after it.")
    if answer == 3:
        raise Wrong("That is where the training *ends*. What is kept is the best check before it: index 1.")
    if answer == 2:
        raise Wrong("Index 2 has 2.5, and index 1 had 2.0. Return the index of the best, or do yours begin at 1?")
    if answer != 1:
        raise Wrong(f"For {losses} with patience 2 it is 1; I got {answer}.")
    if ask(losses, 3) != 4:
        raise Wrong("With patience 3 it goes on to index 4 and sees the 1. Do you stop one check too early?")
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
    """Exercise 5: a list of all new items and a fraction of old ones, shuffled with a seed."""
    new, old = [f"n{i}" for i in range(30)], [f"o{i}" for i in range(100)]

    def ask(new, old, share, seed=0) -> list:
        changed = "You changed a list you were given. Make a new one: `list(new) + …`."
        return items(call(mixed, new, old, share, seed, changed=changed), "a list of items")

    answer = ask(new, old, 0.25)
    if any(item not in new and item not in old for item in map(str, answer)):
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
