"""Checks of notebook 01, *From a comment dump to conversations*: its build cells. Its exercises are in ``nb01_exercises``."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import kind, shown
from helpers.corpus.conversations import split_of


class Reply(NamedTuple):
    """What the checks of the tree hand out as comments."""

    id: str
    parent_id: str
    score: int | None
    created: int

    def __repr__(self) -> str:
        return self.id


# 'a' has a late high reply, a tie below it, and a tempting distant comment; the scores of 'h' and 'i' are not known.
_THREAD = tuple(
    Reply(*fields)
    for fields in (
        ("a", "t3_post", 3, 10),
        ("b", "t1_a", 5, 20),
        ("c", "t1_a", 9, 30),
        ("d", "t1_c", 4, 50),
        ("e", "t1_c", 4, 40),
        ("f", "t1_b", 99, 60),
        ("g", "t1_e", -7, 70),
        ("h", "t1_g", None, 80),
        ("i", "t1_g", -9, 90),
    )
)
_BY_ID = {reply.id: reply for reply in _THREAD}


def _names(answer) -> dict:
    """Return a tree as {name: [ids]}; raise Wrong for what is no tree of comments."""
    if not isinstance(answer, dict):
        raise Wrong(f"I expected a dictionary from full name to list of comments and got {kind(answer)}.")
    for name, replies in answer.items():
        if not isinstance(name, str):
            raise Wrong(f"The keys are full names, such as 't1_a'; one of yours is {kind(name)}.")
        if not isinstance(replies, list) or not all(isinstance(reply, Reply) for reply in replies):
            raise Wrong(f"The value under {name!r} is no list of comments: {shown(replies)}. Append the comments themselves.")
    return {name: [reply.id for reply in replies] for name, replies in answer.items() if replies}


@exercise
def check_reply_tree(reply_tree: Callable[[list], dict]) -> str:
    """Build: the comments that answer each post and each comment, the oldest first."""
    comments, kept = list(_THREAD), list(_THREAD)
    answer = _names(tried(reply_tree(comments)))
    if comments != kept:
        raise Wrong("You changed the list of comments. sorted(…) makes a new one; .sort() sorts the list you were given.")
    if set(answer) == set(_BY_ID):
        raise Wrong("You grouped the comments under their own ids. The key is what a comment answers: its parent_id.")
    if "a" in answer or "post" in answer:
        raise Wrong("You cut the prefix off. Keep the full name, 't1_a': a post and a comment may have the same id.")
    if any(len(replies) == 1 for replies in [answer.get("t1_a", ())]):
        raise Wrong("'a' has two replies, and you kept one: append to the list, don't replace it.")
    expected = {"t3_post": ["a"], "t1_a": ["b", "c"], "t1_c": ["e", "d"], "t1_b": ["f"], "t1_e": ["g"], "t1_g": ["h", "i"]}
    if "t3_post" not in answer and "t1_a" in answer:
        raise Wrong("The post is missing. 'a' answers it, so there is a key 't3_post', too.")
    if answer == {**expected, "t1_c": ["d", "e"]}:
        raise Wrong("You kept the order of the file. 'e' is older than 'd': sort the comments by `.created` first.")
    if answer == {name: replies[::-1] for name, replies in expected.items()}:
        raise Wrong("The newest comes first. Sort the other way around: the oldest reply comes first.")
    if answer != expected:
        raise Wrong(f"I expected {shown(expected, 110)} and got {shown(answer, 110)}.")
    twins = [Reply("z", "t3_post", 1, 5), Reply("y", "t3_post", 1, 5)]
    if _names(reply_tree(twins)) != {"t3_post": ["y", "z"]}:
        raise Wrong("Two comments of the same second: the smaller id comes first. Sort by (created, id).")
    if _names(reply_tree([])) != {}:
        raise Wrong("No comments make an empty tree.")
    return "Each comment under what it answers, the oldest first, however the file is sorted."


@exercise
def check_drop_quotes(drop_quotes: Callable[[str], str]) -> str:
    """Build: a reply without the lines it quotes."""
    answer = tried(drop_quotes("> Is soup a drink?\n\nNo."))
    if not isinstance(answer, str):
        raise Wrong(f"I expected a text and got {kind(answer)}.")
    if "Is soup a drink?" in answer:
        raise Wrong("The quoted words are still there: the reply would contain its own question. Drop the whole line.")
    if answer.strip() != "No.":
        raise Wrong(f"From '> Is soup a drink?' and 'No.' I expected 'No.' and got {shown(answer)}.")
    if drop_quotes(">no space\n>> nested\n>\nfine").strip() != "fine":
        raise Wrong("A quote need not have a space after its mark: '>no space', '>> nested' and '>' alone are quotes, too.")
    if drop_quotes("left -> right, and >:( too").strip() != "left -> right, and >:( too":
        raise Wrong("A '>' inside a line is not a quote ('left -> right'): look only at how the line begins.")
    if drop_quotes(">:(\nnot today").strip() != ">:(\nnot today":
        raise Wrong("'>:(' at the start of a line is a face, not a quote. What comes right after the '>'?")
    if drop_quotes("  > indented\nfine").strip() != "fine":
        raise Wrong("Spaces may stand before a quote mark. Skip them first.")
    if drop_quotes(">!the butler!<\n> who?").strip() != ">!the butler!<":
        raise Wrong("'>!' opens a spoiler. It hides words of this very comment, so the line must stay.")
    if drop_quotes("  >:( cold\nfine").strip() != ">:( cold\nfine":
        raise Wrong("A face may have spaces before it, too. Take them off first, for both questions: '>' or not, face or not.")
    if drop_quotes("one\n\n  two \n> three") != "one\n\n  two ":
        raise Wrong("Lines that are not quotes must stay as they are: empty ones, and the spaces at both ends, too.")
    return "Quotes go, arrows and angry faces stay."


@exercise
def check_best_reply_chain(best_reply_chain: Callable[[dict, Reply], list]) -> str:
    """Build: from a comment follow the reply with the highest score to a leaf."""

    def tree_of(replies: tuple) -> dict:
        tree: dict[str, list] = {}
        for reply in sorted(replies, key=lambda reply: reply.created):
            tree.setdefault(reply.parent_id, []).append(reply)
        return tree

    def ask(tree: dict, start: Reply) -> list[str]:
        answer = tried(best_reply_chain(tree, start))
        if isinstance(answer, list) and answer and all(isinstance(name, str) for name in answer):
            raise Wrong("You returned names. Return the comments themselves: the next step needs their authors and texts.")
        if not isinstance(answer, list | tuple) or not all(isinstance(reply, Reply) for reply in answer):
            raise Wrong(f"I expected a list of comments and got {kind(answer)}.")
        return [reply.id for reply in answer]

    known = tree_of(tuple(reply for reply in _THREAD if reply.score is not None))
    answer = ask(known, _BY_ID["a"])
    if answer == ["a", "b", "f"]:
        raise Wrong("You followed the oldest reply. Compare the scores: 'c' has 9, 'b' has 5.")
    if "f" in answer:
        raise Wrong("You took the best score in the whole tree. A conversation needs the best *reply to each comment*.")
    if answer[:1] != ["a"]:
        raise Wrong("The chain must begin with the comment you were given.")
    if answer == ["a", "c"]:
        raise Wrong("You took one step only. Go on from the reply, until a comment has no reply.")
    if answer[:3] == ["a", "c", "d"]:
        raise Wrong("'d' and 'e' have the same score, and 'e' is older: the first of equal ones wins.")
    if answer == ["a", "c", "e"]:
        raise Wrong("You stopped before 'g'. Its score is negative, but it is the best reply there is.")
    if answer != ["a", "c", "e", "g", "i"]:
        raise Wrong(f"I expected the chain a, c, e, g, i and got {shown(answer)}.")
    try:
        answer = ask(tree_of(_THREAD), _BY_ID["a"])
    except TypeError:
        raise Wrong("A score of None cannot be compared with a number. Give it a key below all numbers: -math.inf.") from None
    if answer[-1:] == ["h"]:
        raise Wrong("'h' has no score (None), 'i' has -9, and you took 'h': None counts as lower than any number.")
    if answer != ["a", "c", "e", "g", "i"]:
        raise Wrong(f"With a score that is None I expected the chain a, c, e, g, i and got {shown(answer)}.")
    below = [Reply("k", "t1_f", -2, 70), Reply("l", "t1_f", 0, 80)]
    if ask({"t1_f": below}, _BY_ID["f"]) == ["f", "k"]:
        raise Wrong("'l' has 0 votes, 'k' has -2, and you took 'k'. `score or …` takes 0 for missing: ask `score is None`.")
    if ask({}, _BY_ID["f"]) != ["f"]:
        raise Wrong("A comment without replies is a chain of one.")
    return "From each comment to its best reply, ties to the older one, down to the leaf."


@exercise
def check_choose_split(choose_split: Callable[[str], str]) -> str:
    """Build: "train", "val" or "test" for a thread id, from a keyed hash."""
    tried(choose_split("t3_17866"))
    names = [f"t3_{number:x}" for number in range(20_000)]
    first = [choose_split(name) for name in names]
    if not all(isinstance(split, str) for split in first):
        raise Wrong(f"I expected a text, 'train', 'val' or 'test', and got {kind(first[0])}.")
    if set(first) - {"train", "val", "test"}:
        raise Wrong(
            f"Return 'train', 'val' or 'test'; you returned {shown((set(first) - {'train', 'val', 'test'}).pop())}."
        )
    if first != [choose_split(name) for name in names]:
        raise Wrong("The same thread got two answers. No random numbers here: compute the split from the id alone.")
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
    if first != [split_of(name) for name in names]:
        raise Wrong("A fair split, but not the course's: the id's bytes, key=KEY, digest_size=8, 'big', 2**64. Which is missing?")
    return "The same answer for a thread on every computer, 90 : 5 : 5, and no order in it."


def _salted(choose_split: Callable, names: list[str], here: list[str]) -> bool:
    """Say whether the function calls the built-in hash: its code names it, so its answers die with this process."""
    code = getattr(choose_split, "__code__", None)
    return code is not None and "hash" in code.co_names and here == [choose_split(name) for name in names]
