"""Checks of notebook 00, *Start here*: two small exercises, so that the first ✔ comes early."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import kind, number, shown
from helpers.corpus.conversations import Conversation, Turn

_TALK = Conversation(
    "c", "c", (Turn("A", "Hi!"), Turn("B", "Hello you\nHow is the bread?"), Turn("A", "Burnt.\nAgain."))
)


@exercise
def check_last_words(last_words: Callable[[Conversation], str]) -> str:
    """Exercise 1: what a bot has to answer, the text of a conversation's last turn."""
    answer = tried(last_words(_TALK))
    if isinstance(answer, Turn):
        raise Wrong("That is the whole turn, with its speaker. A turn has a .text: return that.")
    if not isinstance(answer, str):
        raise Wrong(f"I expected a text, the last turn's, and got {kind(answer)}.")
    if answer == "Hi!":
        raise Wrong("That is the first turn. In Python the last item of a sequence has the number -1.")
    if answer == "Again.":
        raise Wrong("That is only the last line. A turn may have several lines, and a bot should read them all.")
    if answer == "Hello you\nHow is the bread?":
        raise Wrong("That is the turn before the last. The index -1 is the last one, -2 the one before.")
    if answer != "Burnt.\nAgain.":
        raise Wrong(f"For a conversation that ends with 'Burnt.\\nAgain.' your function returned {shown(answer)}.")
    return "That is what every bot of this course will be given to answer."


@exercise
def check_bits(bits: Callable[[float], float]) -> str:
    """Exercise 2: the surprisal of an event with probability p, −log₂ p."""
    answer = number(tried(bits(0.125)), "the bits of something that happens once in eight times")
    mistakes = (
        (-3, "The sign is missing: the logarithm of a probability is negative or 0, surprisal is positive or 0."),
        (math.log(8), "That is the natural logarithm, so your unit is the nat. For bits take the logarithm to base 2."),
        (math.log10(8), "That is the logarithm to base 10. For bits take the logarithm to base 2."),
        (8, "That is 1/p, once in how many times. Bits count how often you must halve 1 to get there: take a logarithm."),
        (0.375, "That is −p · log₂ p, what one event adds to an average (an entropy). Here the event has happened: leave out p."),
    )
    for wrong, sentence in mistakes:
        if math.isclose(answer, wrong, rel_tol=1e-6):
            raise Wrong(sentence)
    for probability, right in ((0.125, 3.0), (0.5, 1.0), (1.0, 0.0), (0.3, -math.log2(0.3))):
        answer = number(bits(probability), f"the bits of something with probability {probability}")
        if answer == round(right) != right:
            raise Wrong("Surprisal need not be a whole number of bits: leave out the rounding.")
        if not math.isclose(answer, right, rel_tol=1e-6, abs_tol=1e-9):
            raise Wrong(f"For p = {probability} your function returned {shown(answer)}; −log₂ {probability} is {right:.3f}.")
    return "Three bits for one chance in eight, one for a fair coin, none for what is certain: the unit of the scoreboard."
