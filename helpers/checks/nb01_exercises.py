"""Checks of the exercises of notebook 01, *From a comment dump to conversations*; those of its build cells are in ``nb01``."""

import re
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import kind, shown


@exercise
def check_parent_name(parent_name: Callable[[dict], str]) -> str:
    """Exercise 1: the parent's full name from a record of any era (dict with ``parent_id`` and ``link_id``)."""
    if not isinstance(answer := tried(parent_name({"parent_id": "t1_c14", "link_id": "t3_17866"})), str):
        raise Wrong(f"I expected a text, the parent's full name, and got {kind(answer)}.")
    if parent_name({"parent_id": "t1_c14", "link_id": "t3_17866"}) != "t1_c14":
        raise Wrong("A parent_id that is a string already has its prefix and must come back as it is.")
    if parent_name({"parent_id": "t3_17866", "link_id": "t3_17866"}) != "t3_17866":
        raise Wrong("'t3_17866' is the full name of a post. Leave it alone, prefix and all: not every parent is a comment.")
    if parent_name({"parent_id": None, "link_id": "t3_10abc"}) != "t3_10abc":
        raise Wrong("A missing parent (null) means: a reply to the post itself. Its name is the link_id.")
    answer = parent_name({"parent_id": 41785179015, "link_id": "t3_10abc"})
    if answer == "t1_41785179015":
        raise Wrong("You kept the decimal digits. Reddit's ids are written in base 36: 41785179015 is 'j71teh3'.")
    if answer == "j71teh3":
        raise Wrong("The digits are right, the prefix is missing: a comment's full name starts with 't1_'.")
    if isinstance(answer, str) and answer.startswith("t1_") and answer[3:] == "j71teh3"[::-1]:
        raise Wrong("The digits come out backwards: divmod gives the last digit first.")
    if answer != "t1_j71teh3":
        raise Wrong(f"For the number 41785179015 I expected 't1_j71teh3' and got {shown(answer)}.")
    post = int("10abc", 36)
    if parent_name({"parent_id": post, "link_id": "t3_10abc"}) == "t1_10abc":
        raise Wrong("When the number is the post's own number, the comment answers the post: return the link_id.")
    if parent_name({"parent_id": post, "link_id": "t3_10abc"}) != "t3_10abc":
        raise Wrong("The number of the post itself must give the link_id.")
    return "Every era's parent has its full name: strings, nothing, numbers, and the post itself."


def _removes_letters(text: str) -> str:
    return text.replace("gt", "")


def _cuts_after_arrows(text: str) -> str:
    return re.sub(r"(?<=.>).+", "", text)  # the first character of a line is not inside it; "." is no line break


def _drops_lines(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not line.startswith(">"))


@exercise
def check_counterexample(counterexample: Callable[[], str]) -> str:
    """Exercise 2: a text that must stay as it is, and that three careless cleaners damage."""
    from helpers.corpus.cleaning import clean

    text = tried(counterexample())
    if not isinstance(text, str):
        raise Wrong(f"I expected one text and got {kind(text)}.")
    cleaned = clean(text)
    starts = [line.lstrip()[:2] for line in text.split("\n")]
    if any(start[:1] == ">" and start not in (">:", ">!") for start in starts):
        raise Wrong(f"A good cleaner drops your quoted line: {shown(cleaned)} is left. Which line begins with '>' and stays?")
    if cleaned != text:
        raise Wrong(f"A good cleaner changes your text, too: {shown(cleaned)}. Leave out whatever it removes.")
    if _removes_letters(text) == text:
        raise Wrong("The cleaner that removes 'gt' does no damage: use a word with these two letters side by side.")
    if _drops_lines(text) == text:
        raise Wrong("The cleaner that drops lines with '>' does no damage: begin one with '>' that is no quote.")
    if _cuts_after_arrows(text) == text:
        raise Wrong("The cleaner that cuts a line off after a '>' does no damage: put an arrow in a line, with words after it.")
    return "One text, three cleaners caught. Put it into the tests of every cleaner you write."


class _Watched(dict):
    """A dict that stops a walk which goes round and round: an endless loop in a notebook cannot explain itself."""

    steps = 0

    def _step(self) -> None:
        self.steps += 1
        if self.steps > 10_000:  # eight comments need a few dozen
            raise Wrong("Your walk never ends: 'x' answers 'y' and 'y' answers 'x'. Remember where you have been.")

    def __getitem__(self, key):
        self._step()
        return super().__getitem__(key)

    def get(self, key, default=None):
        self._step()
        return super().get(key, default)


@exercise
def check_survivors(survivors: Callable[[dict, set], set]) -> str:
    """Exercise 3: the comments whose whole path to the root survives the filter."""
    parents = {"a": None, "b": "a", "c": "b", "d": "c", "e": "a", "f": "gone", "x": "y", "y": "x"}
    answer = tried(survivors(_Watched(parents), {"b"}))
    if not isinstance(answer, set | frozenset | list | tuple) or not all(isinstance(name, str) for name in answer):
        raise Wrong(f"I expected a set of ids and got {kind(answer)}.")
    answer = set(answer)
    if "b" in answer:
        raise Wrong("'b' itself was dropped by the filter and must not survive.")
    if answer == {"a", "e", "c", "d", "f"} or {"c", "d"} <= answer:
        raise Wrong("'c' answers the dropped 'b': it has lost its context, and so has 'd' below it.")
    if "d" in answer:
        raise Wrong("You looked one step up only. 'd' answers 'c', which answers the dropped 'b': walk to the root.")
    if "e" not in answer or "a" not in answer:
        raise Wrong("You dropped too much: 'a' and 'e' do not depend on 'b'.")
    if "f" in answer:
        raise Wrong("'f' answers a comment that is not in the file. Its path never reaches the root.")
    if answer & {"x", "y"}:
        raise Wrong("'x' and 'y' answer each other. Their path goes round and never reaches a root.")
    if set(survivors(_Watched(parents), set())) != {"a", "b", "c", "d", "e"}:
        raise Wrong("With nothing dropped, everything that hangs from the root must survive.")
    backwards = dict(reversed(parents.items()))
    if set(survivors(_Watched(backwards), set())) != {"a", "b", "c", "d", "e"}:
        raise Wrong("The comments come in any order. With 'd' and 'c' before 'b' and 'a' your answer is another one.")
    deep = {str(n): str(n - 1) if n else None for n in range(4_000)}  # deeper than any usual recursion limit
    for parents in (deep, dict(reversed(deep.items()))):  # recursion that remembers is deep only with the children first
        try:
            answer = set(survivors(parents, {"3500"}))
        except RecursionError:
            raise Wrong(
                "A thread 4,000 replies deep is too much for recursion in Python. Follow the path with a loop."
            ) from None
        if answer != {str(n) for n in range(3_500)}:
            raise Wrong(
                "In a thread 4,000 replies deep, with number 3,500 dropped, exactly the first 3,500 should survive."
            )
    return "Only comments with an unbroken path to the root survive, however deep."
