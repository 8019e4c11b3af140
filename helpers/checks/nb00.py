"""Check of notebook 00, *Start here*: one small exercise, so that the first ✔ comes early."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import shown
from helpers.corpus.conversations import Conversation, Turn

_TALK = Conversation(
    "c", "c", (Turn("A", "Hi!"), Turn("B", "Hello you\nHow is the bread?"), Turn("A", "Burnt.\nAgain."))
)


@exercise
def check_last_words(last_words: Callable[[Conversation], str]) -> str:
    """The exercise: what a bot has to answer, the text of a conversation's last turn."""
    answer = tried(last_words(_TALK))
    if isinstance(answer, Turn):
        raise Wrong("That is the whole turn, with its speaker. A turn has a .text: return that.")
    if answer == "Hi!":
        raise Wrong("That is the first turn. In Python the last item of a sequence has the number -1.")
    if answer == "Again.":
        raise Wrong("That is only the last line. A turn may have several lines, and a bot should read them all.")
    if answer == "Hello you\nHow is the bread?":
        raise Wrong("That is the turn before the last. The index -1 is the last one, -2 the one before.")
    if answer != "Burnt.\nAgain.":
        raise Wrong(f"For a conversation that ends with 'Burnt.\\nAgain.' your function returned {shown(answer)}.")
    return "That is what every bot of this course will be given to answer."
