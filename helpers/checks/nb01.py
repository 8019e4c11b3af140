"""Checks of notebook 01, *From a comment dump to conversations*."""

import random
from collections import Counter
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import shown


@exercise
def check_parent_name(parent_name: Callable[[dict], str]) -> str:
    """Exercise 1: the parent's full name from a record of any era (dict with ``parent_id`` and ``link_id``)."""
    tried(parent_name({"parent_id": "t1_c14", "link_id": "t3_17866"}))
    if parent_name({"parent_id": "t1_c14", "link_id": "t3_17866"}) != "t1_c14":
        raise Wrong("A parent_id that is a string already has its prefix and must come back as it is.")
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


@exercise
def check_drop_quotes(drop_quotes: Callable[[str], str]) -> str:
    """Exercise 2: a reply without the lines it quotes."""
    answer = tried(drop_quotes("> Is soup a drink?\n\nNo."))
    if "Is soup a drink?" in answer:
        raise Wrong("The quoted words are still there: the reply would contain its own question. Drop the whole line.")
    if answer.strip() != "No.":
        raise Wrong(f"From '> Is soup a drink?' and 'No.' I expected 'No.' and got {shown(answer)}.")
    if drop_quotes("left -> right, and >:( too").strip() != "left -> right, and >:( too":
        raise Wrong("A '>' inside a line is not a quote ('left -> right'): look only at how the line begins.")
    if drop_quotes(">:(\nnot today").strip() != ">:(\nnot today":
        raise Wrong("'>:(' at the start of a line is a face, not a quote. What stands right behind the '>'?")
    if drop_quotes("  > indented\nfine").strip() != "fine":
        raise Wrong("Spaces may stand before a quote mark. Look behind them.")
    if drop_quotes(">!the butler!<\n> who?").strip() != ">!the butler!<":
        raise Wrong("'>!' opens a spoiler. It hides words of this very comment, so the line must stay.")
    if drop_quotes("one\n\n  two \n> three") != "one\n\n  two ":
        raise Wrong("Lines that are not quotes must stay as they are: empty ones, and the spaces at both ends, too.")
    return "Quotes go, arrows and angry faces stay."


# id -> (parent, score, created): 'a' has a late high reply, a tie below it, and a tempting distant comment.
_TREE = {
    "a": ("post", 3, 10),
    "b": ("a", 5, 20),
    "c": ("a", 9, 30),
    "d": ("c", 4, 50),
    "e": ("c", 4, 40),
    "f": ("b", 99, 60),
    "g": ("e", -7, 70),
}


@exercise
def check_best_reply_chain(best_reply_chain: Callable[[dict, str], list]) -> str:
    """Exercise 3: from a comment follow the best-scored reply down to a leaf.

    The answer takes ``replies`` (id -> list of (id, score, created)) and the first id, and returns the list of ids.
    """
    replies: dict[str, list] = {}
    for name, (parent, score, created) in _TREE.items():
        replies.setdefault(parent, []).append((name, score, created))
    answer = list(tried(best_reply_chain(replies, "a")))
    if answer == ["a", "b", "f"]:
        raise Wrong("You followed the first reply in the file. File order is an accident of the dump: compare scores.")
    if "f" in answer:
        raise Wrong(
            "You looked for the best score in the whole tree. A conversation needs the best *reply to each comment*."
        )
    if answer[:1] != ["a"]:
        raise Wrong("The chain must begin with the comment you were given.")
    if answer == ["a", "c", "d"] or answer[:3] == ["a", "c", "d"]:
        raise Wrong("'d' and 'e' have the same score; the earlier one ('e', time 40) should win, on every computer.")
    if answer == ["a", "c", "e"]:
        raise Wrong("You stopped before 'g'. Its score is negative, but it is the only reply, so it is the best one.")
    if answer != ["a", "c", "e", "g"]:
        raise Wrong(f"Expected ['a', 'c', 'e', 'g'] and got {shown(answer)}.")
    shuffled = {parent: random.Random(1).sample(children, len(children)) for parent, children in replies.items()}
    if list(best_reply_chain(shuffled, "a")) != answer:
        raise Wrong("The answer changes with the order of the lines in the file. Break every tie by time, then by id.")
    if list(best_reply_chain({}, "x")) != ["x"]:
        raise Wrong("A comment nobody answered is a chain of one.")
    return "From each comment to its best reply, ties to the earlier one, down to the leaf."


@exercise
def check_choose_split(choose_split: Callable[[str], str]) -> str:
    """Exercise 4: "train", "val" or "test" for a thread id, from a keyed hash."""
    tried(choose_split("t3_17866"))
    names = [f"t3_{number:x}" for number in range(20_000)]
    first = [choose_split(name) for name in names]
    if set(first) - {"train", "val", "test"}:
        raise Wrong(
            f"Return 'train', 'val' or 'test'; you returned {shown((set(first) - {'train', 'val', 'test'}).pop())}."
        )
    if first != [choose_split(name) for name in names]:
        raise Wrong("The same thread got two answers. Chance has no place here: compute the split from the id alone.")
    if _salted(choose_split, names[:200], first[:200]):
        raise Wrong("Python's hash() of a string changes with every start of Python. Use hashlib, which never does.")
    share = {name: count / len(names) for name, count in Counter(first).items()}
    if abs(share.get("train", 0) - 0.90) > 0.02:
        raise Wrong(f"{share.get('train', 0):.0%} of 20,000 threads went to train; it should be about 90%.")
    if abs(share.get("val", 0) - 0.05) > 0.01:
        raise Wrong(f"val got {share.get('val', 0):.1%} and test {share.get('test', 0):.1%}; both should be about 5%.")
    runs = sum(a != b for a, b in zip(first, first[1:]))
    if runs < 2_000:
        raise Wrong(
            "Neighboring ids go to the same split. Ids count up with time, so that is a split by date: hash them."
        )
    return "The same answer for a thread on every computer, 90 : 5 : 5, and no order in it."


def _salted(choose_split: Callable, names: list[str], here: list[str]) -> bool:
    """Say whether the function calls the built-in hash: its code names it, so its answers die with this process."""
    code = getattr(choose_split, "__code__", None)
    return code is not None and "hash" in code.co_names and here == [choose_split(name) for name in names]


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
    """Exercise 5: the comments whose whole path to the root survives the filter."""
    parents = {"a": None, "b": "a", "c": "b", "d": "c", "e": "a", "f": "gone", "x": "y", "y": "x"}
    answer = set(tried(survivors(_Watched(parents), {"b"})))
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
    deep = {str(n): str(n - 1) if n else None for n in range(4_000)}  # deeper than any usual recursion limit
    try:
        answer = set(survivors(deep, {"3500"}))
    except RecursionError:
        raise Wrong(
            "A thread 4,000 replies deep is too much for recursion in Python. Follow the path with a loop."
        ) from None
    if answer != {str(n) for n in range(3_500)}:
        raise Wrong(
            "In a thread 4,000 replies deep, with number 3,500 dropped, exactly the first 3,500 should survive."
        )
    return "Only comments with an unbroken path to the root survive, however deep."
