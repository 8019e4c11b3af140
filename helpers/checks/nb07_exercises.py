"""Checks of the exercises of notebook 07, *Fine-tuning: from text to talk*; ``helpers.checks.nb07`` hands them on."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, items, near, number, refuse_known, shown


@exercise
def check_mixed(mixed: Callable) -> str:
    """Exercise 1: a list of all new items and a fraction of old ones, shuffled with a seed."""
    new, old = [f"n{i}" for i in range(30)], [f"o{i}" for i in range(100)]

    def ask(new, old, share, seed=0) -> list:
        changed = "You changed a list you were given. Make a new one: `list(new) + …`."
        return items(call(mixed, new, old, share, seed, changed=changed), "a list of items")

    answer = ask(new, old, 0.25)
    if any(item not in new and item not in old for item in map(str, answer)):
        raise Wrong("There is something in your list that is in neither of the two.")
    kept, sampled = [item for item in answer if item in new], [item for item in answer if item in old]
    if sorted(kept) != sorted(new):
        raise Wrong("All items of `new` belong in the list, each once: what is mixed in comes on top.")
    if len(sampled) == 8:
        raise Wrong(
            "Yours adds a quarter of the number of *new* ones. A quarter of the whole should be old: share / (1 − share)."
        )
    if len(sampled) == 25:
        raise Wrong("You took a quarter of the old list. Of 30 new and some old ones a quarter should be old: 10.")
    if len(sampled) != 10:
        raise Wrong(f"With 30 new items and a share of 0.25 there are 10 old ones; I count {len(sampled)}.")
    if len(set(sampled)) < 10 or len(set(ask(new, old[:12], 0.25)) - set(new)) < 10:
        raise Wrong("Some old items come twice, and others not at all: sample without replacement.")
    if set(answer[:30]) == set(new) or set(answer[-30:]) == set(new):
        raise Wrong("The list is not shuffled: training would read all of one kind first.")
    if answer != ask(new, old, 0.25):
        raise Wrong("The same seed gave two different lists. Use one `random.Random(seed)` for everything random.")
    if answer == ask(new, old, 0.25, 1):
        raise Wrong("Another seed gave the same list. Give the seed to the generator.")
    if {*sampled} == {item for item in ask(new, old, 0.25, 1) if item in old}:
        raise Wrong("Whatever the seed, the same old items are taken. Sample them at random.")
    if len(ask(new[:10], old, 0.4)) != 17 or len(ask(new[:10], old, 0.3)) != 14:
        raise Wrong("Ten new items and a share of 0.4 need 7 old ones (6.67), a share of 0.3 needs 4 (4.29): use round().")
    many = ask(new, old[:4], 0.5)
    if len(many) == 60 and any(many.count(item) not in (7, 8) for item in old[:4]):
        raise Wrong("Thirty of four old items: each comes seven times, and two of them once more. Repeat the whole list first.")
    if len(many) != 60:
        raise Wrong("Of four old items thirty are needed: repeat the whole list seven times and sample the last two.")
    if sorted(ask(new, old, 0.0)) != sorted(new):
        raise Wrong("With a share of 0 nothing is mixed in.")
    return "All that is new, with old text beside it, so that the old is not forgotten."


@exercise
def check_times_fewer(times_fewer: Callable) -> str:
    """Exercise 2: the sizes of a GPT and a rank to the factor by which LoRA beside queries and values trains fewer parameters."""

    def ask(*sizes) -> float:
        return number(tried(times_fewer(*sizes)), "a factor")

    answer, trained = ask(1_000_000, 100, 5, 3), 2 * 5 * 3 * (100 + 100)
    known = {
        "Yours trains half as many. There are A *and* B, beside both queries and values.": 2e6 / trained,
        "That is the number of parameters trained. How many times fewer than all is it?": trained,
        "You count four matrices a layer. GPT-3 got LoRA beside two: queries and values.": 0.5e6 / trained,
        "Upside down: divide all parameters by those that are trained.": trained / 1e6,
        "That counts whole matrices [d_model, d_model]. LoRA trains r rows and r columns beside each.": 1e6 / (2 * 5 * 100 * 100),
        "You count LoRA in a single layer. There are n_layer of them.": 5e6 / trained,
        "The rank is missing: A has r rows, B has r columns.": 3e6 / trained,
    }
    refuse_known(answer, known, near)
    if not near(answer, 1e6 / trained):
        sizes = "1,000,000 parameters, d_model 100, 5 layers, rank 3"
        raise Wrong(f"For a GPT of {sizes}: {1e6 / trained:g} times; I got {shown(answer)}.")
    if not near(ask(5_766_912, 256, 4, 8), 5_766_912 / (2 * 4 * 8 * 512)):
        raise Wrong("One GPT is right, another is not: is a number written down?")
    return f"GPT-3 with rank 4: {ask(175_000_000_000, 12_288, 96, 4):,.0f} times fewer, the paper's “10,000 times”."
